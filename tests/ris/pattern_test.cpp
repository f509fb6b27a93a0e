// SPDX-License-Identifier: Apache-2.0
#include "ris/pattern.hpp"

#include <gtest/gtest.h>

namespace waybill::ris {
namespace {

std::string date(const char* pattern, const char* value) {
  return Pattern::parse(pattern).value().date(value).value_or("-");
}
std::string time(const char* pattern, const char* value) {
  return Pattern::parse(pattern).value().time(value).value_or("-");
}

TEST(Pattern, ReadsDatesInTheFormsOfExports) {
  EXPECT_EQ(date("DD.MM.YYYY", "4.3.2020"), "20200304");
  EXPECT_EQ(date("DD.MM.YYYY", " 04.03.2020 "), "20200304");
  EXPECT_EQ(date("MM/DD/YYYY", "3/4/2020 10:15"), "20200304") << "a time behind it is left out";
  EXPECT_EQ(date("YYYYMMDD", "20200304"), "20200304");
  EXPECT_EQ(date("DD-MON-YYYY", "04-mar-2020"), "20200304");
  EXPECT_EQ(date("MON DD YYYY hh:mmAM", "Mar 4 2020 1:05PM"), "20200304");
}

TEST(Pattern, ReadsTimes) {
  EXPECT_EQ(time("hh:mm", "9:05"), "090500");
  EXPECT_EQ(time("hhmmss", "235959"), "235959");
  EXPECT_EQ(time("YYYY-MM-DD hh:mm:ss", "2020-03-04 10:15:01.250"), "101501");
  EXPECT_EQ(time("hh:mm AM", "12:05 am"), "000500");
  EXPECT_EQ(time("hh:mm AM", "12:05 PM"), "120500");
  EXPECT_EQ(time("hh:mm AM", "1:05 PM"), "130500");
}

TEST(Pattern, RefusesWhatDoesNotFit) {
  for (const char* value : {"2020-03-04", "04.03.20", "31.02.2020", "04.03.2020x", "04.13.2020", "", "04.03"})
    EXPECT_EQ(date("DD.MM.YYYY", value), "-") << value;
  for (const char* value : {"24:00", "10:60", "10", "ten"}) EXPECT_EQ(time("hh:mm", value), "-") << value;
  EXPECT_EQ(time("hh:mm AM", "13:05 PM"), "-");
  EXPECT_EQ(date("hh:mm", "10:15"), "-");
}

TEST(Pattern, ATextThatIsNoPatternIsNone) {
  for (const char* text : {"", "DD.MM.YY", "YYYY", "MM.YYYY", "DD.DD.YYYY", "MM-MON-DD-YYYY", "hh", "d.m.y", "2020"})
    EXPECT_FALSE(Pattern::parse(text)) << text;
}

TEST(Pattern, TurnsDaysAndMonths) {
  const auto turned = Pattern::parse("DD/MM/YYYY hh:mm").value().turned();
  ASSERT_TRUE(turned);
  EXPECT_EQ(turned->text(), "MM/DD/YYYY hh:mm");
  EXPECT_EQ(turned->date("03/04/2020 10:15"), "20200304");
  EXPECT_FALSE(Pattern::parse("DD-MON-YYYY").value().turned());
}

}  // namespace
}  // namespace waybill::ris
