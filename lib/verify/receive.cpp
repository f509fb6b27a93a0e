// SPDX-License-Identifier: Apache-2.0
#include "verify/receive.hpp"

#include <algorithm>

namespace waybill::verify {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Receiver::Receiver(const net::ListenAt& at, const std::string& title, const std::string& peer,
                   const net::Timeouts& timeouts, std::shared_ptr<const net::Tls> tls,
                   std::function<void(const std::string&)> say)
    : listener_(at,
                {title,
                 {peer},
                 {},
                 [this](const std::string& sop_class, const std::vector<std::string>& syntaxes) {
                   return choose(sop_class, syntaxes);
                 },
                 [this](const net::Received& received) { return store(received); },
                 std::move(say)},
                timeouts, std::move(tls)) {}

/// The one the object was sent in where the peer offers it, so that nothing is decoded on the way; else a plain one.
std::string Receiver::choose(const std::string& sop_class, const std::vector<std::string>& syntaxes) {
  const std::lock_guard lock(mutex_);
  const auto take = [&](const auto& fits) {
    const auto found = std::ranges::find_if(syntaxes, fits);
    return found == syntaxes.end() ? std::string() : *found;
  };
  std::string chosen = take([&](const std::string& syntax) { return syntaxes_.contains({sop_class, syntax}); });
  if (chosen.empty()) chosen = take([](const std::string& syntax) { return syntax == net::kExplicitLittle; });
  if (chosen.empty()) chosen = take([](const std::string& syntax) { return syntax == net::kImplicitLittle; });
  return chosen.empty() && !syntaxes.empty() ? syntaxes.front() : chosen;
}

/// What nobody waits for is taken and forgotten: it proves nothing, and a refusal might end what else is to come.
std::uint16_t Receiver::store(const net::Received& received) {
  std::unique_lock lock(mutex_);
  last_ = Clock::now();
  const auto found = expected_.find(received.sop_instance);
  if (found == expected_.end()) return 0;
  Expectation& expectation = *found->second;
  manifest::Object* object = expectation.open_.at(received.sop_instance);
  expected_.erase(found);
  expectation.open_.erase(received.sop_instance);
  ++expectation.at_work_;
  lock.unlock();
  const auto done = [&] {
    lock.lock();
    --expectation.at_work_;
    last_ = Clock::now();
    changed_.notify_all();
  };
  try {
    expectation.take_(received, *object);
  } catch (...) {
    done();
    throw;
  }
  done();
  return 0;
}

Receiver::Expectation::Expectation(Receiver& receiver, std::map<std::string, manifest::Object*> objects,
                                   const std::set<std::pair<std::string, std::string>>& syntaxes, Take take)
    : receiver_(receiver), open_(std::move(objects)), take_(std::move(take)) {
  std::unique_lock lock(receiver_.mutex_);
  // Two studies with an object of the same UID: one after the other, as nothing else tells whose one is.
  receiver_.changed_.wait(lock, [&] {
    return std::ranges::none_of(open_, [&](const auto& one) { return receiver_.expected_.contains(one.first); });
  });
  for (const auto& [uid, object] : open_) receiver_.expected_[uid] = this;
  receiver_.syntaxes_.insert(syntaxes.begin(), syntaxes.end());
}

Receiver::Expectation::~Expectation() {
  std::unique_lock lock(receiver_.mutex_);
  for (const auto& [uid, object] : open_) receiver_.expected_.erase(uid);
  receiver_.changed_.notify_all();
  receiver_.changed_.wait(lock, [&] { return at_work_ == 0; });
}

bool Receiver::Expectation::is_open() const {
  const std::lock_guard lock(receiver_.mutex_);
  return !open_.empty() || at_work_ > 0;
}

std::chrono::milliseconds Receiver::Expectation::quiet_for() const {
  const std::lock_guard lock(receiver_.mutex_);
  if (at_work_ > 0) return std::chrono::milliseconds(0);
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - std::max(began_, receiver_.last_));
}

std::map<std::string, manifest::Object*> Receiver::Expectation::wait(std::chrono::milliseconds quiet) {
  constexpr std::chrono::milliseconds kTick{50};
  while (is_open() && quiet_for() < quiet) {
    std::unique_lock lock(receiver_.mutex_);
    receiver_.changed_.wait_for(lock, kTick);
  }
  std::unique_lock lock(receiver_.mutex_);
  for (const auto& [uid, object] : open_) receiver_.expected_.erase(uid);
  receiver_.changed_.notify_all();
  receiver_.changed_.wait(lock, [&] { return at_work_ == 0; });
  return std::exchange(open_, {});
}

}  // namespace waybill::verify
