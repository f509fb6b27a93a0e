// SPDX-License-Identifier: Apache-2.0
// How load paces itself, what it says beforehand, what it sends again and in which form.
#include "core/clock.hpp"
#include "support/free_port.hpp"
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using manifest::Bucket;
using Seconds = std::chrono::duration<double>;

class LoadFlow : public test::AtSimPacs {
 protected:
  std::size_t stored() { return pacs_->events("store").size(); }
  void wait_until_stored(std::size_t count) {
    ASSERT_TRUE(test::wait_until([&] { return stored() >= count; }));
  }
  std::vector<std::string> words(const std::vector<std::string>& more) {
    std::vector<std::string> all{test::tool("load"), at("scan.wb"), "--to", pacs_->url(), "-o",
                                 at("load.wb"),      "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// A reconcile manifest whose decisions give study 1.2.3.1 another patient number; the others wait for a person.
  void write_edits() {
    manifest::Header header;
    header.stage = "reconcile";
    header.created = "2026-01-02T03:04:05.000006Z";
    manifest::Writer writer(folder_ / "reconcile.wb", header);
    manifest::Study study;
    study.study = "1.2.3.1";
    study.decision = "auto";
    study.edits.push_back({"0010,0020", "T1", "NEW-1", "COERCE"});
    writer.append_record(study);
    study.study = "1.2.3.2";
    study.decision = "review";
    writer.append_record(study);
    writer.finish("{}");
  }
};

}  // namespace

TEST_F(LoadFlow, ADryRunSaysWhatWouldBeSentAndSendsAndWritesNothing) {
  prepare("", 3, 4);
  const test::Ran ran = load({"--dry-run"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("would send  12 of 12 objects, 3 studies"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("granted             12  1.2.840.10008.5.1.4.1.1.7  1.2.840.10008.1.2.1"), std::string::npos)
      << ran.text;
  EXPECT_EQ(stored(), 0U);
  EXPECT_FALSE(std::filesystem::exists(at("load.wb")));
}

TEST_F(LoadFlow, SaysWhenTheTargetKeepsNotEveryAttribute) {
  prepare("[node]\nstorage_level = 0\n", 1, 2);
  const test::Ran dry = load({"--dry-run"});
  EXPECT_NE(dry.text.find("level 0"), std::string::npos) << dry.text;
  test::Ran ran = load();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("stores 1.2.840.10008.5.1.4.1.1.7 at level 0"), std::string::npos) << ran.text;
  for (const char* well : {"[node]\nstorage_level = 2\n", ""}) {
    ASSERT_EQ(pacs_->stop(), 0);
    pacs_->start(well);
    ran = load({"--restart"});
    EXPECT_EQ(ran.text.find("level"), std::string::npos) << ran.text;
  }
}

TEST_F(LoadFlow, AClosedWindowEndsWithSixAndTheSameCommandContinues) {
  prepare("", 2, 4);
  const int hour = std::stoi(utc_now().substr(11, 2));
  const auto span = [&](int from, int to) {
    char text[40];
    std::snprintf(text, sizeof text, "Mon-Sun %02d:00-%02d:00", (hour + from) % 24, (hour + to) % 24);
    return std::string(text);
  };
  const test::Ran closed = load({"--time-zone", "UTC", "--window", span(2, 3)});
  EXPECT_EQ(closed.exit, 6) << closed.text;
  EXPECT_NE(closed.text.find("window is closed"), std::string::npos) << closed.text;
  EXPECT_EQ(stored(), 0U);
  const test::Ran open = load({"--time-zone", "UTC", "--window", span(2, 3) + ", " + span(23, 2)});
  EXPECT_EQ(open.exit, 0) << open.text;
  EXPECT_EQ(pacs_->kept(), 8U);
}

TEST_F(LoadFlow, KeepsALimitOfTheWindowAndOfTheCommand) {
  prepare("", 4, 15);
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--limit", "30obj/s"},
        std::vector<std::string>{"--limit", "1obj/s", "--window", "Mon-Sun 00:00-24:00 30obj/s 1GB/s"}}) {
    std::vector<std::string> all = more;
    all.emplace_back("--restart");
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_EQ(load(all).exit, 0);
    const double took = Seconds(std::chrono::steady_clock::now() - begin).count();
    EXPECT_GE(took, 0.95) << "60 objects, of which a second's worth goes at once";
    EXPECT_LE(took, 10);
  }
}

