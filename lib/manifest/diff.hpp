// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// Two manifests of the same objects, compared object by object and study by study.
namespace waybill::manifest {

/// A member that differs; a member of `source`, `load` and the like is named "load.status". `before` and `after` are
/// JSON, empty where the member is absent, and may hold patients' data.
struct Change {
  std::string member, before, after;
};

/// An object or study that is not the same in both.
struct Mismatch {
  enum class What { only_before, only_after, changed };
  What what = What::changed;
  std::string kind;  ///< "object", "study"
  std::string id;    ///< of the object; of a study its UID
  std::string path;  ///< where an object lies, member and offset behind it; may name patients
  std::vector<Change> changes;
};

/// What was found, objects and studies apart.
struct DiffCounts {
  struct Kind {
    std::uint64_t same = 0, changed = 0, only_before = 0, only_after = 0;
  };
  std::map<std::string, Kind> kinds;
  std::map<std::string, std::uint64_t> members;  ///< by name: in how many it differs
  bool before_complete = true, after_complete = true;
  [[nodiscard]] bool equal() const;
};

/// Compares the objects of the same id and the studies of the same UID, in any order of the records; `each` gets the
/// differences by kind and id. `findings` are compared by code, severity, tag and sentence, late ones included;
/// `since`, which tells of a third manifest, is left out. With `only`, no other members count: "bucket", "load" with
/// all of its members, "load.status". Either path may be "-", not both. Memory is bounded; temporary files without a
/// name lie under TMPDIR. Throws RunError for what is no sound manifest, and when a stop is asked for. Single-threaded.
[[nodiscard]] DiffCounts diff(const std::filesystem::path& before, const std::filesystem::path& after,
                              const std::vector<std::string>& only, const std::function<void(const Mismatch&)>& each);

}  // namespace waybill::manifest
