// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace waybill::manifest {

enum class Restart { no, yes };

/// Writes a manifest. append() may be called from any thread; lines are kept in the order of the calls.
///
/// A frame is written and fdatasync'ed every second, 10,000 records or 8 MiB, whichever comes first, and the mark
/// file NAME.sync moves on after it. Every failure of write or sync throws RunError that names file, reason and next
/// step (Exit::input for what the user can mend: full disk, read-only folder); after it the writer is dead and what
/// was confirmed before stays resumable. The destructor of an unfinished writer commits what it can and leaves an
/// interrupted, resumable file; one that it began, that holds no record and was never committed it removes.
class Writer {
 public:
  /// Creates `path` (0600), or continues an interrupted one with the same stage, options and inputs: then
  /// resumed() is true and the caller reads what is there with Reader first. A finished manifest of the same
  /// header gives already_complete(). Differences throw RunError(Exit::usage) that says which and names --restart.
  /// Neither way a manifest of another stage is written over, nor with `restart` one that `header` has as its input.
  /// `path` "-" writes to standard output, without sync mark. A lock keeps a second writer out.
  Writer(const std::filesystem::path& path, Header header, Restart restart = Restart::no);
  ~Writer();
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;

  [[nodiscard]] bool resumed() const noexcept;
  [[nodiscard]] bool already_complete() const noexcept;

  /// Adds one JSON line (no line feed).
  void append(std::string_view json_line);
  template <typename T>
  void append_record(const T& record) {
    append(to_json(record));
  }

  /// Returns after all lines so far are on disk (fdatasync confirmed). From now on the file stays, also without a
  /// record: to be called before anything is done outside that a next run must know of.
  void commit();

  /// Writes end frame with `counts` (a JSON object) and the seek table, syncs file and folder, removes the mark.
  /// `streams` gives the heads of the inputs whose head the header leaves empty, each exactly once.
  void finish(std::string_view counts, const std::vector<Input>& streams = {});

  [[nodiscard]] const std::filesystem::path& path() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waybill::manifest
