// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>

namespace waybill {

/// 128 bits; equal pairs stand for equal texts when the key is random.
using Hash128 = std::pair<std::uint64_t, std::uint64_t>;

namespace detail {
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}
inline std::uint64_t load(const char* p, std::size_t n) noexcept {
  std::uint64_t v = 0;
  std::memcpy(&v, p, n);
  return v;
}
}  // namespace detail

/// A key nobody outside the process knows, so that nobody can make texts collide.
[[nodiscard]] inline Hash128 random_hash_key() {
  std::random_device random;
  const auto word = [&] { return (static_cast<std::uint64_t>(random()) << 32U | random()) | 1U; };
  return {word(), word()};
}

/// Two multiplications for 16 bytes, in two lanes with separate keys.
[[nodiscard]] inline Hash128 hash_text(std::string_view text, const Hash128& key) noexcept {
  using detail::fold, detail::load;
  std::uint64_t a = key.first ^ text.size(), b = key.second + text.size();
  const char* p = text.data();
  std::size_t n = text.size();
  for (; n >= 16; n -= 16, p += 16) {
    const std::uint64_t x = load(p, 8), y = load(p + 8, 8);
    a = fold(a ^ x, key.second ^ y);
    b = fold(b ^ y, key.first ^ x ^ 0x9E3779B97F4A7C15ULL);
  }
  const std::uint64_t x = load(p, n > 8 ? 8 : n), y = n > 8 ? load(p + 8, n - 8) : 0;
  a = fold(a ^ x, key.second ^ y);
  b = fold(b ^ y, key.first ^ x ^ 0x9E3779B97F4A7C15ULL);
  return {fold(a, key.first ^ b), fold(b, key.second ^ a)};
}

}  // namespace waybill
