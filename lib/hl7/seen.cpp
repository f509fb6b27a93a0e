// SPDX-License-Identifier: Apache-2.0
#include "hl7/seen.hpp"

#include <cstring>
#include <random>

namespace waybill::hl7 {
namespace {

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t load(const char* p, std::size_t n) noexcept {
  std::uint64_t v = 0;
  std::memcpy(&v, p, n);
  return v;
}

/// Two multiplications for 16 bytes, in two lanes with separate keys.
std::pair<std::uint64_t, std::uint64_t> hash(std::string_view text,
                                             std::pair<std::uint64_t, std::uint64_t> key) noexcept {
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

}  // namespace

Seen::Seen() : slots_(1024) {
  std::random_device random;
  const auto word = [&] { return (static_cast<std::uint64_t>(random()) << 32U | random()) | 1U; };
  secret_ = {word(), word()};
}

bool Seen::place(const Key& key) {
  std::size_t at = key.first & (slots_.size() - 1);
  while (slots_[at] != Key{}) {
    if (slots_[at] == key) return false;
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = key;
  return true;
}

bool Seen::insert(std::string_view text) {
  Key key = hash(text, secret_);
  if (key == Key{}) key.second = 1;
  if ((used_ + 1) * 4 > slots_.size() * 3) {
    std::vector<Key> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Key& k : old)
      if (k != Key{}) place(k);
  }
  const bool fresh = place(key);
  used_ += fresh ? 1 : 0;
  return fresh;
}

}  // namespace waybill::hl7
