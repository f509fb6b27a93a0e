// SPDX-License-Identifier: Apache-2.0
#include "hl7/intake.hpp"

#include "support/folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <tbb/global_control.h>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace waybill::hl7 {
namespace {

std::string adt(const std::string& id, const std::string& extra = "") {
  return "MSH|^~\\&|APP|FAC|||20240101120000||ADT^A08|" + id + "|P|2.5\rPID|1||77" + extra + "\r";
}

struct Reading {
  std::vector<std::string> ids;
  std::vector<std::string> places;
  IntakeCounts counts;
  std::vector<Problem> problems;
};

template <typename F>
Reading reading(const F& feed, std::size_t largest = Framer::kLargest) {
  Reading r;
  Intake intake(
      [&](Message&, const Origin& o) {
        r.ids.push_back(o.control_id);
        r.places.push_back(std::string(o.file.substr(o.file.rfind('/') + 1)) + ":" + std::to_string(o.offset));
      },
      largest);
  feed(intake);
  r.counts = intake.counts();
  r.problems = intake.problems();
  EXPECT_EQ(r.counts.pieces, r.counts.messages + r.counts.duplicates + r.counts.bad);
  return r;
}

Reading of_text(const std::string& text) {
  return reading([&](Intake& i) { i.read_bytes("t", text); });
}

class Hl7Files : public test::InFolder {
 protected:
  void write(const std::string& name, const std::string& bytes) { test::put(folder_ / name, bytes); }
  void shell(const std::string& command) {
    ASSERT_EQ(std::system(("cd '" + folder_.string() + "' && " + command).c_str()), 0) << command;
  }
  Reading all() {
    return reading([&](Intake& i) { i.read({folder_.string()}); });
  }
};

/// What parts are told, in the order in which they are kept.
class Told : public Intake::Part {
 public:
  explicit Told(std::string& all) : all_(all) {}
  void see(Message& m, const Origin& o) override {
    mine_ += o.control_id + " " + std::string(o.file.substr(o.file.rfind('/') + 1)) + ":" + std::to_string(o.offset) +
             " " + std::string(m.field("PID", 3)) + "\n";
  }
  void keep() override { all_ += mine_; }

 private:
  std::string& all_;
  std::string mine_;
};

TEST_F(Hl7Files, TellTheSameForAnyNumberOfThreads) {
  for (int file = 0; file < 3; ++file) {
    std::string text;
    for (int i = 0; i < 15000; ++i) {
      text += adt(i % 1000 == 7 ? "again" : std::to_string(file * 10000 + i), i % 50 == 0 ? "\xE4" : "");
      if (i % 4000 == 9) text += "MSH|^^\rPID|1\r";  // no message
    }
    write("part" + std::to_string(file), "stray\r" + text);
  }
  write("zempty", "nothing here");
  const auto told = [&](std::size_t threads) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    std::string all;
    Intake intake([&] { return std::make_unique<Told>(all); });
    intake.read({folder_.string()});
    for (const auto& p : intake.problems())
      all += p.file + ":" + std::to_string(p.offset) + " " + p.reason + " " + std::to_string(p.times) + "\n";
    const IntakeCounts& c = intake.counts();
    EXPECT_EQ(c.pieces, c.messages + c.duplicates + c.bad);
    return all + std::to_string(c.messages) + " " + std::to_string(c.reused_ids) + " " + intake.digest().hex();
  };
  const std::string one = told(1);
  EXPECT_GT(one.size(), 500000U);
  for (const std::size_t threads : {2U, 3U, 8U}) EXPECT_EQ(told(threads) == one, true) << threads;
}

TEST_F(Hl7Files, ReadsFoldersOfSingleMessagesInOrderOfNames) {
  write("b/2.hl7", adt("2"));
  write("a/1.hl7", adt("1"));
  write("c.hl7", adt("3") + adt("4"));

  const Reading r = all();

  EXPECT_EQ(r.ids, (std::vector<std::string>{"1", "2", "3", "4"}));
  EXPECT_EQ(r.places[3], "c.hl7:" + std::to_string(adt("3").size()));
  EXPECT_EQ(r.counts.files, 3U);
  EXPECT_TRUE(r.problems.empty());
}

TEST_F(Hl7Files, ReadsCompressedFilesAndMembersOfContainersLikePlainOnes) {
  std::string many;
  for (int i = 0; i < 20000; ++i) many += adt(std::to_string(i));
  write("plain.hl7", many);
  shell("gzip -k plain.hl7 && zstd -q plain.hl7 -o plain.hl7.zst && xz -k plain.hl7 && rm plain.hl7");
  write("x/one.hl7", adt("one"));
  shell("tar cf t.tar x && tar czf t.tar.gz x && (cd x && zip -q ../t.zip one.hl7) && rm -r x");

  const Reading r = all();

  EXPECT_EQ(r.counts.messages, 20001U);
  EXPECT_EQ(r.counts.duplicates, 2 * 20000U + 2);
  EXPECT_EQ(r.counts.files, 6U);
  EXPECT_TRUE(r.problems.empty());
}

