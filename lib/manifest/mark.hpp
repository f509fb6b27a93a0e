// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sha256.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace waybill::manifest {

/// What the file NAME.sync beside an open manifest says: everything before `offset` was confirmed by fdatasync.
struct Mark {
  std::uint64_t offset = 0;  ///< bytes
  std::uint64_t frames = 0;  ///< frames in them
  std::string head;          ///< SHA-256 of the last of these frames, hex
};

[[nodiscard]] std::filesystem::path mark_path(const std::filesystem::path& manifest);
[[nodiscard]] std::filesystem::path torn_path(const std::filesystem::path& manifest);

/// The mark, nullopt without a mark file. A mark file that cannot be parsed throws RunError(Exit::integrity).
[[nodiscard]] std::optional<Mark> read_mark(const std::filesystem::path& manifest);

/// Replaces the mark file by rename, durable before the old one goes.
void write_mark(const std::filesystem::path& manifest, const Mark& mark);

/// Removes the mark file if there is one.
void remove_mark(const std::filesystem::path& manifest);

}  // namespace waybill::manifest
