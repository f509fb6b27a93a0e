// SPDX-License-Identifier: Apache-2.0
#include "dicom/sop_class.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <algorithm>
#include <array>
#include <string>

namespace waybill::dicom {

namespace {

/// Objects that belong to no patient and no study (PS3.4 GG.3), behind 1.2.840.10008.5.1.4.
constexpr std::array<std::string_view, 9> kNonPatient = {"38.1",      "39.1",      "43.1",      "44.1",     "45.1",
                                                         "1.1.200.1", "1.1.200.3", "1.1.200.7", "1.1.201.1"};

bool is_non_patient(std::string_view uid) {
  constexpr std::string_view kRoot = "1.2.840.10008.5.1.4.";
  return uid.starts_with(kRoot) &&
         std::find(kNonPatient.begin(), kNonPatient.end(), uid.substr(kRoot.size())) != kNonPatient.end();
}

}  // namespace

SopClassKind sop_class_kind(std::string_view uid) {
  if (!uid.starts_with("1.2.840.10008.")) return SopClassKind::private_;
  if (is_non_patient(uid)) return SopClassKind::non_patient;
  const std::string text(uid);
  const char* found = dcmFindNameOfUID(text.c_str(), "");
  const std::string_view name = found == nullptr ? "" : found;
  if (name.empty()) return SopClassKind::unknown;
  // The table names every retired Storage SOP Class so, hardcopy images among print management as well (retired in
  // 2006); a stored print is a job for a printer.
  if (name == "RETIRED_StoredPrintStorage") return SopClassKind::not_storage;
  if (name.starts_with("RETIRED_"))
    return name.ends_with("Storage") ? SopClassKind::retired : SopClassKind::not_storage;
  return dcmIsaStorageSOPClassUID(text.c_str(), ESSC_All) ? SopClassKind::storage : SopClassKind::not_storage;
}

std::vector<std::string> storage_classes() {
  std::vector<std::string> all;
  for (int i = 0; i < numberOfDcmAllStorageSOPClassUIDs; ++i) {
    std::string uid = dcmAllStorageSOPClassUIDs[i];
    const SopClassKind kind = sop_class_kind(uid);
    if (kind == SopClassKind::storage || kind == SopClassKind::retired) all.push_back(std::move(uid));
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::string uid_name(std::string_view uid) {
  const char* name = dcmFindNameOfUID(std::string(uid).c_str(), "");
  return name == nullptr ? "" : name;
}

}  // namespace waybill::dicom
