// SPDX-License-Identifier: Apache-2.0
// What waybill-verify makes of a DICOMweb service that lists less than it has, gives back something else, or breaks
// off.
#include "support/lying_stow.hpp"

namespace waybill {

namespace fs = std::filesystem;

namespace {

using test::has_finding;

class LyingWeb : public test::AtLyingStow {
 protected:
  void prepare_loaded(const std::string& plan, int studies = 2, int objects = 3) {
    prepare(plan, studies, objects);
    ASSERT_EQ(load({"--associations", "1"}).exit, 0);  // so that the studies keep their order
  }
  void restart(const std::string& plan) {
    service_->stop();
    service_->start(plan);
  }
  /// Continues an interrupted verify.wb.
  test::Ran go_on(const std::string& level) {
    return test::run({test::tool("verify"), at("load.wb"), "--against", service_->url(), "--level", level, "-o",
                      at("verify.wb"), "--quiet", "--timeout", "5", "--associations", "1"},
                     folder_ / "verify.log");
  }
  /// Of how many objects there is a record, each with its UID's; how many of them are unanswered.
  [[nodiscard]] std::pair<std::size_t, std::size_t> recorded_and_unanswered() const {
    std::size_t unanswered = 0;
    const auto objects = verified();
    for (const auto& [uid, object] : objects) unanswered += has_finding(object, "VERIFY-UNANSWERED") ? 1 : 0;
    return {objects.size(), unanswered};
  }
};

}  // namespace

TEST_F(LyingWeb, ASpoiltAMissingAndAnExtraObjectAreNamed) {
  prepare_loaded(R"({"cap": 1, "instances": {"1.2.3.1.1.2": {"flip": true}, "1.2.3.2.1.1": {"drop": true}}})");
  fs::copy_file(service_->object("1.2.3.2.1.2"), service_->object("1.2.3.2.1.9"));
  std::string extra = test::slurp(service_->object("1.2.3.2.1.9"));
  for (std::size_t at = extra.find("1.2.3.2.1.2"); at != std::string::npos; at = extra.find("1.2.3.2.1.2"))
    extra.replace(at, 11, "1.2.3.2.1.9");
  std::ofstream(service_->object("1.2.3.2.1.9"), std::ios::binary) << extra;
  restart(R"({"cap": 1})");
  const test::Ran found = verify("content", {"--json"});
  EXPECT_EQ(found.exit, 5);
  EXPECT_NE(found.text.find("\"extra\":1"), std::string::npos) << found.text;
  for (const auto& [uid, object] : verified()) {
    SCOPED_TRACE(uid);
    const bool spoilt = uid == "1.2.3.1.1.2", missing = uid == "1.2.3.2.1.1";
    EXPECT_EQ(object.verify.value().verdict, spoilt ? "PIXEL-DIFF" : missing ? "MISSING" : "IDENTICAL");
    EXPECT_EQ(object.bucket, spoilt || missing ? manifest::Bucket::failed : manifest::Bucket::verified);
  }
}

TEST_F(LyingWeb, ABusyServiceIsAskedAgainAndABrokenAnswerIsAskedForOnceMore) {
  prepare_loaded("{}");
  restart(R"({"qido": [{}, {"status": 503}, {}], "wado": [{"end": "answer"}, {}]})");
  EXPECT_EQ(verify("content").exit, 0);
}

TEST_F(LyingWeb, WhatIsNoAnswerProvesNothingAndEndsWithFour) {
  prepare_loaded("{}", 1, 2);
  for (const char* plan : {R"({"wado": [{"end": "answer"}]})", R"({"wado": [{"status": 200, "body": "<html>"}]})",
                           R"({"wado": [{"status": 500}]})", R"({"wado": [{"endless": true}]})",
                           R"({"qido": [{}, {"status": 200, "body": "<html>"}]})", R"({"qido": [{}, {"status": 500}]})",
                           R"({"qido": [{}, {"end": "after"}]})", R"({"qido": [{}, {"status": 401}]})"}) {
    SCOPED_TRACE(plan);
    restart(plan);
    const test::Ran ran = verify("content");
    EXPECT_EQ(ran.exit, 4) << ran.text;
    EXPECT_NE(ran.text.find(service_->url()), std::string::npos) << ran.text;
  }
  restart("{}");
  EXPECT_EQ(verify("content").exit, 0);
}

TEST_F(LyingWeb, WhatIsListedAndNotGivenBackIsMissing) {
  prepare_loaded("{}", 1, 2);
  restart(R"({"wado": [{"status": 404}]})");
  EXPECT_EQ(verify("exists").exit, 0);
  EXPECT_EQ(verify("content").exit, 5);
  for (const auto& [uid, object] : verified()) EXPECT_TRUE(has_finding(object, "VERIFY-NOTRETRIEVED")) << uid;
}

TEST_F(LyingWeb, AStudyThatItFailsAtDoesNotEndTheRun) {
  prepare_loaded("{}", 3, 2);
  for (const char* broken : {"1.2.3.1", "1.2.3.2", "1.2.3.3"}) {  // the first is put off until another is answered for
    for (const char* level : {"exists", "content"}) {
      SCOPED_TRACE(std::string(broken) + " " + level);
      restart(std::string(R"({"broken": [")") + broken + "\"]}");
      const test::Ran ran = verify(level, {"--associations", "1"});
      EXPECT_EQ(ran.exit, 1) << ran.text;
      for (const auto& [uid, object] : verified()) {
        EXPECT_EQ(has_finding(object, "VERIFY-UNANSWERED"), object.study == broken) << uid;
        EXPECT_EQ(object.bucket, object.study == broken ? manifest::Bucket::loaded : manifest::Bucket::verified);
      }
    }
  }
  restart(R"({"broken": ["1.2.3.1", "1.2.3.2", "1.2.3.3"]})");
  EXPECT_EQ(verify("exists").exit, 4) << "it answers for none";
  restart("{}");
  EXPECT_EQ(verify("exists").exit, 0);
}

TEST_F(LyingWeb, NothingIsRecordedOfStudiesThatAPeerFailsAtWhenItHasStoppedAnswering) {
  prepare_loaded("{}", 11, 1);
  std::string broken;
  for (int study = 2; study <= 11; ++study) broken += (study > 2 ? R"(", ")" : "") + ("1.2.3." + std::to_string(study));
  restart(R"({"broken": [")" + broken + "\"]}");
  EXPECT_EQ(verify("exists", {"--associations", "1"}).exit, 4);
  EXPECT_EQ(recorded_and_unanswered(), std::pair(std::size_t{1}, std::size_t{0}));
  restart("{}");
  EXPECT_EQ(go_on("exists").exit, 0);
  EXPECT_EQ(recorded_and_unanswered(), std::pair(std::size_t{11}, std::size_t{0}));
}

