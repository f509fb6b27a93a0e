// SPDX-License-Identifier: Apache-2.0
#include "dicom/sop_class.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <string>

namespace waybill::dicom {

SopClassKind sop_class_kind(std::string_view uid) {
  if (!uid.starts_with("1.2.840.10008.")) return SopClassKind::private_;
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

}  // namespace waybill::dicom
