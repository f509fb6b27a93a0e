// SPDX-License-Identifier: Apache-2.0
#include "commit/committer.hpp"

#include "commit/ledger.hpp"
#include "core/stop.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace waybill::commit {

namespace {

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kLongestWait{15'000};
constexpr int kMostFailures = 5;  // in a row, of requests that an archive refuses or does not answer

[[noreturn]] void refuse(const net::Peer& peer, const std::string& what) {
  throw net::PeerError(net::PeerError::Kind::refused, peer.url() + " " + what);
}

}  // namespace

struct Committer::Core {
  Options options;
  mutable std::mutex mutex;
  std::condition_variable changed;
  Ledger ledger;               // under mutex
  std::exception_ptr failure;  // under mutex
  std::atomic<bool> ending{false};
  std::optional<net::Association> association;  // of the thread
  int failures = 0;                             // in a row
  std::chrono::milliseconds back_off{first_wait()};
  Clock::time_point next_try{};
  std::unique_ptr<net::Listener> listener;
  std::thread thread;
  const net::TakeReport take = [this](const net::CommitmentReport& report) {
    const std::lock_guard lock(mutex);
    const std::uint16_t status = ledger.take(report);
    changed.notify_all();
    return status;
  };

  Core(Options o, Books books) : options(std::move(o)), ledger(options, std::move(books)) {}
  /// After the archive refused or did not answer; doubles.
  [[nodiscard]] std::chrono::milliseconds first_wait() const { return options.pause / 4; }
  void run();
  void work();
  [[nodiscard]] bool connected();
  void ask();
  void listen();
  [[nodiscard]] bool is_over(const std::unique_lock<std::mutex>& lock) const;
  void stop();
};

Committer::Committer(Options options, Books books)
    : core_(std::make_unique<Core>(std::move(options), std::move(books))) {}

Committer::~Committer() { core_->stop(); }

void Committer::check(const Options& options) {
  const auto contexts = net::Association::commitment_contexts();
  const auto association = net::Association::request(options.peer, options.calling, contexts, options.timeouts);
  if (std::ranges::any_of(contexts, [&](const auto& context) { return association.accepted(context); })) return;
  refuse(options.peer,
         "does not grant storage commitment; have it allowed there for " + options.calling + ", or run without it");
}

void Committer::replay_item(Item item) { core_->ledger.replay_item(std::move(item)); }
void Committer::replay(const manifest::Commitment& step) { core_->ledger.replay(step); }

void Committer::start() {
  core_->ledger.restart();
  if (core_->options.listen) core_->listen();
  core_->thread = std::thread([core = core_.get()] { core->run(); });
}

void Committer::Core::listen() {
  net::Services services;
  services.title = options.calling;
  services.callers = {options.peer.called};
  services.take_report = take;
  services.say = options.say;
  listener =
      std::make_unique<net::Listener>(*options.listen, std::move(services), options.timeouts, options.listen_tls);
  if (options.say)
    options.say("listening for reports of storage commitment on port " + std::to_string(listener->port()));
}

void Committer::add(Item item) {
  const std::lock_guard lock(core_->mutex);
  core_->ledger.add(std::move(item));
  core_->changed.notify_all();
}

void Committer::flush(const std::string& study) {
  const std::lock_guard lock(core_->mutex);
  core_->ledger.flush(study);
  core_->changed.notify_all();
}

void Committer::Core::run() {
  try {
    while (!ending) work();
    association.reset();
  } catch (const std::exception&) {
    const std::lock_guard lock(mutex);
    failure = std::current_exception();
    changed.notify_all();
  }
}

/// One request, or a while of waiting for reports.
void Committer::Core::work() {
  bool wanted = false, awaits = false;
  {
    std::unique_lock lock(mutex);
    wanted = ledger.has_request(Clock::now()) && Clock::now() >= next_try;
    awaits = ledger.awaits() && !(listener && !(association && association->alive()));
    if (!wanted && !awaits) {
      changed.wait_for(lock, kTick);
      return;
    }
  }
  // Many archives report on the next association that we open: so, without a listener, one stands while something is
  // open.
  if (!connected()) return;
  if (wanted) return ask();
  try {
    association->take_reports(take, kTick);
  } catch (const net::PeerError&) {  // archives close what is idle
    association.reset();
    next_try = Clock::now() + back_off;
    back_off = std::min(2 * back_off, kLongestWait);
  }
}

/// Opens the association unless it stands; false after a wait when it does not work now.
bool Committer::Core::connected() {
  if (association && association->alive()) return true;
  association.reset();
  if (Clock::now() < next_try) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, kTick, [&] { return ending.load(); });
    return false;
  }
  try {
    association = net::Association::request(options.peer, options.calling, net::Association::commitment_contexts(),
                                            options.timeouts);
    return true;
  } catch (const net::PeerError& error) {
    next_try = Clock::now() + back_off;
    back_off = std::min(2 * back_off, kLongestWait);
    const std::lock_guard lock(mutex);
    // While reports alone are waited for, or others of our associations are at work, it may come back.
    if (error.kind() == net::PeerError::Kind::rejected_transient || !ledger.has_request(Clock::now())) return false;
    if (++failures >= kMostFailures) throw;
    return false;
  }
}

void Committer::Core::ask() {
  Request request;
  {
    const std::lock_guard lock(mutex);
    request = ledger.begin();
  }
  std::vector<net::SopReference> objects;
  for (const Item& item : request.items) objects.push_back({item.sop_class, item.sop_instance});
  try {
    const std::uint16_t status = association->ask_for_commitment(request.transaction, objects, take);
    const std::lock_guard lock(mutex);
    if (status == 0) {
      ledger.accepted(request.transaction);
      failures = 0;
      back_off = first_wait();
      changed.notify_all();
      return;
    }
    ledger.refused(request.transaction, status);
    if (++failures >= kMostFailures)
      refuse(options.peer, "answered N-ACTION (storage commitment) with status " + net::commitment_reason(status) +
                               ", again and again; ask its operator, then run the same command again");
  } catch (const net::PeerError& error) {
    association.reset();
    if (error.kind() == net::PeerError::Kind::refused) throw;
    const std::lock_guard lock(mutex);
    ledger.abandon(request.transaction);
    if (++failures >= kMostFailures) throw;
  }
  next_try = Clock::now() + back_off;
  back_off = std::min(2 * back_off, kLongestWait);
}

/// Under the mutex.
bool Committer::Core::is_over(const std::unique_lock<std::mutex>&) const {
  return failure || ledger.is_done() || stop_requested();
}

void Committer::Core::stop() {
  ending = true;
  changed.notify_all();
  if (thread.joinable()) thread.join();
  listener.reset();  // not before: the thread looks whether there is one
}

bool Committer::finish() {
  Core& core = *core_;
  const auto began = Clock::now();
  {
    std::unique_lock lock(core.mutex);
    core.ledger.flush_all();
    core.changed.notify_all();
    while (!core.is_over(lock) && Clock::now() < std::max(began, core.ledger.last_accepted()) + core.options.wait) {
      core.changed.wait_for(lock, kTick);
      if (core.listener) {
        lock.unlock();
        core.listener->rethrow();
        lock.lock();
      }
    }
  }
  core.stop();
  if (core.failure) std::rethrow_exception(core.failure);
  return core.ledger.is_done();
}

void Committer::give_up() { core_->ledger.give_up(); }

Counts Committer::counts() const {
  const std::lock_guard lock(core_->mutex);
  return core_->ledger.counts();
}

}  // namespace waybill::commit
