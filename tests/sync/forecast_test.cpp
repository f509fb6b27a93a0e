// SPDX-License-Identifier: Apache-2.0
#include "sync/forecast.hpp"

#include <gtest/gtest.h>

namespace waybill::sync {
namespace {

RunRecord a_run(std::uint64_t number, std::uint64_t entries, std::uint64_t read_bytes) {
  RunRecord run;
  run.number = number;
  run.complete = true;
  run.counts.emplace();
  run.counts->entries = entries;
  run.counts->read_bytes = read_bytes;
  run.counts->unchanged = read_bytes == 0 ? entries : 0;
  return run;
}

void add(RunRecord& run, const std::string& stage, double seconds, std::uint64_t objects, std::uint64_t bytes,
         bool whole = true) {
  run.ends[stage] = StageEnd{stage, Exit::ok, seconds, objects, bytes, whole, ""};
}

double seconds_of(const Forecast& forecast, const std::string& stage) {
  for (const auto& one : forecast.stages)
    if (one.stage == stage) return one.seconds;
  return -1;
}

TEST(SyncForecast, SaysNothingWithoutAnEarlierRun) {
  const Forecast out = forecast({}, {1000, 0, 10, 10});
  EXPECT_FALSE(out.measured);
  EXPECT_EQ(out.seconds, 0);
}

TEST(SyncForecast, TakesTheSlowerOfObjectsAndBytes) {
  RunRecord run = a_run(1, 1000, 1'000'000'000);
  add(run, "load", 100, 1000, 1'000'000'000);  // 10 objects/s, 10 MB/s
  EXPECT_NEAR(seconds_of(forecast({run}, {1000, 0, 5000, 1000}), "load"), 500, 1e-6);
  EXPECT_NEAR(seconds_of(forecast({run}, {1000, 0, 1, 20'000'000'000}), "load"), 2000, 1e-6);
  EXPECT_NEAR(seconds_of(forecast({run}, {1000, 0, 1, 1}), "load"), 100, 1e-6) << "never less than the shortest run";
  EXPECT_EQ(seconds_of(forecast({run}, {1000, 0, 0, 0}), "load"), 0) << "nothing to load takes no time";
}

TEST(SyncForecast, WeighsRunsByTheirWorkAndLeavesOutInterruptedOnes) {
  RunRecord large = a_run(1, 1000, 1), small = a_run(2, 1000, 1), killed = a_run(3, 1000, 1);
  add(large, "load", 100, 10'000, 0);
  add(small, "load", 2, 2, 0);
  add(killed, "load", 1, 50'000, 0, false);
  EXPECT_NEAR(seconds_of(forecast({large, small, killed}, {1000, 0, 10'002, 0}), "load"), 102, 1e-6);
}

TEST(SyncForecast, TellsLookingFromReadingInAScan) {
  RunRecord first = a_run(1, 10'000, 10'000'000'000), quiet = a_run(2, 10'000, 0);
  add(first, "scan", 100, 10'000, 0);  // 100 MB/s
  add(quiet, "scan", 2, 10'000, 0);    // 5,000 entries/s
  EXPECT_NEAR(seconds_of(forecast({quiet, first}, {20'000, 1'000'000'000, 100, 0}), "scan"), 4 + 10, 1e-6);
}

TEST(SyncForecast, LetsWorkOnTheWholeArchiveGrowWithIt) {
  RunRecord earlier = a_run(1, 1000, 1), later = a_run(2, 2000, 1);
  add(earlier, "reconcile", 1, 1000, 0);
  add(later, "reconcile", 3, 2000, 0);
  EXPECT_NEAR(seconds_of(forecast({earlier, later}, {4000, 0, 0, 0}), "reconcile"), 6, 1e-6);
}

TEST(SyncForecast, SpeaksOfTimesAndBytes) {
  EXPECT_EQ(spoken_time(0.25), "0.2 s");
  EXPECT_EQ(spoken_time(119), "119 s");
  EXPECT_EQ(spoken_time(3725), "62 min 5 s");
  EXPECT_EQ(spoken_time(90000), "25 h 0 min");
  EXPECT_EQ(spoken_bytes(999), "999 bytes");
  EXPECT_EQ(spoken_bytes(1500000), "1.5 MB");
}

}  // namespace
}  // namespace waybill::sync