TEST_F(LoadFlow, PausesAndResumesBySignal) {
  prepare("", 5, 20);
  const pid_t child = test::spawn(words({"--limit", "40obj/s"}), folder_ / "first.log");
  wait_until_stored(45);
  ::kill(child, SIGUSR1);
  const auto released = [&] { return pacs_->events("released").size(); };
  EXPECT_TRUE(test::wait_until([&] { return released() >= 4; })) << "no association is held through a pause";
  const std::size_t held = stored();
  EXPECT_LT(held, 100U);
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_EQ(stored(), held);
  ::kill(child, SIGUSR2);
  EXPECT_EQ(test::wait_for(child), 0) << test::slurp(folder_ / "first.log");
  EXPECT_EQ(pacs_->kept(), 100U);
  EXPECT_NE(test::slurp(folder_ / "first.log").find("paused"), std::string::npos);
}

TEST_F(LoadFlow, AStoppedRunLeavesNoQuestionsAboutWhatItDidNotSend) {
  prepare("", 1, 200);
  const pid_t child = test::spawn(words({"--limit", "20obj/s", "--associations", "1"}), folder_ / "first.log");
  wait_until_stored(22);
  ::kill(child, SIGTERM);
  EXPECT_EQ(test::wait_for(child), 6) << test::slurp(folder_ / "first.log");
  const std::size_t before = stored();
  EXPECT_EQ(load().exit, 0);
  EXPECT_EQ(pacs_->kept(), 200U);
  EXPECT_EQ(stored(), 200U) << before << " before";
  EXPECT_TRUE(pacs_->events("find").empty()) << "their intents were taken back";
}

TEST_F(LoadFlow, KeepsAStudyOnOneAssociationInOnePiece) {
  prepare("", 12, 100);
  ASSERT_EQ(load({"--associations", "4"}).exit, 0);
  std::map<std::string, std::set<std::string>> ways;
  std::map<std::string, std::vector<std::string>> studies_of_way;
  for (const auto& [uid, object] : loaded()) ways[*object.study].insert(object.load.value().association);
  EXPECT_EQ(ways.size(), 12U);
  for (const auto& [study, numbers] : ways) EXPECT_EQ(numbers.size(), 1U) << study;
  for (const std::string& line : pacs_->events("store")) {
    auto& seen = studies_of_way[test::member(line, "association")];
    const std::string uid = test::member(line, "instance");
    const std::string study = uid.substr(0, uid.find('.', 6));
    if (seen.empty() || seen.back() != study) seen.push_back(study);
  }
  std::size_t runs = 0;
  for (const auto& [way, seen] : studies_of_way) runs += seen.size();
  EXPECT_EQ(runs, 12U) << "a study was interrupted by another";
  EXPECT_LE(studies_of_way.size(), 5U) << "associations are used again";
}

