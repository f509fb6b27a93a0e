// SPDX-License-Identifier: Apache-2.0
// The books of storage commitment: what each report means, and what is left after a crash at any step.
#include "commit/ledger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace waybill::commit {

namespace {

using manifest::Commitment;
using net::CommitmentReport;

const std::string kClass = "1.2.840.10008.5.1.4.1.1.7";

Item item(int number, const std::string& study = "1.2") {
  const std::string n = std::to_string(number);
  return {"id" + n, study, kClass, study + "." + n, 0};
}

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    options_.references = 4;
    options_.pause = std::chrono::milliseconds(0);
    options_.say = [this](const std::string& text) { said_.push_back(text); };
    ledger_.emplace(options_, books());
  }
  Books books() {
    return {[this](std::string_view line) { lines_.emplace_back(line); }, [this] { committed_lines_ = lines_.size(); },
            [this](const Verdict& verdict) { verdicts_[verdict.item.sop_instance] = verdict; }};
  }
  Request ask() {
    EXPECT_TRUE(ledger_->has_request(Clock::now()));
    Request request = ledger_->begin();
    EXPECT_EQ(committed_lines_, lines_.size()) << "asked before it was on disk";
    return request;
  }
  /// A report that commits to all of the request.
  static CommitmentReport all_of(const Request& request) {
    CommitmentReport report;
    report.transaction = request.transaction;
    for (const Item& one : request.items) report.committed.push_back({one.sop_class, one.sop_instance});
    return report;
  }
  std::uint16_t take(const CommitmentReport& report) {
    const std::size_t before = lines_.size();
    const std::uint16_t status = ledger_->take(report);
    if (lines_.size() > before) {
      EXPECT_EQ(committed_lines_, lines_.size()) << "answered before it was on disk";
    }
    return status;
  }
  /// As after a crash, with the first `count` lines on disk.
  void crash(std::size_t count, int objects) {
    const std::vector<std::string> lines(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(count));
    verdicts_.clear();
    ledger_.emplace(options_, books());
    for (int i = 0; i < objects; ++i) ledger_->replay_item(item(i));
    for (const std::string& line : lines) ledger_->replay(manifest::commitment_from(line));
    ledger_->restart();
  }
  void add(int objects) {
    for (int i = 0; i < objects; ++i) ledger_->add(item(i));
    ledger_->flush_all();
  }

  Options options_;
  std::vector<std::string> lines_, said_;
  std::size_t committed_lines_ = 0;
  std::map<std::string, Verdict> verdicts_;
  std::optional<Ledger> ledger_;
};

}  // namespace

TEST_F(LedgerTest, AsksOneStudyAtATimeInChunks) {
  for (int i = 0; i < 6; ++i) ledger_->add(item(i));
  for (int i = 0; i < 3; ++i) ledger_->add(item(i, "1.3"));
  ledger_->flush_all();
  std::multiset<std::pair<std::string, std::size_t>> requests;
  std::set<std::string> uids;
  while (ledger_->has_request(Clock::now())) {
    const Request request = ask();
    requests.insert({request.items[0].study, request.items.size()});
    uids.insert(request.transaction);
    EXPECT_TRUE(request.transaction.starts_with("2.25."));
    EXPECT_LE(request.transaction.size(), 64U);
  }
  EXPECT_EQ(requests, (std::multiset<std::pair<std::string, std::size_t>>{{"1.2", 4}, {"1.2", 2}, {"1.3", 3}}));
  EXPECT_EQ(uids.size(), 3U);
}

TEST_F(LedgerTest, WantsEveryObjectInExactlyOneList) {
  add(4);
  const Request request = ask();
  CommitmentReport report = all_of(request);
  report.failed.push_back({report.committed[0], 0x0110});       // in both
  report.committed[1].sop_class = "1.2.840.10008.5.1.4.1.1.2";  // under another class
  report.committed.erase(report.committed.begin() + 2);         // in neither
  report.committed.push_back({kClass, "9.9.9"});                // never asked for
  EXPECT_EQ(take(report), net::kTaken);
  const Commitment reported = manifest::commitment_from(lines_.back());
  EXPECT_EQ(reported.committed, 1U);
  EXPECT_EQ(reported.unrequested, 1U);
  const std::map<std::string, std::string> failed(reported.failed.begin(), reported.failed.end());
  EXPECT_EQ(failed.at("1.2.0"), "in both lists of the report");
  EXPECT_EQ(failed.at("1.2.1"), "0119 the object is there under another class");
  EXPECT_EQ(failed.at("1.2.2"), "in neither list of the report");
  EXPECT_TRUE(verdicts_.at("1.2.3").committed);
  EXPECT_FALSE(verdicts_.at("1.2.1").committed) << "that it never will is final";
  EXPECT_EQ(ask().items.size(), 2U) << "the others are asked for once more";
  EXPECT_FALSE(ledger_->is_done());
}

