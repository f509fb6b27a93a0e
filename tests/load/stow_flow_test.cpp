// SPDX-License-Identifier: Apache-2.0
// How waybill-load gets on with a STOW-RS service as a whole: who may come in, what travels together, a service that is
// busy, away or elsewhere, and runs that are killed.
#include "support/lying_stow.hpp"

#include <random>

namespace waybill {

namespace fs = std::filesystem;

namespace {

using manifest::Bucket;

std::size_t number(const std::string& line, const std::string& name) {
  const std::size_t at = line.find("\"" + name + "\": ");
  return at == std::string::npos ? 0 : std::stoul(line.substr(at + name.size() + 4));
}

class StowFlow : public test::AtLyingStow {
 protected:
  [[nodiscard]] std::size_t held() const { return service_->kept().size(); }
  void expect_each_kept_once(std::size_t objects) {
    EXPECT_EQ(held(), objects);
    for (const auto& [uid, times] : service_->kept()) EXPECT_EQ(times, 1) << uid;
  }
  std::string secret(const std::string& text, fs::perms rights = fs::perms::owner_read | fs::perms::owner_write) {
    std::ofstream(at("secret"), std::ios::trunc) << text;
    fs::permissions(at("secret"), rights);
    return at("secret");
  }
};

}  // namespace

TEST_F(StowFlow, WhatTravelsTogetherIsOfOneStudyAndNoLargerThanTheBatch) {
  prepare(R"({"xml": true, "delay": 0.01})", 3, 10);
  const std::size_t bytes = objects_.front().source.size;
  EXPECT_EQ(load({"--batch", std::to_string(4 * bytes)}).exit, 0);
  expect_each_kept_once(30);
  const auto requests = service_->events("request");
  EXPECT_EQ(requests.size(), 9U);  // 4, 4 and 2 of each study
  for (const std::string& request : requests) {
    EXPECT_EQ(number(request, "studies"), 1U) << request;
    EXPECT_LE(number(request, "bytes"), 4 * bytes + 1024) << request;
  }
  for (const auto& object : objects_)
    EXPECT_EQ(test::slurp(service_->object(*object.sop_instance)), test::slurp(object.source.path)) << "byte for byte";
  EXPECT_EQ(load().exit, 0) << "a second run";
  EXPECT_EQ(service_->events("request").size(), 9U) << "sends nothing";
}

TEST_F(StowFlow, ALimitIsKeptFromSecondToSecond) {
  prepare("{}", 1, 12);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(load({"--limit", "6obj/s"}).exit, 0);
  EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(800));
  for (const std::string& request : service_->events("request")) EXPECT_LE(number(request, "instances"), 6U) << request;
}

TEST_F(StowFlow, WithoutTheRightLoginNothingIsSentAndTheCorrectedCommandWorks) {
  prepare(R"({"authorization": "Basic d2F5YmlsbDpzM2NyZXQ6dG9v"})", 1, 2);
  const test::Ran without = load();
  EXPECT_EQ(without.exit, 4);
  EXPECT_NE(without.text.find("401"), std::string::npos) << without.text;
  EXPECT_FALSE(fs::exists(at("load.wb")));
  const test::Ran wrong = load({"--http-login", secret("waybill:wrong")});
  EXPECT_EQ(wrong.exit, 4);
  EXPECT_EQ(wrong.text.find("wrong"), std::string::npos) << "the password is nobody's business: " << wrong.text;
  const test::Ran open =
      load({"--http-login", secret("waybill:s3cret:too", fs::perms::owner_read | fs::perms::group_read)});
  EXPECT_EQ(open.exit, 2);
  EXPECT_NE(open.text.find("chmod 600"), std::string::npos) << open.text;
  EXPECT_EQ(load({"--http-login", secret("waybill:s3cret:too\n")}).exit, 0);
  expect_each_kept_once(2);
  EXPECT_EQ(verify("content", {"--http-login", secret("waybill:s3cret:too\n")}).exit, 0);
  const test::Ran text = test::run({"zstdcat", at("load.wb"), at("verify.wb")}, folder_ / "text");
  EXPECT_EQ(text.text.find("s3cret"), std::string::npos);
}

TEST_F(StowFlow, ATokenComesFromAFileToo) {
  prepare(R"({"authorization": "Bearer abc.def-ghi"})", 1, 2);
  EXPECT_EQ(load({"--http-token", secret("abc.def-ghi\n")}).exit, 0);
  expect_each_kept_once(2);
}

TEST_F(StowFlow, RightsThatEndInMidLoadEndItWithFour) {
  prepare(R"({"studies": {"1.2.3.2": [{"status": 403}, {}]}})", 3, 2);
  const test::Ran denied = load({"--associations", "1"});
  EXPECT_EQ(denied.exit, 4) << denied.text;
  EXPECT_NE(denied.text.find("HTTP 403"), std::string::npos) << denied.text;
  EXPECT_EQ(load({"--associations", "1"}).exit, 0);
  expect_each_kept_once(6);
}

