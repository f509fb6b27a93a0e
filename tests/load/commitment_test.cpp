// SPDX-License-Identifier: Apache-2.0
// Storage commitment of waybill-load: reports on any association, early, late, doubled, partial, of another
// transaction, and after either side was restarted. Orthanc's is in tests/verify/move_test.cpp.
#include "manifest/commitment.hpp"
#include "support/free_port.hpp"
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using manifest::Commitment;

std::vector<Commitment> steps_of(const std::filesystem::path& path, const std::string& state = "") {
  std::vector<Commitment> steps;
  manifest::Reader reader(path);
  while (const auto record = reader.next()) {
    const auto* other = std::get_if<manifest::Other>(&*record);
    if (other == nullptr || other->kind != "commitment") continue;
    Commitment step = manifest::commitment_from(other->json);
    if (state.empty() || step.state == state) steps.push_back(std::move(step));
  }
  return steps;
}

/// Details of the findings that an object was not committed, by object id.
std::map<std::string, std::string> uncommitted(const std::filesystem::path& path) {
  std::map<std::string, std::string> all;
  manifest::Reader reader(path);
  while (const auto record = reader.next()) {
    const auto* late = std::get_if<manifest::LateFinding>(&*record);
    if (late == nullptr || late->finding.code != "LOAD-UNCOMMITTED") continue;
    EXPECT_TRUE(all.emplace(late->id, late->finding.detail).second) << "said twice";
  }
  return all;
}

class LoadCommitment : public test::AtSimPacs {
 protected:
  test::Ran commit(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--commit", "--commit-again", "0.1"});
    return load(more);
  }
  [[nodiscard]] std::vector<Commitment> steps(const std::string& state = "") const {
    return steps_of(folder_ / "load.wb", state);
  }
  [[nodiscard]] std::map<std::string, std::string> uncommitted() const {
    return waybill::uncommitted(folder_ / "load.wb");
  }
  /// Every object of the archive is committed to, by the manifest's own account.
  void expect_all_committed() {
    std::set<std::string> asked;
    std::uint64_t committed = 0;
    for (const Commitment& step : steps("requested")) {
      for (const auto& object : step.objects) asked.insert(object.sop_instance);
    }
    for (const Commitment& step : steps("reported")) committed += step.committed;
    EXPECT_EQ(asked.size(), objects_.size());
    EXPECT_EQ(committed, objects_.size());
    EXPECT_TRUE(uncommitted().empty());
  }
  /// Loads with commitment, then starts the archive again without faults and retries into second.wb.
  test::Ran retry(std::vector<std::string> more = {}) {
    EXPECT_EQ(pacs_->stop(), 0);
    pacs_->start();
    std::vector<std::string> words{
        test::tool("load"), at("load.wb"), "--retry",        "failed", "--to", pacs_->url(), "-o",
        at("second.wb"),    "--quiet",     "--commit-again", "0.1"};
    words.insert(words.end(), more.begin(), more.end());
    return test::run(words, folder_ / "second.log");
  }
  std::string peer_line() { return "[[peer]]\ntitle = \"WAYBILL\"\nhost = \"127.0.0.1\"\nport = " + port() + "\n"; }
  std::string listen() { return "127.0.0.1:" + port(); }
  std::string port() { return std::to_string(port_); }
  const int port_ = test::free_port();
};

}  // namespace

