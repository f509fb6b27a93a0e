// SPDX-License-Identifier: Apache-2.0
#include "listen/listener.hpp"

#include "hl7/intake.hpp"
#include "support/schema.hpp"

#include <set>

namespace waybill {
namespace {

using namespace test;
using Ids = std::vector<std::string>;

class Listen : public testing::Test {
 protected:
  [[nodiscard]] fs::path journal() const { return folder_ / "j.wb"; }
  [[nodiscard]] fs::path log() const { return folder_ / "log"; }
  /// Reasons of what was refused, in order.
  [[nodiscard]] Ids reasons() const {
    Ids out;
    for (const auto& entry : entries_of(journal()))
      if (entry.refused) out.push_back(entry.answer + " " + entry.reason);
    return out;
  }
  TempFolder folder_;
};

TEST_F(Listen, KeepsEachMessageByteForByteAndReconcileReadsThem) {
  const std::vector<std::string> texts = {adt("1"), adt("2", "||||||8859/1") + "NTE|1||M\xFCller\r",  // no UTF-8
                                          adt("3") + "NTE|1||" + std::string("a\0b\x01\x1B$B;3\x1B(B", 13) + "\r",
                                          adt("4") + "OBX|1|ED|||" + std::string(3'000'000, 'Q') + "\r"};
  {
    Listener listener(journal(), log());
    ASSERT_NE(listener.port(), 0) << listener.log();
    Sender sender(listener.port());
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(sender.ask(texts[i]), "AA|" + std::to_string(i + 1));
    EXPECT_EQ(listener.stop(), 0) << listener.log();
  }
  const auto entries = entries_of(journal());
  ASSERT_EQ(entries.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_TRUE(entries[i].bytes == texts[i]) << i;
  EXPECT_EQ(fs::status(journal()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(test::run({tool("manifest"), "check", journal().string()}, log()).exit, 0);

  Ids seen;
  hl7::Intake intake([&](hl7::Message&, const hl7::Origin& o) { seen.push_back(o.control_id); });
  intake.read({journal().string()});
  EXPECT_EQ(seen, (Ids{"1", "2", "3", "4"}));
  EXPECT_TRUE(intake.problems().empty());
}

TEST_F(Listen, EveryLineOfTheJournalIsOneThatThePublishedSchemaDescribes) {
  {
    Listener listener(journal(), log());
    Sender sender(listener.port());
    EXPECT_EQ(sender.ask(adt("1")), "AA|1");
    EXPECT_EQ(sender.ask(adt("2", "||||||8859/1") + "NTE|1||M\xFCller\r"), "AA|2");
    EXPECT_NE(sender.ask("MSH|^~\\&|no message at all"), "AA|");
    EXPECT_EQ(listener.stop(), 1) << listener.log();  // a message was refused
  }
  EXPECT_EQ(reasons().size(), 1U);
  EXPECT_EQ(against_schema(journal()), "");
}

TEST_F(Listen, AcknowledgesARepeatedMessageAgainAndKeepsItOnce) {
  Listener listener(journal(), log());
  {
    Sender sender(listener.port());
    EXPECT_EQ(sender.ask(adt("1")), "AA|1");
    EXPECT_EQ(sender.ask(adt("1")), "AA|1");
  }
  Sender other(listener.port());
  EXPECT_EQ(other.ask(adt("1")), "AA|1");
  EXPECT_EQ(other.ask(adt("1") + "NTE|1||other content\r"), "AA|1");  // no repetition, so nothing of it is lost
  EXPECT_EQ(listener.stop(), 0);
  EXPECT_EQ(ids_of(journal()), (Ids{"1", "1"}));
}

TEST_F(Listen, SendsCommitThenApplicationAcknowledgementInEnhancedMode) {
  Listener listener(journal(), log());
  Sender sender(listener.port());
  sender.send(framed(adt("1", "|||AL|AL")) + framed(adt("2", "|||NE|NE")) + framed(adt("3", "|||AL|NE")));
  const auto replies = sender.receive(3);
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(Sender::msa(replies[0]), "CA|1");
  EXPECT_EQ(Sender::msa(replies[1]), "AA|1");
  EXPECT_EQ(Sender::msa(replies[2]), "CA|3");
  listener.stop();
  EXPECT_EQ(ids_of(journal()), (Ids{"1", "2", "3"}));
}

TEST_F(Listen, TakesBytesOneByOneAndTwoMessagesInOnePacket) {
  Listener listener(journal(), log());
  Sender sender(listener.port());
  for (const char c : framed(adt("1"))) sender.send({&c, 1});
  EXPECT_EQ(sender.receive(1).size(), 1U);
  sender.send(framed(adt("2")) + framed(adt("3")));
  EXPECT_EQ(sender.receive(2).size(), 2U);
  sender.send(framed(adt("4")));
  sender.end();  // as nc does
  EXPECT_EQ(sender.receive(1).size(), 1U);
  EXPECT_TRUE(sender.closed());
  listener.stop();
  EXPECT_EQ(ids_of(journal()), (Ids{"1", "2", "3", "4"}));
}

TEST_F(Listen, RecordsWhatBreaksTheProtocolAndTakesTheMessagesAround) {
  Listener listener(journal(), log());
  {
    Sender sender(listener.port());
    sender.send("noise" + framed(adt("1")));
    EXPECT_EQ(Sender::msa(sender.receive(1).at(0)), "AA|1");
    sender.send(framed("no message") + framed(adt("2")));
    const auto replies = sender.receive(2);
    ASSERT_EQ(replies.size(), 2U);
    EXPECT_EQ(Sender::msa(replies[0]), "AR|");
    EXPECT_EQ(Sender::msa(replies[1]), "AA|2");
  }
  {
    Sender sender(listener.port());  // the end of message 3 is lost: 4 must not be answered in its place
    sender.send("\x0B" + adt("3") + framed(adt("4")));
    const auto replies = sender.receive(2);
    ASSERT_EQ(replies.size(), 1U);
    EXPECT_EQ(Sender::msa(replies[0]), "AR|3");
    EXPECT_TRUE(sender.closed());
  }
  {
    Sender sender(listener.port());
    sender.send("\x0B" + adt("5"));
    sender.end();
    EXPECT_EQ(Sender::msa(sender.receive(1).at(0)), "AR|5");
  }
  {
    Sender sender(listener.port());
    sender.send(std::string(100'000, 'g'));
    EXPECT_TRUE(sender.closed());
  }
  EXPECT_EQ(listener.stop(), 1) << listener.log();
  EXPECT_EQ(ids_of(journal()), (Ids{"1", "2"}));
  const auto all = reasons();
  ASSERT_EQ(all.size(), 5U);
  const std::multiset<std::string> sorted(all.begin(), all.end());
  EXPECT_EQ(sorted.count("none bytes outside any frame"), 2U);
  EXPECT_EQ(sorted.count("AR the next message began before the end of this one"), 1U);
  EXPECT_EQ(sorted.count("AR the connection ended before the end of the message"), 1U);
  EXPECT_EQ(listener.log().find("no message"), std::string::npos) << "content in the log";

  hl7::Intake intake([](hl7::Message&, const hl7::Origin&) {});
  intake.read({journal().string()});
  EXPECT_EQ(intake.counts().messages, 2U);
  EXPECT_EQ(intake.problems().size(), 5U);
}

TEST_F(Listen, RefusesAMessageAboveTheLimitAndTakesTheNext) {
  Listener listener(journal(), log(), {"--max-message", "1MB"});
  Sender sender(listener.port());
  const std::string large = "\x0B" + adt("1") + "OBX|1|ED|" + std::string(100'000'000, 'A') + "\x1C\r";
  ASSERT_TRUE(sender.send(large));
  EXPECT_EQ(Sender::msa(sender.receive(1).at(0)), "AR|1");
  EXPECT_EQ(sender.ask(adt("2")), "AA|2");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // a sanitizer has memory of its own
  const std::string status = slurp("/proc/" + std::to_string(listener.pid()) + "/status");
  EXPECT_LT(std::stoul(status.substr(status.find("VmHWM:") + 6)), 100'000U) << "KiB";
#endif
  EXPECT_EQ(listener.stop(), 1);
  EXPECT_EQ(ids_of(journal()), Ids{"2"});
  EXPECT_EQ(entries_of(journal())[0].size, large.size() - 3);
}

TEST_F(Listen, AMessageThatDoesNotEndIsRefusedInTimeAndAnIdleConnectionClosed) {
  Listener listener(journal(), log(), {"--message-time", "2", "--idle", "1"});
  Sender slow(listener.port()), idle(listener.port());
  slow.send("\x0B" + adt("1"));
  for (int i = 0; i < 30 && slow.send("x"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(idle.closed());
  const auto replies = slow.receive(1);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(Sender::msa(replies[0]), "AR|1");
  listener.stop();
  EXPECT_EQ(reasons(), Ids{"AR the message did not end within the time limit"});
}

TEST_F(Listen, TakesAnEndBlockWithoutCarriageReturn) {
  Listener listener(journal(), log());
  Sender sender(listener.port());
  sender.send("\x0B" + adt("1") + "\x1C");
  EXPECT_EQ(Sender::msa(sender.receive(1).at(0)), "AA|1");
}

TEST_F(Listen, ManyConnectionsAreServedAndOneTooManyTakesThePlaceOfTheIdlest) {
  Listener listener(journal(), log(), {"--connections", "20"});
  std::vector<std::unique_ptr<Sender>> senders;
  for (int i = 0; i < 20; ++i) {
    senders.push_back(std::make_unique<Sender>(listener.port()));
    EXPECT_EQ(senders.back()->ask(adt(std::to_string(i))), "AA|" + std::to_string(i));
  }
  Sender one_more(listener.port());
  EXPECT_EQ(one_more.ask(adt("20")), "AA|20");
  EXPECT_TRUE(senders[0]->closed());
  for (int i = 1; i < 20; ++i) senders[static_cast<std::size_t>(i)]->send(framed(adt(std::to_string(100 + i))));
  for (int i = 1; i < 20; ++i) EXPECT_EQ(senders[static_cast<std::size_t>(i)]->receive(1).size(), 1U);
  listener.stop();
  EXPECT_EQ(ids_of(journal()).size(), 40U);
}

TEST_F(Listen, ASignalTakesWhatIsWholeRecordsWhatIsNotAndClosesTheJournal) {
  Listener listener(journal(), log());
  Sender sender(listener.port());
  EXPECT_EQ(sender.ask(adt("1")), "AA|1");
  sender.send("\x0B" + adt("2"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(listener.stop(SIGINT), 1);
  EXPECT_EQ(reasons(), Ids{"AR the listener stopped before the end of the message"});
  manifest::Reader reader(journal());
  while (reader.next_line()) {
  }
  EXPECT_TRUE(reader.end());

  // A closed journal stays closed.
  EXPECT_EQ(test::run({tool("listen"), "--mllp", "0", "-o", journal().string()}, log()).exit, 2);
  EXPECT_NE(slurp(log()).find("was closed"), std::string::npos);
}

TEST_F(Listen, InAFolderEachStartMakesAJournalAndAKilledOneGoesOn) {
  fs::create_directory(folder_ / "d");
  const auto journals = [&] {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(folder_ / "d"))
      if (entry.path().extension() == ".wb") out.push_back(entry.path());
    return out;
  };
  for (const int signal : {SIGKILL, SIGTERM, SIGTERM}) {
    Listener listener(folder_ / "d", log());
    EXPECT_EQ(Sender(listener.port()).ask(adt(std::to_string(signal))), "AA|" + std::to_string(signal));
    listener.stop(signal);
    EXPECT_EQ(journals().size(), signal == SIGTERM && journals().size() == 2 ? 2U : 1U);
  }
  EXPECT_EQ(journals().size(), 2U);
  hl7::Intake intake([](hl7::Message&, const hl7::Origin&) {});
  intake.read({(folder_ / "d").string()});
  EXPECT_EQ(intake.counts().messages, 2U);  // killed and ended; the second ended run repeats the first
  EXPECT_EQ(intake.counts().duplicates, 1U);
  EXPECT_TRUE(intake.problems().empty());
}

TEST_F(Listen, SaysWhatIsWrongWithItsOptions) {
  const auto fails = [&](std::vector<std::string> more, const std::string& text) {
    std::vector<std::string> words{tool("listen"), "--mllp", "0", "-o", journal().string()};
    words.insert(words.end(), more.begin(), more.end());
    const auto ran = test::run(words, log());
    EXPECT_EQ(ran.exit, 2) << ran.text;
    EXPECT_NE(ran.text.find(text), std::string::npos) << ran.text;
  };
  fails({"--bind", "localhost"}, "no numeric address");
  fails({"--bind", "203.0.113.9"}, "cannot listen on 203.0.113.9");
  fails({"--tls-cert", "x"}, "belong together");
  fails({"--tls-ca", "x"}, "--tls-cert");
  fails({"--tls-cert", "/nowhere", "--tls-key", "/nowhere"}, "cannot be used");
  fails({"--max-message", "100MB"}, "--max-message");
  fails({"--processing", "X"}, "--processing");
}

TEST_F(Listen, RefusesToPromiseMoreConnectionsThanTheSystemAllows) {
  const auto ran = test::run(
      {"/bin/sh", "-c", "ulimit -n 40; exec \"$@\"", "sh", tool("listen"), "--mllp", "0", "-o", journal().string()},
      log());
  EXPECT_EQ(ran.exit, 2);
  EXPECT_NE(ran.text.find("ulimit -n"), std::string::npos) << ran.text;
  EXPECT_FALSE(fs::exists(journal()));
}

TEST_F(Listen, ReconcileReadsAJournalThatIsBeingWritten) {
  Listener listener(journal(), log());
  EXPECT_EQ(Sender(listener.port()).ask(adt("1")), "AA|1");
  EXPECT_EQ(ids_of(journal()), Ids{"1"});
  hl7::Intake intake([](hl7::Message&, const hl7::Origin&) {});
  ASSERT_TRUE(fs::exists(journal().string() + ".sync"));
  intake.read({folder_.path().string()});
  EXPECT_EQ(intake.counts().messages, 1U);
  for (const auto& problem : intake.problems())  // the log; not the journal's mark
    EXPECT_EQ(fs::path(problem.file).filename(), "log");
}

TEST_F(Listen, AnAlteredJournalIsAnIntegrityErrorAndAnotherManifestNoJournal) {
  {
    Listener listener(journal(), log());
    for (int i = 0; i < 5; ++i) (void)Sender(listener.port()).ask(adt(std::to_string(i)));
    listener.stop();
  }
  std::string bytes = slurp(journal());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(journal(), std::ios::binary | std::ios::trunc) << bytes;
  hl7::Intake intake([](hl7::Message&, const hl7::Origin&) {});
  EXPECT_THROW(intake.read({journal().string()}), RunError);

  make_archive(folder_, 1, 1);
  hl7::Intake other([](hl7::Message&, const hl7::Origin&) {});
  other.read({(folder_ / "scan.wb").string()});
  ASSERT_EQ(other.problems().size(), 1U);
  EXPECT_NE(other.problems()[0].reason.find("no journal"), std::string::npos);
}

}  // namespace
}  // namespace waybill
