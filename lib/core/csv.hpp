// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// One quoted CSV field (RFC 4180). A text a spreadsheet would take for a formula gets a leading apostrophe.
[[nodiscard]] std::string csv_field(std::string_view text);

/// A row of such fields with its line end.
[[nodiscard]] std::string csv_row(const std::vector<std::string>& cells);

}  // namespace waybill
