// SPDX-License-Identifier: Apache-2.0
// What the threads of storage commitment do when our own side fails.
#include "commit/committer.hpp"

#include "support/free_port.hpp"
#include "support/simpacs.hpp"

#include <atomic>

namespace waybill::commit {

namespace {

constexpr const char* kClass = "1.2.840.10008.5.1.4.1.1.7";

Options options_for(const test::SimPacs& pacs) {
  Options options;
  options.peer = net::parse_url(pacs.url());
  options.calling = "WAYBILL";
  options.timeouts = {std::chrono::seconds(2), std::chrono::seconds(2), std::chrono::seconds(2)};
  options.wait = std::chrono::seconds(20);
  options.pause = std::chrono::milliseconds(20);
  return options;
}

/// Books on a disk that is full from the second commit on, that of the report.
Books full_books(int& commits) {
  return {[](std::string_view) {},
          [&commits] {
            if (++commits > 1) throw RunError(Exit::input, "cannot write load.wb: No space left on device");
          },
          [](const Verdict&) {}};
}

void expect_answered_with_failure(const Options& options, const test::SimPacs& pacs, const std::string& answer_event,
                                  const std::string& member, const std::string& value) {
  int commits = 0;
  {
    Committer committer(options, full_books(commits));
    committer.start();
    committer.add({"0000000000000001", "1.2", kClass, "1.2.3", 0});
    EXPECT_THROW((void)committer.finish(), RunError);
  }
  ASSERT_TRUE(test::wait_until([&] { return !pacs.events(answer_event).empty(); }));
  EXPECT_EQ(test::member(pacs.events(answer_event)[0], member), value);
}

}  // namespace

TEST(Committer, AnswersAReportThatItCannotKeepWithAFailureOnTheSameAssociation) {
  const test::SimPacs pacs;
  expect_answered_with_failure(options_for(pacs), pacs, "commit-answer", "detail", "0110");
}

TEST(Committer, AnswersAReportThatItCannotKeepWithAFailureOnANewAssociation) {
  const int port = test::free_port();
  const test::SimPacs pacs("[[peer]]\ntitle = \"WAYBILL\"\nhost = \"127.0.0.1\"\nport = " + std::to_string(port) +
                           "\n[[rule]]\non = \"commit\"\nnew_association = true\n");
  Options options = options_for(pacs);
  options.listen = net::ListenAt{"127.0.0.1", static_cast<std::uint16_t>(port)};
  expect_answered_with_failure(options, pacs, "commit-event", "answer", "272");
}

TEST(Committer, EndsWithAnArchiveThatIsGone) {
  test::SimPacs pacs;
  Committer committer(options_for(pacs), {[](std::string_view) {}, [] {}, [](const Verdict&) {}});
  ASSERT_EQ(pacs.stop(), 0);
  committer.start();
  committer.add({"0000000000000001", "1.2", kClass, "1.2.3", 0});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW((void)committer.finish(), net::PeerError);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, options_for(pacs).wait) << "nobody is left to be waited for";
  EXPECT_EQ(committer.counts().open, 1U);
}

TEST(Committer, OutlastsAnArchiveThatIsRestartedWhileReportsAreOpen) {
  test::SimPacs pacs("[[rule]]\non = \"commit\"\ndelay = 0.4\n");
  std::atomic<bool> accepted{false};  // before that an archive that is gone is one that does not answer
  std::vector<Verdict> verdicts;
  const auto append = [&](std::string_view line) {
    if (test::member(std::string(line), "state") == "accepted") accepted = true;
  };
  Committer committer(options_for(pacs), {append, [] {}, [&](const Verdict& verdict) { verdicts.push_back(verdict); }});
  committer.start();
  committer.add({"0000000000000001", "1.2", kClass, "1.2.3", 0});
  committer.flush("1.2");
  ASSERT_TRUE(test::wait_until([&] { return accepted.load(); }));
  EXPECT_EQ(pacs.stop(SIGKILL), 128 + SIGKILL);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  pacs.start();
  EXPECT_TRUE(committer.finish());
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0].reason, "0112 no such object instance");
}

}  // namespace waybill::commit
