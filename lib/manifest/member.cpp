// SPDX-License-Identifier: Apache-2.0
#include "manifest/member.hpp"

#include "manifest/json_reader.hpp"

namespace waybill::manifest {

std::optional<std::string> text_member(std::string_view json, std::string_view name) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  const detail::JsonObject object = detail::parse_object(parser, padded);
  std::string_view text;
  if (object.at_key(name).get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

std::optional<std::uint64_t> whole_member(std::string_view json, std::string_view name) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  std::uint64_t number = 0;
  if (detail::parse_object(parser, padded).at_key(name).get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

bool has_member(std::string_view json, std::string_view name) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  return detail::parse_object(parser, padded).at_key(name).error() == simdjson::SUCCESS;
}

std::optional<double> number_at(std::string_view json, std::string_view pointer) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  double number = 0;
  if (detail::parse_object(parser, padded).at_pointer(pointer).get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

}  // namespace waybill::manifest
