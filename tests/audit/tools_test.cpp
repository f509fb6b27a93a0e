// SPDX-License-Identifier: Apache-2.0
// What the tools record on a migration: to a file, and to a real collector.
#include "support.hpp"
#include "support/simpacs.hpp"

#include <algorithm>
#include <regex>
#include <set>

namespace waybill::audit {
namespace {

namespace fs = std::filesystem;
using test::contains;

class AuditTools : public testing::Test {
 protected:
  void SetUp() override {
    // Study 1.2.1 holds two patients, study 1.2.2 one; of each patient's four objects one will be refused.
    for (int i = 0; i < 12; ++i) {
      const std::string study = i < 8 ? "1.2.1" : "1.2.2";
      std::string bytes =
          test::small_object(study, study + ".1", study + ".1." + std::to_string(i + 1), static_cast<std::uint16_t>(i));
      if (i % 2 == 1 && i < 8) {
        replace(bytes, "TEST^ONE", "ELSE^TWO");
        replace(bytes, "T1", "T2");
      }
      fs::create_directories(folder_ / "in");
      std::ofstream(folder_ / ("in/" + std::to_string(i)), std::ios::binary) << bytes;
    }
  }
  static void replace(std::string& bytes, const std::string& from, const std::string& to) {
    bytes.replace(bytes.find(from), from.size(), to);
  }
  /// Runs a tool with its messages to audit.log; gives them.
  std::vector<Received> run(const std::string& command, int exit) {
    fs::remove(folder_ / "audit.log");
    const test::Ran ran = test::run({"/bin/bash", "-c",
                                     "cd " + folder_.path().string() + "; WAYBILL_AUDIT=file://" +
                                         (folder_ / "audit.log").string() + " " + command},
                                    folder_ / "log");
    EXPECT_EQ(ran.exit, exit) << ran.text;
    std::vector<Received> out;
    std::istringstream in(test::slurp(folder_ / "audit.log"));
    for (std::string line; std::getline(in, line);) {
      auto message = from_syslog(line);
      EXPECT_TRUE(message) << line;
      if (message) out.push_back(*std::move(message));
    }
    for (const Received& one : out) EXPECT_EQ(test::fault_of(one.xml), "") << one.xml;
    EXPECT_GE(out.size(), 2U);
    if (!out.empty()) {
      EXPECT_TRUE(contains(out.front().xml, "csd-code=\"110120\""));
      EXPECT_TRUE(contains(out.back().xml, "csd-code=\"110121\""));
      EXPECT_TRUE(contains(out.back().xml, std::to_string(out.size()) + " audit messages in this run, 0 lost"));
    }
    return out;
  }
  static std::vector<std::string> of(const std::vector<Received>& all, const std::string& event) {
    std::vector<std::string> out;
    for (const Received& one : all) {
      if (contains(one.xml, "<EventID csd-code=\"" + event + "\"")) out.push_back(one.xml);
    }
    return out;
  }
  static std::size_t count(const std::vector<std::string>& all, const std::string& part) {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const std::string& xml) { return contains(xml, part); }));
  }
  /// Takes the scan's doubts about the study of two patients away, so that it is loaded.
  void settle() {
    manifest::Header header;
    std::vector<manifest::Object> objects;
    {
      manifest::Reader reader(folder_ / "scan.wb");
      header = reader.header();
      while (auto record = reader.next()) {
        if (auto* object = std::get_if<manifest::Object>(&*record)) objects.push_back(std::move(*object));
      }
    }
    manifest::Writer writer(folder_ / "scan.wb", header, manifest::Restart::yes);
    for (manifest::Object& object : objects) {
      object.findings.clear();
      writer.append_record(object);
    }
    writer.finish("{}");
  }
  std::string scan() { return test::tool("scan") + " in -o scan.wb --quiet"; }

  test::TempFolder folder_;
};

