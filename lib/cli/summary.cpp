// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.hpp"

#include "core/json.hpp"

#include <iostream>

namespace waybill::cli {

namespace {

std::string json_of(const Summary& summary) {
  JsonWriter json;
  json.begin_object()
      .member("stage", summary.stage)
      .member("already_complete", summary.already_complete)
      .member("interrupted", summary.interrupted)
      .member("exit", static_cast<int>(summary.exit))
      .key("counts")
      .raw(summary.counts)
      .end_object();
  return std::move(json).str();
}

}  // namespace

Exit print(const Summary& summary, bool json) {
  std::ostream& out = summary.output == "-" ? std::cerr : std::cout;
  if (json) {
    out << json_of(summary) << "\n";
    return summary.exit;
  }
  if (summary.already_complete) out << summary.output << " is complete already; nothing was done\n";
  if (summary.interrupted) out << "interrupted; run the same command again to continue\n";
  for (const auto& [label, value] : summary.lines) out << label << "\t" << value << "\n";
  if (summary.exit == Exit::exceptions && summary.listed_by_report && summary.output != "-")
    std::cerr << "waybill " << summary.stage << ": exit 1, some objects are exceptions; 'waybill report "
              << summary.output << " --csv FILE' lists them with their reasons\n";
  return summary.exit;
}

}  // namespace waybill::cli
