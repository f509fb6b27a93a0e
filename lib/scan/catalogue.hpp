// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace waybill::scan {

/// What is known across the archive while objects go by in order: SOP Instance UIDs met before (duplicates and
/// collisions), the patient of each study, counts per study. Memory: about 300 bytes an instance. Single-threaded.
class Catalogue {
 public:
  /// Settles the bucket of an object whose own content is sound (`instance`) against what came before, and adds
  /// cross-object findings. Returns findings against earlier objects; they stand before the object's record in the
  /// manifest.
  std::vector<manifest::LateFinding> settle(manifest::Object& object);

  /// Takes in a record that is in the manifest already (resume).
  void remember(const manifest::Object& object);
  void remember(const manifest::LateFinding& finding);

  /// One record a study, by Study Instance UID.
  [[nodiscard]] std::vector<manifest::Study> studies() const;

 private:
  struct First {
    std::string id, study, series, file, codestream, pixel, dataset;
    bool has_pixels = false;
  };
  struct StudyEntry {
    manifest::Study study;
    std::string patient_key;
    std::set<std::string> series, modalities;
    bool two_patients = false;
  };
  void count(const manifest::Object& object);

  std::unordered_map<std::string, First> first_;
  std::map<std::string, StudyEntry> studies_;
  std::set<std::string> late_;  // id + code of findings already written
};

}  // namespace waybill::scan
