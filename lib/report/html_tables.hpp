// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/model.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The sections of the HTML report; each returns escaped markup, empty when there is nothing to say.
namespace waybill::report {

inline constexpr std::size_t kMostRows = 5'000;  ///< rows of one HTML table; CSV and JSON hold all

/// The first look: what the ledger says, and where all objects are, as tiles and one bar.
[[nodiscard]] std::string glance_section(const Report& report);
[[nodiscard]] std::string unexplained_section(const Report& report);
[[nodiscard]] std::string evidence_section(const Report& report);
[[nodiscard]] std::string ledger_section(const Report& report);
[[nodiscard]] std::string groups_section(const Report& report);
[[nodiscard]] std::string exceptions_section(const Report& report);
[[nodiscard]] std::string findings_section(const Report& report);
[[nodiscard]] std::string reconcile_section(const Report& report);
[[nodiscard]] std::string chain_section(const Report& report);

}  // namespace waybill::report
