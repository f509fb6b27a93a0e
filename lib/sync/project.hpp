// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sync/journal.hpp"
#include "sync/plan.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace waybill::sync {

/// The folder of a project: a folder of six digits for each run below `runs`. What the manifests in them say is all the
/// state there is.
class Project {
 public:
  explicit Project(fs::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const fs::path& folder() const noexcept { return folder_; }
  [[nodiscard]] fs::path run_folder(std::uint64_t number) const;
  [[nodiscard]] fs::path in_run(std::uint64_t number, const char* name) const { return run_folder(number) / name; }
  [[nodiscard]] fs::path journal_of(std::uint64_t number) const { return in_run(number, "sync.wb"); }
  /// Numbers of all runs, ascending.
  [[nodiscard]] std::vector<std::uint64_t> runs() const;
  /// The last run, whether it is complete or not; nullopt for none. A run that was killed before its journal had a
  /// header is none yet.
  [[nodiscard]] std::optional<RunRecord> last() const;
  /// The complete runs before `number`, the latest first, at most `most`.
  [[nodiscard]] std::vector<RunRecord> before(std::uint64_t number, std::size_t most) const;
  /// The manifests of load of all runs before `number`, and those that people have put beside them when they loaded
  /// corrections: all files whose name ends in load.wb. In the order of runs and names.
  [[nodiscard]] std::vector<fs::path> loads_before(std::uint64_t number) const;

  /// Makes the folders (0700) where they are missing.
  void make() const;
  void make_run(std::uint64_t number) const;
  /// Removes what the run `number` holds of whole inventories (scan.wb, standing.wb); the heads stay in its journal.
  void drop_inventory(std::uint64_t number) const;

 private:
  fs::path folder_;
};

/// The files that reconcile would read now.
struct Inputs {
  std::string ris;       ///< the file that counts, or the database
  std::string identity;  ///< SHA-256 over the names, sizes, times and inodes of all of them; "" when it cannot be told
};

/// `loads` are those of Project::loads_before. Throws RunError(Exit::input) for a folder without a table that can be
/// taken.
[[nodiscard]] Inputs look_at_inputs(const Plan::Reconcile& plan, const std::vector<fs::path>& loads = {});

/// The end of a complete manifest, with its chain checked; nullopt where none is or it is not complete.
struct ManifestEnd {
  std::string head, counts;
};
[[nodiscard]] std::optional<ManifestEnd> end_of(const fs::path& manifest);

}  // namespace waybill::sync
