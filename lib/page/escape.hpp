// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::page {

/// Text for people: control and direction-override characters become visible. Not escaped for anything.
[[nodiscard]] std::string shown(std::string_view text);

/// JSON that may stand in a script element of type application/json: nothing in it ends the element.
[[nodiscard]] std::string data_block(std::string_view json);

/// shown() for HTML content and quoted attribute values.
[[nodiscard]] std::string html(std::string_view text);

/// 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);

/// Bytes for people: "1.4 GB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// "97.7 %", never rounded up to 100 %.
[[nodiscard]] std::string percent(std::uint64_t part, std::uint64_t whole);

/// "2026-11-25 10:09:50 UTC" of an RFC 3339 time in UTC, ready for HTML.
[[nodiscard]] std::string time_text(std::string_view rfc3339);

[[nodiscard]] std::string base64(ByteView bytes);

}  // namespace waybill::page
