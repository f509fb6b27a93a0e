// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/source.hpp"
#include "manifest/reader.hpp"

#include <oneapi/tbb/task_arena.h>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace waybill::transcode {

/// One record on its way through: what it was, and what became of it.
struct Item {
  manifest::Record record;
  std::optional<Result<Bytes>> bytes;  ///< of a member of a container, read in the order of the container
};

/// How much of the input is on its way at once.
struct FlowLimits {
  unsigned threads = 1;
  std::uint64_t bytes = 0;    ///< of objects that are worked on; a larger one is worked on alone
  std::size_t records = 512;  ///< begun and not taken yet
};

/// Takes the records of the input in its order, works on several at a time and gives them back in the input's order.
/// No thread waits for another's object: each begins the next record when it is done with one. Members of containers
/// are read one after the other, in one pass over each container.
class Flow {
 public:
  using Next = std::function<std::optional<manifest::Record>()>;
  using Work = std::function<void(Item&)>;

  /// `next` gives the records that are still to do, one call at a time, and ends early when a stop is asked for; what
  /// is begun is finished. `work` is called on threads of an arena of its own, in which it may run tasks.
  Flow(Next next, Work work, FlowLimits limits);
  ~Flow();  ///< waits for what is begun
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  /// Records that are done, in order; empty at the end. Waits until there is a good many of them, as their taker waits
  /// for the disk each time. Throws what `work` or `next` threw, when all before it were taken. One thread.
  [[nodiscard]] std::vector<manifest::Record> take();

 private:
  struct Slot {
    Item item;
    std::uint64_t size = 0;
    bool finished = false;
    std::exception_ptr failure;
  };

  void begin_more();
  bool read_ahead();
  void run(Slot& slot);
  [[nodiscard]] bool at_end() const { return ended_ && running_ == 0; }

  Next next_;
  Work work_;
  FlowLimits limits_;
  archive::SourceReader sources_;
  oneapi::tbb::task_arena arena_;

  std::mutex reading_;  // over next_, sources_ and ahead_; before mutex_
  std::optional<Slot> ahead_;

  std::mutex mutex_;  // over what follows
  std::condition_variable changed_;
  std::deque<Slot> slots_;
  unsigned running_ = 0, tasks_ = 0;
  std::uint64_t bytes_ = 0, ready_ = 0;  // worked on; finished and not taken
  bool ended_ = false;                   // no more is begun
  std::exception_ptr unread_;            // why the input ended
  std::chrono::steady_clock::time_point taken_ = std::chrono::steady_clock::now();
};

}  // namespace waybill::transcode
