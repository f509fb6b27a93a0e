// SPDX-License-Identifier: Apache-2.0
#include "manifest/id.hpp"

#include "core/result.hpp"

#include <charconv>
#include <cstdio>

namespace waybill::manifest {

std::uint64_t id_number(std::string_view id, const std::string& manifest) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number, 16);
  if (error != std::errc{} || end != id.data() + id.size() || id.size() != 16) {
    throw RunError(Exit::integrity,
                   manifest + " holds a record whose id is not 16 hex digits; restore the manifest from a copy");
  }
  return number;
}

std::string id_text(std::uint64_t id) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id));
  return text;
}

}  // namespace waybill::manifest
