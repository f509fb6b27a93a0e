// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/descriptor.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace waybill::transcode {

/// Sends the length of a message, never 0, and descriptors for the other process (unix(7), SCM_RIGHTS). False when it
/// is gone.
[[nodiscard]] bool send_message(int socket, std::uint64_t size, const std::vector<int>& descriptors) noexcept;

/// Waits for one; 0 when the other side closed the socket, nullopt when what came makes no sense.
[[nodiscard]] std::optional<std::uint64_t> receive_message(int socket, std::vector<io::Descriptor>& descriptors);

}  // namespace waybill::transcode
