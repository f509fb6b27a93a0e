// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "index/store.hpp"
#include "manifest/record.hpp"
#include "scan/entries.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace waybill::scan {

/// What is known across the archive while objects go by in order: SOP Instance UIDs met before (duplicates and
/// collisions), patients of studies and accessions, studies of series, references between objects, counts per study.
/// All of it lies in an index on disk, so memory does not depend on the number of objects. Single-threaded.
class Catalogue {
 public:
  enum class Depth { attributes, pixels };
  /// `folder` is made for the index and removed at the end; empty for one under TMPDIR. `depth` is what the objects
  /// were examined for.
  explicit Catalogue(const std::filesystem::path& folder, Depth depth = Depth::attributes)
      : index_(folder), depth_(depth) {}

  /// Takes from a record of an older scan what a catalogue had put there, so that it can be settled again.
  static void forget(manifest::Object& object);

  /// Settles the bucket of an object whose own content is sound (`instance`) against what came before, and adds
  /// cross-object findings. Returns findings against earlier objects; they stand before the object's record in the
  /// manifest.
  std::vector<manifest::LateFinding> settle(manifest::Object& object);

  /// Takes in a record that is in the manifest already (resume), in the manifest's order.
  void remember(const manifest::Object& object);
  void remember(const manifest::LateFinding& finding);
  void remember(const manifest::Study& study);
  void remember(const manifest::Gone& gone);
  /// Whether remember() was called for an object of this id.
  [[nodiscard]] bool recorded(std::string_view object_id) const;

  /// After the last object: a study as an older scan counted it, to be compared with what there is now (STU-COUNT).
  /// A study of which nothing is left has no object to say it of; its files are among the gone.
  void compare_count(const manifest::Study& older, const std::function<void(const manifest::LateFinding&)>& emit);
  /// After that: findings about references and rejection notes, in the order of the objects that point, then
  /// those about studies without an issuer. Those of remember() are left out.
  void conclude(const std::function<void(const manifest::LateFinding&)>& emit);
  /// One record a study, by Study Instance UID; those of remember() are left out. Returns the number of all studies.
  std::uint64_t studies(const std::function<void(const manifest::Study&)>& emit);

 private:
  std::vector<manifest::LateFinding> compare(const First& first, const First& mine, manifest::Object& object);
  void place(const manifest::Object& object, std::vector<manifest::Finding>& findings);
  void check_each(const manifest::Object& object, std::vector<manifest::Finding>& findings);
  void check_once(const manifest::Object& object, std::vector<manifest::Finding>& findings);
  void check_patient(const manifest::Object& object, std::vector<manifest::Finding>& findings);
  void check_monochrome(const manifest::Object& object, std::vector<manifest::Finding>& findings);
  [[nodiscard]] bool several_issuers() const { return issuers_ > 1; }
  void note_pointer(const manifest::Object& object);
  void conclude(const Pointer& pointer, const std::function<void(const manifest::LateFinding&)>& emit);
  bool first_time(const manifest::LateFinding& late);
  StudyEntry* open_study(const std::string& uid);
  void close_study();

  index::Store index_;
  Depth depth_;
  StudyEntry study_;  // the one being counted; written back when another comes
  bool study_open_ = false;
  std::string same_place_;  // key of the last object's place, and the findings every object of that place gets
  std::vector<manifest::Finding> place_findings_;
  std::uint64_t pointers_ = 0;
  std::uint64_t issuers_ = 0;  // different ones met
};

}  // namespace waybill::scan