TEST_F(AuditTools, AScanTellsOfEveryStudyReadAndOfAMediumAsAnImport) {
  const auto read = of(run(scan(), 1), "110103");
  EXPECT_EQ(read.size(), 2U);
  EXPECT_EQ(count(read, "EventActionCode=\"R\""), 2U);
  const auto all = run(scan() + " --restart --audit-media CD-4711", 1);
  const auto imported = of(all, "110107");
  ASSERT_EQ(imported.size(), 1U);
  for (const char* part : {"csd-code=\"110155\"", "UserID=\"CD-4711\"", "EventActionCode=\"C\"", "1.2.1", "1.2.2"})
    EXPECT_TRUE(contains(imported[0], part)) << part;
  EXPECT_TRUE(of(all, "110103").empty());
}

TEST_F(AuditTools, ALoadBeginsAndEndsEachTransferWithOnePatientAndTwoMessagesForAMixedOutcome) {
  (void)run(scan(), 1);
  settle();
  test::SimPacs pacs("[[rule]]\non=\"store\"\nstatus=0xC000\ninstance=[\"1.2.1.1.1\",\"1.2.1.1.2\",\"1.2.2.1.9\"]\n");
  const auto all = run(test::tool("load") + " scan.wb --to " + pacs.url() + " -o load.wb --quiet", 1);
  const auto begun = of(all, "110102"), ended = of(all, "110104");
  EXPECT_EQ(begun.size(), 3U);  // two patients of the first study, one of the second
  EXPECT_EQ(ended.size(), 6U);
  for (const auto& messages : {begun, ended}) {
    for (const std::string& xml : messages)
      EXPECT_NE(contains(xml, "\"T1\""), contains(xml, "\"T2\"")) << "one patient a message: " << xml;
  }
  EXPECT_EQ(count(ended, "EventOutcomeIndicator=\"0\""), 3U);
  EXPECT_EQ(count(ended, "EventOutcomeIndicator=\"4\""), 3U);
  EXPECT_EQ(count(ended, "NumberOfInstances=\"3\""), 3U);
  EXPECT_EQ(count(ended, "NumberOfInstances=\"1\""), 3U);
  EXPECT_EQ(count(begun, "AETITLES=SIMPACS"), 3U);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i].envelope.sequence, i + 1);

  const auto checked =
      run(test::tool("verify") + " load.wb --against " + pacs.url() + " --level content -o verify.wb --quiet", 1);
  EXPECT_EQ(of(checked, "110112").size(), 2U);  // a query a study
  EXPECT_EQ(count(of(checked, "110104"), "EventOutcomeIndicator=\"0\""), 3U);
}

TEST_F(AuditTools, APeerThatRejectsUsAndBytesThatChangedAreSecurityAlerts) {
  (void)run(scan(), 1);
  test::SimPacs pacs("[node]\ncalling=[\"SOMEBODY\"]\n");
  const auto rejected =
      of(run(test::tool("load") + " scan.wb --to " + pacs.url() + " -o load.wb --quiet", 4), "110113");
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_TRUE(contains(rejected[0], "csd-code=\"110126\""));
  EXPECT_TRUE(contains(rejected[0], "EventOutcomeIndicator=\"8\""));
  std::string manifest = test::slurp(folder_ / "scan.wb");
  manifest[manifest.size() / 2] = static_cast<char>(manifest[manifest.size() / 2] ^ 1);
  std::ofstream(folder_ / "scan.wb", std::ios::binary) << manifest;
  EXPECT_EQ(of(run(test::tool("pack") + " scan.wb -o backup --quiet", 5), "110113").size(), 1U);
}

TEST_F(AuditTools, ABackupIsAnExportAndItsRestoreAnImport) {
  (void)run(scan(), 1);
  const auto exported = of(run(test::tool("pack") + " scan.wb -o backup --quiet", 1), "110106");
  ASSERT_EQ(exported.size(), 1U);
  EXPECT_TRUE(contains(exported[0], "csd-code=\"110154\""));
  EXPECT_EQ(of(run(test::tool("unpack") + " backup --to out --quiet", 0), "110107").size(), 1U);
  EXPECT_TRUE(of(run(test::tool("unpack") + " backup --check --quiet", 0), "110107").empty());
}

