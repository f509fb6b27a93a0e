// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/peers.hpp"
#include "load/run.hpp"
#include "load/status.hpp"
#include "manifest/record.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <vector>

namespace waybill::load {

/// The first error that concerns the whole run; after it no new work is taken. Any thread.
class Halt {
 public:
  void set(std::exception_ptr error);
  [[nodiscard]] bool is_set() const noexcept { return set_.load(); }
  void rethrow() const;

 private:
  std::atomic<bool> set_{false};
  mutable std::mutex mutex_;
  std::exception_ptr error_;
};

/// Objects of one study on their way; the first `answered` have their outcome.
struct Work {
  std::string study;
  std::vector<manifest::Object> objects;
  std::size_t answered = 0;
};

/// Marks an object whose outcome at the peer is known without an answer of its own.
void mark_found(manifest::Object& object);
/// Marks an object of which nobody can say whether the peer has it.
void mark_unknown(manifest::Object& object);

/// Sends the objects of a batch in order over one association. Any thread, one batch each.
class Sender {
 public:
  Sender(const Options& options, Peers& peers, Halt& halt) : options_(options), peers_(peers), halt_(halt) {}

  /// Stops early, leaving the rest unanswered, when the peer is lost or a stop is asked for.
  void send(Work& work) const;

 private:
  struct Lane;
  struct Parcel;
  void send_one(manifest::Object& object, Lane& lane) const;
  [[nodiscard]] bool settle(manifest::Object& object, const Meaning& meaning, Lane& lane, bool last_try) const;

  const Options& options_;
  Peers& peers_;
  Halt& halt_;
};

}  // namespace waybill::load
