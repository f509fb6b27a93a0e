// SPDX-License-Identifier: Apache-2.0
#include "core/interned.hpp"

#include "core/flat_index.hpp"
#include "core/permute.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <random>
#include <thread>

namespace waybill {
namespace {

TEST(Interned, EqualTextsAreOneNumberAndComeBackWhole) {
  std::mt19937 random(7);
  std::vector<std::pair<std::string, Interned>> all;
  for (const std::size_t size : {0U, 1U, 3U, 4U, 15U, 254U, 255U, 256U, 70000U, 1048575U, 1048576U, 3000000U, 5U}) {
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>(random());
    all.emplace_back(text, text);
  }
  for (int i = 0; i < 100000; ++i) all.emplace_back("text " + std::to_string(i), "text " + std::to_string(i));
  for (const auto& [text, interned] : all) {
    ASSERT_EQ(interned.view(), text);
    ASSERT_EQ(Interned(text).number(), interned.number());
  }
  EXPECT_NE(all[20].second, all[21].second);
}

TEST(Interned, OrdersAsTextsDo) {
  std::vector<std::string> texts = {"", "b", "a", "aa", "a\xFF", "abcdefgh", "abcdefghi", "abcdefg", "Zürich"};
  std::vector<Interned> interned(texts.begin(), texts.end());
  std::sort(texts.begin(), texts.end());
  std::sort(interned.begin(), interned.end());
  EXPECT_EQ(InternedList(interned), texts);
  for (const auto& a : interned) {
    for (const auto& b : interned) {
      if (a.leading() != b.leading()) {
        EXPECT_EQ(a.leading() < b.leading(), a < b) << a << " and " << b;
      }
    }
  }
}

TEST(Interned, ThreadsThatAddTheSameTextsGetTheSameNumbers) {
  constexpr int kTexts = 50000;
  std::vector<std::vector<Interned>> got(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < got.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kTexts; ++i)
          got[t].emplace_back("shared " + std::to_string(t % 2 == 0 ? i : kTexts - 1 - i));
      });
    }
  }
  for (std::size_t t = 1; t < got.size(); ++t) {
    if (t % 2 == 1) std::reverse(got[t].begin(), got[t].end());
    EXPECT_TRUE(got[t] == got[0]);
  }
}

TEST(InternedLists, AreEqualWhenTheirTextsAre) {
  const InternedList list = {"CT", "PT"};
  EXPECT_EQ(list, InternedList(std::vector<std::string>{"CT", "PT"}));
  EXPECT_FALSE(list == InternedList({"PT", "CT"}));
  EXPECT_TRUE(list.contains("PT"));
  EXPECT_FALSE(list.contains("P"));
  EXPECT_LT(InternedList({"CT"}), list);
  EXPECT_TRUE(InternedList().empty());
  EXPECT_EQ(InternedList().begin(), InternedList().end());
}

TEST(FlatIndex, FindsWhatWasAddedAndNothingElse) {
  const std::vector<int> keys = [] {
    std::vector<int> made;
    for (int i = 0; i < 5000; ++i) made.push_back(i * 7 % 3000);
    return made;
  }();
  std::vector<int> table;
  FlatIndex index;
  for (const int key : keys) {
    const auto hash_of = [&](std::uint32_t n) { return static_cast<std::uint64_t>(table[n] % 10); };  // many collide
    const auto at = index.find_or_add(
        static_cast<std::uint64_t>(key % 10), static_cast<std::uint32_t>(table.size()),
        [&](std::uint32_t n) { return table[n] == key; }, hash_of);
    if (at == table.size()) table.push_back(key);
    ASSERT_EQ(table[at], key);
  }
  EXPECT_EQ(table.size(), 3000U);
  EXPECT_EQ(index.find(3, [&](std::uint32_t n) { return table[n] == 3003; }), FlatIndex::kNone);
}

TEST(Permute, BringsItemsIntoTheOrderNamed) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::uint32_t> order(static_cast<std::size_t>(round));
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    std::vector<std::string> items, expected;
    for (std::size_t i = 0; i < order.size(); ++i) items.push_back("item " + std::to_string(i));
    for (const auto from : order) expected.push_back(items[from]);
    permute(items, order, [](std::uint32_t& n) -> std::uint32_t& { return n; });
    EXPECT_EQ(items, expected);
  }
}

}  // namespace
}  // namespace waybill
