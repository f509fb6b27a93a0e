// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "manifest/writer.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::sync {

namespace fs = std::filesystem;

/// The figures of a run; the counts of its journal's end line.
struct Counts {
  Exit exit = Exit::ok;
  std::string identity;         ///< fingerprint of what reconcile read (Inputs); "" without reconcile
  std::uint64_t run = 0;        ///< number of the run
  std::uint64_t idle = 0;       ///< 1: nothing was new, nothing was done
  std::uint64_t accepted = 0;   ///< 1: a person has accepted what is wrong
  std::uint64_t inventory = 0;  ///< the run whose scan.wb is the archive as it is now
  std::uint64_t standing = 0;   ///< the run whose standing.wb says where each object stands, 0 for none
  std::uint64_t entries = 0, fresh = 0, changed = 0, unchanged = 0, gone = 0;  ///< of the scan
  std::uint64_t read_bytes = 0;                                                ///< of objects that the scan had to read
  std::uint64_t handled = 0;                                                   ///< objects handed to the stages
  std::uint64_t handled_bytes = 0;
  std::uint64_t loaded = 0;  ///< objects this run brought to the target
  std::uint64_t loaded_bytes = 0;
  std::uint64_t conflicts = 0;         ///< objects whose UID the target has with other content
  std::uint64_t moved = 0;             ///< objects whose content was loaded from another place
  std::uint64_t departed = 0;          ///< objects at the target that are gone from the archive since the run before
  std::uint64_t lost = 0;              ///< objects gone from the archive before they were loaded
  std::uint64_t late = 0;              ///< objects newer than the freeze
  std::uint64_t retry = 0;             ///< objects that the next run takes up without any change
  std::uint64_t extra = 0;             ///< objects at the target that no run has loaded
  std::uint64_t corrections = 0;       ///< loaded objects whose identity is another now
  std::uint64_t corrections_open = 0;  ///< studies among the loaded about which a person must decide
  std::uint64_t at_target = 0;         ///< all objects that the runs have brought there
  std::uint64_t exceptions = 0;        ///< in the standing of the whole archive
  std::uint64_t report = 0;            ///< exit code of the report on it
  std::uint64_t total_loaded = 0, total_loaded_bytes = 0;  ///< over all runs
  std::uint64_t milliseconds = 0;                          ///< work of this process on the run, waiting included

  [[nodiscard]] std::string json() const;
  [[nodiscard]] static Counts from(std::string_view json);
  /// Name and value of every figure, in the order of the struct.
  [[nodiscard]] std::vector<std::pair<std::string_view, std::uint64_t>> figures() const;
};

/// One stage that ran to an end of its own in a run.
struct StageEnd {
  std::string stage;
  Exit exit = Exit::ok;
  double seconds = 0;
  std::uint64_t objects = 0, bytes = 0;  ///< that it worked on
  bool whole = false;                    ///< it took one go, so the time is that of all its work
  std::string head;                      ///< of its manifest, or ""
};

/// What a run's journal says.
struct RunRecord {
  std::uint64_t number = 0;
  std::uint64_t base = 0;  ///< the run whose inventory it builds on, 0 for none
  std::string freeze;      ///< RFC 3339 UTC of a cut-over, or ""
  bool complete = false;
  std::optional<Counts> counts;          ///< of a complete one
  std::map<std::string, StageEnd> ends;  ///< the last end of each stage
  std::map<std::string, int> begun;      ///< how often each stage was begun
  std::map<std::string, std::string> notes;
  manifest::Header header;
  std::string head;  ///< of a complete one
};

/// Reads it; RunError as manifest::Reader throws it.
[[nodiscard]] RunRecord read_run(const fs::path& journal);

/// The journal of one run, sync.wb: a manifest of stage `sync` that is open as long as the run is. What
/// begin() and end() write is on disk before they return. Its header links to the journal of the run before, so the
/// runs are a chain.
class Journal {
 public:
  /// Begins the journal of run `record.number`, or continues it when there is one; `before` is the head of the run
  /// before, or empty.
  Journal(const fs::path& file, const RunRecord& record, const std::string& before);

  [[nodiscard]] const RunRecord& record() const noexcept { return record_; }
  [[nodiscard]] const StageEnd* end_of(const std::string& stage) const;
  [[nodiscard]] std::string note(const std::string& name) const;

  void begin(const std::string& stage);
  void end(StageEnd end);
  /// A setting that the run goes on with when it is continued; on disk with the next begin() or end().
  void set_note(const std::string& name, const std::string& value);
  void finish(const Counts& counts);

 private:
  void append(const std::string& line);
  RunRecord record_;
  manifest::Writer writer_;
};

}  // namespace waybill::sync
