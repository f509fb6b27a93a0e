// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/source.hpp"
#include "manifest/reader.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <vector>

namespace waybill::transcode {

/// One record on its way through: what it was, and what became of it.
struct Item {
  manifest::Record record;
  std::optional<Result<Bytes>> bytes;  ///< of a member of a container, read in the order of the container
  bool finished = false;
  std::exception_ptr failure;  ///< of the run, not of the object
};

/// How much of the input is on its way at once.
struct BatchLimits {
  std::uint64_t bytes = 0;    ///< of objects that are read when their turn comes
  std::uint64_t members = 0;  ///< of members, which are held from the start
  std::size_t records = 512;
};

/// Gives the records of the input in its order, in batches bounded by bytes. Members of containers are read here, in
/// one pass over each container. One thread at a time.
class Batches {
 public:
  /// `next` gives the records that are still to do.
  Batches(std::function<std::optional<manifest::Record>()> next, BatchLimits limits)
      : next_(std::move(next)), limits_(limits) {}
  /// The next batch, empty at the end.
  [[nodiscard]] std::vector<Item> read();

 private:
  std::function<std::optional<manifest::Record>()> next_;
  BatchLimits limits_;
  archive::SourceReader sources_;
};

/// Calls `work` for every item, in parallel. A RunError stays with its item and stops what has not begun; so does a
/// request to stop.
void work_through(std::vector<Item>& batch, const std::function<void(Item&)>& work);

}  // namespace waybill::transcode