TEST_F(StowFlow, PatientsDataGoesNeitherInTheClearNorWhereARedirectPoints) {
  prepare("{}", 1, 2);
  const auto to = [&](const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{test::tool("load"), at("scan.wb"), "--to", url, "-o", at("x.wb"), "--timeout", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return test::run(words, folder_ / "x.log");
  };
  const test::Ran clear = to("http://pacs.invalid/rs");
  EXPECT_EQ(clear.exit, 2);
  EXPECT_NE(clear.text.find("--allow-plain-http"), std::string::npos) << clear.text;
  EXPECT_EQ(to("http://pacs.invalid/rs", {"--allow-plain-http"}).exit, 4) << "allowed, and not there";
  EXPECT_EQ(to("http://pacs.invalid/rs", {"--allow-plain-http", "--http-login", secret("a:b")}).exit, 2);
  const test::Ran named = to("https://user:hidden@pacs.invalid/rs");
  EXPECT_EQ(named.exit, 2);
  EXPECT_EQ(named.text.find("hidden"), std::string::npos) << named.text;
  EXPECT_EQ(to("dicom://PACS@127.0.0.1:9", {"--http-login", secret("a:b")}).exit, 2);

  test::LyingStow elsewhere;
  service_->stop();
  service_->start(R"({"studies": {"1.2.3.1": [{"status": 307, "location": ")" + elsewhere.url() + R"("}]}})");
  const test::Ran moved = load();
  EXPECT_EQ(moved.exit, 4);
  EXPECT_NE(moved.text.find(elsewhere.url()), std::string::npos) << moved.text;
  EXPECT_TRUE(elsewhere.events("request").empty());
}

TEST_F(StowFlow, ABusyServiceIsLeftAloneAndTheRunEndsWithFourWhenPatienceDoes) {
  prepare(R"({"studies": {"1.2.3.1": [{"status": 503, "keep": true}], "1.2.3.2": [{"status": 503}]}})", 2, 3);
  const test::Ran tired = load({"--patience", "0.3", "--associations", "2"});
  EXPECT_EQ(tired.exit, 4) << tired.text;
  service_->stop();
  service_->start(R"({"qido": [{"status": 503}, {}, {"status": 503, "retry": 1}, {}],
                      "studies": {"1.2.3.2": [{"status": 503}, {}]}})");
  const test::Ran again = load({"--associations", "2"});
  EXPECT_EQ(again.exit, 4) << "busy before anything began: " << again.text;
  EXPECT_EQ(load({"--associations", "2"}).exit, 0) << "busy in between";
  expect_each_kept_once(6);
}

TEST_F(StowFlow, AnAddressWithoutTheServiceEndsWithFourAndLeavesNothingBehind) {
  prepare(R"({"qido": [{"status": 404}]})", 1, 1);
  const test::Ran lost = load();
  EXPECT_EQ(lost.exit, 4);
  EXPECT_NE(lost.text.find("check its path"), std::string::npos) << lost.text;
  EXPECT_FALSE(fs::exists(at("load.wb")));
}

TEST_F(StowFlow, ADryRunSaysWhatWouldBeSentAndSendsNothing) {
  prepare("{}", 2, 3);
  const test::Ran dry = load({"--dry-run", "--json"});
  EXPECT_EQ(dry.exit, 0) << dry.text;
  EXPECT_NE(dry.text.find("\"objects\":6"), std::string::npos) << dry.text;
  EXPECT_NE(dry.text.find("\"granted\":null"), std::string::npos) << dry.text;
  EXPECT_TRUE(service_->events("request").empty());
  EXPECT_FALSE(fs::exists(at("load.wb")));
}

TEST_F(StowFlow, NothingArrivesTwiceHoweverOftenARunIsKilled) {
  prepare(R"({"delay": 0.05})", 6, 20);
  std::mt19937 chance{20260301};
  std::vector<std::string> words{test::tool("load"),
                                 at("scan.wb"),
                                 "--to",
                                 service_->url(),
                                 "-o",
                                 at("load.wb"),
                                 "--quiet",
                                 "--timeout",
                                 "5",
                                 "--batch",
                                 "2000",
                                 "--associations",
                                 "3"};
  int killed = 0;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = test::spawn(words, folder_ / "killed.log");
    std::this_thread::sleep_for(std::chrono::milliseconds(60 + chance() % 120));
    ::kill(child, SIGKILL);
    killed += test::wait_for(child) == 128 + SIGKILL ? 1 : 0;
  }
  EXPECT_GE(killed, 2) << "it was over before it could be killed";
  EXPECT_EQ(load({"--associations", "3"}).exit, 0);
  expect_each_kept_once(120);
  const auto objects = loaded();
  EXPECT_EQ(objects.size(), 120U);
  for (const auto& [uid, object] : objects) EXPECT_EQ(object.bucket, Bucket::loaded) << uid;
  EXPECT_EQ(verify().exit, 0);
}

}  // namespace waybill
