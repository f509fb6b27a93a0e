// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <limits>

namespace waybill::io {

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// All bytes of a regular file; links are followed. Gives Fault::unreadable when it cannot be opened or read, is no
/// regular file, or its size or times changed while it was read, and Fault::limit when it is larger than `max_size`.
[[nodiscard]] Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t max_size = kNoLimit);

}  // namespace waybill::io
