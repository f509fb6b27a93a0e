// SPDX-License-Identifier: Apache-2.0
#include "core/clock.hpp"

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <openssl/rand.h>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace waybill {
namespace {
std::string date_time(std::time_t seconds) {
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char buffer[64];
  const std::size_t n = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%S", &tm);
  return {buffer, n};
}
}  // namespace

std::string utc_now() {
  std::timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  char fraction[32];
  std::snprintf(fraction, sizeof fraction, ".%06ldZ", now.tv_nsec / 1000);
  return date_time(now.tv_sec) + fraction;
}

std::string utc_from(std::int64_t seconds, std::int64_t nanoseconds) {
  char fraction[32];
  std::snprintf(fraction, sizeof fraction, ".%09ldZ", static_cast<long>(nanoseconds));
  return date_time(static_cast<std::time_t>(seconds)) + fraction;
}

std::int64_t minute_of(std::string_view text) {
  int part[5] = {};
  static constexpr std::size_t kAt[] = {0, 5, 8, 11, 14}, kSize[] = {4, 2, 2, 2, 2};
  if (text.size() < 17 || text.back() != 'Z') return -1;
  for (int i = 0; i < 5; ++i) {
    const char* first = text.data() + kAt[i];
    if (std::from_chars(first, first + kSize[i], part[i]).ptr != first + kSize[i]) return -1;
  }
  const std::chrono::year_month_day day{std::chrono::year(part[0]), std::chrono::month(static_cast<unsigned>(part[1])),
                                        std::chrono::day(static_cast<unsigned>(part[2]))};
  if (!day.ok() || part[0] < 1970 || part[3] < 0 || part[3] > 23 || part[4] < 0 || part[4] > 59) return -1;
  return std::chrono::sys_days(day).time_since_epoch().count() * std::int64_t{1440} + std::int64_t{part[3]} * 60 +
         part[4];
}

std::string random_uuid() {
  std::array<std::byte, 16> b{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(b.data()), static_cast<int>(b.size())) != 1) {
    throw RunError(Exit::internal, "no random bytes from OpenSSL; check the system's entropy source");
  }
  b[6] = (b[6] & std::byte{0x0F}) | std::byte{0x40};
  b[8] = (b[8] & std::byte{0x3F}) | std::byte{0x80};
  const std::string hex = to_hex(b);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

}  // namespace waybill
