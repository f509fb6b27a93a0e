// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/model.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The sections of the HTML report; each returns escaped markup, empty when there is nothing to say.
namespace waybill::report {

/// The first look: what the ledger says, and where all objects are, as tiles and one bar.
[[nodiscard]] std::string glance_section(const Report& report);
[[nodiscard]] std::string unexplained_section(const Report& report);
[[nodiscard]] std::string evidence_section(const Report& report);
[[nodiscard]] std::string ledger_section(const Report& report);
[[nodiscard]] std::string target_section(const Report& report);
[[nodiscard]] std::string timeline_section(const Report& report);
[[nodiscard]] std::string groups_section(const Report& report);
[[nodiscard]] std::string exceptions_section(const Report& report);
[[nodiscard]] std::string findings_section(const Report& report);
[[nodiscard]] std::string reconcile_section(const Report& report);
[[nodiscard]] std::string chain_section(const Report& report);

/// Parts of the ledger and of the evidence.
[[nodiscard]] std::string sheet_table(const Report& report);
[[nodiscard]] std::string samples_table(const Report& report);

}  // namespace waybill::report