TEST_F(LoadCommitment, IsAskedForByStudyInChunksAndReportedOnTheSameAssociation) {
  prepare("", 3, 5);
  const test::Ran ran = commit({"--commit-references", "2"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("committed\t15"), std::string::npos) << ran.text;
  expect_all_committed();
  std::set<std::string> transactions;
  for (const Commitment& step : steps("requested")) {
    EXPECT_LE(step.objects.size(), 2U);
    for (const auto& object : step.objects) EXPECT_TRUE(object.sop_instance.starts_with(step.study + "."));
    transactions.insert(step.transaction);
  }
  EXPECT_EQ(transactions.size(), steps("requested").size()) << "a UID was used twice";
  EXPECT_EQ(pacs_->events("commit").size(), transactions.size());
  const test::Ran report = test::run(
      {test::tool("report"), at("scan.wb"), at("load.wb"), "--report-json", at("report.json")}, folder_ / "report.log");
  EXPECT_NE(test::slurp(folder_ / "report.json").find("\"E2\":15"), std::string::npos) << report.text;
  for (const std::string& answer : pacs_->events("commit-answer")) EXPECT_EQ(test::member(answer, "detail"), "0000");
}

TEST_F(LoadCommitment, MayBeReportedBeforeTheAnswerAndTwice) {
  prepare("[[rule]]\non = \"commit\"\nearly = true\ntimes = 2\n");
  const test::Ran ran = commit();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  expect_all_committed();
  EXPECT_EQ(steps("reported").size(), 2U) << "the second report of a transaction is not another one";
}

TEST_F(LoadCommitment, ThatIsPartialIsAskedForAgainAndOnlyThenSaidToBeMissing) {
  prepare("[[rule]]\non = \"commit\"\nfirst = 1\nomit = 1\ninstance = [\"1.2.3.1.1.1\"]\n", 1, 3);
  test::Ran ran = commit();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(steps("requested").size(), 2U);
  EXPECT_EQ(steps("reported")[0].failed[0].second, "in neither list of the report");

  ASSERT_EQ(pacs_->stop(), 0);
  pacs_->start("[[rule]]\non = \"commit\"\nomit = 1\ninstance = [\"1.2.3.1.1.1\"]\n");
  ran = commit({"--restart"});
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(steps("requested").size(), 2U) << "once more, and then it stands";
  ASSERT_EQ(uncommitted().size(), 1U);
  EXPECT_NE(uncommitted().at(objects_[0].id).find("in neither list"), std::string::npos);
}

TEST_F(LoadCommitment, FailsWithTheArchivesReasonAndIsNotAskedForAgainWhereThatIsFinal) {
  prepare("[[rule]]\non = \"commit\"\nfail = 1\nfailure = 0x0122\ninstance = [\"1.2.3.1.1.2\"]\n", 1, 3);
  const test::Ran ran = commit();
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(steps("requested").size(), 1U);
  EXPECT_NE(uncommitted().at(objects_[1].id).find("0122 SOP class not supported"), std::string::npos);
  EXPECT_NE(ran.text.find("not committed\t1"), std::string::npos) << ran.text;
}

TEST_F(LoadCommitment, OfAnObjectThatTheArchiveDroppedFails) {
  prepare(test::on_second("keep = \"nothing\""), 1, 4);
  const test::Ran ran = commit();
  EXPECT_EQ(ran.exit, 1) << ran.text;
  ASSERT_EQ(uncommitted().size(), 1U);
  EXPECT_NE(uncommitted().at(objects_[1].id).find("0112 no such object instance"), std::string::npos);
}

TEST_F(LoadCommitment, WhatTheArchiveDroppedIsSentAgainByARetryAndNothingElse) {
  prepare(test::on_second("keep = \"nothing\""), 1, 4);
  ASSERT_EQ(commit().exit, 1);
  ASSERT_FALSE(pacs_->holds(test::kSecond));
  const test::Ran ran = retry({"--commit"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_TRUE(pacs_->holds(test::kSecond));
  EXPECT_EQ(pacs_->arrivals(), (std::map<std::string, int>{
                                   {"1.2.3.1.1.1", 1}, {test::kSecond, 2}, {"1.2.3.1.1.3", 1}, {"1.2.3.1.1.4", 1}}));
  const auto all = test::objects_of(folder_ / "second.wb");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all.at(test::kSecond).load->outcome, "sent");
  EXPECT_TRUE(all.at(test::kSecond).findings.empty());
  EXPECT_TRUE(waybill::uncommitted(folder_ / "second.wb").empty());
}

TEST_F(LoadCommitment, WhatTheArchiveRefusedButListsIsNotSentAgainByARetry) {
  prepare("[[rule]]\non = \"commit\"\nfail = 1\nfailure = 0x0122\ninstance = [\"1.2.3.1.1.2\"]\n", 1, 3);
  ASSERT_EQ(commit().exit, 1);
  test::Ran ran = retry();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->arrivals().at(test::kSecond), 1) << "it is there";
  const auto all = test::objects_of(folder_ / "second.wb");
  const manifest::Object& object = all.at(test::kSecond);
  EXPECT_EQ(object.bucket, manifest::Bucket::loaded);
  EXPECT_EQ(object.load->outcome, "already-present");
  EXPECT_FALSE(test::has_finding(object, "LOAD-UNCOMMITTED"));
  ASSERT_TRUE(test::has_finding(object, "LOAD-DUPLICATE"));
  EXPECT_NE(object.findings.back().detail.find("0122"), std::string::npos) << "the archive's reason is kept";
  EXPECT_NE(all.at("1.2.3.1.1.1").load->run, object.load->run);
}

TEST_F(LoadCommitment, WhatNobodyCanAskAboutStaysUncommittedInARetry) {
  prepare("[[rule]]\non = \"commit\"\nfail = 1\nfailure = 0x0122\ninstance = [\"1.2.3.1.1.2\"]\n", 1, 3);
  ASSERT_EQ(commit().exit, 1);
  ASSERT_EQ(pacs_->stop(), 0);
  pacs_->start("[[rule]]\non = \"find\"\nstatus = 0xC001\n");
  const test::Ran ran = test::run(
      {test::tool("load"), at("load.wb"), "--retry", "failed", "--to", pacs_->url(), "-o", at("second.wb"), "--quiet"},
      folder_ / "second.log");
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(pacs_->arrivals().at(test::kSecond), 1);
  const auto all = test::objects_of(folder_ / "second.wb");
  EXPECT_EQ(all.at(test::kSecond).bucket, manifest::Bucket::loaded);
  EXPECT_TRUE(test::has_finding(all.at(test::kSecond), "LOAD-UNCOMMITTED"));
}

TEST_F(LoadCommitment, ARefusedRequestBurnsItsUidAndIsTriedInHalves) {
  prepare("[[rule]]\non = \"commit\"\nfirst = 2\nstatus = 0x0213\n", 1, 8);
  const test::Ran ran = commit();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  expect_all_committed();
  const auto refused = steps("refused");
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].status, "0213");
  std::set<std::string> transactions;
  for (const Commitment& step : steps("requested")) transactions.insert(step.transaction);
  EXPECT_EQ(transactions.size(), steps("requested").size());
  EXPECT_EQ(steps("requested").back().objects.size(), 2U) << "eight, four, two";
}

