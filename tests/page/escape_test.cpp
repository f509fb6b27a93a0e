// SPDX-License-Identifier: Apache-2.0
#include "page/escape.hpp"

#include <gtest/gtest.h>

namespace waybill::page {
namespace {

TEST(Escape, HtmlKeepsNoMarkupControlOrDirectionOverride) {
  EXPECT_EQ(html("<a href='x'>&\""), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
  EXPECT_EQ(html("a\xE2\x80\xAE"
                 "b\x01"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(html("M\xC3\xBCller"), "M\xC3\xBCller");
  EXPECT_EQ(html("\xFF"), "\xEF\xBF\xBD");
}

TEST(Escape, PercentNeverRoundsUpToAll) {
  EXPECT_EQ(percent(999'999, 1'000'000), "99.99 %");
  EXPECT_EQ(percent(1'000'000, 1'000'000), "100 %");
  EXPECT_EQ(percent(1954, 2000), "97.7 %");
  EXPECT_EQ(percent(0, 0), "0 %");
}

TEST(Escape, NumbersAreGroupedInThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'954), "1,954");
  EXPECT_EQ(grouped(1'000'000), "1,000,000");
}

TEST(Escape, Base64MatchesRfc4648) {
  EXPECT_EQ(base64(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(base64(as_bytes("foob")), "Zm9vYg==");
}

TEST(TimeText, ShowsSecondsInUtcAndLeavesOtherTextsAsTheyAreButEscaped) {
  EXPECT_EQ(time_text("2026-11-25T10:09:50.219803Z"), "2026-11-25 10:09:50 UTC");
  EXPECT_EQ(time_text("2026-11-25T10:09:50Z"), "2026-11-25 10:09:50 UTC");
  EXPECT_EQ(time_text("yesterday"), "yesterday");
  EXPECT_EQ(time_text("<script>T12345678Z"), "&lt;script&gt;T12345678Z");
  EXPECT_EQ(time_text(""), "");
}

}  // namespace
}  // namespace waybill::page
