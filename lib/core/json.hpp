// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace waybill {

/// Writes one JSON value (RFC 8259) into a string, members in the order of the calls.
///
///     JsonWriter w;
///     w.begin_object().member("kind", "object").member("rows", 512).end_object();
///     std::move(w).str();
///
/// Invalid UTF-8 becomes U+FFFD, so the output is always valid; a raw line feed never appears, so
/// one value is one line of JSON Lines. Not for sharing between threads.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag);
  JsonWriter& value(double number);
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& value(T number) {
    separate();
    text_ += std::to_string(number);
    return *this;
  }
  JsonWriter& null();
  /// A value that is JSON already, e.g. one kept from another record.
  JsonWriter& raw(std::string_view json);

  template <typename T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

  [[nodiscard]] const std::string& str() const& noexcept { return text_; }
  [[nodiscard]] std::string str() && noexcept { return std::move(text_); }

 private:
  JsonWriter& open(char c);
  JsonWriter& close(char c);
  void separate();

  std::string text_;
  bool first_ = true;  // the next value needs no comma before it
};

}  // namespace waybill
