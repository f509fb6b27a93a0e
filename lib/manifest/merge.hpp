// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/derive.hpp"
#include "manifest/record.hpp"
#include "manifest/writer.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::manifest {

/// What a stage knows only of the whole, and has to find out again when manifests of its parts become one.
class Whole {
 public:
  using Emit = std::function<void(std::string_view line)>;
  Whole() = default;
  virtual ~Whole() = default;
  Whole(const Whole&) = delete;
  Whole& operator=(const Whole&) = delete;

  /// Takes back what is known of the whole, so that records of one object can be compared.
  virtual void forget(Object& object) const = 0;
  /// A study as one of the parts has it, before the first object.
  virtual void study_of_part(const Study& study) = 0;
  /// Objects in their order, each once; emits its record and findings about others.
  virtual void object(Object object, const Emit& emit) = 0;
  /// Behind the last one: late findings and the records of all studies.
  virtual void conclude(const Emit& emit) = 0;
};

/// Makes the Whole of a stage once its inputs are known to fit together, nullptr for a stage that has none. `deep`:
/// all of them were scanned so. `output` is the manifest, beside which scratch files may lie.
using WholeOf =
    std::function<std::unique_ptr<Whole>(const std::string& stage, bool deep, const std::filesystem::path& output)>;

struct Merged {
  Derived records;
  std::uint64_t inputs = 0;
  std::uint64_t repeated = 0;     ///< records of objects that another input has as well, and that were left out
  std::string missing = {};       ///< which shards or parts are not among the inputs, in words
  bool already_complete = false;  ///< the output was there; nothing else is filled in then
};

/// Makes one manifest of several of one stage (scan, transcode, load or verify): shards of a scan, parts of one
/// archive.
///
/// Each object stands in the output once, with the record it has in its input, in the order of a walk of the archive;
/// the order of the inputs does not matter. Where several inputs have an object, the record that tells what became of
/// it counts (`which_counts`); records that contradict each other throw RunError(Exit::usage) with the object's id and
/// both files. A study has one record, its counts added up, each object once. Records of other kinds stand in front,
/// input by input, except `recovered`, which speaks of its file. With a Whole, findings about others and studies are
/// made anew.
///
/// Header: the options that all inputs have alike; `merge` with each input's name, run, time, tool and options; the
/// inputs and their heads. The time of creation is one microsecond behind the latest of the inputs.
///
/// Throws RunError(Exit::usage) for inputs that do not belong together or hold a sample, (Exit::input) for an
/// interrupted one. An output that is the very result is kept, one that was interrupted is begun again. Reads each
/// input twice, more often only where an object occurs in several. Memory: about 210 MB, for each object that several
/// inputs have 8 bytes and for each study of these some 150; temporary files of about the size of the inputs.
[[nodiscard]] Merged merge(const std::vector<std::filesystem::path>& inputs, const std::filesystem::path& output,
                           Restart restart, const WholeOf& whole_of);

/// Whether `merged` is what merge() makes of `inputs`, record by record: none lost, none invented, none changed. The
/// first difference in words, empty when there is none. Throws as merge() does.
[[nodiscard]] std::string merge_difference(const std::filesystem::path& merged,
                                           const std::vector<std::filesystem::path>& inputs, const WholeOf& whole_of);

enum class Counts { first, second, neither };

/// Which of two records of one object, from runs of one stage in the order of their time, says where it stands.
/// An outcome counts more than none, a load more than the refusal before it, the run that put an object at the target
/// more than one that found it there, otherwise the later run; neither where they contradict each other.
[[nodiscard]] Counts which_counts(std::string_view stage, const Object& first, const Object& second);

}  // namespace waybill::manifest
