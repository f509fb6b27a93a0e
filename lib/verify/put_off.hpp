// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verify/check.hpp"

#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace waybill::verify {

/// Studies that the peer failed at. Each is put off until the peer answers for one that it was asked about later, which
/// shows that it still works: of a peer that answers nobody any more nothing is recorded. Holds at most
/// eight studies. Any thread.
class PutOff {
 public:
  /// `answered`: a study that the peer answered for in an earlier run, or "".
  explicit PutOff(std::string answered) : answered_(std::move(answered)) {}

  /// How many were put off so far.
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// Takes the study, within the handler of the error; false when so many failed one after another that the peer is
  /// taken to answer nobody any more.
  bool add(StudyWork& study) {
    constexpr std::size_t kMost = 8;
    const std::lock_guard lock(mutex_);
    if (waiting_.size() == kMost) return false;
    waiting_.push_back(std::exchange(study, {}));
    if (!first_error_) first_error_ = std::current_exception();
    ++count_;
    return true;
  }
  /// The peer answered for this study, which it was asked about when `count` studies had been put off: hands out those
  /// of them that still wait.
  std::vector<StudyWork> answered(const std::string& study, std::size_t count) {
    const std::lock_guard lock(mutex_);
    if (!study.empty()) answered_ = study;
    std::vector<StudyWork> out;
    for (; !waiting_.empty() && count_ - waiting_.size() < count; waiting_.pop_front())
      out.push_back(std::move(waiting_.front()));
    return out;
  }
  /// What is left when all lanes have ended: whether a study still waits, one that the peer answered for ("" for none),
  /// and why it did not for the first that was put off.
  [[nodiscard]] bool any() const noexcept { return !waiting_.empty(); }
  [[nodiscard]] const std::string& last_answered() const noexcept { return answered_; }
  [[nodiscard]] std::exception_ptr first_error() const noexcept { return first_error_; }

 private:
  mutable std::mutex mutex_;
  std::deque<StudyWork> waiting_;
  std::size_t count_ = 0;
  std::string answered_;
  std::exception_ptr first_error_;
};

}  // namespace waybill::verify
