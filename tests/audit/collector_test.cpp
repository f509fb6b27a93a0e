// SPDX-License-Identifier: Apache-2.0
// Delivery to a real rsyslog over TLS, through outages.
#include "audit/event.hpp"
#include "audit/spool.hpp"
#include "audit/trail.hpp"
#include "net/tls.hpp"
#include "support.hpp"
#include "support/exits.hpp"

#include <sys/stat.h>
#include <mutex>
#include <set>

namespace waybill::audit {
namespace fs = std::filesystem;
namespace {

class AuditCollector : public testing::Test {
 protected:
  /// `warned`: what TLS has to say of certificates is said, too.
  std::unique_ptr<Trail> trail(bool trusted = true, bool warned = false) {
    Target target = target_from(collector_.url());
    net::TlsOptions tls;
    tls.certificate = collector_.pem("client.pem");
    tls.key = collector_.pem("client.key");
    if (trusted) tls.authorities = collector_.pem("ca.pem");
    const auto say = [this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      said_ += text + "\n";
    };
    if (warned) tls.warn = say;
    target.collector.tls = net::Tls::make(tls);
    target.spool = spool();
    return std::make_unique<Trail>(target, say);
  }
  fs::path spool() const { return folder_ / "spool"; }
  std::size_t waiting() const { return Spool(spool()).names().size(); }
  std::string said() {
    const std::lock_guard lock(mutex_);
    return said_;
  }
  static void expect_numbers(const std::vector<Received>& all, std::uint64_t first, std::uint64_t last) {
    std::uint64_t n = first;
    for (const Received& one : all) EXPECT_EQ(one.envelope.sequence, n++);
    EXPECT_EQ(n, last + 1);
  }

  test::TempFolder folder_;
  test::Collector collector_{folder_ / "rsyslog"};
  std::mutex mutex_;
  std::string said_;
};

TEST_F(AuditCollector, MessagesArriveWholeAndInOrderAndTheSpoolIsEmptyAfterwards) {
  collector_.start();
  {
    const auto t = trail();
    for (int i = 0; i < 20; ++i) t->record(application_start());
    StudyPart large{"1.2", "", {"1", "", std::string(100'000, 'x')}};  // more than the 32,768 bytes that must go
    t->record(accessed('R', large));
    EXPECT_EQ(t->close(), 0U) << said();
    EXPECT_EQ(t->messages(), 21U);
  }
  const auto all = collector_.received(21);
  expect_numbers(all, 1, 21);
  for (std::size_t i : {0U, 20U}) EXPECT_EQ(test::fault_of(all[i].xml), "");
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(said(), "");
}

TEST_F(AuditCollector, WhatCannotBeDeliveredWaitsAndGoesInOrderWithTheNextRun) {
  {
    const auto t = trail();
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 5; ++i) t->record(application_start());
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(500)) << "the run must not wait";
    EXPECT_EQ(t->close(), 5U);
  }
  EXPECT_EQ(waiting(), 5U);
  EXPECT_TRUE(test::contains(said(), "messages wait in")) << said();
  for (const auto& entry : fs::directory_iterator(spool())) {
    struct stat info {};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 077U, 0U) << entry.path();
  }
  collector_.start();
  const auto t = trail();
  t->record(log_used("x"));
  EXPECT_EQ(t->close(), 0U);
  const auto all = collector_.received(6);
  ASSERT_EQ(all.size(), 6U);
  expect_numbers({all.begin(), all.begin() + 5}, 1, 5);
  EXPECT_EQ(all[5].envelope.run, t->run());
}

TEST_F(AuditCollector, ACollectorThatGoesAwayAndComesBackMissesNothing) {
  collector_.start();
  const auto t = trail();
  for (int i = 0; i < 3; ++i) t->record(application_start());
  EXPECT_EQ(collector_.received(3).size(), 3U);
  collector_.stop();
  for (int i = 0; i < 4; ++i) {
    t->record(application_start());
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  collector_.start();
  EXPECT_EQ(t->close(), 0U) << said();
  std::set<std::uint64_t> numbers;
  for (const auto& one : collector_.received(7)) numbers.insert(one.envelope.sequence);
  EXPECT_EQ(numbers.size(), 7U);
}

TEST_F(AuditCollector, ACollectorWithoutTrustGetsNothing) {
  collector_.start();
  const auto t = trail(false);
  t->record(application_start());
  EXPECT_EQ(t->close(), 1U);
  EXPECT_TRUE(test::contains(said(), "certificate that is not trusted")) << said();
  EXPECT_TRUE(collector_.received(0).empty());
}

TEST_F(AuditCollector, WhatIsSaidOfTheCollectorCallsItWhatItIs) {
  const std::string name = "syslog over TLS " + collector_.url().substr(std::string("syslog+tls://").size());
  {
    const auto t = trail();
    t->record(application_start());
    EXPECT_EQ(t->close(), 1U);
  }
  EXPECT_TRUE(test::contains(said(), name + " cannot be reached")) << said();
  collector_.start();  // with certificates of twenty days
  (void)trail(false)->close();
  EXPECT_TRUE(test::contains(said(), name + " shows a certificate that is not trusted")) << said();
  EXPECT_EQ(trail(true, true)->close(), 0U) << said();
  EXPECT_TRUE(test::contains(said(), "the TLS certificate of " + name + " ends in ")) << said();
  EXPECT_FALSE(test::contains(said(), "dicom")) << said();
}

TEST_F(AuditCollector, AMessageTakenOutOfTheSpoolIsTold) {
  {
    const auto t = trail();
    for (int i = 0; i < 5; ++i) t->record(application_start());
    (void)t->close();
  }
  Spool s(spool());
  s.remove(s.names()[2]);
  collector_.start();
  EXPECT_EQ(trail()->close(), 0U);
  const auto all = collector_.received(5);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_TRUE(test::contains(all[4].xml, "Audit messages are missing")) << all[4].xml;
  EXPECT_TRUE(test::contains(all[4].xml, "lacks message 3"));
}

TEST(AuditTarget, AddressesAreParsedAndOthersRefused) {
  EXPECT_EQ(target_from("syslog+tls://a.example").collector.port, 6514);
  EXPECT_EQ(target_from("syslog+tls://[::1]:99").collector.host, "::1");
  EXPECT_EQ(target_from("file:///var/log/a").file, "/var/log/a");
  for (const char* bad :
       {"", "syslog://a", "syslog+tls://", "syslog+tls://a:0", "syslog+tls://a:x", "file://a", "/tmp/a"})
    EXPECT_EQ(test::exit_of([&] { (void)target_from(bad); }), Exit::usage) << bad;
}

TEST(AuditFile, AFullFileLosesMessagesLoudlyAndNeverStopsTheRun) {
  std::string said;
  Trail trail(target_from("file:///dev/full"), [&](const std::string& text) { said += text; });
  trail.record(application_start());
  trail.record(application_start());
  EXPECT_EQ(trail.lost(), 2U);
  EXPECT_TRUE(test::contains(said, "audit messages are lost: cannot write /dev/full")) << said;
}

TEST(AuditSpool, AFolderThatOthersMayEnterIsRefused) {
  const test::TempFolder folder;
  fs::create_directory(folder / "open");
  fs::permissions(folder / "open", fs::perms(0755));
  EXPECT_EQ(test::exit_of([&] { Spool spool(folder / "open"); }), Exit::usage);
}

}  // namespace
}  // namespace waybill::audit
