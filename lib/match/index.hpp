// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/huge.hpp"
#include "core/interned.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::match {

/// From a text to the numbers stored under it, 8 bytes an entry and at most 8 more to find it. Two texts may share a
/// hash (interned ones do not), so a caller compares what it finds. The numbers of one text come in ascending order,
/// whatever the order of add().
class HashIndex {
 public:
  using Entry = std::pair<std::uint32_t, std::uint32_t>;

  void add(std::string_view text, std::uint32_t number) {
    if (!text.empty()) entries_.emplace_back(hash_of(text), number);
  }
  void add(Interned text, std::uint32_t number) {
    if (!text.empty()) entries_.emplace_back(hash_of(text), number);
  }
  enum class Finds { mostly, seldom };  ///< whether what is looked for is there
  /// After the last add() and before the first find(). An index that seldom finds anything takes three bytes an entry
  /// more to say so without a look at the entries.
  void seal(Finds finds = Finds::mostly) {
    shift_ = 31U - static_cast<unsigned>(std::bit_width(std::min<std::size_t>(entries_.size(), 1U << 24U) / 2));
    starts_.assign((std::size_t{1} << (32U - shift_)) + 1, 0);
    for (const Entry& entry : entries_) ++starts_[(entry.first >> shift_) + 1];
    for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    // Into their buckets first, which are short; each is filled from its start, which then moves back.
    Entries sorted(entries_.size());
    for (const Entry& entry : entries_) sorted[starts_[entry.first >> shift_]++] = entry;
    entries_ = std::move(sorted);
    for (std::size_t i = starts_.size() - 1; i > 0; --i) starts_[i] = starts_[i - 1];
    starts_[0] = 0;
    for (std::size_t i = 1; i < starts_.size(); ++i)
      if (starts_[i] - starts_[i - 1] > 1) std::sort(entries_.begin() + starts_[i - 1], entries_.begin() + starts_[i]);
    if (finds == Finds::mostly || entries_.empty()) return;
    filter_shift_ = shift_ > 4 ? shift_ - 4 : 0;
    filter_.assign((std::size_t{1} << (32U - filter_shift_)) / 64 + 1, 0);
    for (const Entry& entry : entries_) {
      const std::uint32_t bit = entry.first >> filter_shift_;
      filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
  }

  [[nodiscard]] std::span<const Entry> find(std::string_view text) const {
    return text.empty() ? std::span<const Entry>() : under(hash_of(text));
  }
  [[nodiscard]] std::span<const Entry> find(Interned text) const {
    return text.empty() ? std::span<const Entry>() : under(hash_of(text));
  }

 private:
  using Entries = std::vector<Entry, HugePages<Entry>>;
  static std::uint32_t hash_of(std::string_view text) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(text) >> 32U);
  }
  static std::uint32_t hash_of(Interned text) { return text.number() * 0x9E3779B1U; }  // each number its own

  [[nodiscard]] std::span<const Entry> under(std::uint32_t hash) const {
    if (starts_.empty()) return {};
    const std::uint32_t bit = hash >> filter_shift_;
    if (!filter_.empty() && (filter_[bit / 64] >> (bit % 64) & 1U) == 0) return {};
    const auto begin = entries_.begin();
    const auto first =
        std::lower_bound(begin + starts_[hash >> shift_], begin + starts_[(hash >> shift_) + 1], Entry{hash, 0});
    auto last = first;
    while (last != entries_.end() && last->first == hash) ++last;
    return {first, last};
  }

  Entries entries_;  // by hash
  std::vector<std::uint32_t, HugePages<std::uint32_t>>
      starts_;  // by the leading bits of the hash: where its entries begin
  unsigned shift_ = 31;
  std::vector<std::uint64_t, HugePages<std::uint64_t>>
      filter_;  // a bit for each of sixteen times as many leading bits that some entry has
  unsigned filter_shift_ = 0;
};

}  // namespace waybill::match
