// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace waybill {

/// Brings `items` into the order in which `order` names them, `number(order[i])` being the old place of item i (and
/// writable). Each item moves once, along the cycles, so there is never a second table.
template <typename T, typename Place, typename Number>
void permute(std::vector<T>& items, std::vector<Place>& order, const Number& number) {
  for (std::uint32_t start = 0; start < order.size(); ++start) {
    if (number(order[start]) == start) continue;
    T first = std::move(items[start]);
    std::uint32_t into = start;
    while (number(order[into]) != start) {
      const std::uint32_t from = std::exchange(number(order[into]), into);
      items[into] = std::move(items[from]);
      into = from;
    }
    items[into] = std::move(first);
    number(order[into]) = into;
  }
}

}  // namespace waybill
