// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tbb/global_control.h>
#include <tbb/task_group.h>
#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <utility>

namespace waybill::hl7 {

/// Jobs whose work() is done on any thread and whose finish() is called on the thread that pushes, in the order of
/// push(). At most `most` jobs wait; then the pushing thread works, too. What work() throws comes out of push() or
/// drain() in the job's turn.
template <typename Job>
class InOrder {
 public:
  /// Without `parallel`, or where one thread is allowed, all is done by the pushing thread.
  InOrder(std::size_t most, bool parallel) : most_(most), parallel_(parallel && threads() > 1) {}
  InOrder(const InOrder&) = delete;
  InOrder& operator=(const InOrder&) = delete;
  ~InOrder() {
    waiting_.clear();
    group_.wait();
  }

  void push(std::unique_ptr<Job> job) {
    auto slot = std::make_shared<Slot>();
    slot->job = std::move(job);
    waiting_.push_back(slot);
    if (parallel_) {
      group_.run([seen = std::weak_ptr<Slot>(slot)] {
        if (const auto still = seen.lock()) still->work();
      });
    }
    finish_until(parallel_ ? most_ : 0);
  }

  void drain() { finish_until(0); }

 private:
  enum State : int { kFresh, kTaken, kDone };
  struct Slot {
    std::unique_ptr<Job> job;
    std::exception_ptr failure;
    std::atomic<int> state = kFresh;
    void work() {
      int fresh = kFresh;
      if (!state.compare_exchange_strong(fresh, kTaken)) return;
      try {
        job->work();
      } catch (...) {
        failure = std::current_exception();
      }
      state = kDone;
      state.notify_all();
    }
  };

  static std::size_t threads() {
    return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  }

  void finish_until(std::size_t left) {
    while (waiting_.size() > left) {
      const auto slot = std::move(waiting_.front());
      waiting_.pop_front();
      slot->work();
      slot->state.wait(kTaken);
      if (slot->failure) std::rethrow_exception(slot->failure);
      slot->job->finish();
    }
  }

  std::size_t most_;
  bool parallel_;
  std::deque<std::shared_ptr<Slot>> waiting_;
  tbb::task_group group_;
};

}  // namespace waybill::hl7
