// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace waybill::verify {

/// Pieces of work that several threads work on, recorded in the order in which they were taken. A lane waits for the
/// network, so there are as many threads as lanes, whatever the number of cores.
///
/// A piece is a unique_ptr with a `weight()`. Finished pieces wait for the ones before them; when together they weigh
/// `most`, no more are taken until the first is done, so memory is bounded by that and one piece a lane.
template <typename Piece, typename Take, typename Work, typename Record>
class Lanes {
 public:
  /// `take` gives nullptr at the end, and is then not called again. `take` and `record` are called by one thread at a
  /// time each, but at the same time as one another.
  Lanes(std::size_t most, const Take& take, const Work& work, const Record& record)
      : most_(most), take_(take), work_(work), record_(record) {}

  /// Returns when all that was taken is recorded. Throws what take, work or record threw first; pieces behind that are
  /// not recorded.
  void run(unsigned lanes) {
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < std::max(1U, lanes); ++i) threads.emplace_back([this] { lane(); });
    }
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  struct Slot {
    std::unique_ptr<Piece> piece;
    std::size_t weight = 0;
    bool done = false;
  };

  void lane() noexcept {
    try {
      while (Slot* slot = next()) {
        work_(*slot->piece);
        finish(*slot);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      fail();
    }
    changed_.notify_all();
  }

  /// Ends the run with the exception in flight. Under the lock in which that was thrown: between an unlock and a lock
  /// again another lane would take or record what failed once more.
  void fail() noexcept {
    if (!failure_) failure_ = std::current_exception();
    ended_ = true;
  }

  std::unique_ptr<Piece> taken() {
    try {
      return take_();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      fail();
      throw;
    }
  }

  void record(const Piece& piece) {
    try {
      record_(piece);
    } catch (...) {
      fail();
      throw;
    }
  }

  Slot* next() {
    const std::lock_guard taking(take_mutex_);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ended_ || held_ < most_ || slots_.empty(); });
      if (ended_) return nullptr;
    }
    auto piece = taken();
    const std::lock_guard lock(mutex_);
    if (!piece) {
      ended_ = true;
      return nullptr;
    }
    const std::size_t weight = piece->weight();
    held_ += weight;
    return &slots_.emplace_back(std::move(piece), weight);  // a deque: the others stay where they are
  }

  void finish(Slot& slot) {
    const std::lock_guard lock(mutex_);
    slot.done = true;
    while (!failure_ && !slots_.empty() && slots_.front().done) {
      record(*slots_.front().piece);
      held_ -= slots_.front().weight;
      slots_.pop_front();
    }
    changed_.notify_all();
  }

  const std::size_t most_;
  const Take& take_;
  const Work& work_;
  const Record& record_;
  std::mutex take_mutex_;
  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::deque<Slot> slots_;
  std::size_t held_ = 0;
  bool ended_ = false;
  std::exception_ptr failure_;
};

}  // namespace waybill::verify