TEST_F(LoadCommitment, ThatIsAlwaysRefusedEndsWithFourAndIsPickedUpLater) {
  prepare("[[rule]]\non = \"commit\"\nstatus = 0x0110\n", 1, 4);
  test::Ran ran = commit();
  EXPECT_EQ(ran.exit, 4) << ran.text;
  EXPECT_NE(ran.text.find("0110 processing failure"), std::string::npos) << ran.text;
  ASSERT_EQ(pacs_->stop(), 0);
  pacs_->start();
  ran = commit();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->kept(), 4U) << "nothing was sent again";
}

TEST_F(LoadCommitment, IsTakenOnAnAssociationThatTheArchiveOpens) {
  prepare(peer_line() + "[[rule]]\non = \"commit\"\nnew_association = true\ntimes = 2\n");
  const test::Ran ran = commit({"--listen", listen()});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  expect_all_committed();
}

TEST_F(LoadCommitment, ThatComesLateIsTakenByALaterRunWithoutSendingAnything) {
  prepare(peer_line() + "[[rule]]\non = \"commit\"\nnew_association = true\ndelay = 0.8\n");
  test::Ran ran = commit({"--listen", listen(), "--commit-wait", "0.2"});
  EXPECT_EQ(ran.exit, 6) << ran.text;
  EXPECT_NE(ran.text.find("commitment open\t8"), std::string::npos) << ran.text;
  const std::size_t asked = pacs_->events("commit").size();
  ran = load({"--await-commit", "--listen", listen(), "--commit-wait", "20"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  expect_all_committed();
  EXPECT_EQ(pacs_->events("commit").size(), asked) << "an open transaction is waited for, not asked for again";
  EXPECT_EQ(pacs_->kept(), 8U);
}

TEST_F(LoadCommitment, OutlivesTheDeathOfBothSides) {
  prepare("[[rule]]\non = \"commit\"\ndelay = 0.5\n");
  std::vector<std::string> words{test::tool("load"), at("scan.wb"), "--to",    pacs_->url(), "-o",
                                 at("load.wb"),      "--quiet",     "--commit"};
  const pid_t child = test::spawn(words, folder_ / "killed.log");
  ASSERT_TRUE(test::wait_until([&] { return pacs_->events("commit").size() >= 2; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ::kill(child, SIGKILL);
  EXPECT_EQ(test::wait_for(child), 128 + SIGKILL);
  EXPECT_EQ(pacs_->stop(SIGKILL), 128 + SIGKILL);
  pacs_->start();
  const test::Ran ran = commit({"--commit-wait", "20"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->kept(), 8U);
  EXPECT_TRUE(uncommitted().empty());
}

TEST_F(LoadCommitment, OfAnotherTransactionIsLeftToItsOwnerAndDecidesNothing) {
  prepare("[[rule]]\non = \"commit\"\nwrong_transaction = true\n", 1, 2);
  test::Ran ran = commit({"--commit-wait", "0.5"});
  EXPECT_EQ(ran.exit, 6) << ran.text;
  ASSERT_EQ(pacs_->events("commit-answer").size(), 1U);
  EXPECT_EQ(test::member(pacs_->events("commit-answer")[0], "detail"), "0115");
  EXPECT_NE(ran.text.find("is not ours"), std::string::npos) << ran.text;
  ran = commit({"--commit-wait", "0.1", "--when-uncommitted", "finish"});
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(uncommitted().size(), 2U);
}

TEST_F(LoadCommitment, IsNotBegunWithATargetThatDoesNotOfferIt) {
  prepare("[node]\ncontexts = 0\n", 1, 1);
  const test::Ran ran = commit();
  EXPECT_EQ(ran.exit, 4) << ran.text;
  EXPECT_NE(ran.text.find("does not grant storage commitment"), std::string::npos) << ran.text;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "load.wb"));
  EXPECT_EQ(commit({"--dry-run"}).exit, 4);
  const test::Ran web = test::run(
      {test::tool("load"), at("scan.wb"), "--to", "http://127.0.0.1:9/dicom-web", "-o", at("load.wb"), "--commit"},
      folder_ / "load.log");
  EXPECT_EQ(web.exit, 2) << web.text;
  EXPECT_NE(web.text.find("--commit is a service of DICOM nodes"), std::string::npos) << web.text;
}

}  // namespace waybill
