// SPDX-License-Identifier: Apache-2.0
#include "load/status.hpp"

#include <gtest/gtest.h>
#include <cstdint>
#include <initializer_list>

namespace waybill::load {

using manifest::Bucket;

namespace {
Meaning meaning(std::uint16_t status) {
  Answer answer;
  answer.kind = Answer::Kind::status;
  answer.status = status;
  return meaning_of(answer);
}
}  // namespace

TEST(StoreStatus, FollowsTheTable) {
  using Next = Meaning::Next;
  EXPECT_EQ(meaning(0x0000).bucket, Bucket::loaded);
  EXPECT_FALSE(meaning(0x0000).finding);
  for (const std::uint16_t warning : std::initializer_list<std::uint16_t>{0xB000, 0xB006, 0xB007}) {
    EXPECT_EQ(meaning(warning).bucket, Bucket::loaded);
    EXPECT_EQ(meaning(warning).finding.value().code, "LOAD-WARNING");
  }
  EXPECT_EQ(meaning(0x0111).outcome, "already-present");
  EXPECT_EQ(meaning(0x0111).bucket, Bucket::loaded);
  EXPECT_EQ(meaning(0xA700).next, Next::retry);
  EXPECT_EQ(meaning(0x0213).next, Next::retry);
  EXPECT_EQ(meaning(0x0110).next, Next::ask);
  EXPECT_EQ(meaning(0x0124).next, Next::stop);
  for (const std::uint16_t unsupported : std::initializer_list<std::uint16_t>{0x0122, 0x0112, 0x0118})
    EXPECT_EQ(meaning(unsupported).finding.value().code, "D27");
  for (const std::uint16_t faulty : std::initializer_list<std::uint16_t>{0xA900, 0xA9FF, 0xC000, 0xCFFF, 0x0117}) {
    EXPECT_EQ(meaning(faulty).next, Next::done);
    EXPECT_EQ(meaning(faulty).bucket, Bucket::quarantined);
  }
  for (const std::uint16_t refused : std::initializer_list<std::uint16_t>{0x0210, 0x0211, 0x0212, 0x1234}) {
    EXPECT_EQ(meaning(refused).next, Next::done);
    EXPECT_EQ(meaning(refused).bucket, Bucket::failed);
  }
  EXPECT_EQ(meaning(0xFE00).next, Next::ask);
}

TEST(StoreStatus, AsksWhenNoAnswerCameAndNamesARefusedContext) {
  Answer answer;
  EXPECT_EQ(meaning_of(answer).next, Meaning::Next::ask);
  answer.kind = Answer::Kind::not_granted;
  const Meaning refused = meaning_of(answer);
  EXPECT_EQ(refused.finding.value().code, "D27");
  EXPECT_EQ(refused.bucket, Bucket::failed);
}

}  // namespace waybill::load
