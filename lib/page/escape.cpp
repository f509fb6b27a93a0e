// SPDX-License-Identifier: Apache-2.0
#include "page/escape.hpp"

#include "core/text.hpp"

#include <openssl/evp.h>
#include <array>
#include <cstdio>

namespace waybill::page {
namespace {

/// Length of a character at the start of `text` that changes the direction or hides text: U+200B–U+200F,
/// U+202A–U+202E, U+2066–U+2069, or of a C1 control (U+0080–U+009F); 0 for any other.
std::size_t deceptive_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (at(0) == 0xC2 && at(1) >= 0x80 && at(1) <= 0x9F) return 2;
  if (at(0) != 0xE2) return 0;
  const bool marks = at(1) == 0x80 && ((at(2) >= 0x8B && at(2) <= 0x8F) || (at(2) >= 0xAA && at(2) <= 0xAE));
  const bool isolates = at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9;
  return marks || isolates ? 3 : 0;
}

}  // namespace

std::string shown(std::string_view text) {
  const std::string clean = repair_utf8(text);
  std::string out;
  out.reserve(clean.size());
  for (std::size_t i = 0; i < clean.size();) {
    const std::size_t deceptive = deceptive_length(std::string_view(clean).substr(i));
    const auto c = static_cast<unsigned char>(clean[i]);
    if (deceptive > 0 || c < 0x20 || c == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else {
      out += clean[i];
    }
    i += deceptive > 0 ? deceptive : 1;
  }
  return out;
}

std::string html(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : shown(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string data_block(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000.0 && unit + 1 < kUnits.size()) {
    value /= 1000.0;
    ++unit;
  }
  char text[48];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "0 %";
  if (part == whole) return "100 %";
  double value = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  if (value > 99.99) value = 99.99;
  char text[32];
  std::snprintf(text, sizeof text, value > 99.9 ? "%.2f %%" : "%.1f %%", value);
  return text;
}

std::string time_text(std::string_view rfc3339) {
  if (rfc3339.size() < 20 || rfc3339[10] != 'T' || rfc3339.back() != 'Z') return html(rfc3339);
  return html(std::string(rfc3339.substr(0, 10)) + " " + std::string(rfc3339.substr(11, 8)) + " UTC");
}

std::string base64(ByteView bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

}  // namespace waybill::page
