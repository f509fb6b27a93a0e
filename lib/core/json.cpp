// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"

#include "core/text.hpp"

#include <charconv>
#include <cmath>

namespace waybill {

void JsonWriter::separate() {
  if (!first_) text_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char c) {
  separate();
  text_ += c;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char c) {
  text_ += c;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  value(name);
  text_ += ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  separate();
  text_ += '"';
  std::string repaired;
  if (!is_utf8(text)) {
    repaired = repair_utf8(text);
    text = repaired;
  }
  std::size_t plain = 0;  // where the run begins that needs no escape
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto u = static_cast<unsigned char>(text[i]);
    const bool quoted = u == '"' || u == '\\';
    if (!quoted && u >= 0x20 && u != 0x7F) continue;
    text_ += text.substr(plain, i - plain);
    plain = i + 1;
    text_ += '\\';
    if (quoted) {
      text_ += text[i];
    } else {
      text_ += "u00";
      text_ += kDigits[u >> 4U];
      text_ += kDigits[u & 15U];
    }
  }
  text_ += text.substr(plain);
  text_ += '"';
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
  separate();
  text_ += flag ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  text_.append(buffer, end);
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  text_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_ += json;
  return *this;
}

}  // namespace waybill
