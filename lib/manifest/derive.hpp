// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"
#include "manifest/writer.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Manifests made of the records of another one, unchanged, in another order or some of them: the stage, options and
/// time of creation of the input stay, its head is linked, so the tools downstream take the result like the input.
namespace waybill::manifest {

/// Where the records of the output stand: objects, studies, buckets.
struct Derived {
  std::uint64_t records = 0, objects = 0, studies = 0;
  std::map<std::string, std::uint64_t> buckets;
  bool input_complete = true;
  void add(const Record& record);
  /// Counts buckets only when asked to, for that takes parsing.
  void add(std::string_view line, bool with_bucket);
  /// As the counts of an end line.
  [[nodiscard]] std::string json() const;
};

/// The byte-order key that puts a line where `waybill manifest sort --by study` wants it: late findings, records of
/// other kinds, then for each study its record and its objects by series, SOP instance and id, objects without study.
[[nodiscard]] std::string study_order(std::string_view line);

/// Writes the records of `input` in that order to `output`; an interrupted input gives a complete output.
[[nodiscard]] Derived sort_by_study(const std::filesystem::path& input, const std::filesystem::path& output,
                                    Restart restart);

/// Which objects to keep: those that fit every list that is not empty.
struct Selection {
  std::vector<std::string> buckets;
  std::vector<std::string> codes;  ///< of findings, late ones included
  std::vector<std::string> studies;
  std::string loaded_by = {};  ///< id of a run of load: what it put at the target, not what was there before
};

/// Whether an object fits; reads the late findings of `input` when codes are asked for. Throws RunError for standard
/// input then.
[[nodiscard]] std::function<bool(const Object&)> chooser(const std::filesystem::path& input,
                                                         const Selection& selection);

/// Writes the objects of `input` (a file: it is read twice) that fit, with their late findings and studies.
[[nodiscard]] Derived filter(const std::filesystem::path& input, const std::filesystem::path& output,
                             const Selection& selection, Restart restart);

}  // namespace waybill::manifest
