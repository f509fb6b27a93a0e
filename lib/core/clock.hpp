// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace waybill {

/// Now in UTC as RFC 3339 with microseconds, e.g. "2026-03-01T12:00:00.000001Z".
[[nodiscard]] std::string utc_now();

/// Seconds and nanoseconds since 1970 as RFC 3339 UTC with nanoseconds (file times).
[[nodiscard]] std::string utc_from(std::int64_t seconds, std::int64_t nanoseconds);

/// Minutes since 1970 of an RFC 3339 time in UTC, -1 when it is none.
[[nodiscard]] std::int64_t minute_of(std::string_view rfc3339);

/// A random UUID (RFC 9562 version 4), lower case.
[[nodiscard]] std::string random_uuid();

}  // namespace waybill
