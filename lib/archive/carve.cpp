// SPDX-License-Identifier: Apache-2.0
#include "archive/carve.hpp"

#include <cstring>

namespace waybill::archive {
namespace {

constexpr std::uint64_t kPreamble = 128;

/// (0002,0000) to (0002,0016), the elements a meta group can begin with, in either byte order.
bool begins_meta(const std::byte* p) noexcept {
  for (const bool big : {false, true}) {
    if (load_u16(p, big) == 0x0002 && load_u16(p + 2, big) <= 0x0016) return true;
  }
  return false;
}

}  // namespace

std::vector<std::uint64_t> find_part10(ByteView bytes, std::uint64_t from, std::size_t most) {
  std::vector<std::uint64_t> found;
  std::uint64_t at = from + kPreamble;
  while (found.size() < most && at + 12 <= bytes.size()) {
    const void* hit = ::memmem(bytes.data() + at, bytes.size() - at, "DICM", 4);
    if (hit == nullptr) break;
    at = static_cast<std::uint64_t>(static_cast<const std::byte*>(hit) - bytes.data());
    if (at + 12 <= bytes.size() && begins_meta(bytes.data() + at + 4)) found.push_back(at - kPreamble);
    at += 4;
  }
  return found;
}

}  // namespace waybill::archive
