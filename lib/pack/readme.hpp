// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/place.hpp"

#include <filesystem>
#include <vector>

namespace waybill::pack {

/// Writes README.txt, which says how to restore with standard tools alone, and SHA256SUMS of the volumes.
void write_readme(const std::filesystem::path& folder, const std::vector<manifest::Volume>& volumes);

}  // namespace waybill::pack