TEST_F(LoadFlow, FindsItsNumberOfAssociationsByItself) {
  prepare("[node]\nassociations = 3\n", 30, 20);
  const test::Ran ran = load({"--associations", "auto"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->kept(), 600U);
}

TEST_F(LoadFlow, SendsAgainWhatFailedAndNothingElse) {
  prepare("[[rule]]\non = \"store\"\ninstance = [\"1.2.3.1.1.2\", \"1.2.3.2.1.3\"]\nstatus = 0x0122\n");
  ASSERT_EQ(load().exit, 1);
  const std::string first_run = loaded().at("1.2.3.1.1.1").load.value().run;
  EXPECT_EQ(first_run.size(), 36U);
  (void)pacs_->stop();
  pacs_->start();
  const std::size_t before = stored();
  const test::Ran again = test::run(
      {test::tool("load"), at("load.wb"), "--retry", "failed", "--to", pacs_->url(), "-o", at("second.wb"), "--quiet"},
      folder_ / "second.log");
  EXPECT_EQ(again.exit, 0) << again.text;
  EXPECT_EQ(stored() - before, 2U);
  EXPECT_EQ(pacs_->kept(), 8U);
  const auto all = test::objects_of(at("second.wb"));
  ASSERT_EQ(all.size(), 8U);
  for (const auto& [uid, object] : all) EXPECT_EQ(object.bucket, Bucket::loaded) << uid;
  EXPECT_EQ(all.at("1.2.3.1.1.1").load.value().run, first_run);
  EXPECT_TRUE(all.at("1.2.3.1.1.2").findings.empty());

  const std::string second_run = all.at("1.2.3.1.1.2").load.value().run;
  const test::Ran listed = test::run(
      {test::tool("manifest"), "filter", at("second.wb"), "--loaded-by", second_run, "--csv", at("rollback.csv")},
      folder_ / "filter.log");
  EXPECT_EQ(listed.exit, 0) << listed.text;
  const std::string table = test::slurp(at("rollback.csv"));
  EXPECT_EQ(std::ranges::count(table, '\n'), 3) << table;
  for (const char* uid : {"\"1.2.3.1.1.2\"", "\"1.2.3.2.1.3\""}) EXPECT_NE(table.find(uid), std::string::npos) << table;
}

TEST_F(LoadFlow, ARetryAsksAboutWhatGotNoAnswerBeforeItSendsThat) {
  prepare(test::on_second("answer = \"silence\"\nkeep = \"nothing\""), 1, 4);
  ASSERT_EQ(load().exit, 1);
  ASSERT_TRUE(test::has_finding(loaded().at(test::kSecond), "LOAD-NOANSWER"));
  const int before = pacs_->arrivals().at(test::kSecond);
  (void)pacs_->stop();
  pacs_->start();
  // Somebody else brings it meanwhile.
  ASSERT_EQ(test::run({test::tool("load"), at("scan.wb"), "--to", pacs_->url(), "-o", at("other.wb"), "--quiet"},
                      folder_ / "other.log")
                .exit,
            0);
  ASSERT_TRUE(pacs_->holds(test::kSecond));
  const test::Ran again = test::run(
      {test::tool("load"), at("load.wb"), "--retry", "failed", "--to", pacs_->url(), "-o", at("second.wb"), "--quiet"},
      folder_ / "second.log");
  EXPECT_EQ(again.exit, 0) << again.text;
  EXPECT_EQ(pacs_->arrivals().at(test::kSecond), before + 1) << "by the other, not by the retry";
  EXPECT_EQ(test::objects_of(at("second.wb")).at(test::kSecond).load->outcome, "found-after-interruption");
}

TEST_F(LoadFlow, ARetryOfAVerificationSendsWhatTheTargetLostAndNothingElse) {
  prepare(test::on_second("keep = \"nothing\"") + "[[rule]]\non = \"store\"\ninstance = [\"1.2.3.1.1.3\"]\n" +
              "keep = \"renamed\"\n",
          1, 4);
  ASSERT_EQ(load().exit, 0) << "the target says that all went well";
  ASSERT_EQ(verify().exit, 5);
  ASSERT_EQ(verified().at(test::kSecond).verify->verdict, "MISSING");
  (void)pacs_->stop();
  pacs_->start();
  const test::Ran again = test::run({test::tool("load"), at("verify.wb"), "--retry", "failed", "--to", pacs_->url(),
                                     "-o", at("second.wb"), "--quiet"},
                                    folder_ / "second.log");
  EXPECT_EQ(again.exit, 1) << again.text;
  EXPECT_EQ(pacs_->arrivals(), (std::map<std::string, int>{
                                   {"1.2.3.1.1.1", 1}, {test::kSecond, 2}, {"1.2.3.1.1.3", 1}, {"1.2.3.1.1.4", 1}}));
  const auto all = test::objects_of(at("second.wb"));
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all.at(test::kSecond).bucket, Bucket::loaded);
  EXPECT_FALSE(all.at(test::kSecond).verify);
  EXPECT_EQ(all.at("1.2.3.1.1.3").bucket, Bucket::failed) << "altered there: a person decides";
  EXPECT_EQ(all.at("1.2.3.1.1.1").bucket, Bucket::verified);
  const test::Ran proved = test::run({test::tool("verify"), at("second.wb"), "--against", pacs_->url(), "--level",
                                      "content", "-o", at("proved.wb"), "--quiet"},
                                     folder_ / "proved.log");
  const auto proofs = test::objects_of(at("proved.wb"));
  EXPECT_EQ(proofs.at(test::kSecond).bucket, Bucket::verified) << proved.text;
  EXPECT_EQ(proofs.at("1.2.3.1.1.1").bucket, Bucket::verified);
  EXPECT_EQ(proofs.at("1.2.3.1.1.3").bucket, Bucket::failed);
}

TEST_F(LoadFlow, SendsListedStudiesFirst) {
  prepare("", 6, 3);
  std::ofstream(at("list.csv")) << "study_uid\n1.2.3.5\n1.2.3.2\n";
  ASSERT_EQ(load({"--associations", "1", "--priority", at("list.csv")}).exit, 0);
  std::vector<std::string> order;
  for (const std::string& line : pacs_->events("store")) {
    const std::string study = test::member(line, "instance").substr(0, 7);
    if (order.empty() || order.back() != study) order.push_back(study);
  }
  EXPECT_EQ(order, (std::vector<std::string>{"1.2.3.5", "1.2.3.2", "1.2.3.1", "1.2.3.3", "1.2.3.4", "1.2.3.6"}));
}

