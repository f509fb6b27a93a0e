// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/dataset.hpp"
#include "manifest/record.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::scan {

/// The files a DICOMDIR refers to (PS3.3 F.3), each as "IMAGES/IM0001", sorted, once. Records marked as not in use are
/// left out. The offsets between the records are not followed, so loops in them do no harm.
struct FileSet {
  std::vector<std::string> files;
  bool cut = false;                        ///< more references than kMostReferences
  std::vector<std::string> empty_studies;  ///< Study Instance UIDs of studies without any object
};
inline constexpr std::size_t kMostReferences = 4'000'000;
[[nodiscard]] FileSet file_set_of(const dicom::Dataset& directory);

/// A name as it is compared: upper case, without ";1" and a trailing dot, which ISO 9660 adds and systems show or hide.
[[nodiscard]] std::string comparable(std::string_view name);

/// Compares a file-set with the folder its DICOMDIR lies in, in both directions, and notes DIR-MISSING and DIR-EXTRA in
/// `object`. Names are only looked up in listings: a reference cannot lead out of the folder. A folder below with a
/// DICOMDIR of its own is another file-set, unless this one refers into it. Memory: the references and one listing a
/// level.
void compare_with_folder(const FileSet& set, const std::filesystem::path& folder, const std::string& directory,
                         manifest::Object& object);

/// The same for a DICOMDIR inside a container; `names` are the sorted comparable paths of the DICOM files beside and
/// below it.
void compare_with_names(const FileSet& set, const std::vector<std::string>& names, manifest::Object& object);

}  // namespace waybill::scan
