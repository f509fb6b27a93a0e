// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::match {

/// From a text to the numbers stored under it, 16 bytes an entry. Two texts may share a hash, so a caller compares what
/// it finds. The numbers of one text come in ascending order, whatever the order of add().
class HashIndex {
 public:
  using Entry = std::pair<std::uint64_t, std::uint32_t>;

  void add(std::string_view text, std::uint32_t number) {
    if (!text.empty()) entries_.emplace_back(std::hash<std::string_view>{}(text), number);
  }
  /// After the last add() and before the first find().
  void seal() { std::sort(entries_.begin(), entries_.end()); }

  [[nodiscard]] std::span<const Entry> find(std::string_view text) const {
    if (text.empty()) return {};
    const std::uint64_t hash = std::hash<std::string_view>{}(text);
    const auto first = std::lower_bound(entries_.begin(), entries_.end(), Entry{hash, 0});
    const auto last = std::upper_bound(first, entries_.end(), Entry{hash, UINT32_MAX});
    return {first, last};
  }

 private:
  std::vector<Entry> entries_;
};

}  // namespace waybill::match
