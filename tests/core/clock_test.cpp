// SPDX-License-Identifier: Apache-2.0
#include "core/clock.hpp"

#include <gtest/gtest.h>
#include <cstdlib>
#include <ctime>
#include <regex>
#include <set>

namespace waybill {
namespace {

TEST(Clock, WritesKnownInstantsAsUtcWhateverTheTimeZone) {
  ASSERT_EQ(setenv("TZ", "Asia/Kolkata", 1), 0);
  tzset();
  EXPECT_EQ(utc_from(0, 0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(utc_from(951'782'399, 999'999'999), "2000-02-28T23:59:59.999999999Z");
  EXPECT_EQ(utc_from(951'782'400, 1), "2000-02-29T00:00:00.000000001Z");
  EXPECT_EQ(utc_from(4'102'444'800, 0), "2100-01-01T00:00:00.000000000Z") << "beyond 2038";
  EXPECT_EQ(utc_from(-1, 5), "1969-12-31T23:59:59.000000005Z") << "file times before 1970 exist";
  unsetenv("TZ");
  tzset();
}

/// By the clock itself: std::time() may be the tick before, and so of the second before.
std::string second_now() {
  std::timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return utc_from(now.tv_sec, 0).substr(0, 19);
}

TEST(Clock, NowLiesBetweenTheSystemsTimeBeforeAndAfterAndHasMicroseconds) {
  const std::string before = second_now();
  const std::string now = utc_now();
  const std::string after = second_now();
  EXPECT_TRUE(std::regex_match(now, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"))) << now;
  EXPECT_LE(before, now.substr(0, 19));
  EXPECT_LE(now.substr(0, 19), after);
}

TEST(Uuid, IsVersionFourAndNeverTheSame) {
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = random_uuid();
    EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace waybill
