// SPDX-License-Identifier: Apache-2.0
#include "transfer/peers.hpp"

#include "core/stop.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace waybill::transfer {

namespace {

bool proposes_all(const net::Association& association, const std::vector<net::Context>& contexts) {
  const auto& proposed = association.proposed();
  return std::ranges::all_of(contexts,
                             [&](const net::Context& context) { return std::ranges::count(proposed, context) != 0; });
}

/// Somewhat more or less, so that lanes turned away together do not come back together.
std::chrono::milliseconds jittered(std::chrono::milliseconds time) {
  thread_local std::minstd_rand chance{std::random_device{}()};
  return time * std::uniform_int_distribution<int>(75, 125)(chance) / 100;
}

}  // namespace

Peers::Peers(net::Peer peer, std::string calling, net::Timeouts timeouts)
    : peer_(std::move(peer)), calling_(std::move(calling)), timeouts_(timeouts) {}

net::Association Peers::request(const std::vector<net::Context>& contexts, net::AskLevel ask) {
  constexpr int kTries = 4;
  for (int attempt = 1;; ++attempt) {
    try {
      return net::Association::request(peer_, calling_, contexts, timeouts_, ask);
    } catch (const net::PeerError& error) {
      const bool transient = error.kind() == net::PeerError::Kind::rejected_transient;
      if (!transient || attempt == kTries || stop_requested()) throw;
    }
    std::this_thread::sleep_for(jittered(std::chrono::milliseconds(500 << attempt)));
  }
}

std::map<std::string, net::StorageLevel> Peers::check(const std::vector<net::Context>& sent) {
  std::vector<net::Context> contexts{{std::string(net::kVerificationClass), std::string(net::kImplicitLittle)}};
  const std::size_t room = net::kMaxContexts - contexts.size();
  contexts.insert(contexts.end(), sent.begin(),
                  sent.begin() + static_cast<std::ptrdiff_t>(std::min(room, sent.size())));
  net::Association association = request(contexts, sent.empty() ? net::AskLevel::no : net::AskLevel::yes);
  if (association.accepted(contexts.front())) association.echo();
  return association.levels();
}

std::optional<net::Association> Peers::take_idle(const std::vector<net::Context>& contexts, const std::string& study) {
  std::vector<Idle> ended;  // released after the lock is given up: the peer may take its time to answer
  const std::lock_guard lock(idle_mutex_);
  const auto drop = [&](auto it) {
    ended.push_back(std::move(*it));
    return idle_.erase(it);
  };
  for (auto it = idle_.begin(); it != idle_.end();) it = it->association.usable() ? it + 1 : drop(it);
  auto best = idle_.end();
  for (auto it = idle_.begin(); it != idle_.end(); ++it) {
    if (!proposes_all(it->association, contexts)) continue;
    if (best == idle_.end() || it->study == study) best = it;
  }
  if (best == idle_.end()) {
    if (!idle_.empty()) drop(idle_.begin());  // make room for the new one
    return std::nullopt;
  }
  net::Association association = std::move(best->association);
  idle_.erase(best);
  return association;
}

net::Association Peers::acquire(const std::vector<net::Context>& contexts, const std::string& study) {
  constexpr auto kAtWork = std::chrono::minutes(2);
  constexpr std::chrono::milliseconds kTurn{300};
  for (;;) {
    if (auto idle = take_idle(contexts, study)) return *std::move(idle);
    const bool alone = std::chrono::steady_clock::now() - last_work_.load() > kAtWork;
    if (alone) {
      auto association = request(contexts);
      touch();
      return association;
    }
    try {
      auto association = net::Association::request(peer_, calling_, contexts, timeouts_);
      touch();
      return association;
    } catch (const net::PeerError& error) {
      if (error.kind() != net::PeerError::Kind::rejected_transient || stop_requested()) throw;
    }
    std::this_thread::sleep_for(jittered(kTurn));
  }
}

net::Association Peers::open(const std::vector<net::Context>& contexts, net::AskLevel ask) {
  return net::Association::request(peer_, calling_, contexts, timeouts_, ask);
}

void Peers::give_back(net::Association association, const std::string& study) {
  touch();
  if (!association.alive()) return;
  const std::lock_guard lock(idle_mutex_);
  idle_.push_back({std::move(association), study});
}

std::optional<std::set<std::string>> Peers::instances(const std::string& study, const std::string& series,
                                                      const std::string& instance) {
  const std::lock_guard lock(find_mutex_);
  for (bool fresh = false;;) {
    try {
      if (find_ && !find_->usable()) find_.reset();
      if (!find_) {
        fresh = true;
        find_ = request(net::Association::find_contexts());
      }
      return find_->find_instances(study, series, instance);
    } catch (const net::PeerError& error) {
      find_.reset();
      if (error.kind() == net::PeerError::Kind::refused) return std::nullopt;
      if (fresh) throw;  // an old association may have timed out; a new one says whether the peer is there
    }
  }
}

}  // namespace waybill::transfer
