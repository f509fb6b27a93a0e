// SPDX-License-Identifier: Apache-2.0
// Every row of the policy for C-STORE statuses, with waybill-load against a simulator that answers so.
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using manifest::Bucket;
using test::has_finding;
using test::on_second;

/// What becomes of an object that always gets a status, while its neighbours are well.
struct Row {
  unsigned status = 0;
  Bucket bucket = Bucket::failed;
  std::string outcome, code;
  unsigned sent = 1;  ///< how often it leaves
};
const std::vector<Row> kTable{{0x0000, Bucket::loaded, "sent", ""},
                              {0xB000, Bucket::loaded, "sent", "LOAD-WARNING"},
                              {0xB006, Bucket::loaded, "sent", "LOAD-WARNING"},
                              {0xB007, Bucket::loaded, "sent", "LOAD-WARNING"},
                              {0xA700, Bucket::pending, "refused", "LOAD-PENDING", 4},
                              {0xA7FF, Bucket::pending, "refused", "LOAD-PENDING", 4},
                              {0x0213, Bucket::pending, "refused", "LOAD-PENDING", 4},
                              {0xA900, Bucket::quarantined, "refused", "LOAD-REFUSED"},
                              {0xA9FF, Bucket::quarantined, "refused", "LOAD-REFUSED"},
                              {0xC000, Bucket::quarantined, "refused", "LOAD-REFUSED"},
                              {0xCFFF, Bucket::quarantined, "refused", "LOAD-REFUSED"},
                              {0x0110, Bucket::failed, "refused", "LOAD-PROCESSING", 4},
                              {0xFE00, Bucket::failed, "refused", "LOAD-PROCESSING", 4},
                              {0x0111, Bucket::loaded, "already-present", "LOAD-DUPLICATE"},
                              {0x0117, Bucket::quarantined, "refused", "LOAD-REFUSED"},
                              {0x0122, Bucket::failed, "refused", "D27"},
                              {0x0112, Bucket::failed, "refused", "D27"},
                              {0x0118, Bucket::failed, "refused", "D27"},
                              {0x0210, Bucket::failed, "refused", "LOAD-PROTOCOL"},
                              {0x0211, Bucket::failed, "refused", "LOAD-PROTOCOL"},
                              {0x0212, Bucket::failed, "refused", "LOAD-PROTOCOL"},
                              {0x4711, Bucket::failed, "refused", "LOAD-REFUSED"}};

class StatusPolicy : public test::AtSimPacs {};

/// Of "2026-03-01T12:00:00.000001Z".
double seconds_of_day(const std::string& at) {
  return std::stod(at.substr(11, 2)) * 3600 + std::stod(at.substr(14, 2)) * 60 + std::stod(at.substr(17, 9));
}

std::string hex(unsigned status) {
  char text[8];
  std::snprintf(text, sizeof text, "%04x", status);
  return text;
}

}  // namespace

TEST_F(StatusPolicy, FollowsEveryRowOfTheTable) {
  std::string scenario;
  for (std::size_t i = 0; i < kTable.size(); ++i)
    scenario += "[[rule]]\non = \"store\"\ncomment = \"because\"\ninstance = [\"1.2.3." + std::to_string(i + 1) +
                ".1.2\"]\nstatus = 0x" + hex(kTable[i].status) + "\n";
  prepare(scenario, static_cast<int>(kTable.size()), 3);
  const test::Ran ran = load({"--associations", "1"});  // so that something is taken between two that are refused
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const auto all = loaded();
  ASSERT_EQ(all.size(), 3 * kTable.size());
  const auto arrivals = pacs_->arrivals();
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    const Row& row = kTable[i];
    const std::string series = "1.2.3." + std::to_string(i + 1) + ".1.";
    for (const char* neighbour : {"1", "3"}) EXPECT_EQ(all.at(series + neighbour).load.value().attempts, 1U);
    const manifest::Object& object = all.at(series + "2");
    SCOPED_TRACE(hex(row.status));
    EXPECT_EQ(object.bucket, row.bucket);
    EXPECT_EQ(object.load.value().outcome, row.outcome);
    EXPECT_EQ(object.load->status, hex(row.status));
    EXPECT_EQ(object.load->comment, "because");
    EXPECT_EQ(object.load->attempts, row.sent);
    EXPECT_EQ(static_cast<unsigned>(arrivals.at(series + "2")), row.sent);
    EXPECT_TRUE(row.code.empty() ? object.findings.empty() : has_finding(object, row.code));
  }
}

