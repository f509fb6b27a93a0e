// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"
#include "sync/plan.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// Where each object of the archive stands, over runs.
///
/// A standing is a manifest of one record an object of the scan it was made from, in its order: the scan's record, or
/// what the stages of the last run that handled the object made of it. So the ledger of the whole archive closes after
/// every run, whatever that run had to do. Objects that the target has and the archive has no more follow as `departed`
/// lines, with the record as it was:
///
///     {"kind":"departed","run":7,"object":{"kind":"object",…}}
///
/// The target's objects are known by SOP Instance UID: the archive may move a file, change it, or give the UID to
/// another, and each is told from the other two by the digests. What the target has is never sent again.
namespace waybill::sync {

struct Sources {
  fs::path scan;       ///< of this run, or of the run whose inventory still holds
  fs::path standing;   ///< of the run before, or empty
  std::string freeze;  ///< RFC 3339 UTC with nanoseconds: newer files are left alone; or empty
};

struct Selected {
  std::uint64_t objects = 0, bytes = 0;  ///< to be handled
  std::uint64_t read_bytes = 0;          ///< of what the scan had to read
};

/// Writes the manifest of what the stages are to handle: objects that were never handled, those whose earlier outcome
/// may be another now (pending, without an answer, unreadable for the moment, held for a decision that has been taken)
/// and, so that verify knows whole studies, what the target has of their studies already, in bucket `excluded`.
/// `decisions` is the manifest of reconcile or empty; `retry_failed` takes up all that failed or was refused as well.
[[nodiscard]] Selected select(const Sources& from, const fs::path& decisions, Undecided undecided, bool retry_failed,
                              const fs::path& output);

struct Settled {
  std::uint64_t loaded = 0, loaded_bytes = 0;  ///< by this run
  std::uint64_t at_target = 0;
  std::uint64_t conflicts = 0, moved = 0, departed = 0, lost = 0, late = 0, retry = 0, extra = 0, exceptions = 0;
};

/// Writes the new standing and, as CSV, what is gone. `outcome` is the last manifest of the run's stages, empty when
/// nothing was handled; `links` are further inputs that the header names. Throws RunError(Exit::integrity) for an
/// object that was handled and has no outcome.
[[nodiscard]] Settled settle(const Sources& from, const fs::path& outcome, std::uint64_t run,
                             const std::vector<manifest::Input>& links, const fs::path& output, const fs::path& gone);

}  // namespace waybill::sync
