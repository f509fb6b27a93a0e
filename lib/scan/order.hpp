// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string_view>

namespace waybill::scan {

/// The order in which a walk meets two absolute paths (raw bytes) of one source: component by component in byte order,
/// a folder's content right behind where its name stands. "/a/b" comes before "/a.x", unlike in plain byte order. For
/// merging a walk with the records of an older scan of the same source.
[[nodiscard]] inline std::strong_ordering walk_order(std::string_view a, std::string_view b) noexcept {
  const auto rank = [](char c) { return c == '/' ? 0U : static_cast<unsigned char>(c); };  // no name holds a NUL
  const std::size_t n = a.size() < b.size() ? a.size() : b.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (const auto order = rank(a[i]) <=> rank(b[i]); order != 0) return order;
  }
  return a.size() <=> b.size();
}

}  // namespace waybill::scan