TEST_F(StatusPolicy, NotAuthorisedStopsTheRunAndTheSameCommandContinues) {
  prepare(on_second("status = 0x0124\n"));
  const test::Ran refused = load();
  EXPECT_EQ(refused.exit, 4) << refused.text;
  EXPECT_NE(refused.text.find("not authorised"), std::string::npos) << refused.text;
  (void)pacs_->stop();
  pacs_->start();
  EXPECT_EQ(load().exit, 0);
  EXPECT_EQ(pacs_->kept(), 8U);
}

TEST_F(StatusPolicy, ARefusalForLackOfRoomComesAgainWhenTheOthersAreDoneAndArrives) {
  prepare(on_second("status = 0xA700\nfirst = 2\n"));
  const test::Ran ran = load({"--associations", "1"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const auto stores = pacs_->events("store");
  ASSERT_EQ(stores.size(), 10U);
  EXPECT_EQ(test::member(stores[1], "status"), "a700");
  EXPECT_EQ(test::member(stores[8], "status"), "a700");
  EXPECT_EQ(test::member(stores[9], "instance"), "1.2.3.1.1.2");
  EXPECT_EQ(loaded().at("1.2.3.1.1.2").load.value().attempts, 3U);
}

TEST_F(StatusPolicy, AFullTargetIsLeftAloneAndNothingIsGivenUpWhenItHasRoomAgain) {
  prepare("[[rule]]\non = \"store\"\nskip = 6\nfirst = 12\nstatus = 0xA701\n", 4, 10);
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  for (const auto& [uid, object] : loaded()) EXPECT_EQ(object.bucket, Bucket::loaded) << uid;
  EXPECT_EQ(pacs_->kept(), 40U);
  // With the breaker open one lane tries at a time, after 0.01, 0.02, 0.04 … seconds, each a quarter more or less.
  std::vector<double> refused;
  for (const std::string& line : pacs_->events("store")) {
    if (test::member(line, "status") == "a701") refused.push_back(seconds_of_day(test::member(line, "at")));
  }
  ASSERT_EQ(refused.size(), 12U);  // answers that were late may have closed it once or twice, nine at most are early
  EXPECT_GE(refused[11] - refused[10], 0.007);
}

TEST_F(StatusPolicy, ATargetThatStaysFullEndsTheRunWithFourAndTheSameCommandContinues) {
  prepare("[[rule]]\non = \"store\"\nskip = 6\nstatus = 0xA700\n", 4, 10);
  const test::Ran full = load({"--patience", "1", "--back-off", "0.1"});
  EXPECT_EQ(full.exit, 4) << full.text;
  EXPECT_NE(full.text.find("out of resources"), std::string::npos) << full.text;
  EXPECT_LT(pacs_->events("store").size(), 30U) << "it was not left alone";
  EXPECT_EQ(loaded().size(), 6U);
  (void)pacs_->stop();
  pacs_->start();
  const test::Ran again = load();
  EXPECT_EQ(again.exit, 0) << again.text;
  EXPECT_EQ(pacs_->kept(), 40U);
  for (const auto& [uid, object] : loaded()) EXPECT_EQ(object.bucket, Bucket::loaded) << uid;
}

TEST_F(StatusPolicy, APendingObjectIsSentByALoadOfTheLoadManifest) {
  prepare(on_second("status = 0xA700\n"));
  ASSERT_EQ(load({"--retries", "0"}).exit, 1);
  EXPECT_EQ(loaded().at("1.2.3.1.1.2").bucket, Bucket::pending);
  (void)pacs_->stop();
  pacs_->start();
  const test::Ran ran =
      test::run({test::tool("load"), at("load.wb"), "--to", pacs_->url(), "-o", at("second.wb"), "--quiet"},
                folder_ / "second.log");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(test::objects_of(at("second.wb")).at("1.2.3.1.1.2").bucket, Bucket::loaded);
  EXPECT_EQ(pacs_->kept(), 8U);
}

TEST_F(StatusPolicy, AProcessingFailureThatStoredTheObjectIsFoundByAskingAndNotSentAgain) {
  prepare(on_second("status = 0x0110\nkeep = \"all\"\n"));
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->arrivals().at("1.2.3.1.1.2"), 1);
  EXPECT_EQ(loaded().at("1.2.3.1.1.2").load.value().outcome, "found-after-interruption");
}

TEST_F(StatusPolicy, AProcessingFailureThatPassesIsSentAgain) {
  prepare(on_second("status = 0x0110\nfirst = 2\n"));
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->arrivals().at("1.2.3.1.1.2"), 3);
  EXPECT_TRUE(pacs_->holds("1.2.3.1.1.2"));
}