TEST_F(AuditTools, RecordsOfPatientsThatLeaveAreAnExportWithTheirStudiesAndPlace) {
  (void)run(scan(), 1);
  const std::string manifest = test::tool("manifest") + " ";
  const auto leaves = [&](const std::string& command, const std::string& medium, int exit = 0) {
    const auto exported = of(run(command, exit), "110106");
    ASSERT_EQ(exported.size(), 1U) << command;
    for (const std::string& part :
         {std::string("csd-code=\"110154\""), std::string("EventActionCode=\"R\""), "UserID=\"" + medium + "\"",
          std::string("ParticipantObjectID=\"1.2.1\""), std::string("ParticipantObjectID=\"1.2.2\"")})
      EXPECT_TRUE(contains(exported[0], part)) << command << part << exported[0];
  };
  leaves(manifest + "export scan.wb --csv objects.csv", "objects.csv");
  leaves(manifest + "export scan.wb --studies -", "standard output");
  leaves(manifest + "export scan.wb --inventory inventory.dcm", "inventory.dcm");
  leaves(manifest + "filter scan.wb --study 1.2.1 1.2.2 --csv some.csv", "some.csv");
  leaves(manifest + "diff scan.wb scan.wb --csv changes.csv", "changes.csv");
  leaves(test::tool("report") + " scan.wb --package evidence", "evidence", 1);
  leaves(test::tool("report") + " scan.wb --lookup who.csv", "who.csv", 1);
  leaves(test::tool("report") + " scan.wb --show-phi --html open.html", "open.html", 1);
  EXPECT_TRUE(of(run(test::tool("report") + " scan.wb --html report.html --csv report.csv", 1), "110106").empty())
      << "patients are hashes there";
  EXPECT_EQ(of(run(manifest + "export scan.wb --csv a.csv --studies b.csv", 0), "110106").size(), 2U);
  (void)run(manifest + "export - --csv unknown.csv <scan.wb", 2);
  EXPECT_FALSE(fs::exists(folder_ / "unknown.csv")) << "nobody would learn whose records left";
}

TEST_F(AuditTools, AProofOfOneStudyIsAnExportOfThatStudyAndItsCheckIsNone) {
  (void)run(scan(), 1);
  const std::string manifest = test::tool("manifest") + " ";
  (void)run(manifest + "keygen -o key && head -c 32 /dev/urandom >secret && chmod 600 secret", 0);
  (void)run(manifest + "sign scan.wb --key key --secret secret", 0);
  const auto exported = of(run(manifest + "prove 1.2.2 scan.wb --secret secret -o proof.json", 0), "110106");
  ASSERT_EQ(exported.size(), 1U);
  EXPECT_TRUE(contains(exported[0], "UserID=\"proof.json\"")) << exported[0];
  EXPECT_TRUE(contains(exported[0], "ParticipantObjectID=\"1.2.2\"")) << exported[0];
  EXPECT_FALSE(contains(exported[0], "\"1.2.1\"")) << exported[0];
  EXPECT_TRUE(of(run(manifest + "prove --check proof.json --key key.pub", 0), "110106").empty());
}

