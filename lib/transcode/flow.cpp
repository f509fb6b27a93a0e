// SPDX-License-Identifier: Apache-2.0
#include "transcode/flow.hpp"

#include "core/stop.hpp"

#include <utility>

namespace waybill::transcode {

Flow::Flow(Next next, Work work, FlowLimits limits)
    : next_(std::move(next)), work_(std::move(work)), limits_(limits), arena_(static_cast<int>(limits.threads), 0) {
  begin_more();
}

Flow::~Flow() {
  std::unique_lock lock(mutex_);
  ended_ = true;
  changed_.wait(lock, [&] { return tasks_ == 0; });
}

/// The next record, with the bytes of a member. False when there is none.
bool Flow::read_ahead() {
  if (ahead_) return true;
  std::optional<manifest::Record> record;
  if (!stop_requested()) record = next_();
  if (!record) return false;
  Slot& slot = ahead_.emplace();
  slot.item.record = *std::move(record);
  const auto* object = std::get_if<manifest::Object>(&slot.item.record);
  if (object == nullptr || object->bucket != manifest::Bucket::instance) return true;
  slot.size = object->source.size;
  if (object->source.member) slot.item.bytes = sources_.read(object->source);
  return true;
}

/// Begins as many records as the limits allow.
void Flow::begin_more() {
  const std::lock_guard reading(reading_);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
    }
    bool more = false;
    std::exception_ptr why;
    try {
      more = read_ahead();
    } catch (...) {
      why = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (!more || ended_ || stop_requested()) {
      if (!ended_) unread_ = why;
      ended_ = true;
      changed_.notify_all();
      return;
    }
    const bool room = running_ == 0 || (running_ < limits_.threads && bytes_ + ahead_->size <= limits_.bytes);
    if (!room || slots_.size() >= limits_.records) return;
    Slot& slot = slots_.emplace_back(*std::exchange(ahead_, std::nullopt));
    ++running_;
    ++tasks_;
    bytes_ += slot.size;
    arena_.enqueue([this, &slot] { run(slot); });
  }
}

void Flow::run(Slot& slot) {
  std::exception_ptr failure;
  try {
    work_(slot.item);
  } catch (...) {
    failure = std::current_exception();
  }
  const std::uint64_t size = slot.size;
  {
    const std::lock_guard lock(mutex_);
    slot.failure = failure;
    slot.finished = true;
    if (failure) ended_ = true;
    --running_;
    bytes_ -= size;
    ready_ += size;
    changed_.notify_all();
  }
  begin_more();
  const std::lock_guard lock(mutex_);  // the last touch: the flow may be gone behind it
  --tasks_;
  changed_.notify_all();
}

std::vector<manifest::Record> Flow::take() {
  // Rare enough that waiting for the disk costs little, often enough that a killed run repeats little.
  constexpr auto kPause = std::chrono::milliseconds(200);
  constexpr std::uint64_t kMuch = std::uint64_t{64} << 20U;
  std::vector<manifest::Record> out;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return at_end() || (!slots_.empty() && slots_.front().finished); });
    changed_.wait_until(lock, taken_ + kPause,
                        [&] { return at_end() || ready_ >= kMuch || slots_.size() >= limits_.records; });
    while (!slots_.empty() && slots_.front().finished) {
      Slot& slot = slots_.front();
      if (slot.failure) {
        if (out.empty()) std::rethrow_exception(slot.failure);
        break;
      }
      ready_ -= slot.size;
      out.push_back(std::move(slot.item.record));
      slots_.pop_front();
    }
    taken_ = std::chrono::steady_clock::now();
    if (out.empty() && unread_) std::rethrow_exception(unread_);
  }
  begin_more();
  return out;
}

}  // namespace waybill::transcode
