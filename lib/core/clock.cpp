// SPDX-License-Identifier: Apache-2.0
#include "core/clock.hpp"

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <openssl/rand.h>
#include <array>
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
