// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commit/committer.hpp"
#include "load/run.hpp"
#include "manifest/reader.hpp"
#include "transfer/output.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace waybill::load {

/// Finding behind the record of a loaded object that the archive does not commit itself to.
inline constexpr std::string_view kUncommitted = "LOAD-UNCOMMITTED";

/// Storage commitment of a load: what this run sent is asked for, study by study, while others travel. What the archive
/// does not commit itself to gets finding LOAD-UNCOMMITTED behind its record.
class Commitments {
 public:
  /// Reads which run an existing output is of. `options` must outlive it.
  explicit Commitments(const Options& options);

  /// A record of the output that is continued, in their order.
  void replay(const manifest::Record& record);
  /// Behind the replay.
  void start(transfer::Output& output);

  void sent(const manifest::Object& object);                              ///< any thread
  void study_over(const std::string& study) { committer_.flush(study); }  ///< any thread
  /// Waits for what is open; false when the manifest is to stay open for it. Sets the tally's numbers either way.
  [[nodiscard]] bool finish(Tally& tally);

 private:
  void note(const commit::Verdict& verdict);

  const Options& options_;
  std::string run_;
  transfer::Output* output_ = nullptr;  ///< set by start()
  std::vector<commit::Verdict> replayed_;
  std::unordered_set<std::string> noted_;  ///< ids with their finding
  commit::Committer committer_;
};

}  // namespace waybill::load
