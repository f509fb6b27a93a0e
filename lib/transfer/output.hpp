// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/writer.hpp"
#include "transfer/contents.hpp"
#include "transfer/ledger.hpp"
#include "transfer/options.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace waybill::transfer {

/// The manifest that a stage writes: new, or the one an earlier run left. append() and commit() from any thread, the
/// rest from one at a time.
class Output {
 public:
  /// What a stage does with records: `object` counts every object record of the output, those of an earlier run
  /// included; `other` sees what else an earlier run wrote.
  struct Watch {
    std::function<void(const manifest::Object&)> object;
    std::function<void(const manifest::Record&)> other;
  };

  /// Opens the output; `settings` is a JSON object of what changes the result. Reads what an earlier run left, and
  /// throws RunError where manifest::Writer does.
  Output(const Options& options, std::string stage, std::string settings, const Contents& contents, Watch watch);

  [[nodiscard]] bool already_complete() const noexcept { return writer_.already_complete(); }
  /// Whether the object has its record.
  [[nodiscard]] bool has(const std::string& id) const { return recorded_.contains(id); }

  void record(const manifest::Object& object);
  /// Study records of the input that are not there yet.
  void carry(const std::vector<manifest::Study>& studies);
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
  std::unordered_set<std::string> recorded_;
  std::unordered_set<std::string> studies_;
  manifest::Writer writer_;
};

}  // namespace waybill::transfer
