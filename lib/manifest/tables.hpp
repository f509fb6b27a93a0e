// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

/// Manifests as tables for people and other programs: CSV by RFC 4180, UTF-8, every field quoted, formulas disarmed.
namespace waybill::manifest {

using Sink = std::function<void(std::string_view)>;

/// One row an object in the manifest's order, late findings among its codes (of standard input only those that stand
/// before the object: sort it first), of those that `keep` keeps. Returns the number of rows without the heading.
std::uint64_t write_object_table(const std::filesystem::path& input, const Sink& sink,
                                 const std::function<bool(const Object&)>& keep = {});

/// One row a study record. Begins with a byte order mark, without which spreadsheets take UTF-8 for something else.
std::uint64_t write_study_table(const std::filesystem::path& input, const Sink& sink);

}  // namespace waybill::manifest
