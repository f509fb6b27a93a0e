// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// What every stage asks of its input and output before it begins, so that a slip of the hand costs nothing.
namespace waybill::manifest {

/// Throws RunError(Exit::usage) for a manifest of a stage whose records are no objects: decisions of reconcile, a
/// journal. Taken as input they would make a stage that has nothing to do, and ends well. Corrections pass.
void require_objects(const Reader& reader);

/// Throws RunError(Exit::usage) when `output`, a file or folder that need not exist, would lie in one of the folders
/// that a scan with these options (a JSON object) has as its sources: sources are only read, and the next scan would
/// meet it. Without sources in the options, and for "-", nothing is asked.
void keep_out_of_sources(const std::string& options, const std::filesystem::path& output);

/// The folders and files that these options (a JSON object) name as those in which the records' bytes lie: the sources
/// of a scan, where a transcode staged, what a backup was made of. Local ones alone.
[[nodiscard]] std::vector<std::filesystem::path> places_in(const std::string& options);

/// The option by which a manifest of reconcile says that it holds objects to correct, not decisions.
inline constexpr const char* kCorrections = "corrections";

}  // namespace waybill::manifest
