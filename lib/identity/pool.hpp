// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace waybill::identity {

/// Texts kept once and known by numbers; number 0 is the empty text. Not for sharing between threads while it grows.
class Pool {
 public:
  Pool() { (void)add({}); }
  std::uint32_t add(std::string_view text) {
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return found->second;
    const auto n = static_cast<std::uint32_t>(texts_.size());
    numbers_.emplace(texts_.emplace_back(text), n);
    return n;
  }
  /// The number of a text that is there, 0 for others.
  [[nodiscard]] std::uint32_t find(std::string_view text) const {
    const auto found = numbers_.find(text);
    return found == numbers_.end() ? 0 : found->second;
  }
  [[nodiscard]] const std::string& operator[](std::uint32_t n) const { return texts_[n]; }
  [[nodiscard]] std::size_t size() const noexcept { return texts_.size(); }

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

}  // namespace waybill::identity
