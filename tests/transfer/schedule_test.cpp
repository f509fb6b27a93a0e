// SPDX-License-Identifier: Apache-2.0
#include "transfer/schedule.hpp"

#include "core/result.hpp"

#include <gtest/gtest.h>
#include <cstring>

namespace waybill::transfer {

namespace {

/// A moment of local time, "2026-03-02 19:00" (a Monday).
std::time_t at(const char* text) {
  std::tm when{};
  EXPECT_NE(::strptime(text, "%Y-%m-%d %H:%M", &when), nullptr);
  when.tm_isdst = -1;
  return std::mktime(&when);
}

class ScheduleTest : public ::testing::Test {
 protected:
  void SetUp() override { set_time_zone("Europe/Berlin"); }
  Schedule nights_ = Schedule::parse("Mon-Fri 19:00-06:30 80MB/s 300obj/s, Sat-Sun 00:00-24:00");
};

}  // namespace

TEST_F(ScheduleTest, IsOpenAtNightAndAtWeekends) {
  EXPECT_FALSE(nights_.at(at("2026-03-02 18:59")));
  EXPECT_EQ(nights_.at(at("2026-03-02 19:00")).value(), (Limit{80e6, 300}));
  EXPECT_TRUE(nights_.at(at("2026-03-03 06:29")));
  EXPECT_FALSE(nights_.at(at("2026-03-03 06:30")));
  EXPECT_EQ(nights_.at(at("2026-03-07 12:00")).value(), Limit{}) << "Saturday, no limit named";
  EXPECT_EQ(nights_.at(at("2026-03-07 03:00")).value(), (Limit{80e6, 300})) << "Friday's night reaches into Saturday";
  EXPECT_FALSE(nights_.at(at("2026-03-02 03:00"))) << "Sunday night belongs to no entry";
}

TEST_F(ScheduleTest, SaysWhenItOpens) {
  EXPECT_EQ(nights_.minutes_until_open(at("2026-03-02 18:00")), 60);
  EXPECT_EQ(nights_.minutes_until_open(at("2026-03-02 19:30")), 0);
  EXPECT_EQ(Schedule{}.minutes_until_open(0), 0);
}

TEST_F(ScheduleTest, FollowsTheClockOnTheWallThroughBothChangesOfIt) {
  const Schedule window = Schedule::parse("Mon-Sun 02:00-03:30");
  // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC. 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.
  const std::time_t spring = 1774746000, autumn = 1792890000;
  EXPECT_FALSE(window.at(spring - 60)) << "01:59";
  EXPECT_TRUE(window.at(spring)) << "03:00, an hour was left out";
  EXPECT_FALSE(window.at(spring + 30 * 60));
  EXPECT_TRUE(window.at(autumn - 60)) << "02:59 the first time";
  EXPECT_TRUE(window.at(autumn)) << "02:00 the second time";
  EXPECT_TRUE(window.at(autumn + 89 * 60)) << "03:29";
  EXPECT_FALSE(window.at(autumn + 90 * 60));
}

TEST_F(ScheduleTest, GoesByTheZoneThatWasAskedFor) {
  const Schedule window = Schedule::parse("Mon-Sun 12:00-13:00");
  const std::time_t noon_utc = 1772452800;  // 2026-03-02 12:00
  EXPECT_FALSE(window.at(noon_utc)) << "13:00 in Berlin";
  set_time_zone("UTC");
  EXPECT_TRUE(window.at(noon_utc));
  EXPECT_THROW(set_time_zone("Mars/Olympus"), RunError);
  EXPECT_THROW(set_time_zone("../../etc/passwd"), RunError);
}

TEST_F(ScheduleTest, RefusesWhatIsNoWindow) {
  for (const char* bad :
       {"Mon", "Mon 19:00", "Mon-Tue-Wed 19:00-20:00", "Mon 19:00-19:00", "Mon 24:00-06:00", "Mon 19:60-20:00",
        "Mon 25:00-26:00", "Mo 19:00-20:00", "Mon 1:00-2:00", "Mon 19:00-20:00 fast", "Mon 01:00-02:00,"})
    EXPECT_THROW((void)Schedule::parse(bad), RunError) << bad;
}

}  // namespace waybill::transfer