TEST_F(Hl7Files, ADamagedCompressedFileGivesWhatCameBeforeTheDamage) {
  std::string many;
  for (int i = 0; i < 20000; ++i) many += adt(std::to_string(i * 7919));
  write("p.hl7", many);
  shell("gzip p.hl7 && truncate -s -2000 p.hl7.gz");

  const Reading r = all();

  EXPECT_GT(r.counts.messages, 1000U);
  ASSERT_FALSE(r.problems.empty());
  EXPECT_NE(r.problems.back().reason.find("damaged"), std::string::npos);
}

TEST_F(Hl7Files, NamesEmptyFilesAndFilesOfOtherKinds) {
  write("1.empty", "");
  write("2.txt", "Dear colleague,\nplease find attached\n");

  const Reading r = all();

  ASSERT_EQ(r.problems.size(), 3U);
  EXPECT_EQ(r.problems[0].reason, "the file holds no HL7 message");
  EXPECT_NE(r.problems[1].reason.find("belong to no message"), std::string::npos);
}

TEST(Hl7Intake, ABadMessageIsOneProblemWithItsPlaceAndTheRunGoesOn) {
  const Reading r = of_text(adt("1") + "MSH|&&&&|A|B\rPID|1||secret\r" + adt("2"));

  EXPECT_EQ(r.ids, (std::vector<std::string>{"1", "2"}));
  ASSERT_EQ(r.problems.size(), 1U);
  EXPECT_EQ(r.problems[0].offset, adt("1").size());
  EXPECT_TRUE(r.problems[0].lost);
  EXPECT_EQ(r.problems[0].reason.find("secret"), std::string::npos);
}

TEST(Hl7Intake, GivesARepeatedMessageOnceAndKeepsAnotherOneWithItsControlId) {
  const Reading r = of_text(adt("1") + adt("1") + "\r\n" + adt("1", "8") + adt("2"));

  EXPECT_EQ(r.ids, (std::vector<std::string>{"1", "1", "2"}));
  EXPECT_EQ(r.counts.duplicates, 1U);
  EXPECT_EQ(r.counts.reused_ids, 1U);
  ASSERT_EQ(r.problems.size(), 1U);
  EXPECT_FALSE(r.problems[0].lost);
}

TEST(Hl7Intake, CountsOneRemarkAFileNotOneAMessage) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "MSH|^~\\&|A|B|||||ADT^A08|" + std::to_string(i) + "|P|2.5\rPID|1\r";
  const Reading r = of_text(text);

  ASSERT_EQ(r.problems.size(), 1U);
  EXPECT_EQ(r.problems[0].times, 100U);
  EXPECT_EQ(r.counts.untimed, 100U);
}

TEST(Hl7Intake, ReadsUtf16) {
  for (const bool big : {false, true}) {
    std::string wide = big ? "\xFE\xFF" : "\xFF\xFE";
    for (const char c : adt("1") + adt("2")) {
      if (big) wide += '\0';
      wide += c;
      if (!big) wide += '\0';
    }
    EXPECT_EQ(of_text(wide).ids, (std::vector<std::string>{"1", "2"})) << big;
  }
}

TEST(Hl7Intake, AReportOfSixMegabytesInACaptureKeepsEveryCharacterAndTheMergeBehindItIsRead) {
  std::string document;
  while (document.size() < (std::size_t{6} << 20U)) document += "JVBERi0xLjQKJcfs" + std::to_string(document.size());
  const std::string report =
      "MSH|^~\\&|APP|FAC|||20240101120000||ORU^R01|1|P|2.5\rPID|1||77\rOBX|1|ED|PDF||^application^pdf^Base64^" +
      document + "\r";
  const std::string merge = "MSH|^~\\&|APP|FAC|||20240101120001||ADT^A40|2|P|2.5\rPID|1||78\rMRG|77\r";
  const auto framed = [](const std::string& m) { return '\x0B' + m + "\x1C\r"; };
  std::string held, prior;
  Intake intake([&](Message& m, const Origin&) {
    if (const auto obx = m.find("OBX")) held = std::string(m.component(m.field(*obx, 5), 5));
    if (const auto mrg = m.find("MRG")) prior = std::string(m.field(*mrg, 1));
  });
  intake.read_bytes("capture", framed(report) + framed(merge));
  EXPECT_EQ(intake.counts().messages, 2U);
  EXPECT_TRUE(intake.problems().empty());
  EXPECT_TRUE(held == document) << held.size();
  EXPECT_EQ(prior, "77");
}

TEST(Hl7Intake, AMessageAboveTheLimitIsAProblem) {
  const Reading r = reading([&](Intake& i) { i.read_bytes("t", adt("1", std::string(5000, 'x')) + adt("2")); }, 1000);
  EXPECT_EQ(r.ids, std::vector<std::string>{"2"});
  EXPECT_EQ(r.counts.bad, 1U);
}

