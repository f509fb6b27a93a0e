// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// The bytes of a text, and the text of bytes, without a copy. The result lives as long as its argument.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal, two digits a byte.
[[nodiscard]] std::string to_hex(ByteView bytes);

/// The inverse of to_hex for either case; empty when the text is not an even number of hex digits.
[[nodiscard]] Bytes from_hex(std::string_view hex);

/// Unaligned integers in either byte order. The caller has checked that the bytes are there.
[[nodiscard]] inline std::uint16_t load_u16(const std::byte* p, bool big_endian = false) noexcept {
  const auto a = std::to_integer<std::uint16_t>(p[0]);
  const auto b = std::to_integer<std::uint16_t>(p[1]);
  return static_cast<std::uint16_t>(big_endian ? (a << 8U) | b : (b << 8U) | a);
}
[[nodiscard]] inline std::uint32_t load_u32(const std::byte* p, bool big_endian = false) noexcept {
  const std::uint32_t low = load_u16(p, big_endian);
  const std::uint32_t high = load_u16(p + 2, big_endian);
  return big_endian ? (low << 16U) | high : (high << 16U) | low;
}
[[nodiscard]] inline std::uint64_t load_u64(const std::byte* p, bool big_endian = false) noexcept {
  const std::uint64_t low = load_u32(p, big_endian);
  const std::uint64_t high = load_u32(p + 4, big_endian);
  return big_endian ? (low << 32U) | high : (high << 32U) | low;
}

/// Appends little-endian integers and raw bytes.
inline void put_u16(Bytes& out, std::uint16_t v) {
  out.push_back(static_cast<std::byte>(v & 0xFFU));
  out.push_back(static_cast<std::byte>(v >> 8U));
}
inline void put_u32(Bytes& out, std::uint32_t v) {
  put_u16(out, static_cast<std::uint16_t>(v & 0xFFFFU));
  put_u16(out, static_cast<std::uint16_t>(v >> 16U));
}
inline void put_u64(Bytes& out, std::uint64_t v) {
  put_u32(out, static_cast<std::uint32_t>(v & 0xFFFFFFFFU));
  put_u32(out, static_cast<std::uint32_t>(v >> 32U));
}
inline void put_bytes(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

}  // namespace waybill
