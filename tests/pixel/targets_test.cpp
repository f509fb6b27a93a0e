// SPDX-License-Identifier: Apache-2.0
#include "pixel/targets.hpp"

#include "pixel/codec.hpp"

#include <gtest/gtest.h>

namespace waybill::pixel::test {
namespace {

TEST(Targets, HaveANameAndALosslessTransferSyntaxEach) {
  EXPECT_EQ(targets().size(), 8U);
  for (const Target& target : targets()) {
    EXPECT_EQ(target_syntax(target.name), target.syntax);
    EXPECT_EQ(target_name(target.syntax), target.name);
    const Fidelity fidelity = fidelity_of(target.syntax);
    EXPECT_TRUE(fidelity == Fidelity::native || fidelity == Fidelity::lossless) << target.name;
  }
}

TEST(Targets, OfUnknownNamesAreNone) {
  EXPECT_FALSE(target_syntax("jpeg"));
  EXPECT_FALSE(target_syntax(""));
  EXPECT_EQ(target_name("1.2.840.10008.1.2.4.50"), "");
}

}  // namespace
}  // namespace waybill::pixel::test
