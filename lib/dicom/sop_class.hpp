// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waybill::dicom {

enum class SopClassKind {
  storage,      ///< a current Storage SOP Class (PS3.4 B.5)
  retired,      ///< a retired Storage SOP Class
  private_,     ///< a vendor's
  non_patient,  ///< of the Non-Patient Object Storage Service Class (PS3.4 GG): palettes, hanging protocols, templates
  not_storage,  ///< of the standard, but no stored composite object: MPPS, worklist, print
  unknown,      ///< under the standard's root, not in the table: newer than it
};

/// What kind of SOP Class the UID names, by DCMTK's tables (PS3.6 A). Any thread.
[[nodiscard]] SopClassKind sop_class_kind(std::string_view uid);

/// The Storage SOP Classes of these tables whose objects belong to a patient, retired ones among them, in the order of
/// their UIDs. Any thread.
[[nodiscard]] std::vector<std::string> storage_classes();

/// What PS3.6 A calls a SOP Class or transfer syntax, in DCMTK's spelling ("CTImageStorage"); "" for a UID that is not
/// in the table. Any thread.
[[nodiscard]] std::string uid_name(std::string_view uid);

/// KO, SR, PR, RT and segmentation objects: their content points at other instances (domain rule 8.2).
[[nodiscard]] constexpr bool refers_to_instances(std::string_view uid) noexcept {
  return uid.starts_with("1.2.840.10008.5.1.4.1.1.88.") || uid.starts_with("1.2.840.10008.5.1.4.1.1.11.") ||
         uid.starts_with("1.2.840.10008.5.1.4.1.1.481.") || uid.starts_with("1.2.840.10008.5.1.4.1.1.66.");
}

}  // namespace waybill::dicom
