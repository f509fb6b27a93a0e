// SPDX-License-Identifier: Apache-2.0
#include "io/scratch.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <utility>

namespace waybill::io {
namespace {

void fill(std::span<std::byte> bytes, int value) { std::fill(bytes.begin(), bytes.end(), std::byte(value)); }
bool holds(std::span<const std::byte> bytes, int value) {
  return std::all_of(bytes.begin(), bytes.end(), [&](std::byte b) { return b == std::byte(value); });
}

TEST(Scratch, KeepsTheUsedBytesWhenItGrows) {
  Scratch scratch;
  fill(scratch.room(1000), 7);
  const auto larger = scratch.room(1'000'000, 1000);
  EXPECT_EQ(larger.size(), 1'000'000U);
  EXPECT_TRUE(holds(larger.first(1000), 7));
}

TEST(Scratch, OfTwoOwnersNeverSharesMemory) {
  {
    const Scratch before = [] {
      Scratch s;
      fill(s.room(4096), 1);
      return s;
    }();
  }  // one to be had from the pool
  Scratch a, b;
  const auto left = a.room(4096);
  const auto right = b.room(4096);
  fill(left, 1);
  fill(right, 2);
  EXPECT_TRUE(holds(left, 1));
  EXPECT_TRUE(holds(right, 2));
}

TEST(Scratch, KeepsItsBytesWhenItMoves) {
  Scratch a;
  fill(a.room(512), 9);
  Scratch b(std::move(a));
  EXPECT_TRUE(holds(b.room(512, 512), 9));
  Scratch c;
  c = std::move(b);
  EXPECT_TRUE(holds(c.room(512, 512), 9));
}

}  // namespace
}  // namespace waybill::io
