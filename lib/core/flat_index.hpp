// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/huge.hpp"

#include <cstdint>
#include <vector>

namespace waybill {

/// Finds entries of a table that its owner keeps by their keys; holds nothing but entry numbers, 5 to 11 bytes each.
class FlatIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// The entry that is `same`, else `fresh`, which is then known under `hash`. `hash_of` gives the hash of an entry.
  template <typename Same, typename HashOf>
  std::uint32_t find_or_add(std::uint64_t hash, std::uint32_t fresh, const Same& same, const HashOf& hash_of) {
    if ((used_ + 1) * 4 > slots_.size() * 3) grow(hash_of);
    std::size_t at = first(hash);
    for (; slots_[at] != kNone; at = (at + 1) & (slots_.size() - 1))
      if (same(slots_[at])) return slots_[at];
    slots_[at] = fresh;
    ++used_;
    return fresh;
  }

  /// Begins to fetch what find_or_add() of this hash will look at.
  void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(&slots_[first(hash)]); }

  /// The entry that is `same`, kNone when there is none.
  template <typename Same>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const Same& same) const {
    for (std::size_t at = first(hash); slots_[at] != kNone; at = (at + 1) & (slots_.size() - 1))
      if (same(slots_[at])) return slots_[at];
    return kNone;
  }

  void clear() { *this = {}; }

 private:
  using Slots = std::vector<std::uint32_t, HugePages<std::uint32_t>>;
  [[nodiscard]] std::size_t first(std::uint64_t hash) const noexcept {
    return (hash * 0x9E3779B97F4A7C15ULL >> 24U) & (slots_.size() - 1);
  }
  template <typename HashOf>
  void grow(const HashOf& hash_of) {
    Slots old(slots_.size() * 2, kNone);
    old.swap(slots_);
    for (const std::uint32_t n : old) {
      if (n == kNone) continue;
      std::size_t at = first(hash_of(n));
      while (slots_[at] != kNone) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = n;
    }
  }

  Slots slots_ = Slots(64, kNone);
  std::size_t used_ = 0;
};

}  // namespace waybill
