// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace waybill::match {

inline constexpr std::size_t kUnassigned = static_cast<std::size_t>(-1);

/// The assignment of rows to columns with the least sum of costs (Hungarian method, O(rows² · columns)); every row gets
/// a column of its own while there are any, the others kUnassigned. `cost[row][column]`, all rows of one width.
[[nodiscard]] std::vector<std::size_t> assign(const std::vector<std::vector<double>>& cost);

}  // namespace waybill::match
