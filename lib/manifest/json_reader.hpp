// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <simdjson.h>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Typed access to the members of one JSON object; what has the wrong type or is missing is an integrity error, for
/// the bytes had a right checksum. For the sources of this module only.
namespace waybill::manifest::detail {

using JsonObject = simdjson::dom::object;

[[noreturn]] inline void bad_line(std::string_view what) {
  throw RunError(Exit::integrity,
                 "a manifest line is no valid record (" + std::string(what) +
                     "); it was written by another program or version: check it with `waybill manifest check`");
}

template <typename T>
[[nodiscard]] std::optional<T> find(const JsonObject& object, std::string_view name) {
  simdjson::dom::element element;
  if (object.at_key(name).get(element) != simdjson::SUCCESS) return std::nullopt;
  if constexpr (std::is_same_v<T, std::string>) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) bad_line(std::string(name) + " is no text");
    return std::string(text);
  } else if constexpr (std::is_same_v<T, double>) {
    double number = 0;
    if (element.get(number) != simdjson::SUCCESS) bad_line(std::string(name) + " is no number");
    return number;
  } else if constexpr (std::is_unsigned_v<T> && !std::is_same_v<T, bool>) {
    std::uint64_t number = 0;
    if (element.get(number) != simdjson::SUCCESS || number > std::numeric_limits<T>::max()) {
      bad_line(std::string(name) + " is no number of its range");
    }
    return static_cast<T>(number);
  } else {
    T value;
    if (element.get(value) != simdjson::SUCCESS) bad_line(std::string(name) + " has another type");
    return value;
  }
}

template <typename T>
[[nodiscard]] T need(const JsonObject& object, std::string_view name) {
  auto value = find<T>(object, name);
  if (!value) bad_line(std::string(name) + " is missing");
  return std::move(*value);
}

/// Calls `each(JsonObject)` for an array of objects; nothing when the member is absent.
template <typename F>
void each_object(const JsonObject& object, std::string_view name, F each) {
  const auto array = find<simdjson::dom::array>(object, name);
  if (!array) return;
  for (const simdjson::dom::element element : *array) {
    JsonObject item;
    if (element.get(item) != simdjson::SUCCESS) bad_line(std::string(name) + " holds what is no object");
    each(item);
  }
}

[[nodiscard]] inline std::vector<std::string> texts(const JsonObject& object, std::string_view name) {
  std::vector<std::string> out;
  const auto array = find<simdjson::dom::array>(object, name);
  if (!array) return out;
  for (const simdjson::dom::element element : *array) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) bad_line(std::string(name) + " holds what is no text");
    out.emplace_back(text);
  }
  return out;
}

/// Parses a whole object; `parser` owns the result.
[[nodiscard]] inline JsonObject parse_object(simdjson::dom::parser& parser, std::string_view line) {
  JsonObject object;
  if (parser.parse(line.data(), line.size()).get(object) != simdjson::SUCCESS) bad_line("no JSON object");
  return object;
}

}  // namespace waybill::manifest::detail