TEST_F(StatusPolicy, ADuplicateWithOtherBytesIsAConflictThatVerifyNames) {
  prepare("[node]\nduplicates = \"refuse\"\n" + on_second("first = 1\nkeep = \"renamed\"\n"));
  ASSERT_EQ(load().exit, 0);  // the target has it now, under another name
  const test::Ran again = load({"--restart"});
  EXPECT_EQ(again.exit, 0) << again.text;
  for (const auto& [uid, object] : loaded()) EXPECT_EQ(object.load.value().outcome, "already-present") << uid;
  EXPECT_EQ(verify().exit, 5);
  for (const auto& [uid, object] : verified()) {
    const bool other = uid == "1.2.3.1.1.2";
    EXPECT_EQ(object.verify.value().grade, other ? "E3" : "E4") << uid;
    EXPECT_EQ(has_finding(object, "D25"), other) << uid;
  }
}

TEST_F(StatusPolicy, DuplicatesThatAreIgnoredInSilenceAreFoundByVerify) {
  prepare("[node]\nduplicates = \"ignore\"\n" + on_second("first = 1\nkeep = \"flipped\"\n"));
  ASSERT_EQ(load().exit, 0);
  ASSERT_EQ(load({"--restart"}).exit, 0) << "it says 0000 and keeps the first";
  EXPECT_EQ(pacs_->kept(), 8U);
  EXPECT_EQ(verify().exit, 5);
  EXPECT_EQ(verified().at("1.2.3.1.1.2").verify.value().verdict, "PIXEL-DIFF");
}

TEST_F(StatusPolicy, EveryStatusAtOnceLeavesEachObjectInOneBucketAndNoneTwice) {
  std::string scenario = "seed = 5\n";
  for (const char* status : {"0xA700", "0x0110", "0xC123", "0xA900", "0xB000", "0x0122"})
    scenario += "[[rule]]\non = \"store\"\nrate = 0.1\nstatus = " + std::string(status) + "\n";
  scenario += "[[rule]]\non = \"store\"\nrate = 0.05\nanswer = \"abort\"\n";
  prepare(scenario, 10, 12);
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const auto all = loaded();
  EXPECT_EQ(all.size(), 120U);
  for (const auto& [uid, object] : all) {
    const bool should = object.bucket == Bucket::loaded;
    EXPECT_EQ(pacs_->holds(uid), should) << uid << " " << object.load.value().status;
  }
  for (const std::string& line : pacs_->events("store")) EXPECT_NE(test::member(line, "kept"), "replaced") << line;
}

TEST_F(StatusPolicy, TheElementsThatThePeerFindsFaultWithAreRecorded) {
  prepare(on_second("status = 0xB000\nelements = [\"0010,0020\", \"0008,1030\"]\ncomment = \"coerced\""), 1, 3);
  EXPECT_EQ(load().exit, 0);
  const auto warned = loaded().at(test::kSecond);
  ASSERT_EQ(warned.findings.size(), 1U);
  EXPECT_EQ(warned.findings[0].tag, "0010,0020");
  EXPECT_NE(warned.findings[0].detail.find("it names 0010,0020 0008,1030"), std::string::npos)
      << warned.findings[0].detail;
  EXPECT_EQ(warned.load->comment, "coerced");
}

TEST_F(StatusPolicy, WhatIsNotUnderstoodCompressedIsSentOnceMoreInANativeSyntax) {
  prepare(on_second("status = 0xC000\nfirst = 1"), 1, 3);
  test::Ran ran = load({"--syntax", "rle"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const auto native = loaded().at(test::kSecond);
  EXPECT_EQ(native.bucket, Bucket::loaded);
  EXPECT_EQ(native.load->attempts, 2U);
  EXPECT_EQ(native.load->transfer_syntax, "");
  EXPECT_TRUE(has_finding(native, "LOAD-NATIVE"));
  EXPECT_FALSE(has_finding(native, "LOAD-REFUSED"));
  EXPECT_EQ(verify().exit, 0);

  ASSERT_EQ(pacs_->stop(), 0);
  pacs_->start(on_second("status = 0xC123"));
  ran = load({"--syntax", "rle", "--restart"});
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const auto refused = loaded().at(test::kSecond);
  EXPECT_EQ(refused.bucket, Bucket::quarantined);
  EXPECT_EQ(refused.load->attempts, 2U) << "once, not more";
  EXPECT_TRUE(has_finding(refused, "LOAD-NATIVE"));
  EXPECT_TRUE(has_finding(refused, "LOAD-REFUSED"));
  EXPECT_EQ(load({"--syntax", "rle", "--restart", "--no-ladder"}).exit, 1);
  EXPECT_EQ(loaded().at(test::kSecond).load->attempts, 1U);
}

}  // namespace waybill
