// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sync/plan.hpp"
#include "sync/project.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// The words with which sync starts the program of each stage.
namespace waybill::sync {

/// Files of one run.
struct Run {
  const Plan& plan;
  const Project& project;
  std::uint64_t number = 0;
  std::uint64_t base = 0;           ///< run whose inventory the scan builds on, 0 for none
  std::vector<std::string> shared;  ///< words for every stage

  [[nodiscard]] fs::path file(const char* name) const { return project.in_run(number, name); }
};

using Words = std::vector<std::string>;

[[nodiscard]] Words scan_words(const Run& run);
/// Compares with the inventory of this run itself and writes after.wb.
[[nodiscard]] Words after_words(const Run& run);
/// `ris` is the table that counts, `scan` the inventory to read.
[[nodiscard]] Words reconcile_words(const Run& run, const std::string& ris, const fs::path& scan);
[[nodiscard]] Words corrections_words(const Run& run, const std::string& ris, const fs::path& scan);
[[nodiscard]] Words transcode_words(const Run& run);
[[nodiscard]] Words load_words(const Run& run);
[[nodiscard]] Words verify_words(const Run& run);
[[nodiscard]] Words report_words(const Run& run, const fs::path& scan);

}  // namespace waybill::sync
