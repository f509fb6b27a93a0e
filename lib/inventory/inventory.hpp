// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

/// A manifest as DICOM Inventory SOP Instances (PS3.3 A.88, Supplement 223): studies, series, instances and where
/// their files lie, for tools that know the standard and not Waybill.
namespace waybill::inventory {

inline constexpr std::uint64_t kStudiesPerFile = 5000;

struct Written {
  std::uint64_t files = 0, studies = 0, instances = 0;
  std::uint64_t left_out = 0;  ///< objects without three valid UIDs, and copies of other content under one UID
};

/// Writes one instance to `output`, or, when that is a folder, instances of at most `studies_per_file` studies each as
/// 000001.dcm … and inventory.dcm, which incorporates them. Sorts the manifest by study in bounded memory first. Files
/// are 0600. The same manifest gives the same bytes.
Written write(const std::filesystem::path& manifest, const std::filesystem::path& output,
              std::uint64_t studies_per_file = kStudiesPerFile);

}  // namespace waybill::inventory
