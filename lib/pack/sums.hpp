// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/place.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace waybill::pack {

/// Name of the list of digests in the folder of the volumes.
inline constexpr const char* kSums = "SHA256SUMS";

/// A file of a backup's folder that is not what the manifest of the backup says, and why.
struct Oddity {
  std::string name, why;
};

/// Holds the list beside the volumes, by which sha256sum checks them, against what the manifest records of them: a line
/// with another digest, a missing line, one too many, one that is none; and names the volumes in the folder that the
/// manifest does not know. `recorded` must be those of a whole, finished backup. Whether the volumes have these digests
/// is for the caller to find out. Sorted by name within each kind; empty when all agree.
[[nodiscard]] std::vector<Oddity> check_sums(const std::filesystem::path& folder,
                                             const std::vector<manifest::Volume>& recorded);

}  // namespace waybill::pack
