// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace waybill::identity {

/// Texts kept once and known by numbers; number 0 is the empty text. About 24 bytes a text and its characters. The
/// texts stay where they are as long as the pool lives. Not for sharing between threads while it grows.
class Pool {
 public:
  Pool() : slots_(1024, 0) { texts_.emplace_back(); }

  std::uint32_t add(std::string_view text) {
    if (text.empty()) return 0;
    if (texts_.size() * 2 > slots_.size()) grow();
    std::uint32_t& slot = slots_[place(text)];
    if (slot == 0) {
      slot = static_cast<std::uint32_t>(texts_.size());
      texts_.push_back(keep(text));
    }
    return slot;
  }
  /// The number of a text that is there, 0 for others.
  [[nodiscard]] std::uint32_t find(std::string_view text) const { return text.empty() ? 0 : slots_[place(text)]; }
  [[nodiscard]] std::string_view operator[](std::uint32_t n) const { return texts_[n]; }
  [[nodiscard]] std::size_t size() const noexcept { return texts_.size(); }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 18U;

  [[nodiscard]] std::size_t place(std::string_view text) const {
    std::size_t at = std::hash<std::string_view>{}(text) & (slots_.size() - 1);
    while (slots_[at] != 0 && texts_[slots_[at]] != text) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  std::string_view keep(std::string_view text) {
    if (text.size() > left_) {
      const std::size_t size = std::max(kBlock, text.size());
      blocks_.push_back(std::make_unique<char[]>(size));
      next_ = blocks_.back().get();
      left_ = size;
    }
    std::memcpy(next_, text.data(), text.size());
    const std::string_view kept(next_, text.size());
    next_ += text.size();
    left_ -= text.size();
    return kept;
  }
  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::uint32_t n = 1; n < texts_.size(); ++n) slots_[place(texts_[n])] = n;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::vector<std::string_view> texts_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace waybill::identity