TEST(Hl7Intake, AMessageThatIsCutWithinALineIsNamedAndNotRead) {
  const std::string capture = "\x0B" + adt("1") + "\x1C\r\x0B" + adt("2", "4711").substr(0, adt("2").size()) + "\x0B" +
                              adt("3") + "\x1C\r" + "\x0B" + adt("4");
  const Reading r = of_text(capture);

  EXPECT_EQ(r.ids, (std::vector<std::string>{"1", "3", "4"}));
  ASSERT_EQ(r.problems.size(), 2U);
  EXPECT_EQ(r.problems[0].offset, capture.find("MSH", 10));
  EXPECT_NE(r.problems[0].reason.find("the message is cut"), std::string::npos);
  EXPECT_FALSE(r.problems[1].lost);
  EXPECT_NE(r.problems[1].reason.find("does not end (0x1C)"), std::string::npos);
}

TEST_F(Hl7Files, TheMessageInWhichADamagedFileEndsIsNotRead) {
  std::string many;
  for (int i = 0; i < 20000; ++i) many += adt(std::to_string(i), std::to_string(i * 7919 % 100003));
  write("a.hl7", many);
  shell("gzip -1 a.hl7 && truncate -s 60000 a.hl7.gz");
  std::vector<std::string> last;
  Intake intake([&](Message& m, const Origin&) { last.emplace_back(m.field("PID", 3)); });
  intake.read({folder_.string()});

  ASSERT_GT(last.size(), 100U);
  for (std::size_t i = 0; i < last.size(); ++i) EXPECT_EQ(last[i], "77" + std::to_string(i * 7919 % 100003));
  ASSERT_EQ(intake.problems().size(), 2U);
  EXPECT_NE(intake.problems()[0].reason.find("the message is cut"), std::string::npos);
  EXPECT_NE(intake.problems()[1].reason.find("the file is damaged"), std::string::npos);
}

TEST_F(Hl7Files, ReadsContainersWithinContainers) {
  write("y/d1.hl7", adt("1"));
  write("y/d2.hl7", adt("2"));
  shell(
      "cd y && gzip d1.hl7 && zip -q d2.zip d2.hl7 && rm d2.hl7 && cd .. && tar cf year.tar y/d1.hl7.gz y/d2.zip && rm "
      "-r y");

  const Reading r = all();

  EXPECT_EQ(r.ids, (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(r.problems.empty());
}

TEST(Hl7Intake, ReadsWideTextOfEveryKind) {
  const auto wide = [](const std::string& text, std::size_t unit, bool big) {
    std::string out;
    for (const char c : text) out += big ? std::string(unit - 1, '\0') + c : c + std::string(unit - 1, '\0');
    return out;
  };
  for (const std::size_t unit : {2U, 4U})
    for (const bool big : {false, true})
      EXPECT_EQ(of_text(wide("\r\n" + adt("1") + adt("2"), unit, big)).ids, (std::vector<std::string>{"1", "2"}))
          << unit << big;
  EXPECT_EQ(of_text("\xFF\xFE" + std::string(2, '\0') + wide(adt("1"), 4, false)).ids, std::vector<std::string>{"1"});
}

TEST_F(Hl7Files, APipeThatIsNamedIsReadAndOneInAFolderIsNot) {
  write("before.hl7", adt("1"));
  write("folder/x.hl7", adt("3"));
  const std::string named = (folder_ / "named").string(), hidden = (folder_ / "folder/pipe").string();
  ASSERT_EQ(::mkfifo(named.c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo(hidden.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(named) << adt("2"); });
  const Reading r = reading([&](Intake& i) {
    i.read({(folder_ / "before.hl7").string(), named, (folder_ / "folder").string()});
  });
  writer.join();

  EXPECT_EQ(r.ids, (std::vector<std::string>{"1", "2", "3"}));
  ASSERT_EQ(r.problems.size(), 1U);
  EXPECT_NE(r.problems[0].reason.find("it is no file"), std::string::npos);
}

TEST(Hl7Intake, AMessageWhoseLineEndsAreWrittenAsTextIsNotTakenForAShortOne) {
  for (const std::string end : {"\\r", "&#13;", "<CR>", " "}) {
    Intake intake([](Message&, const Origin&) { ADD_FAILURE(); });
    intake.read_bytes("t", "MSH|^~\\&|A|B|||20240101||ADT^A40|1|P|2.5" + end + "PID|1||77" + end + "MRG|78\r\n");
    EXPECT_EQ(intake.counts().bad, 1U) << end;
    ASSERT_EQ(intake.problems().size(), 1U);
    EXPECT_NE(intake.problems()[0].reason.find("one line"), std::string::npos);
  }
  std::size_t seen = 0;
  Intake intake([&](Message&, const Origin&) { ++seen; });
  intake.read_bytes("t", "MSH|^~\\&|PID|RAPID|||20240101||NMD^N02|1|P|2.5\r");
  EXPECT_EQ(seen, 1U) << "an application of that name";
}

}  // namespace
}  // namespace waybill::hl7
