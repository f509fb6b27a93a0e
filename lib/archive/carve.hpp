// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <vector>

namespace waybill::archive {

/// Where Part 10 files may begin inside other bytes: "DICM" with room for a preamble before it and an element of
/// group 2 behind it. Offsets of the preambles, ascending, not before `from`; at most `most` of them. One linear pass.
[[nodiscard]] std::vector<std::uint64_t> find_part10(ByteView bytes, std::uint64_t from, std::size_t most);

}  // namespace waybill::archive