TEST_F(LyingWeb, ARunOfWhichOnlyStudiesAreLeftThatItFailsAtComesToItsEnd) {
  prepare_loaded("{}", 3, 2);
  restart(R"({"qido": [{}, {}, {}, {"status": 401}]})");  // the question before the run, two pages, no more
  EXPECT_EQ(verify("exists", {"--associations", "1"}).exit, 4);
  EXPECT_EQ(recorded_and_unanswered(), std::pair(std::size_t{2}, std::size_t{0}));
  restart(R"({"broken": ["1.2.3.2", "1.2.3.3"], "qido": [{}, {"status": 401}]})");
  EXPECT_EQ(go_on("exists").exit, 4) << "it answers for none any more";
  EXPECT_EQ(recorded_and_unanswered(), std::pair(std::size_t{2}, std::size_t{0}));
  restart(R"({"broken": ["1.2.3.2", "1.2.3.3"]})");
  EXPECT_EQ(go_on("exists").exit, 1);
  EXPECT_EQ(recorded_and_unanswered(), std::pair(std::size_t{6}, std::size_t{4}));
}

TEST_F(LyingWeb, AStudyThatItFailsAtStaysWhatItWasWhenASampleStopsAtACriticalDefect) {
  prepare_loaded(R"({"instances": {"1.2.3.2.1.1": {"flip": true}}})", 3, 2);
  for (const char* associations : {"1", "2"}) {
    restart(R"({"broken": ["1.2.3.1"]})");
    const test::Ran ran = verify("content", {"--associations", associations, "--sample", "90%,5%", "--seed", "1"});
    EXPECT_EQ(ran.exit, 5) << ran.text;
    EXPECT_EQ(ran.text.find("does not close"), std::string::npos) << ran.text;
    EXPECT_EQ(verified().size(), 6U);
    for (const std::string uid : {"1.2.3.1.1.1", "1.2.3.1.1.2"})
      EXPECT_EQ(verified().at(uid).bucket, manifest::Bucket::loaded) << uid;
  }
}

}  // namespace waybill
