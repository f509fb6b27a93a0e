// SPDX-License-Identifier: Apache-2.0
#include "config/table.hpp"

#include "core/result.hpp"
#include "support/folder.hpp"

namespace waybill::config {
namespace {

class ConfigTable : public test::InFolder {
 protected:
  Table table(const std::string& text) {
    test::put(folder_ / "a.toml", text);
    return Table::read(folder_ / "a.toml");
  }
  template <typename F>
  std::string refusal(const F& act) {
    try {
      act();
    } catch (const RunError& error) {
      EXPECT_EQ(error.exit(), Exit::usage);
      return error.what();
    }
    return {};
  }
};

TEST_F(ConfigTable, GivesEachKindOfValue) {
  const auto t = table("a = \"x\"\nb = true\nc = 7\nd = [\"p\", \"q\"]\n[e]\nf = \"y\"\n[[g]]\nh = 1\n[[g]]\nh = 2\n");
  EXPECT_EQ(t.text("a"), "x");
  EXPECT_EQ(t.flag("b"), true);
  EXPECT_EQ(t.number("c", 0, 9), 7);
  EXPECT_EQ(t.real("c", 0, 9), 7.0);
  EXPECT_EQ(table("i = 0.25\n").real("i", 0, 1), 0.25);
  EXPECT_NE(refusal([&] { (void)table("i = 1.5\n").real("i", 0, 1); }).find("line 1: `i` is no number"),
            std::string::npos);
  EXPECT_EQ(t.texts("d"), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(t.table("e")->text("f"), "y");
  ASSERT_EQ(t.tables("g").size(), 2U);
  EXPECT_EQ(t.tables("g")[1].number("h", 0, 9), 2);
  EXPECT_EQ(t.keys(), (std::vector<std::string>{"a", "b", "c", "d", "e", "g"}));
  EXPECT_FALSE(t.text("none") || t.flag("none") || t.number("none", 0, 1) || t.table("none"));
  EXPECT_TRUE(t.texts("none").empty() && t.tables("none").empty());
}

TEST_F(ConfigTable, ATableOutlivesTheOneItCameFrom) {
  const auto inner = [&] { return *table("[a]\nb = \"x\"\n").table("a"); }();
  EXPECT_EQ(inner.text("b"), "x");
}

TEST_F(ConfigTable, WhatIsOfAnotherKindIsRefusedWithItsLine) {
  const auto t = table("a = 1\nb = \"x\"\nc = [1]\nd = []\n");
  EXPECT_NE(refusal([&] { (void)t.text("a"); }).find("a.toml line 1: `a` is no text"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)t.flag("b"); }).find("line 2"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)t.number("b", 0, 1); }).find("line 2"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)t.number("a", 2, 3); }).find("from 2 to 3"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)t.texts("b"); }).find("no list"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)t.texts("c"); }).find("line 3"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)t.texts("d"); }).find("line 4"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)t.table("a"); }).find("[a]"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)t.tables("a"); }).find("[[a]]"), std::string::npos);
  EXPECT_NE(refusal([&] { t.only({"a", "b", "c"}); }).find("line 4: unknown key `d`"), std::string::npos);
  EXPECT_EQ(refusal([&] { t.only({"a", "b", "c", "d"}); }), "");
}

TEST_F(ConfigTable, AFileThatIsNoTomlOrMissingIsRefused) {
  EXPECT_NE(refusal([&] { (void)table("a = \n"); }).find("line 1"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)Table::read(folder_ / "none.toml"); }).find("none.toml"), std::string::npos);
}

}  // namespace
}  // namespace waybill::config
