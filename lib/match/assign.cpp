// SPDX-License-Identifier: Apache-2.0
#include "match/assign.hpp"

#include <algorithm>
#include <limits>

namespace waybill::match {

std::vector<std::size_t> assign(const std::vector<std::vector<double>>& cost) {
  const std::size_t rows = cost.size();
  std::vector<std::size_t> result(rows, kUnassigned);
  if (rows == 0 || cost[0].empty()) return result;
  // The method wants at least as many columns as rows; missing ones cost more than anything and mean "none".
  const std::size_t real = cost[0].size(), columns = std::max(real, rows);
  constexpr double kNone = 1e9;
  const auto at = [&](std::size_t r, std::size_t c) { return c <= real ? cost[r - 1][c - 1] : kNone; };
  std::vector<double> u(rows + 1), v(columns + 1);
  std::vector<std::size_t> row_of(columns + 1), way(columns + 1);
  for (std::size_t r = 1; r <= rows; ++r) {
    std::vector<double> least(columns + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> used(columns + 1);
    std::size_t c0 = 0;
    row_of[0] = r;
    do {  // grows the tree of tight edges until it meets a free column
      used[c0] = true;
      double delta = std::numeric_limits<double>::infinity();
      std::size_t next = 0;
      for (std::size_t c = 1; c <= columns; ++c) {
        if (used[c]) continue;
        const double reduced = at(row_of[c0], c) - u[row_of[c0]] - v[c];
        if (reduced < least[c]) {
          least[c] = reduced;
          way[c] = c0;
        }
        if (least[c] < delta) {
          delta = least[c];
          next = c;
        }
      }
      for (std::size_t c = 0; c <= columns; ++c) {
        if (used[c]) {
          u[row_of[c]] += delta;
          v[c] -= delta;
        } else {
          least[c] -= delta;
        }
      }
      c0 = next;
    } while (row_of[c0] != 0);
    for (; c0 != 0; c0 = way[c0]) row_of[c0] = row_of[way[c0]];
  }
  for (std::size_t c = 1; c <= real; ++c)
    if (row_of[c] != 0) result[row_of[c] - 1] = c - 1;
  return result;
}

}  // namespace waybill::match
