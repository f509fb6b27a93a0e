// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "sync/forecast.hpp"
#include "sync/journal.hpp"
#include "sync/outlook.hpp"
#include "sync/plan.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::sync {

struct Options {
  fs::path plan;
  std::string cutover;                          ///< time of the freeze (parse_freeze), or empty
  bool retry_failed = false;                    ///< take up what failed or was refused in earlier runs as well
  bool accept_gone = false;                     ///< it is true that most of the archive is gone
  bool accept_integrity = false;                ///< a person has looked at what stopped the last run with 5
  std::vector<std::string> shared;              ///< words for every stage: keys of manifests, audit trail
  std::function<void(const std::string&)> say;  ///< what a person should know meanwhile
};

struct Outcome {
  Exit exit = Exit::ok;
  fs::path folder;  ///< of the run
  bool continued = false;
  RunRecord run;
  Counts counts;
};

/// Continues the run that an earlier call left unfinished, or begins the next one. Each stage is a program of its own
/// and is continued by its own rules. Throws RunError for the first stage that does not get to its end: the run is then
/// open and the next call goes on with that stage; the metrics file tells of it. One call at a time in a process.
[[nodiscard]] Outcome run(const Options& options);

/// What run() would do now; writes and sends nothing.
struct Preview {
  std::uint64_t number = 0;
  std::string unfinished;  ///< the stage at which an open run would be continued; then nothing else is told
  Outlook outlook;
  std::uint64_t retry = 0;        ///< objects of earlier runs that are taken up without any change
  bool identity_changed = false;  ///< reconcile would read something new
  bool idle = false;              ///< there is nothing to do
  std::vector<std::string> commands;
  Forecast forecast;
};
[[nodiscard]] Preview preview(const Options& options);

/// "now" or an RFC 3339 time in UTC such as 2026-11-27T18:00:00Z, as file times are written in manifests. Throws
/// RunError(Exit::usage).
[[nodiscard]] std::string parse_freeze(const std::string& text);

}  // namespace waybill::sync
