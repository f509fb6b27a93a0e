// SPDX-License-Identifier: Apache-2.0
#include "hl7/delimiters.hpp"

#include <array>
#include <cctype>
#include <string>

namespace waybill::hl7 {
namespace {

bool is_separator(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u < 0x7F && std::isalnum(u) == 0;
}

}  // namespace

Result<Delimiters> read_delimiters(std::string_view message) {
  if (message.size() < 5 || !is_separator(message[3]))
    return Failure{Fault::malformed, "the MSH segment has no field separator"};
  Delimiters d;
  d.field = message[3];
  const std::string_view rest = message.substr(4);
  const std::size_t end = rest.find(d.field);
  if (end == std::string_view::npos || rest.substr(0, end).find_first_of("\r\n") != std::string_view::npos)
    return Failure{Fault::malformed, "the MSH segment ends in MSH-2"};
  std::string encoding(rest.substr(0, end));
  if (encoding.size() > 3 && encoding[2] == encoding[3]) encoding.erase(2, 1);
  const std::array members = {&d.component, &d.repetition, &d.escape, &d.subcomponent};
  if (encoding.empty()) {
    for (char* member : members)
      if (*member == d.field) *member = '\0';
    return d;
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    *members[i] = i < encoding.size() ? encoding[i] : '\0';
    if (*members[i] == '\0') continue;
    if (!is_separator(*members[i])) return Failure{Fault::malformed, "MSH-2 holds a character that separates nothing"};
    for (std::size_t k = 0; k < i; ++k)
      if (*members[k] == *members[i]) return Failure{Fault::malformed, "MSH-2 gives one character two meanings"};
  }
  return d;
}

}  // namespace waybill::hl7
