// SPDX-License-Identifier: Apache-2.0
#include "assess/rates.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "support/exits.hpp"

#include <gtest/gtest.h>

namespace waybill::assess {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;  // a whole minute

manifest::Load sent_at(double seconds) {
  manifest::Load load;
  const auto whole = static_cast<std::int64_t>(seconds);
  load.at = utc_from(kNow + whole, static_cast<std::int64_t>((seconds - static_cast<double>(whole)) * 1e9));
  load.outcome = "sent";
  return load;
}

TEST(ParseRate, IsOfLoadUnlessAStageIsNamed) {
  EXPECT_EQ(parse_rate("200obj/s,50MB/s"), (std::pair{std::string("load"), transfer::Limit{50e6, 200}}));
  EXPECT_EQ(parse_rate("verify=80MB/s"), (std::pair{std::string("verify"), transfer::Limit{80e6, 0}}));
  for (const char* wrong : {"", "scan=1obj/s", "load=", "load", "5", "load=0obj/s", "=5obj/s", "load=5obj"})
    EXPECT_EQ(test::exit_of([&] { (void)parse_rate(wrong); }), Exit::usage) << wrong;
}

TEST(RoundTrips, BoundObjectsBySecondsOfARoundTripAndAssociations) {
  Pace nothing_else;
  bound_by_round_trips(nothing_else, 0.030, 1);
  EXPECT_NEAR(nothing_else.expected.objects, 33.3, 0.1);  // domain rule 9.1
  EXPECT_EQ(nothing_else.expected.bytes, 0);
  Pace typed = typed_pace({50e6, 400});
  bound_by_round_trips(typed, 0.030, 10);
  EXPECT_NEAR(typed.best.objects, 333.3, 0.1);
  EXPECT_DOUBLE_EQ(typed.worst.objects, 300);
}

TEST(SecondsOf, ReadsTimesAsManifestsHaveThem) {
  EXPECT_DOUBLE_EQ(*seconds_of("1970-01-02T00:00:01Z"), 86401);
  EXPECT_NEAR(*seconds_of("2027-01-15T08:00:00.250000Z"), 1'800'000'000.25, 1e-6);
  for (const char* wrong : {"", "2027-01-15T08:00:00", "0000-00-00T00:00:00Z", "2027-02-30T08:00:00Z",
                            "2027-01-15T25:00:00Z", "yesterday, at some time or other Z", "1969-12-31T23:59:59Z"})
    EXPECT_FALSE(seconds_of(wrong).has_value()) << wrong;
}

TEST(Pulse, MeasuresASteadyLoad) {
  Pulse pulse;
  for (int n = 0; n <= 6000; ++n) pulse.add(sent_at(n / 5.0), 400'000);  // 20 minutes of five a second
  const auto pace = pulse.pace("load.wb");
  ASSERT_TRUE(pace.has_value());
  EXPECT_NEAR(pace->expected.objects, 5, 0.01);
  EXPECT_NEAR(pace->expected.bytes, 2e6, 1e4);
  EXPECT_NEAR(pace->best.objects, 5, 0.02);
  EXPECT_NEAR(pace->worst.objects, 5, 0.02);
}

TEST(Pulse, PausesAreNoWork) {
  Pulse pulse;
  for (const double begin : {0.0, 50'000.0, 400'000.0})  // a closed window, a stopped run
    for (int n = 0; n <= 1000; ++n) pulse.add(sent_at(begin + n / 10.0), 100);
  EXPECT_NEAR(pulse.pace("load.wb")->expected.objects, 10, 0.05);
}

TEST(Pulse, BestAndWorstAreTheFastestAndSlowestMinutes) {
  Pulse pulse;
  double at = 0;
  for (int minute = 0; minute < 100; ++minute) {
    const double rate = minute < 20 ? 2 : minute < 80 ? 10 : 20;
    for (int n = 0; n < static_cast<int>(60 * rate); ++n) pulse.add(sent_at(at + n / rate), 1000);
    at += 60;
  }
  const auto pace = pulse.pace("load.wb");
  EXPECT_DOUBLE_EQ(pace->worst.objects, 2);
  EXPECT_DOUBLE_EQ(pace->best.objects, 20);
  EXPECT_NEAR(pace->expected.objects, 0.2 * 2 + 0.6 * 10 + 0.2 * 20, 0.05);
}

TEST(Pulse, TellsNothingOfOneObjectOrOfTimesThatAreNone) {
  Pulse pulse;
  EXPECT_FALSE(pulse.pace("load.wb").has_value());
  pulse.add(sent_at(1), 1000);
  EXPECT_FALSE(pulse.pace("load.wb").has_value());
  manifest::Load load;
  load.at = "noon";
  pulse.add(load, 1000);
  EXPECT_EQ(pulse.untimed(), 1U);
}

TEST(PaceOfRuns, TakesStagesThatWereDoneInOneGo) {
  sync::RunRecord one, two, broken;
  one.ends["load"] = {"load", Exit::ok, 100, 1000, 50'000'000, true, ""};
  two.ends["load"] = {"load", Exit::ok, 100, 3000, 50'000'000, true, ""};
  broken.ends["load"] = {"load", Exit::ok, 1, 1'000'000, 1, false, ""};
  EXPECT_FALSE(pace_of_runs({broken}, "load").has_value());
  EXPECT_FALSE(pace_of_runs({one, two}, "verify").has_value());
  const auto pace = pace_of_runs({one, two, broken}, "load");
  EXPECT_DOUBLE_EQ(pace->worst.objects, 10);
  EXPECT_DOUBLE_EQ(pace->expected.objects, 20);
  EXPECT_DOUBLE_EQ(pace->best.objects, 30);
  EXPECT_DOUBLE_EQ(pace->expected.bytes, 500'000);
}

}  // namespace
}  // namespace waybill::assess
