// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "assess/volumes.hpp"
#include "core/hash.hpp"
#include "manifest/sorter.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::assess {

/// What sets studies apart: a pilot must have some of each.
enum class Trait : char { sop_class, transfer_syntax, modality, year, site, script, finding, frames };
inline constexpr std::size_t kTraits = 8;
[[nodiscard]] std::string_view to_string(Trait trait) noexcept;

struct Feature {
  Trait trait = Trait::sop_class;
  std::string value;
  auto operator<=>(const Feature&) const = default;
};

/// The script that a text is written in, which stands for the character set that a manifest does not have: "ASCII",
/// "Latin", "Greek", …; "undecodable" where bytes could not be read. Says nothing of the text but that.
[[nodiscard]] std::string_view script_of(std::string_view text);

/// Objects of one study that follow one another.
struct Run {
  std::string study;
  std::vector<Feature> features;
  std::vector<std::uint64_t> series, patients;  ///< hashes
  std::uint64_t objects = 0, instances = 0, bytes = 0;
};

/// Makes runs of objects. `key` is of the hashes, the same for all runs of a manifest.
class Runs {
 public:
  Runs(const Hash128& key, int year_of_scan) : key_(key), year_of_scan_(year_of_scan) {}
  void add(const manifest::Object& object, const std::map<std::string, manifest::Severity>& codes);
  /// All, each list in order and without repetition.
  [[nodiscard]] std::vector<Run> take();

 private:
  const Hash128& key_;
  int year_of_scan_;
  std::vector<Run> runs_;
};

/// One study with all of its objects, wherever they stand in the manifest.
struct StudySum {
  std::string uid;
  std::vector<std::uint32_t> features;  ///< numbers, ascending
  std::uint64_t series = 0, objects = 0, instances = 0, bytes = 0;
};

struct StudyCounts {
  std::uint64_t studies = 0, series = 0, patients = 0;
  std::uint64_t without_instances = 0;  ///< studies of which nothing is to be moved
  Sizes objects, bytes;                 ///< of a study's instances, of studies that have some
};

/// Brings the runs of each study together, on disk: memory stays the same for any number of studies, about 100 MB.
/// Temporary files lie in TMPDIR without a name. Single-threaded.
class Studies {
 public:
  explicit Studies(const Hash128& key);
  void add(const Run& run);
  /// Ends the adding: `each` gets every study once, in no order that means anything.
  [[nodiscard]] StudyCounts finish(const std::function<void(const StudySum&)>& each);

  [[nodiscard]] const std::vector<Feature>& features() const noexcept { return features_; }
  /// After finish(): studies with each feature, by its number.
  [[nodiscard]] const std::vector<std::uint64_t>& having() const noexcept { return having_; }

 private:
  std::uint32_t number_of(const Feature& feature);
  void close(StudySum& study, std::vector<std::uint64_t>& series, std::vector<std::uint64_t>& patients,
             StudyCounts& counts, const std::function<void(const StudySum&)>& each);

  const Hash128& key_;
  manifest::Sorter sorter_, patients_;
  std::vector<Feature> features_;
  std::map<Feature, std::uint32_t> numbers_;
  std::vector<std::uint64_t> having_;
};

}  // namespace waybill::assess
