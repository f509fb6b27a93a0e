// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/transfers.hpp"
#include "load/queue.hpp"
#include "load/send.hpp"
#include "load/tuner.hpp"
#include "transfer/control.hpp"
#include "transfer/output.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace waybill::load {

/// One thread that waits for the disk on behalf of many: commits asked for while one is under way are served by the
/// next one together.
class Committer {
 public:
  explicit Committer(transfer::Output& output);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;
  /// For all lines appended so far.
  [[nodiscard]] std::uint64_t ask();
  /// Returns when they are on disk; throws what the writer threw.
  void wait(std::uint64_t ticket);

 private:
  void run();
  transfer::Output& output_;
  std::mutex mutex_;
  std::condition_variable asked_cv_, done_cv_;
  std::uint64_t asked_ = 0, done_ = 0;
  std::exception_ptr failure_;
  bool ending_ = false;
  std::thread thread_;
};

/// The associations at work: each lane takes a piece of the queue, that is a study, and sends it from its first object
/// to its last over one association.
///
/// Before an object leaves, its intent is on disk; the disk is waited for while earlier objects travel, so that it does
/// not set the pace. Records are written when the answer comes, in the order of the answers. When a run stops, the
/// intents of what was not sent are taken back, so that the next run need not ask about these.
///
/// Objects that the peer refused for the moment come again in rounds of their own when everything else is done.
class Lanes {
 public:
  Lanes(const Options& options, Queue& queue, const Preparer& preparer, Target& target, transfer::Output& output);

  /// What others want to know of the lanes' work; called by any of them, before run() returns.
  struct Watch {
    std::function<void(const manifest::Object&)> recorded;  ///< its outcome stands in the manifest
    std::function<void(const std::string& study)> study_over;
  };
  void set_watch(Watch watch) { watch_ = std::move(watch); }

  /// Returns at the end of the queue or when the run is to stop; throws what stopped it.
  void run();
  [[nodiscard]] bool closed() const noexcept { return control_.closed(); }
  [[nodiscard]] std::mutex& record_mutex() noexcept { return record_mutex_; }

 private:
  /// A piece that is cut into works one by one.
  struct Cut {
    Piece piece;
    std::size_t at = 0;
    [[nodiscard]] bool empty() const noexcept { return at == piece.parcels.size(); }
  };
  /// The first work of a piece that no lane has begun, and the piece. Any lane takes it, so that none waits behind an
  /// object that gets no answer.
  struct Begun {
    Work work;
    Cut rest;
  };
  /// What a lane has taken and not sent: works of one piece, whose intents are written, and the rest of it.
  struct Hand {
    std::deque<Work> works;
    Cut rest;
  };
  void lane(unsigned index);
  void work_on(unsigned index, Hand& hand, Sender& sender);
  [[nodiscard]] bool may_take(unsigned index);
  [[nodiscard]] bool wait_for_turn(unsigned index, Sender& sender);
  void run_round();
  [[nodiscard]] bool begin_piece(Hand& hand);
  [[nodiscard]] bool take_piece(Hand& hand);
  [[nodiscard]] std::optional<Piece> next_piece();
  void put_off(const manifest::Object& object);
  void begin_next_round();
  void look_ahead(Hand& hand);
  void fill_pool();
  [[nodiscard]] Work cut(Cut& cut);
  void take_back(const Work& work);
  void record(const manifest::Object& object);
  void note_answer(std::uint64_t bytes, std::chrono::nanoseconds took);
  void note_trouble();

  const Options& options_;
  Queue& queue_;
  const Preparer& preparer_;
  Target& target_;
  transfer::Output& output_;
  Watch watch_;
  std::vector<net::Context> contexts_;
  const std::size_t work_objects_;  // of one work, which have their intents together
  audit::Transfers transfers_;
  transfer::Halt halt_;
  transfer::Control control_;
  Breaker breaker_;
  Committer committer_;
  std::mutex queue_mutex_, record_mutex_, lane_mutex_;
  std::condition_variable lane_cv_;
  std::deque<Begun> pool_;  // under queue_mutex_, as are the next two
  std::uint64_t pool_bytes_ = 0;
  unsigned round_ = 0;                   // set between rounds
  std::deque<Piece> again_;              // what the round after the first sends; under queue_mutex_
  std::vector<manifest::Object> later_;  // for the next round; under record_mutex_
  bool exhausted_ = false;
  std::atomic<std::size_t> pool_objects_{0};
  Tuner tuner_;  // under lane_mutex_
  std::atomic<unsigned> allowed_;
  std::atomic<bool> finished_{false};
  std::atomic<std::int64_t> last_answer_{0};
};

}  // namespace waybill::load
