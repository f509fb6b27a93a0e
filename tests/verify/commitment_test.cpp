// SPDX-License-Identifier: Apache-2.0
// waybill-verify --level commitment: what an archive commits itself to, of objects that were loaded before.
#include "support/free_port.hpp"
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using manifest::Bucket;

class VerifyCommitment : public test::AtSimPacs {
 protected:
  void loaded_with(const std::string& scenario) {
    prepare(scenario, 2, 3);
    ASSERT_EQ(load().exit, 0);
  }
  test::Ran commit(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--commit-again", "0.1"});
    return verify("commitment", more);
  }
};

}  // namespace

TEST_F(VerifyCommitment, GivesEveryObjectGradeE2) {
  loaded_with("");
  const test::Ran ran = commit({"--commit-references", "2"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->events("commit").size(), 4U);
  for (const auto& [uid, object] : verified()) {
    EXPECT_EQ(object.bucket, Bucket::verified);
    EXPECT_EQ(object.verify->grade, "E2");
    EXPECT_EQ(object.verify->verdict, "COMMITTED");
  }
}

TEST_F(VerifyCommitment, NamesWhatTheArchiveDoesNotHave) {
  loaded_with(test::on_second("keep = \"nothing\""));
  const test::Ran ran = commit();
  EXPECT_EQ(ran.exit, 5) << ran.text;
  for (const auto& [uid, object] : verified())
    EXPECT_EQ(object.bucket, uid == test::kSecond ? Bucket::failed : Bucket::verified) << uid;
  const auto lost = verified().at(test::kSecond);
  EXPECT_EQ(lost.verify->verdict, "UNCOMMITTED");
  EXPECT_EQ(lost.verify->grade, "E1");
  EXPECT_NE(lost.findings.back().detail.find("0112 no such object instance"), std::string::npos);
}

TEST_F(VerifyCommitment, ThatIsLateIsTakenByTheSameCommandLater) {
  const int port = test::free_port();
  loaded_with("[[peer]]\ntitle = \"WAYBILL\"\nhost = \"127.0.0.1\"\nport = " + std::to_string(port) +
              "\n[[rule]]\non = \"commit\"\nnew_association = true\ndelay = 0.6\n");
  const auto words = [&](const char* wait) {
    return std::vector<std::string>{test::tool("verify"),
                                    at("load.wb"),
                                    "--against",
                                    pacs_->url(),
                                    "--level",
                                    "commitment",
                                    "-o",
                                    at("verify.wb"),
                                    "--quiet",
                                    "--listen",
                                    "127.0.0.1:" + std::to_string(port),
                                    "--commit-wait",
                                    wait};
  };
  EXPECT_EQ(test::run(words("0.1"), folder_ / "verify.log").exit, 6);
  const test::Ran ran = test::run(words("20"), folder_ / "verify.log");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->events("commit").size(), 2U) << "one a study";
  EXPECT_EQ(verified().size(), 6U);
  for (const auto& [uid, object] : verified()) EXPECT_EQ(object.verify->grade, "E2");
}

TEST_F(VerifyCommitment, ThatNeverComesIsNoProofAndNoLoss) {
  loaded_with("[[rule]]\non = \"commit\"\ntimes = 0\n");
  const test::Ran ran = commit({"--commit-wait", "0.1", "--when-uncommitted", "finish"});
  EXPECT_EQ(ran.exit, 1) << ran.text;
  for (const auto& [uid, object] : verified()) {
    EXPECT_EQ(object.bucket, Bucket::loaded);
    EXPECT_EQ(object.verify->verdict, "UNREPORTED");
  }
}

}  // namespace waybill
