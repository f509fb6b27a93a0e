// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/model.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace waybill::report {

struct Options {
  std::vector<std::filesystem::path> manifests;
  std::filesystem::path html, csv, json;    ///< empty: not written
  std::filesystem::path known;              ///< who explains what the target has beyond ours; empty: nobody
  std::vector<std::filesystem::path> keys;  ///< public keys whose signatures are checked
  bool show_phi = false;
  std::filesystem::path pseudonyms = {};  ///< key file of the hashes that stand for patients; empty: a key of this run
  std::filesystem::path lookup = {};      ///< CSV of who stands behind them; empty: not written
};

/// Reads the manifests of a project and works out ledger, evidence and exceptions. `exit` of the result is
/// Exit::integrity when anything is unexplained, Exit::exceptions when objects ended as exceptions or a manifest is
/// incomplete, else Exit::ok. Throws RunError for manifests that cannot be read or whose chain is broken.
[[nodiscard]] Report build(const Options& options);

/// Writes the files that `options` names, each 0600 and whole or not at all.
void write(const Report& report, const Options& options);

/// The three forms of a report.
[[nodiscard]] std::string to_html(const Report& report);
[[nodiscard]] std::string to_csv(const Report& report);
[[nodiscard]] std::string to_json(const Report& report);

/// The report without its lists of objects, as one JSON object.
[[nodiscard]] std::string to_json_summary(const Report& report);

/// What was proved, as sentences; uses the counts of the report.
[[nodiscard]] std::vector<std::string> statement(const Report& report);

}  // namespace waybill::report
