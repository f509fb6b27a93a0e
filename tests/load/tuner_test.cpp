// SPDX-License-Identifier: Apache-2.0
#include "load/tuner.hpp"

#include <gtest/gtest.h>
#include <functional>

namespace waybill::load {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A peer that needs `base` for an object, works on `cores` of them at a time and refuses above `most`.
struct Peer {
  milliseconds base{30};
  unsigned cores = 8;
  unsigned most = 64;
};

/// The associations in use after `time` with the tuner, and the most there were.
struct Outcome {
  unsigned last = 0, most = 0;
};
Outcome run(Tuner& tuner, const std::function<Peer(seconds)>& peer_at, seconds time) {
  Outcome out;
  for (milliseconds now{0}; now < time; now += milliseconds(100)) {
    const Peer peer = peer_at(std::chrono::duration_cast<seconds>(now));
    const unsigned n = tuner.associations();
    const auto answer = peer.base * std::max(1U, (n + peer.cores - 1) / peer.cores);
    if (n > peer.most) tuner.trouble();
    const auto objects = static_cast<unsigned>(100 * std::min(n, peer.cores) / peer.base.count());
    for (unsigned i = 0; i < objects; ++i) tuner.sent(50'000, answer);
    out.last = tuner.decide(Tuner::Clock::time_point(seconds(1000)) + now);
    out.most = std::max(out.most, out.last);
  }
  return out;
}

Tuner tuner_of(unsigned most) { return Tuner(most, Tuner::Clock::time_point(seconds(1000))); }

}  // namespace

TEST(Tuner, FindsAboutWhatThePeerCanUse) {
  for (const unsigned cores : {2U, 4U, 8U, 16U}) {
    Tuner tuner = tuner_of(64);
    const unsigned last = run(
                              tuner,
                              [&](seconds) {
                                return Peer{milliseconds(30), cores, 64};
                              },
                              seconds(25))
                              .last;
    EXPECT_GE(last, cores / 2) << cores;
    EXPECT_LE(last, 2 * cores) << cores;
  }
}

TEST(Tuner, NeverUsesMoreThanItMay) {
  Tuner tuner = tuner_of(5);
  EXPECT_EQ(run(
                tuner,
                [](seconds) {
                  return Peer{milliseconds(30), 64, 64};
                },
                seconds(60))
                .most,
            5U);
  Tuner single = tuner_of(1);
  EXPECT_EQ(run(
                single, [](seconds) { return Peer{}; }, seconds(60))
                .most,
            1U);
}

TEST(Tuner, BacksOffAPeerThatRefuses) {
  Tuner tuner = tuner_of(64);
  const Outcome out = run(
      tuner,
      [](seconds) {
        return Peer{milliseconds(30), 64, 4};
      },
      seconds(60));
  EXPECT_LE(out.last, 4U);
  EXPECT_LE(out.most, 6U) << "one step too far";
}

TEST(Tuner, GivesWayWhenThePeerBecomesSlowAndComesBack) {
  Tuner tuner = tuner_of(64);
  const auto busy_then_free = [](seconds at) {
    return at < seconds(30) || at > seconds(90) ? Peer{milliseconds(20), 8, 64} : Peer{milliseconds(100), 8, 64};
  };
  const unsigned before = run(tuner, busy_then_free, seconds(30)).last;
  EXPECT_GE(before, 6U);
  Tuner again = tuner_of(64);
  EXPECT_LT(run(again, busy_then_free, seconds(45)).last, before);
}

}  // namespace waybill::load
