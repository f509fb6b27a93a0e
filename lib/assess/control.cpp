// SPDX-License-Identifier: Apache-2.0
#include "assess/control.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>

namespace waybill::assess {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw RunError(Exit::usage, "--count: '" + path_to_text(text) +
                                  "' is no count; write it as \"database: studies=120000, objects=9100000\", of "
                                  "patients, studies, series, objects and bytes");
}

}  // namespace

ControlCount parse_count(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) refuse(text);
  ControlCount out{repair_utf8(trim(text.substr(0, colon))), {}};
  for (const std::string_view part : split(text.substr(colon + 1), ',')) {
    const std::string_view count = trim(part);
    const std::size_t equals = std::min(count.find('='), count.size());
    const std::string_view level = trim(count.substr(0, equals));
    const std::string_view digits = trim(count.substr(std::min(equals + 1, count.size())));
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool known = std::find(std::begin(kLevels), std::end(kLevels), level) != std::end(kLevels);
    if (!known || digits.empty() || error != std::errc() || end != digits.data() + digits.size()) refuse(text);
    if (!out.counts.emplace(level, number).second) refuse(text);
  }
  if (out.name.empty()) refuse(text);
  return out;
}

bool differs(const ControlCount& control, const std::map<std::string, std::uint64_t>& scanned) {
  return std::any_of(control.counts.begin(), control.counts.end(), [&](const auto& count) {
    const auto at = scanned.find(count.first);
    return at != scanned.end() && at->second != count.second;
  });
}

}  // namespace waybill::assess
