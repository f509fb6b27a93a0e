// SPDX-License-Identifier: Apache-2.0
#include "transfer/throttle.hpp"

#include "core/result.hpp"

#include <gtest/gtest.h>

namespace waybill::transfer {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Limits, AreReadInAnyOrderAndUnit) {
  EXPECT_EQ(parse_limit("80MB/s,300obj/s"), (Limit{80e6, 300}));
  EXPECT_EQ(parse_limit("0.5obj/s, 1.5 GiB/s"), (Limit{1.5 * 1073741824.0, 0.5}));
  EXPECT_EQ(parse_limit("9kB/s"), (Limit{9e3, 0}));
}

TEST(Limits, ThatAreNoneAreRefused) {
  for (const char* bad :
       {"", "80", "80MB", "MB/s", "-1MB/s", "0obj/s", "80XB/s", "1MB/s,2MB/s", "nanMB/s", "1e99obj/s"})
    EXPECT_THROW((void)parse_limit(bad), RunError) << bad;
}

/// A sender on a clock of its own that waits as it is told.
double rate_of(Throttle& throttle, std::uint64_t bytes, int objects) {
  auto now = Throttle::Clock::time_point(seconds(1000));
  const auto begin = now;
  for (int i = 0; i < objects; ++i) now += throttle.take(bytes, now);
  return static_cast<double>(objects) / std::chrono::duration<double>(now - begin).count();
}

TEST(Limits, HoldOverAMinute) {
  Throttle throttle;
  throttle.set({0, 100});
  EXPECT_NEAR(rate_of(throttle, 50'000, 6000), 100, 3);
  throttle.set({5e6, 0});
  EXPECT_NEAR(rate_of(throttle, 50'000, 6000), 100, 3);
  throttle.set({5e6, 20});
  EXPECT_NEAR(rate_of(throttle, 50'000, 1200), 20, 1) << "the tighter one counts";
}

TEST(Limits, AnObjectLargerThanASecondsWorthIsPaidForAfterwards) {
  Throttle throttle;
  throttle.set({1e6, 0});
  const auto now = Throttle::Clock::time_point(seconds(1000));
  EXPECT_EQ(throttle.take(10'000'000, now).count(), 0);
  const auto wait = std::chrono::duration_cast<milliseconds>(throttle.take(1, now));
  EXPECT_GE(wait, milliseconds(8900));
  EXPECT_LE(wait, milliseconds(10100));
}

TEST(Limits, NoneCostsNoWait) {
  Throttle throttle;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(throttle.take(1U << 30U).count(), 0);
}

}  // namespace waybill::transfer