TEST_F(LedgerTest, TakesTheSameReportTwiceAndNoticesOneThatTakesBack) {
  add(2);
  const Request request = ask();
  ledger_->accepted(request.transaction);
  CommitmentReport report = all_of(request);
  EXPECT_EQ(take(report), net::kTaken);
  const std::size_t lines = lines_.size();
  EXPECT_EQ(take(report), net::kTaken);
  EXPECT_EQ(lines_.size(), lines);
  EXPECT_EQ(ledger_->counts().contradictions, 0U);
  report.failed.push_back({report.committed.back(), 0x0213});
  report.committed.pop_back();
  EXPECT_EQ(take(report), net::kTaken);
  EXPECT_EQ(take(report), net::kTaken);
  EXPECT_EQ(ledger_->counts().contradictions, 1U);
  EXPECT_EQ(manifest::commitment_from(lines_.back()).state, "contradicted");
}

TEST_F(LedgerTest, LeavesAReportOfAnotherTransactionToItsOwner) {
  add(1);
  const Request request = ask();
  CommitmentReport report = all_of(request);
  report.transaction += ".9";
  const std::size_t lines = lines_.size();
  EXPECT_EQ(take(report), net::kUnknownTransaction);
  EXPECT_EQ(lines_.size(), lines);
  EXPECT_FALSE(ledger_->is_done());
}

TEST_F(LedgerTest, AReportOfARequestThatNobodyAnsweredIsTakenAndTheObjectsAreAskedForUnderAnotherUid) {
  add(2);
  const Request first = ask();
  ledger_->abandon(first.transaction);
  const Request second = ask();
  EXPECT_NE(first.transaction, second.transaction);
  EXPECT_EQ(take(all_of(first)), net::kTaken);
  EXPECT_FALSE(ledger_->is_done());
  EXPECT_EQ(take(all_of(second)), net::kTaken);
  EXPECT_TRUE(ledger_->is_done());
}

TEST_F(LedgerTest, SaysWhatIsLeftWhenNoReportComes) {
  add(6);
  (void)ask();
  ledger_->give_up();
  EXPECT_TRUE(ledger_->is_done());
  EXPECT_EQ(verdicts_.size(), 6U);
  for (const auto& [uid, verdict] : verdicts_) EXPECT_EQ(verdict.reason, kNoReport);
}

/// A crash behind any line: each object has one verdict in the end, and no UID is used for two requests.
TEST_F(LedgerTest, ACrashBehindAnyStepLosesNothing) {
  const auto write_all = [&] {
    lines_.clear();
    committed_lines_ = 0;
    ledger_.emplace(options_, books());
    add(6);
    const Request refused = ask();
    ledger_->refused(refused.transaction, 0x0213);
    const Request partial = ask();
    ledger_->accepted(partial.transaction);
    CommitmentReport report = all_of(partial);
    report.failed.push_back({report.committed.back(), 0x0112});
    report.committed.pop_back();
    (void)ledger_->take(report);
    const Request abandoned = ask();
    ledger_->abandon(abandoned.transaction);
  };
  write_all();
  const std::size_t all = lines_.size();
  ASSERT_GE(all, 6U);
  for (std::size_t count = 0; count <= all; ++count) {
    write_all();
    crash(count, 6);
    std::set<std::string> before, now;
    for (std::size_t i = 0; i < count; ++i) before.insert(manifest::commitment_from(lines_[i]).transaction);
    for (std::size_t i = 0; i < count; ++i) {  // accepted before the crash: their reports come now
      const Commitment step = manifest::commitment_from(lines_[i]);
      if (step.state != "requested") continue;
      CommitmentReport late;
      late.transaction = step.transaction;
      for (const auto& object : step.objects) late.committed.push_back({object.sop_class, object.sop_instance});
      EXPECT_EQ(take(late), net::kTaken) << count;
    }
    while (ledger_->has_request(Clock::now())) {
      const Request request = ask();
      EXPECT_FALSE(before.contains(request.transaction));
      EXPECT_TRUE(now.insert(request.transaction).second);
      ledger_->accepted(request.transaction);
      EXPECT_EQ(take(all_of(request)), net::kTaken);
    }
    EXPECT_TRUE(ledger_->is_done()) << count;
    EXPECT_EQ(verdicts_.size(), 6U) << count;
    EXPECT_EQ(ledger_->counts().committed, 6U) << count;
  }
}

}  // namespace waybill::commit
