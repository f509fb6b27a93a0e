// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "index/store.hpp"
#include "manifest/writer.hpp"
#include "transfer/ledger.hpp"
#include "transfer/options.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::transfer {

/// Whether there is no output to continue. The peer is then tried before the output is made, so that a command with a
/// wrong peer leaves nothing behind and can be corrected.
[[nodiscard]] bool starts_anew(const Options& options);

/// The manifest that a stage writes: new, or the one an earlier run left. append() and commit() from any thread, the
/// rest from one at a time. What an earlier run recorded is remembered in `store`, on disk, whatever its number.
class Output {
 public:
  /// What a stage does with records: `object` counts every object record of the output, those of an earlier run
  /// included; `any` sees every record of an earlier run.
  struct Watch {
    std::function<void(const manifest::Object&)> object;
    std::function<void(const manifest::Record&)> any;
  };

  /// Opens the output; `settings` is a JSON object of what changes the result. Reads what an earlier run left, and
  /// throws RunError where manifest::Writer does. `store` must outlive the output and is used under the keys "r…".
  Output(const Options& options, std::string stage, std::string settings, std::vector<manifest::Input> inputs,
         index::Store& store, Watch watch);

  [[nodiscard]] bool already_complete() const noexcept { return writer_.already_complete(); }
  /// Of this run, or of the earlier one that it continues.
  [[nodiscard]] const std::string& run_id() const noexcept { return run_id_; }
  /// Whether an earlier run has written the object's record, or that of the study.
  [[nodiscard]] bool has(const std::string& id) const { return resumed_ && store_.contains("ro" + id); }
  [[nodiscard]] bool has_study(const std::string& uid) const { return resumed_ && store_.contains("rs" + uid); }

  void record(const manifest::Object& object);
  /// Study records of the input that are not there yet.
  void carry(const manifest::Study& study);
  /// An object that the stage does not touch, unless it has its record.
  void carry(const manifest::Object& object);
  void append(std::string_view line) { writer_.append(line); }
  void commit() { writer_.commit(); }

  /// The end of the stage: marks the ledger interrupted when a stop was asked for and objects are left, else writes
  /// the end frame. Throws RunError(Exit::integrity) for a ledger that does not close.
  void finish(Ledger& ledger, const std::function<std::string()>& counts);

 private:
  Watch watch_;
  std::string name_;
  index::Store& store_;
  std::string run_id_;
  bool resumed_ = false;
  manifest::Writer writer_;
};

}  // namespace waybill::transfer
