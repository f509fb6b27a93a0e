// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sync/run.hpp"
#include "sync/stages.hpp"
#include "sync/standing.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace waybill::sync {

/// One run from its first stage to its last, or from where it was left. The order of the stages:
///
///     scan ─► reconcile ─► select ─► [transcode] ─► load ─► verify ─► corrections ─► standing ─► report ─► [after]
///
/// A run ends behind scan when nothing is new, and does without the stages between select and corrections when nothing
/// is to be handled; without standing and report when the archive and what is at the target are as they were.
class Chain {
 public:
  /// `record` is a new run's or an open one's; `before` are the figures of the run before it, and `link` is its head.
  Chain(const Plan& plan, const Project& project, const Options& options, const RunRecord& record, const Counts& before,
        const std::string& link);

  /// To the end of the run. Throws RunError for the first stage that does not get to its end.
  void go();

  [[nodiscard]] const RunRecord& record() const noexcept { return journal_.record(); }
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

 private:
  using Clock = std::chrono::steady_clock;
  /// Fills in what a stage worked on; `counts` are those of its manifest's end line.
  using Measure = std::function<void(StageEnd& end, const std::string& counts)>;

  [[nodiscard]] bool is_done(const std::string& stage) const;
  /// Runs the stage's program unless it is done; its exit code is 0, 1, or 5 where the chain may go on.
  Exit program(const std::string& stage, const Words& words, const char* manifest, const Measure& measure);
  /// The same for work of this process, which fills in what it counted.
  void own(const std::string& stage, const std::function<void(StageEnd&)>& work, const char* manifest);
  [[nodiscard]] Clock::time_point begin(const std::string& stage);
  [[noreturn]] void stop(const std::string& stage, Exit exit) const;

  void scan();
  void reconcile();
  void select_objects();
  void move_objects();
  void correct();
  void settle_standing();
  void report();
  void look_after();
  void close();
  void close_idle();

  [[nodiscard]] bool is_cutover() const noexcept { return !journal_.record().freeze.empty(); }
  [[nodiscard]] bool has_nothing_to_do();
  [[nodiscard]] fs::path inventory() const;
  [[nodiscard]] Sources sources() const;
  void see_inputs();
  void check_gone(const std::string& counts) const;
  void take_scan_counts(const std::string& json);
  void keep_standing();
  void forget_staged() const;
  void thin_inventories() const;

  const Plan& plan_;
  const Project& project_;
  const Options& options_;
  const Counts before_;
  Journal journal_;
  Run run_;
  Counts counts_;
  bool quiet_ = false;  ///< the archive is as the run before it found it
  Exit worst_ = Exit::ok;
  Clock::time_point start_ = Clock::now();
};

/// The worse of two codes by what a runbook does: 5 before 7, 2, 3, 4, 6, 1, 0.
[[nodiscard]] Exit worse(Exit a, Exit b) noexcept;

}  // namespace waybill::sync
