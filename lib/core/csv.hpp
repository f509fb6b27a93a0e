// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// One quoted CSV field (RFC 4180) that is safe to open in a spreadsheet: a text it would take for a formula (first
/// character = + - @ TAB CR LF, or a full-width = + - @) gets an apostrophe before it, control characters other than
/// TAB, CR and LF become U+FFFD. The manifest is the lossless twin.
[[nodiscard]] std::string csv_field(std::string_view text);

/// A row of such fields with CRLF at its end.
[[nodiscard]] std::string csv_row(const std::vector<std::string>& cells);

}  // namespace waybill
