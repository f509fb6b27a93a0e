// SPDX-License-Identifier: Apache-2.0
// What a plan asks the target for as proof: storage commitment while it loads, a sample that was drawn before.
#include "support/simpacs.hpp"
#include "syncing.hpp"

namespace waybill {
namespace {

class SyncProof : public test::Syncing {
 protected:
  void SetUp() override { begin(pacs_.url()); }
  [[nodiscard]] std::vector<std::string> lines(const std::string& manifest, const std::string& kind) const {
    std::vector<std::string> out;
    manifest::Reader reader(in_run(1, manifest));
    while (const auto line = reader.next_line()) {
      if (test::member(std::string(*line), "kind") == kind) out.emplace_back(*line);
    }
    return out;
  }
  test::SimPacs pacs_;
};

}  // namespace

TEST_F(SyncProof, AsksForStorageCommitmentOfWhatARunHasSent) {
  for (int n = 1; n <= 3; ++n) put_object(1, n);
  plan("commit = true\ncommit_wait = 20\ntimeout = 5\n");
  ends(0);
  EXPECT_FALSE(lines("load.wb", "commitment").empty());
  EXPECT_EQ(counts(1).at_target, 3U);
}

TEST_F(SyncProof, LeavesTheRunOpenWhileReportsAreMissingOrListsTheirObjectsWhereThePlanSaysSo) {
  put_object(1, 1);
  ASSERT_EQ(pacs_.stop(), 0);
  pacs_.start("[[rule]]\non = \"commit\"\ntimes = 0\n");
  const std::string commit = "commit = true\ncommit_wait = 0.5\ntimeout = 5\n";
  plan(commit, "", pacs_.url());
  ends(6);
  EXPECT_FALSE(record(1).complete);
  plan(commit + "when_uncommitted = \"finish\"\n", "", pacs_.url());
  ends(1);
  EXPECT_TRUE(record(1).complete);
  EXPECT_EQ(pacs_.arrivals().at(uid(1, 1)), 1) << "nothing is sent again for a report";
}

TEST_F(SyncProof, ComparesTheSampleThatWasOnDiskBeforeTheFirstObjectWasSent) {
  for (int study = 1; study <= 4; ++study)
    for (int n = 1; n <= 12; ++n) put_object(study, n);
  plan("timeout = 5\n");
  put("plan.toml", test::slurp(folder_ / "plan.toml") + "[verify]\nlevel = \"content\"\nsample = \"90%,10%\"\n");
  ends(0);
  const auto drawn = lines("load.wb", "sample-object");
  EXPECT_GE(drawn.size(), 20U);
  EXPECT_LT(drawn.size(), 48U);
  bool sent = false;
  manifest::Reader reader(in_run(1, "load.wb"));
  while (const auto line = reader.next_line()) {
    const std::string kind = test::member(std::string(*line), "kind");
    sent = sent || kind == "intent" || kind == "object";
    EXPECT_FALSE(sent && kind.starts_with("sample")) << "the list stands before all that was done";
  }
  EXPECT_EQ(lines("verify.wb", "sample-object"), drawn);
  const auto result = lines("verify.wb", "sample-result");
  ASSERT_EQ(result.size(), 1U);
  EXPECT_NE(result[0].find("The list was on disk before the load began."), std::string::npos) << result[0];
}

}  // namespace waybill