TEST_F(LoadFlow, AppliesEditsWhileSendingAndVerifyFindsThem) {
  prepare("", 2, 3);
  write_edits();
  const test::Ran ran = load({"--edits", at("reconcile.wb")});
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const auto all = loaded();
  EXPECT_EQ(pacs_->kept(), 3U);
  for (const auto& [uid, object] : all) {
    const bool decided = *object.study == "1.2.3.1";
    EXPECT_EQ(object.bucket, decided ? Bucket::loaded : Bucket::quarantined) << uid;
    EXPECT_EQ(test::has_finding(object, "MATCH-REVIEW"), !decided) << uid;
    if (!decided) continue;
    EXPECT_EQ(object.transcode.value().outcome, "rewritten");
    EXPECT_TRUE(object.transcode->path.empty()) << "nothing was staged";
    EXPECT_NE(object.transcode->dataset_sha256, object.dataset_sha256.value_or(""));
    const test::Ran dump = test::run({"dcmdump", "+P", "0010,0020", pacs_->object(uid).string()}, folder_ / "dump.log");
    EXPECT_NE(dump.text.find("[NEW-1]"), std::string::npos) << dump.text;
  }
  (void)verify();
  for (const auto& [uid, object] : verified()) {
    if (*object.study != "1.2.3.1") continue;
    EXPECT_EQ(object.verify.value().grade, "E4") << uid << object.verify->verdict;
  }
  EXPECT_EQ(load({"--send-unmatched", "--edits", at("reconcile.wb"), "--restart"}).exit, 0);
}

TEST_F(LoadFlow, WritesASyntaxThatWasAskedForWhileSending) {
  prepare("", 1, 3);
  const test::Ran ran = load({"--syntax", "rle"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  for (const std::string& line : pacs_->events("store")) EXPECT_EQ(test::member(line, "syntax"), "1.2.840.10008.1.2.5");
  for (const auto& [uid, object] : loaded()) EXPECT_EQ(object.load.value().transfer_syntax, "1.2.840.10008.1.2.5");
  EXPECT_EQ(verify().exit, 0);
}

TEST_F(LoadFlow, GoesDownTheLadderForAPeerThatTakesImplicitAlone) {
  const test::TempFolder shelf;
  objects_ = test::make_archive(folder_, 1, 3);
  const int port = test::free_port();
  std::optional<test::Program> node;
  node.emplace(std::vector<std::string>{"storescp", "+xi", "-od", shelf.path().string(), std::to_string(port)},
               shelf / "log");
  ASSERT_TRUE(test::wait_for_port(port)) << test::slurp(shelf / "log");
  const std::string url = "dicom://NODE@127.0.0.1:" + std::to_string(port);
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{test::tool("load"), at("scan.wb"), "--to",     url, "-o",
                                 at("load.wb"),      "--quiet",     "--restart"};
    all.insert(all.end(), more.begin(), more.end());
    return test::run(all, folder_ / "load.log");
  };
  const test::Ran fixed = run({"--no-ladder"});
  EXPECT_EQ(fixed.exit, 1) << fixed.text;
  for (const auto& [uid, object] : loaded()) EXPECT_TRUE(test::has_finding(object, "D27")) << uid;
  const test::Ran ran = run({});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  node.reset();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shelf.path())) {
    if (entry.path().extension() == ".log" || entry.path().filename() == "log") continue;
    ++files;
    const test::Ran dump = test::run({"dcmdump", "+P", "0002,0010", entry.path().string()}, folder_ / "dump.log");
    EXPECT_NE(dump.text.find("LittleEndianImplicit"), std::string::npos) << dump.text;
  }
  EXPECT_EQ(files, 3U);
  for (const auto& [uid, object] : loaded()) EXPECT_EQ(object.load.value().transfer_syntax, "1.2.840.10008.1.2");
}

TEST_F(LoadFlow, TlsOptionsAreNotSilentlyUselessInTheClear) {
  prepare("", 1, 1);
  const test::Ran clear = load({"--tls-ca", at("scan.wb")});
  EXPECT_EQ(clear.exit, 2) << clear.text;
  EXPECT_NE(clear.text.find("dicoms://"), std::string::npos) << clear.text;
  const test::Ran secure =
      test::run({test::tool("load"), at("scan.wb"), "--to",
                 "dicoms://SIMPACS@127.0.0.1:" + std::to_string(pacs_->port()), "-o", at("load.wb"), "--timeout", "1"},
                folder_ / "tls.log");
  EXPECT_EQ(secure.exit, 4) << secure.text;
  EXPECT_FALSE(std::filesystem::exists(at("load.wb")));
  EXPECT_EQ(stored(), 0U);
}

}  // namespace waybill
