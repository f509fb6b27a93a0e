// SPDX-License-Identifier: Apache-2.0
#include "probe/read_back.hpp"

#include "core/stop.hpp"
#include "web/endpoint.hpp"

#include <algorithm>
#include <thread>

namespace waybill::probe {

namespace {

constexpr std::chrono::milliseconds kFirstWait{100}, kPatience{12'000};
constexpr std::chrono::milliseconds kSoon{200};                 // a peer that lists so soon needs no pause
constexpr std::chrono::milliseconds kAgain{2'000};              // as load waits before it asks again
constexpr std::size_t kMostObjects = 16;                        // under one UID
constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20U;  // many times what was sent

transfer::Options options_of(const Options& options) {
  transfer::Options out;
  out.calling = options.calling;
  out.timeouts = options.timeouts;
  return out;
}

verify::Retrieve way_of(const Options& options) {
  return options.listen ? verify::Retrieve::move : verify::Retrieve::get;
}

}  // namespace

Reader::Reader(const Options& options)
    : options_(options), source_(verify::make_source(options.peer, options_of(options), way_of(options))) {
  if (!options.listen) return;
  const auto& peer = std::get<net::Peer>(options.peer);
  receiver_.emplace(*options.listen, options.calling, peer.called, options.timeouts, options.listen_tls, options.say);
}

Sight Reader::await(const Made& made, const net::Context& context) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  for (auto wait = kFirstWait;; wait *= 2) {
    Sight sight = look_once(made, context);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    const bool found = !sight.seen.empty() || sight.listed.value_or(false);
    if (found) lag_ = took;
    if (found || !sight.listed || took + wait > kPatience || stop_requested()) return sight;
    std::this_thread::sleep_for(wait);
  }
}

Sight Reader::look(const Made& made, const net::Context& context) {
  const auto pause = std::min(2 * lag_.value_or(kFirstWait), kPatience);
  if (pause > kSoon && !stop_requested()) std::this_thread::sleep_for(pause);
  Sight sight = look_once(made, context);
  if (!sight.seen.empty() || sight.listed.value_or(true) || stop_requested()) return sight;
  std::this_thread::sleep_for(std::max(pause, kAgain));
  return look_once(made, context);
}

Sight Reader::look_once(const Made& made, const net::Context& context) {
  Sight sight;
  manifest::Object object;
  object.sop_class = context.sop_class;
  object.sop_instance = made.instance;
  object.transfer_syntax = context.transfer_syntax;
  const auto unless_refused = [](const auto& work) {
    try {
      work();
    } catch (const web::Failed&) {  // of this question alone
    } catch (const net::PeerError& error) {
      if (error.kind() != net::PeerError::Kind::refused) throw;  // what it does not offer says nothing
    }
  };
  source_->with_session(made.study, {object}, true, [&](verify::Session& session) {
    unless_refused(
        [&] { sight.listed = session.find_instance(made.study, made.series, made.instance).contains(made.instance); });
    unless_refused([&] { fetch(session, made, context, sight); });
  });
  return sight;
}

void Reader::fetch(verify::Session& session, const Made& made, const net::Context& context, Sight& sight) {
  const auto take = [&](const net::Received& received) {
    if (received.sop_instance != made.instance || received.dataset.size() > kMostBytes ||
        sight.seen.size() == kMostObjects)
      return;
    const auto seen = seen_in(received);
    if (!seen) return;
    sight.seen.push_back(*seen);
  };
  if (!receiver_) {
    session.get_instance(made.study, made.series, made.instance, take);
    return;
  }
  manifest::Object object;
  object.sop_instance = made.instance;
  verify::Receiver::Expectation expected(*receiver_, {{made.instance, &object}},
                                         {{context.sop_class, context.transfer_syntax}},
                                         [&](const net::Received& received, manifest::Object&) { take(received); });
  const std::chrono::milliseconds quiet = options_.timeouts.dimse;
  (void)session.move({made.study, made.series, made.instance}, options_.calling,
                     [&] { return expected.quiet_for() < (expected.is_open() ? quiet : kAgain); });
  (void)expected.wait(std::min<std::chrono::milliseconds>(quiet, kAgain));
  receiver_->rethrow();
}

}  // namespace waybill::probe
