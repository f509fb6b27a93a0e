// SPDX-License-Identifier: Apache-2.0
// How long work takes and when it is done. The first figures are those of domain rule 10.3.
#include "assess/forecast.hpp"
#include "core/result.hpp"
#include "support/exits.hpp"

#include <gtest/gtest.h>
#include <cmath>

namespace waybill::assess {
namespace {

constexpr double kDay = 86400;
constexpr double kHour = 3600;
constexpr std::uint64_t kTerabyte = 1'000'000'000'000;

class CalendarTest : public testing::Test {
 protected:
  void SetUp() override { transfer::set_time_zone("Europe/Berlin"); }
  static Calendar calendar(const char* window) { return Calendar(transfer::Schedule::parse(window)); }
  static double at(const char* local) { return static_cast<double>(parse_start(local)); }
  /// Work of so many seconds at one object a second.
  static Amount lasting(double seconds) { return {static_cast<std::uint64_t>(seconds), 0}; }
  static std::string end(const char* window, const char* start, double seconds) {
    const auto done = calendar(window).end_of(at(start), lasting(seconds), {0, 1});
    return done ? local_text(*done) : "never";
  }
};

struct Vector {
  double terabytes_a_day, megabytes_a_second, objects_a_second;
};

class ADay : public testing::TestWithParam<Vector> {};

TEST_P(ADay, IsWhatEitherRateAloneTakesForThatManyTerabytesOfHalfAMegabyte) {
  const auto [terabytes, megabytes, objects] = GetParam();
  const auto bytes = static_cast<std::uint64_t>(terabytes * static_cast<double>(kTerabyte));
  const Amount work{bytes / 500'000, bytes};
  EXPECT_NEAR(*seconds_for(work, {megabytes * 1e6, 0}), kDay, kDay * 0.005);
  EXPECT_NEAR(*seconds_for(work, {0, objects}), kDay, kDay * 0.01);  // the figures are rounded
}

INSTANTIATE_TEST_SUITE_P(DomainRule, ADay,
                         testing::Values(Vector{1, 11.6, 23.1}, Vector{5, 58, 116}, Vector{10, 116, 231},
                                         Vector{20, 232, 463}));

TEST(SecondsFor, FiveHundredTerabytesAtFiveADayAreAHundredDays) {
  const auto seconds = seconds_for({1'000'000'000, 500 * kTerabyte}, {5e12 / kDay, 0});
  EXPECT_NEAR(*seconds / kDay, 100, 1e-6);
}

TEST(SecondsFor, TheSlowerOfBothRatesCounts) {
  const Amount small_images{1'000'000, 100'000'000}, large_images{1000, 1'000'000'000'000};
  const transfer::Limit rate{50e6, 200};
  EXPECT_DOUBLE_EQ(*seconds_for(small_images, rate), 5000);
  EXPECT_DOUBLE_EQ(*seconds_for(large_images, rate), 20000);
}

TEST(SecondsFor, WithoutARateNobodyKnowsAndWithoutWorkItTakesNone) {
  EXPECT_FALSE(seconds_for({1, 1}, {}).has_value());
  EXPECT_DOUBLE_EQ(*seconds_for({0, 0}, {}), 0);
}

TEST_F(CalendarTest, NightsAndWeekendsAreTheSixtyPerCentOfTheWeekThatPracticeKnows) {
  const double share = calendar("Mon-Fri 19:00-06:30, Sat-Sun 00:00-24:00").open_share();
  EXPECT_DOUBLE_EQ(share, (5 * 11.5 + 48 - 6.5) / 168);  // Friday's night reaches into Saturday
  EXPECT_NEAR(share, 0.6, 0.02);
}

TEST_F(CalendarTest, WorkWaitsForTheWindowAndGoesOnInTheNext) {
  EXPECT_EQ(end("Mon-Fri 19:00-06:30", "2027-01-04 12:00", kHour), "Mon 2027-01-04 20:00 CET");
  EXPECT_EQ(end("Mon-Fri 19:00-06:30", "2027-01-04 12:00", 12 * kHour), "Tue 2027-01-05 19:30 CET");
  EXPECT_EQ(end("Mon-Fri 19:00-06:30", "2027-01-08 20:00", 11 * kHour), "Mon 2027-01-11 19:30 CET");
}

TEST_F(CalendarTest, AHundredDaysOfWorkTakeTheLongerTheLessTheWindowIsOpen) {
  const double start = at("2027-01-04");
  const auto done = calendar("Mon-Fri 19:00-06:30, Sat-Sun 00:00-24:00").end_of(start, lasting(100 * kDay), {0, 1});
  EXPECT_NEAR((*done - start) / kDay, 100 * 168.0 / 99, 3);
}

TEST_F(CalendarTest, AWindowOfFiveMinutesAWeekIsUsedWeekByWeek) {
  EXPECT_EQ(end("Sun 03:00-03:05", "2027-01-04", 301), "Sun 2027-01-17 03:00 CET");
  const auto done = calendar("Sun 03:00-03:05").end_of(at("2027-01-04"), lasting(301), {0, 1});
  EXPECT_NEAR(*done - at("2027-01-17 03:00"), 1, 1e-6);
}

TEST_F(CalendarTest, AnHourThatSpringLeavesOutIsNotWorkedIn) {
  // Clocks go from 2:00 to 3:00 on 28 March 2027.
  EXPECT_EQ(end("Sun 02:00-03:00", "2027-03-27 12:00", 1800), "Sun 2027-04-04 02:30 CEST");
  EXPECT_EQ(end("Sun 00:00-06:00", "2027-03-27 12:00", 5 * kHour), "Sun 2027-03-28 06:00 CEST");
}

TEST_F(CalendarTest, AnHourThatComesTwiceInAutumnIsWorkedInTwice) {
  // Clocks go from 3:00 back to 2:00 on 31 October 2027.
  EXPECT_EQ(end("Sun 02:00-03:00", "2027-10-30 12:00", 1.5 * kHour), "Sun 2027-10-31 02:30 CET");
  EXPECT_EQ(end("Sun 00:00-06:00", "2027-10-30 12:00", 7 * kHour), "Sun 2027-10-31 06:00 CET");
}

TEST_F(CalendarTest, LimitsOfAnEntryBoundTheRateWhileItHolds) {
  const Calendar day_and_night = calendar("Mon-Sun 07:00-19:00 1obj/s, Mon-Sun 19:00-07:00");
  const auto done = day_and_night.end_of(at("2027-01-04 18:00"), {3600 + 36000, 0}, {0, 10});
  EXPECT_EQ(local_text(*done), "Mon 2027-01-04 20:00 CET");
}

TEST_F(CalendarTest, WhatTakesHalfACenturyHasNoEnd) {
  EXPECT_EQ(end("Sun 03:00-03:05", "2027-01-04", kDay * 30), "never");
  EXPECT_FALSE(Calendar(transfer::Schedule()).end_of(0, lasting(60 * 366 * kDay), {0, 1}).has_value());
  EXPECT_FALSE(Calendar(transfer::Schedule()).end_of(0, lasting(1), {}).has_value());
}

TEST_F(CalendarTest, AStartIsADateThatThereIs) {
  EXPECT_EQ(local_text(at("2027-07-01T08:30")), "Thu 2027-07-01 08:30 CEST");
  for (const char* wrong : {"", "tomorrow", "2027-02-30", "2027-13-01", "2027-1-4", "2027-01-04 25:00", "2027-01-04x"})
    EXPECT_EQ(test::exit_of([&] { (void)parse_start(wrong); }), Exit::usage) << wrong;
}

Plan plan_of(const Amount& work) {
  Plan plan;
  plan.source = plan.target = work;
  plan.by_modality = {{"CT", work}};
  return plan;
}

TEST(Forecast, StagesFollowEachOtherAndThoseWithoutARateAreNamed) {
  Plan plan = plan_of({1000, 1'000'000'000});
  plan.start = 1'800'000'000;
  plan.paces["transcode"] = typed_pace({0, 10});
  plan.paces["load"] = typed_pace({1e6, 100});
  const Forecast f = forecast(plan);
  ASSERT_EQ(f.stages.size(), 2U);
  EXPECT_DOUBLE_EQ(*f.stages[0].expected.end, plan.start + 100);
  EXPECT_DOUBLE_EQ(*f.stages[1].expected.end, plan.start + 100 + 1000);
  EXPECT_DOUBLE_EQ(f.stages[1].by_objects, 10);
  EXPECT_DOUBLE_EQ(f.stages[1].by_bytes, 1000);
  EXPECT_DOUBLE_EQ(*f.stages[1].best.seconds, 800);
  EXPECT_NEAR(*f.stages[1].worst.seconds, 1000 / 0.75, 1);
  EXPECT_EQ(f.unknown, std::vector<std::string>{"verify"});
}

TEST(Forecast, WorstLetsEachModalityWaitForItsOwnBound) {
  // Ten thousand small MR bound by objects, ten mammograms bound by bytes: one after the other both waits add up.
  const Amount mr{10'000, 100'000'000}, mg{10, 1'000'000'000};
  Plan plan = plan_of({10'010, 1'100'000'000});
  plan.by_modality = {{"MR", mr}, {"MG", mg}};
  const transfer::Limit rate{10e6, 100};
  plan.paces["load"] = Pace{rate, rate, rate, "given"};
  const StageForecast load = forecast(plan).stages.front();
  EXPECT_DOUBLE_EQ(*load.expected.seconds, 110);
  EXPECT_NEAR(*load.worst.seconds, 100 + 100, 1e-3);
}

TEST(Forecast, TheWindowIsThePeersAndTranscodeDoesNotWaitForIt) {
  transfer::set_time_zone("UTC");
  Plan plan = plan_of({7200, 0});
  plan.window = transfer::Schedule::parse("Mon 04:00-08:00");
  plan.start = static_cast<double>(parse_start("2027-01-04"));
  plan.paces["transcode"] = plan.paces["load"] = Pace{{0, 1}, {0, 1}, {0, 1}, "given"};
  const Forecast f = forecast(plan);
  EXPECT_EQ(local_text(*f.stages[0].expected.end), "Mon 2027-01-04 02:00 UTC");
  EXPECT_EQ(local_text(*f.stages[1].expected.end), "Mon 2027-01-04 06:00 UTC");
}

TEST(Forecast, OfAnEmptyArchiveIsDoneAtOnce) {
  Plan plan = plan_of({});
  plan.start = 1'800'000'000;
  plan.paces["load"] = typed_pace({1e6, 100});
  const Forecast f = forecast(plan);
  EXPECT_DOUBLE_EQ(*f.stages[0].worst.end, plan.start);
  EXPECT_DOUBLE_EQ(*f.stages[0].worst.seconds, 0);
}

}  // namespace
}  // namespace waybill::assess