TEST_F(AuditTools, EveryEventThatThePageNamesComesToARealCollectorAndIsValid) {
  test::Collector collector(folder_ / "rsyslog");
  collector.start();
  test::SimPacs pacs, strict("[node]\ncalling=[\"SOMEBODY\"]\n");
  std::ofstream(folder_ / "exams.csv")
      << "PATIENT_ID,LAST,FIRST,DOB,SEX,ACCESSION,MODALITY,STUDY_DATE,STATUS,STUDY_UID\n"
         "T1,TEST,ONE,19700203,F,ACC9,OT,20200304,F,1.2.2\n";
  std::ofstream(folder_ / "decided.csv") << "STUDY_UID,DECISION,DECIDED_BY,SECOND_PERSON\n1.2.2,ACC9,Reed,Waters\n";
  std::string script = "cd " + folder_.path().string() + "; export " + collector.environment_words(folder_ / "spool");
  const auto then = [&](const std::string& name, const std::string& words) {
    script += "; " + test::tool(name) + " " + words + " --quiet";
  };
  then("scan", "in --deep -o scan.wb --audit-media CD-4711");
  then("scan", "in --deep -o read.wb");
  then("reconcile", "read.wb --ris exams.csv --decisions decided.csv -o reconcile.wb");
  then("transcode", "read.wb --to rle --out staged -o transcode.wb --edits reconcile.wb --unmatched stage");
  then("load", "transcode.wb --to " + pacs.url() + " -o load.wb");
  then("verify", "load.wb --against " + pacs.url() + " --level content -o verify.wb");
  then("load", "transcode.wb --to " + strict.url() + " -o rejected.wb");
  then("pack", "read.wb -o backup");
  then("unpack", "backup --to restored");
  script += "; head -c 300 scan.wb >cut.wb; tail -c +302 scan.wb >>cut.wb; " + test::tool("manifest") +
            " check cut.wb; " + test::tool("audit") + " check " + collector.file().string();
  const test::Ran ran = test::run({"/bin/bash", "-c", script}, folder_ / "log");
  const auto all = collector.received(44);
  std::set<std::string> came;
  for (const Received& one : all) {
    EXPECT_EQ(test::fault_of(one.xml), "") << one.xml;
    std::smatch id;
    if (std::regex_search(one.xml, id, std::regex("<EventID csd-code=\"([0-9]+)\""))) came.insert(id[1]);
  }
  const std::string page = test::slurp(fs::path(test::environment("WAYBILL_SOURCE")) / "docs/audit.md");
  const std::string table =
      page.substr(page.find("| event |"), page.find("\n\n", page.find("| event |")) - page.find("| event |"));
  std::set<std::string> promised;
  const std::regex code("1101[0-9]{2} ");
  for (std::sregex_iterator at(table.begin(), table.end(), code), end; at != end; ++at)
    promised.insert(at->str().substr(0, 6));
  EXPECT_GE(promised.size(), 11U) << table;
  for (const std::string& event : promised)
    EXPECT_TRUE(came.contains(event)) << event << " was not recorded\n" << ran.text;
  for (const std::string& event : came) EXPECT_TRUE(promised.contains(event)) << event << " is not in docs/audit.md";
  for (const char* part : {"csd-code=\"110126\"", "csd-code=\"integrity\"", "UserID=\"CD-4711\"", "csd-code=\"110155\"",
                           "csd-code=\"110154\"", "csd-code=\"110152\"", "EventActionCode=\"U\""}) {
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const Received& one) { return contains(one.xml, part); }))
        << part;
  }
}

TEST_F(AuditTools, ARunWhoseCollectorIsAwayIsNotHeldUpAndTheNextOneDelivers) {
  test::Collector collector(folder_ / "rsyslog");
  const auto run_with = [&](const std::string& command) {
    return test::run(
        {"/bin/bash", "-c",
         "cd " + folder_.path().string() + "; " + collector.environment_words(folder_ / "spool") + command},
        folder_ / "log");
  };
  const test::Ran away = run_with(scan());
  EXPECT_EQ(away.exit, 1) << away.text;
  EXPECT_TRUE(contains(away.text, "4 messages wait in")) << away.text;
  EXPECT_FALSE(contains(away.text, "TEST^ONE")) << "no name in what is said";
  collector.start();
  const test::Ran flushed = run_with(test::tool("audit") + " flush");
  EXPECT_EQ(flushed.exit, 0) << flushed.text;
  EXPECT_EQ(collector.received(4).size(), 4U);
  const test::Ran checked = run_with(test::tool("audit") + " check " + collector.file().string());
  EXPECT_EQ(checked.exit, 0) << checked.text;
  EXPECT_TRUE(contains(checked.text, "messages\t4")) << checked.text;
  const auto used = collector.received(7);  // start, log used, stop
  ASSERT_EQ(used.size(), 7U);
  EXPECT_TRUE(contains(used[5].xml, "csd-code=\"110101\""));
}

}  // namespace
}  // namespace waybill::audit
