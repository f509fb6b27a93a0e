// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "io/read_file.hpp"
#include "manifest/record.hpp"

#include <memory>

namespace waybill::archive {

/// The bytes a source locator names: a file, a part of it, or a member of a container at any depth. Whether they are
/// still those that were scanned is for the caller to check by digest. Fault::unreadable when they cannot be had,
/// Fault::mismatch when the file is too short or the container has no such member any more.
///
/// Any thread. Each thread remembers the container it read last and where it stands in it, so members asked for in the
/// order of the container are read in one pass. Memory: the object, and for a nested container its whole bytes.
[[nodiscard]] Result<Bytes> read_source(const manifest::Source& source);

/// The same into memory of the caller's, which the result is a view of.
[[nodiscard]] Result<ByteView> read_source(const manifest::Source& source, const io::Room& room);

/// Like read_source(), with a place in one container of its own instead of the thread's: for a stage that reads in
/// order on whatever thread. One caller at a time.
class SourceReader {
 public:
  SourceReader();
  ~SourceReader();
  SourceReader(const SourceReader&) = delete;
  SourceReader& operator=(const SourceReader&) = delete;
  [[nodiscard]] Result<Bytes> read(const manifest::Source& source);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waybill::archive
