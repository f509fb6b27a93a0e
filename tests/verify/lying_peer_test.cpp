// SPDX-License-Identifier: Apache-2.0
// waybill-verify against targets that say they stored what they lost, changed or exchanged, and that lie when asked.
#include "support/simpacs.hpp"

#include <cstring>

namespace waybill {

namespace {

using manifest::Bucket;
using test::kSecond;
using test::on_second;

struct Lie {
  const char* name;
  const char* rule;
  const char* verdict;  ///< of the second object after verify --level content
};

/// Lies at the store: the load is told 0000 or a warning.
const std::vector<Lie> kStoreLies{{"Drop", "keep = \"nothing\"", "MISSING"},
                                  {"DropWithWarning", "status = 0xB000\nkeep = \"nothing\"", "MISSING"},
                                  {"FlipABit", "keep = \"flipped\"", "PIXEL-DIFF"},
                                  {"FlipABitWithWarning", "status = 0xB007\nkeep = \"flipped\"", "PIXEL-DIFF"},
                                  {"Rename", "keep = \"renamed\"", "TARGET-COERCED"},
                                  {"RenameWithWarning", "status = 0xB000\nkeep = \"renamed\"", "TARGET-COERCED"},
                                  {"Cut", "keep = \"cut\"", "PIXEL-DIFF"},
                                  {"CutWithWarning", "status = 0xB006\nkeep = \"cut\"", "PIXEL-DIFF"},
                                  {"KeepNothingOfIt", "keep = \"empty\"", "MISSING"},
                                  {"KeepAnother", "skip = 0\nkeep = \"other\"", "MISSING"}};

class LyingPeer : public test::AtSimPacs {
 protected:
  /// What counts as migrated is at the target with the bytes that were sent.
  void expect_honest() {
    for (const auto& [uid, object] : verified()) {
      if (object.bucket != Bucket::verified) continue;
      ASSERT_TRUE(pacs_->holds(uid)) << uid;
      EXPECT_EQ(dataset(test::slurp(pacs_->object(uid))), dataset(test::slurp(folder_ / (uid + ".dcm")))) << uid;
    }
  }
  /// What stands behind the file meta information.
  static std::string dataset(const std::string& file) {
    std::uint32_t length = 0;
    std::memcpy(&length, file.data() + 140, 4);
    return file.substr(144 + length);
  }
  void restart_with(const std::string& scenario) {
    ASSERT_EQ(pacs_->stop(), 0);
    pacs_->start(scenario);
  }
};

}  // namespace

TEST_F(LyingPeer, WhatItDidToObjectsItSaidItStoredIsNamed) {
  std::string scenario;
  int study = 0;
  for (const Lie& lie : kStoreLies)
    scenario += "[[rule]]\nname = \"" + std::string(lie.name) + "\"\non = \"store\"\ninstance = [\"1.2.3." +
                std::to_string(++study) + ".1.2\"]\n" + lie.rule + "\n";
  prepare(scenario, study, 3);
  ASSERT_EQ(load({"--associations", "1"}).exit, 0) << "every answer was a success or a warning";
  const test::Ran ran = verify();
  EXPECT_EQ(ran.exit, 5) << ran.text;
  const auto all = verified();
  study = 0;
  for (const Lie& lie : kStoreLies) {
    const std::string series = "1.2.3." + std::to_string(++study) + ".1.";
    EXPECT_EQ(all.at(series + "2").verify.value().verdict, lie.verdict) << lie.name;
    EXPECT_EQ(all.at(series + "2").bucket, Bucket::failed) << lie.name;
    EXPECT_EQ(all.at(series + "3").verify.value().verdict, "IDENTICAL") << lie.name;
  }
  expect_honest();
}

TEST_F(LyingPeer, ADroppedObjectIsMissedByExistenceAlone) {
  prepare(on_second("keep = \"nothing\""));
  ASSERT_EQ(load().exit, 0);
  const test::Ran ran = verify("exists");
  EXPECT_EQ(ran.exit, 5) << ran.text;
  EXPECT_EQ(verified().at(kSecond).verify.value().verdict, "MISSING");
  EXPECT_EQ(verified().at(uid(0)).verify.value().verdict, "PRESENT");
}

TEST_F(LyingPeer, AnswersThatEndAtALimitMakeNoObjectMissing) {
  prepare("", 1, 20);
  ASSERT_EQ(load().exit, 0);
  for (const char* status : {"0x0000", "0xB001"}) {
    restart_with("[[rule]]\non = \"find\"\nmost = 7\nstatus = " + std::string(status) + "\n");
    const test::Ran ran = verify();
    EXPECT_EQ(ran.exit, 0) << status << ran.text;
    for (const auto& [uid, object] : verified()) EXPECT_EQ(object.verify.value().grade, "E4") << uid;
  }
}

TEST_F(LyingPeer, ALimitOfAnswersDoublesNoObjectWhoseAnswerWasLost) {
  prepare(
      "[[rule]]\non = \"find\"\nmost = 2\n[[rule]]\non = \"store\"\ninstance = [\"1.2.3.1.1.9\"]\nanswer = \"abort\"\n",
      1, 9);
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  for (const auto& [uid, count] : pacs_->arrivals()) EXPECT_EQ(count, 1) << uid;
}

TEST_F(LyingPeer, AFailingQueryEndsWithFourAndTheSameCommandContinues) {
  prepare("");
  ASSERT_EQ(load().exit, 0);
  for (const char* rule : {"status = 0xA700", "status = 0xC001", "answer = \"silence\"", "answer = \"abort\""}) {
    restart_with("[[rule]]\non = \"find\"\n" + std::string(rule) + "\n");
    EXPECT_EQ(verify("content", {"--timeout", "1"}).exit, 4) << rule;
  }
  restart_with("[[rule]]\non = \"find\"\nfirst = 1\nanswer = \"abort\"\n");
  EXPECT_EQ(verify().exit, 0) << "a lost association is opened again";
}

TEST_F(LyingPeer, AStudyWhoseQueryFailsIsAskedAboutOnceMoreWhenAnotherIsAnswered) {
  prepare("", 3, 2);
  ASSERT_EQ(load().exit, 0);
  for (const auto& [failures, exit] : {std::pair("1", 0), std::pair("3", 4)}) {  // of three no one was answered
    restart_with("[[rule]]\non = \"find\"\nfirst = " + std::string(failures) + "\nstatus = 0xC001\n");
    const test::Ran ran = verify("exists", {"--associations", "1"});
    EXPECT_EQ(ran.exit, exit) << ran.text;
    for (const auto& [uid, object] : verified())
      EXPECT_FALSE(test::has_finding(object, "VERIFY-UNANSWERED")) << failures << " " << uid;
    EXPECT_EQ(verified().size(), exit == 0 ? 6U : 0U);
  }
}

TEST_F(LyingPeer, WhatIsHiddenFromQueriesIsMissing) {
  prepare("");
  ASSERT_EQ(load().exit, 0);
  restart_with("[[rule]]\non = \"find\"\ninstance = [\"" + kSecond + "\"]\nomit = 1\n");
  EXPECT_EQ(verify().exit, 5);
  EXPECT_EQ(verified().at(kSecond).verify.value().verdict, "MISSING");
  EXPECT_EQ(verified().at(kSecond).findings.back().code, "VERIFY-UNLISTED") << "although it comes with its study";
}

TEST_F(LyingPeer, RetrievesThatSpoilLoseMiscountOrRenameAreNeverAProof) {
  const std::vector<Lie> lies{
      {"Omit", "omit = 1", "MISSING"},
      {"OmitAndCountIt", "omit = 1\ncompleted = 1", "MISSING"},
      {"NewUids", "new_uids = true", "MISSING"},
      {"FlipABit", "keep = \"flipped\"", "PIXEL-DIFF"},
      {"Rename", "keep = \"renamed\"", "TARGET-COERCED"},
      {"Cut", "keep = \"cut\"", "PIXEL-DIFF"},
      {"Empty", "keep = \"empty\"", "PIXEL-DIFF"},
      {"OmitAndFail", "omit = 1\nstatus = 0xA702", "MISSING"},
  };
  prepare("");
  ASSERT_EQ(load().exit, 0);
  for (const Lie& lie : lies) {
    restart_with("[[rule]]\non = \"get\"\ninstance = [\"" + kSecond + "\"]\n" + lie.rule + "\n");
    const test::Ran ran = verify();
    EXPECT_EQ(ran.exit, 5) << lie.name << ran.text;
    const auto all = verified();
    EXPECT_EQ(all.at(kSecond).verify.value().verdict, lie.verdict) << lie.name;
    for (const auto& [uid, object] : all)
      EXPECT_EQ(object.bucket == Bucket::verified, uid != kSecond) << lie.name << uid;
  }
}

TEST_F(LyingPeer, CountsThatLieChangeNoVerdictWhenEveryObjectCame) {
  prepare("");
  ASSERT_EQ(load().exit, 0);
  for (const char* rule : {"completed = 5", "completed = -3", "status = 0xB000", "status = 0xFE00"}) {
    restart_with("[[rule]]\non = \"get\"\n" + std::string(rule) + "\n");
    EXPECT_EQ(verify().exit, 0) << rule;
  }
}

TEST_F(LyingPeer, ARetrieveThatBreaksEndsWithFourOrIsDoneAgain) {
  prepare("");
  ASSERT_EQ(load().exit, 0);
  for (const char* rule :
       {"answer = \"abort\"", "answer = \"silence\"", "answer = \"half\"", "answer = \"wrong-id\""}) {
    restart_with("[[rule]]\non = \"get\"\n" + std::string(rule) + "\n");
    EXPECT_EQ(verify("content", {"--timeout", "1"}).exit, 4) << rule;
  }
  restart_with("[[rule]]\non = \"get\"\nfirst = 1\nanswer = \"abort\"\n");
  EXPECT_EQ(verify().exit, 0);
}

}  // namespace waybill
