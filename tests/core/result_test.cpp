// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>

namespace waybill {
namespace {

Result<std::unique_ptr<int>> made(bool good) {
  if (good) return std::make_unique<int>(7);
  return Failure{Fault::truncated, "the end is missing"};
}

TEST(Result, HoldsAValueThatCanBeMovedOut) {
  auto result = made(true);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result.has_value());
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 7);
}

TEST(Result, HoldsAFailureWithItsReason) {
  const auto result = made(false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().fault, Fault::truncated);
  EXPECT_EQ(result.error().what, "the end is missing");
}

TEST(Result, IsAFailureEvenWhenTheValuesOwnTypeIsAString) {
  const Result<std::string> good(std::string("text")), bad(Failure{Fault::limit, "text"});
  EXPECT_TRUE(good.has_value());
  EXPECT_EQ(good->size(), 4U);
  EXPECT_FALSE(bad.has_value());
}

TEST(Fault, HasAWordOfItsOwnForEachKind) {
  std::set<std::string> words;
  for (const Fault fault : {Fault::unreadable, Fault::not_dicom, Fault::truncated, Fault::unsupported, Fault::mismatch,
                            Fault::malformed, Fault::limit, Fault::refused})
    words.insert(to_string(fault));
  EXPECT_EQ(words.size(), 8U);
}

TEST(RunError, CarriesExitCodeAndSentence) {
  try {
    throw RunError(Exit::integrity, "the chain is broken");
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the chain is broken");
    EXPECT_EQ(dynamic_cast<const RunError&>(error).exit(), Exit::integrity);
  }
}

}  // namespace
}  // namespace waybill
