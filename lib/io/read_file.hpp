// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>

namespace waybill::io {

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// All bytes of a regular file; links are followed. Gives Fault::unreadable when it cannot be opened or read, is no
/// regular file, or its size or times changed while it was read, and Fault::limit when it is larger than `max_size`.
[[nodiscard]] Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t max_size = kNoLimit);

/// Gives memory for so many bytes, empty when there is none.
using Room = std::function<std::span<std::byte>(std::size_t)>;

/// The same into memory of the caller's, which the result is a view of.
[[nodiscard]] Result<ByteView> read_file(const std::filesystem::path& path, const Room& room,
                                         std::uint64_t max_size = kNoLimit);

}  // namespace waybill::io
