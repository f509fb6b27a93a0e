// SPDX-License-Identifier: Apache-2.0
#include "match/assign.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <numeric>
#include <random>

namespace waybill::match {
namespace {

double total(const std::vector<std::vector<double>>& cost, const std::vector<std::size_t>& assigned) {
  double sum = 0;
  for (std::size_t r = 0; r < cost.size(); ++r)
    if (assigned[r] != kUnassigned) sum += cost[r][assigned[r]];
  return sum;
}

TEST(Assign, PrefersTheBestSumToTheBestPair) { EXPECT_EQ(assign({{1, 2}, {2, 9}}), (std::vector<std::size_t>{1, 0})); }

TEST(Assign, LeavesRowsWithoutAColumnAndColumnsWithoutARow) {
  EXPECT_EQ(assign({{5}, {1}, {3}}), (std::vector<std::size_t>{kUnassigned, 0, kUnassigned}));
  EXPECT_EQ(assign({{5, 1, 3}}), std::vector<std::size_t>{1});
  EXPECT_EQ(assign({}), std::vector<std::size_t>{});
}

TEST(Assign, IsNeverWorseThanAnyPermutation) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const std::size_t n = 1 + random() % 6;
    std::vector<std::vector<double>> cost(n, std::vector<double>(n));
    for (auto& row : cost)
      for (double& c : row) c = static_cast<double>(random() % 100);
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    double best = 1e9;
    do best = std::min(best, total(cost, order));
    while (std::next_permutation(order.begin(), order.end()));
    const auto found = assign(cost);
    EXPECT_EQ(total(cost, found), best);
    EXPECT_EQ(std::count(found.begin(), found.end(), kUnassigned), 0);
  }
}

}  // namespace
}  // namespace waybill::match
