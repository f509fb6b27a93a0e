// SPDX-License-Identifier: Apache-2.0
#include "archive/places.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <string>
#include <system_error>

namespace waybill::archive {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void gone(const fs::path& place, const std::string& why) {
  throw RunError(Exit::input, path_to_text(place.native()) + " is gone (" + why +
                                  "): nothing in it can be read; mount it again, then run the same command again");
}

bool lies_in(const fs::path& object, const fs::path& place) {
  return std::mismatch(place.begin(), place.end(), object.begin(), object.end()).first == place.end();
}

}  // namespace

void require_place(const fs::path& place) {
  std::error_code error;
  const fs::file_status status = fs::status(place, error);
  if (fs::exists(status) && !fs::is_directory(status)) return;
  const fs::directory_iterator first(place, error);
  if (error) gone(place, error.message());
  if (first == fs::directory_iterator()) gone(place, "it is an empty folder");
}

void require_place_of(const fs::path& object, const std::vector<fs::path>& places) {
  const fs::path* innermost = nullptr;
  for (const fs::path& place : places) {
    if (!lies_in(object, place)) continue;
    if (innermost == nullptr || innermost->native().size() < place.native().size()) innermost = &place;
  }
  if (innermost != nullptr) require_place(*innermost);
}

}  // namespace waybill::archive
