// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::assess {

/// What somebody else counted: the old archive's database, a query, a contract. The scan is compared with it.
struct ControlCount {
  std::string name;
  std::map<std::string, std::uint64_t> counts;  ///< by level: patients, studies, series, objects, bytes
};

inline constexpr std::string_view kLevels[] = {"patients", "studies", "series", "objects", "bytes"};

/// "database: studies=120000, objects=9100000". Throws RunError(Exit::usage).
[[nodiscard]] ControlCount parse_count(std::string_view text);

/// Whether any level that both counted differs.
[[nodiscard]] bool differs(const ControlCount& control, const std::map<std::string, std::uint64_t>& scanned);

}  // namespace waybill::assess
