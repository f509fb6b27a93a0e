// SPDX-License-Identifier: Apache-2.0
#include "core/csv.hpp"

#include <gtest/gtest.h>

namespace waybill {
namespace {

TEST(Csv, NoCellRunsAsAFormula) {
  for (const std::string start : {"=", "+", "-", "@", "\t", "\r", "\n", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}) {
    const std::string text = start + "cmd|' /C calc'!A0";
    EXPECT_EQ(csv_field(text), "\"'" + text + "\"");
  }
  EXPECT_EQ(csv_field("a=b"), "\"a=b\"");
}

TEST(Csv, WhatIsTakenOutBeforeAFormulaDoesNotLetItRun) {
  EXPECT_EQ(csv_field(std::string_view("\0=1+1", 5)), "\"\uFFFD=1+1\"");
  EXPECT_EQ(csv_field("\xFF=1"), "\"\uFFFD=1\"");
}

TEST(Csv, QuotesEveryCellAndRemovesTerminalCodes) {
  EXPECT_EQ(csv_row({"a,b", "say \"x\"", "two\nlines", "", "plain"}),
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\"\",\"plain\"\r\n");
  EXPECT_EQ(csv_row({"\x1B[2Jx\x7F"}), "\"\uFFFD[2Jx\uFFFD\"\r\n");
}

}  // namespace
}  // namespace waybill
