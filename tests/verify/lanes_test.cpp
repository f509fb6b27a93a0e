// SPDX-License-Identifier: Apache-2.0
#include "verify/lanes.hpp"

#include <gtest/gtest.h>
#include <atomic>
#include <chrono>
#include <stdexcept>

namespace waybill::verify {
namespace {

struct Piece {
  int number = 0;
  [[nodiscard]] std::size_t weight() const noexcept { return 10; }
};

template <typename Take, typename Work, typename Record>
void run(unsigned lanes, std::size_t most, const Take& take, const Work& work, const Record& record) {
  Lanes<Piece, Take, Work, Record>(most, take, work, record).run(lanes);
}

/// Takes pieces 0 … n-1.
auto pieces(int n, std::atomic<int>& taken) {
  return [n, &taken] { return taken < n ? std::make_unique<Piece>(taken++) : nullptr; };
}

TEST(Lanes, RecordInTheOrderOfTakingWhateverTheNumberOfLanes) {
  for (const unsigned lanes : {1U, 2U, 7U}) {
    std::atomic<int> taken{0};
    std::vector<int> recorded;
    run(
        lanes, 40, pieces(50, taken),
        [](Piece& piece) { std::this_thread::sleep_for(std::chrono::microseconds(piece.number * 7919 % 900)); },
        [&](const Piece& piece) { recorded.push_back(piece.number); });
    ASSERT_EQ(recorded.size(), 50U) << lanes;
    EXPECT_TRUE(std::ranges::is_sorted(recorded)) << lanes;
  }
}

TEST(Lanes, TakeNoMoreThanMayBeHeldWhileTheFirstPieceIsNotDone) {
  std::atomic<int> taken{0};
  std::atomic<int> behind{0};
  int most = 0;
  run(
      3, 50, pieces(40, taken),
      [&](Piece& piece) {
        if (piece.number != 0) {
          ++behind;
          return;
        }
        while (behind < 4) std::this_thread::yield();  // five pieces of weight 10 are held then
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        most = taken;
      },
      [](const Piece&) {});
  EXPECT_EQ(most, 5);
  EXPECT_EQ(taken, 40) << "the rest came when the first was done";
}

TEST(Lanes, EndAtTheFirstFailureAndRecordNothingBehindIt) {
  std::atomic<int> taken{0};
  std::vector<int> recorded;
  const auto fail_at_five = [](Piece& piece) {
    if (piece.number == 5) throw std::runtime_error("five");
  };
  EXPECT_THROW(
      run(4, 1000, pieces(10000, taken), fail_at_five, [&](const Piece& piece) { recorded.push_back(piece.number); }),
      std::runtime_error);
  EXPECT_LT(taken, 10000);
  EXPECT_LE(recorded.size(), 5U);
}

TEST(Lanes, NeverRecordAPieceAgainThatCouldNotBeRecorded) {
  for (int round = 0; round < 600; ++round) {
    std::atomic<int> taken{0};
    std::atomic<int> recorded{0};
    std::atomic<bool> second{false};
    const auto both_at_once = [&](Piece& piece) {
      if (piece.number == 0) {
        while (!second) std::this_thread::yield();
        return;
      }
      second = true;
      while (recorded == 0) {
      }
      // While the failure of the first travels: sooner or later after it, another time each round.
      const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(round % 30 * 200);
      while (std::chrono::steady_clock::now() < until) {
      }
    };
    const auto full = [&](const Piece&) {
      ++recorded;
      throw std::runtime_error("no space left");
    };
    EXPECT_THROW(run(2, 1000, pieces(2, taken), both_at_once, full), std::runtime_error);
    ASSERT_EQ(recorded, 1) << "round " << round;
  }
}

}  // namespace
}  // namespace waybill::verify
