// SPDX-License-Identifier: Apache-2.0
// waybill-verify --retrieve move: content by C-MOVE to our own listener, from archives that count as they like.
#include "support/free_port.hpp"
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using manifest::Bucket;

class VerifyMove : public test::AtSimPacs {
 protected:
  /// Loads in peace, then the simulator goes on with `scenario`.
  void loaded_before(const std::string& scenario, int studies = 2) {
    prepare("", studies, 4);
    ASSERT_EQ(load().exit, 0);
    ASSERT_EQ(pacs_->stop(), 0);
    pacs_->start("[[peer]]\ntitle = \"WAYBILL\"\nhost = \"127.0.0.1\"\nport = " + port() + "\n" + scenario);
  }
  test::Ran moved(const std::string& url) {
    return test::run(
        {test::tool("verify"), at("load.wb"), "--against", url, "--level", "content", "--retrieve", "move", "--listen",
         "127.0.0.1:" + port(), "-o", at("verify.wb"), "--quiet", "--restart", "--timeout", "5"},
        folder_ / "verify.log");
  }
  test::Ran moved() { return moved(pacs_->url()); }
  std::string port() const { return std::to_string(port_); }
  void expect_all(const std::string& verdict) {
    EXPECT_EQ(verified().size(), objects_.size());
    for (const auto& [uid, object] : verified()) EXPECT_EQ(object.verify->verdict, verdict) << uid;
  }
  void expect_second_missing(const std::string& rule) {
    loaded_before("[[rule]]\non = \"move\"\n" + rule, 1);
    EXPECT_EQ(moved().exit, 5);
    for (const auto& [uid, object] : verified())
      EXPECT_EQ(object.verify->verdict, uid == test::kSecond ? "MISSING" : "IDENTICAL") << uid;
    EXPECT_TRUE(test::has_finding(verified().at(test::kSecond), "VERIFY-NOTRETRIEVED"));
  }
  const int port_ = test::free_port();
};

}  // namespace

TEST_F(VerifyMove, ComparesWhatComes) {
  loaded_before("");
  const test::Ran ran = moved();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  expect_all("IDENTICAL");
  for (const auto& [uid, object] : verified()) EXPECT_EQ(object.verify->grade, "E4");
}

TEST_F(VerifyMove, CountsThatLieChangeNoVerdict) {
  loaded_before("[[rule]]\non = \"move\"\ncompleted = -4\n");
  EXPECT_EQ(moved().exit, 0);
  expect_all("IDENTICAL");
}

TEST_F(VerifyMove, AnAnswerBeforeTheObjectsIsNotTheEnd) {
  loaded_before("[[rule]]\non = \"move\"\nearly = true\n");
  EXPECT_EQ(moved().exit, 0);
  expect_all("IDENTICAL");
}

TEST_F(VerifyMove, NoLastAnswerIsNeededWhenEverythingCame) {
  loaded_before("[[rule]]\non = \"move\"\nanswer = \"silence\"\n", 1);
  EXPECT_EQ(moved().exit, 0);
  expect_all("IDENTICAL");
}

TEST_F(VerifyMove, WhatDoesNotComeIsMissingWhateverTheCount) {
  expect_second_missing("omit = 1\ninstance = [\"1.2.3.1.1.2\"]\ncompleted = 1\n");
}

TEST_F(VerifyMove, WhatComesUnderAnotherUidIsMissing) {
  expect_second_missing("new_uids = true\ninstance = [\"1.2.3.1.1.2\"]\n");
}

TEST_F(VerifyMove, WhatIsSpoiledOnTheWayIsNamed) {
  loaded_before("[[rule]]\non = \"move\"\nkeep = \"flipped\"\ninstance = [\"1.2.3.1.1.2\"]\n", 1);
  EXPECT_EQ(moved().exit, 5);
  EXPECT_EQ(verified().at(test::kSecond).verify->verdict, "PIXEL-DIFF");
}

TEST_F(VerifyMove, AnUnknownDestinationEndsWithFourAndSaysWhatToEnter) {
  prepare("", 1, 2);
  ASSERT_EQ(load().exit, 0);
  const test::Ran ran = moved();
  EXPECT_EQ(ran.exit, 4) << ran.text;
  EXPECT_NE(ran.text.find("it does not know WAYBILL"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("port " + port()), std::string::npos) << ran.text;
}

TEST_F(VerifyMove, OrthancCommitsItselfAndMoves) {
  const test::Orthanc orthanc;
  objects_ = test::make_archive(folder_, 2, 3);
  orthanc.know("WAYBILL", port_);
  const auto ask = [&](const std::string& tool, const std::string& input, const std::string& target,
                       std::vector<std::string> more) {
    const std::string output = at(tool + ".wb");
    more.insert(more.begin(), {test::tool(tool), at(input), target, orthanc.url(), "-o", output, "--quiet", "--listen",
                               "127.0.0.1:" + port(), "--restart"});
    return test::run(more, folder_ / "tool.log");
  };
  test::Ran ran = ask("load", "scan.wb", "--to", {"--commit", "--commit-wait", "30"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("committed\t6\nnot committed\t0"), std::string::npos) << ran.text;
  ran = ask("verify", "load.wb", "--against", {"--level", "content", "--retrieve", "move", "--timeout", "5"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  expect_all("IDENTICAL");
  orthanc.remove(uid(0));
  ran = ask("verify", "load.wb", "--against", {"--level", "commitment", "--commit-again", "0.1"});
  EXPECT_EQ(ran.exit, 5) << ran.text;
  for (const auto& [uid_of, object] : verified())
    EXPECT_EQ(object.verify->verdict, uid_of == uid(0) ? "UNCOMMITTED" : "COMMITTED") << uid_of;
}

}  // namespace waybill
