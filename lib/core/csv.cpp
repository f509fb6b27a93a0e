// SPDX-License-Identifier: Apache-2.0
#include "core/csv.hpp"

#include "core/text.hpp"

namespace waybill {

std::string csv_field(std::string_view text) {
  static constexpr std::string_view kFormula = "=+-@\t\r\n";
  std::string out = "\"";
  if (!text.empty() && kFormula.find(text.front()) != std::string_view::npos) out += '\'';
  for (const char c : repair_utf8(text)) {
    if (c == '"') out += '"';
    if (c != '\0') out += c;
  }
  return out + '"';
}

std::string csv_row(const std::vector<std::string>& cells) {
  std::string out;
  for (const auto& cell : cells) out += (out.empty() ? "" : ",") + csv_field(cell);
  return out + "\r\n";
}

}  // namespace waybill
