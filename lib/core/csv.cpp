// SPDX-License-Identifier: Apache-2.0
#include "core/csv.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace waybill {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

/// Spreadsheets take the full-width forms for the signs themselves.
bool runs_as_formula(std::string_view text) {
  if (text.empty()) return false;
  if (std::string_view("=+-@\t\r\n").find(text.front()) != std::string_view::npos) return true;
  static constexpr std::array<std::string_view, 4> kFullWidth = {"\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};
  return std::any_of(kFullWidth.begin(), kFullWidth.end(),
                     [&](std::string_view sign) { return text.starts_with(sign); });
}

bool is_control(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u < 0x20 && c != '\t' && c != '\r' && c != '\n') || u == 0x7F;
}

void put_field(std::string& out, std::string_view text) {
  std::string repaired;
  if (!is_utf8(text)) text = repaired = repair_utf8(text);
  out += '"';
  if (runs_as_formula(text)) out += '\'';
  for (const char c : text) {
    if (is_control(c)) {
      out += kReplacement;
      continue;
    }
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

std::string csv_field(std::string_view text) {
  std::string out;
  put_field(out, text);
  return out;
}

std::string csv_row(const std::vector<std::string>& cells) {
  std::string out;
  for (const auto& cell : cells) {
    if (!out.empty()) out += ',';
    put_field(out, cell);
  }
  return out += "\r\n";
}

}  // namespace waybill
