// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/merge.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace waybill::scan {

/// What only the whole archive shows, found out again when scans of its parts are merged: duplicates and collisions
/// over the parts, references, studies. Shards of a scan give the records that one scan of everything gives. For other
/// stages nullptr. Scratch lies in `output`.index, or under TMPDIR for "-", about 250 bytes an object.
[[nodiscard]] std::unique_ptr<manifest::Whole> whole_of(const std::string& stage, bool deep,
                                                        const std::filesystem::path& output);

}  // namespace waybill::scan
