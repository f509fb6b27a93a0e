// SPDX-License-Identifier: Apache-2.0
#include "reconcile/run.hpp"

#include "core/clock.hpp"
#include "core/result.hpp"
#include "manifest/reader.hpp"
#include "match/csv.hpp"
#include "support/exits.hpp"
#include "support/schema.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <tbb/global_control.h>
#include <fstream>
#include <sstream>

namespace waybill::reconcile {
namespace {

namespace fs = std::filesystem;
using test::exit_of;

const std::string kColumns = "PATIENT_ID,LAST,FIRST,DOB,SEX,ACCESSION,MODALITY,STUDY_DATE,STATUS\n";

class Reconcile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("waybill-reconcile-" + random_uuid());
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void object(const std::string& study, const std::string& patient, const std::string& name,
              const std::string& accession, manifest::Bucket bucket = manifest::Bucket::instance) {
    manifest::Object o;
    o.source.path = "/archive/" + std::to_string(objects_.size());
    o.source.size = 10;
    o.id = manifest::object_id(o.source);
    o.bucket = bucket;
    if (!study.empty()) o.study = study;
    o.series = study + ".1";
    o.patient_id = patient;
    o.patient_name = name;
    o.birth_date = "19700203";
    o.sex = "F";
    o.accession = accession;
    o.study_date = "20200304";
    o.modality = "CT";
    objects_.push_back(o);
  }

  /// Writes scan.wb and exams.csv and returns the options for them.
  Options prepare(const std::string& rows, bool complete = true) {
    manifest::Header header;
    header.stage = "scan";
    header.run = random_uuid();
    header.tool = "waybill";
    header.created = utc_now();
    {
      manifest::Writer writer(folder_ / "scan.wb", header, manifest::Restart::yes);
      for (const auto& o : objects_) writer.append_record(o);
      if (complete) writer.finish("{}");
    }
    std::ofstream(folder_ / "exams.csv") << kColumns << rows;
    Options options;
    options.scan = folder_ / "scan.wb";
    options.ris = folder_ / "exams.csv";
    options.output = folder_ / "reconcile.wb";
    options.exceptions = folder_ / "exceptions.csv";
    return options;
  }

  std::vector<std::string> lines(const std::string& name) const {
    manifest::Reader reader(folder_ / name);
    std::vector<std::string> out;
    while (const auto line = reader.next_line()) out.emplace_back(*line);
    EXPECT_TRUE(reader.end().has_value());
    return out;
  }

  std::string text(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(folder_ / name, std::ios::binary).rdbuf();
    return out.str();
  }

  std::vector<std::vector<std::string>> table(const std::string& name) const {
    match::CsvReader reader(text(name));
    std::vector<std::vector<std::string>> rows;
    for (match::CsvRow row; reader.next(row);) rows.push_back(row.cells);
    return rows;
  }

  fs::path folder_;
  std::vector<manifest::Object> objects_;
};

TEST_F(Reconcile, WritesAStudyRecordWithItsEdits) {
  object("1.2.3", "P1", "Muller^Anna", "A1");
  object("1.2.3", "P1", "Muller^Anna", "A1");
  const auto summary = run(prepare("P1,Müller,Anna,19700203,F,A1,CT,20200304,COMPLETED\n"));
  EXPECT_EQ(summary.matched, 1U);
  EXPECT_EQ(summary.exceptions(), 0U);
  manifest::Reader reader(folder_ / "reconcile.wb");
  EXPECT_EQ(reader.header().stage, "reconcile");
  EXPECT_NE(reader.header().options.find("rule_set"), std::string::npos);
  ASSERT_EQ(reader.header().inputs.size(), 2U);
  EXPECT_EQ(reader.header().inputs[0].head, manifest::input_of(folder_ / "scan.wb").head);
  const auto record = reader.next();
  ASSERT_TRUE(record.has_value());
  const auto& study = std::get<manifest::Study>(*record);
  EXPECT_EQ(study.study, "1.2.3");
  EXPECT_EQ(study.rule, "R1");
  EXPECT_EQ(study.decision, "auto");
  EXPECT_EQ(study.exam, "A1");
  EXPECT_EQ(study.instances, 2U);
  ASSERT_EQ(study.edits.size(), 1U);
  EXPECT_EQ(study.edits[0].tag, "0010,0010");
  EXPECT_EQ(study.edits[0].new_value, "Müller^Anna");
  EXPECT_FALSE(reader.next().has_value());
}

TEST_F(Reconcile, TheLedgersCloseOverEverything) {
  object("1.2.3", "P1", "Adler^Anna", "A1");
  object("1.2.4", "P2", "Becker^Anna", "NOWHERE");
  object("1.2.5", "P3", "Costa^Anna", "A3");
  object("1.2.5", "P4", "Dubois^Anna", "A3");  // two patients
  object("", "P5", "Eriksen^Anna", "A5");      // no study
  object("1.2.6", "P6", "Gruber^Anna", "A6", manifest::Bucket::duplicate_identical);
  const auto s =
      run(prepare("P1,Adler,Anna,19700203,F,A1,CT,20200304,\n"
                  "P3,Costa,Anna,19700203,F,A3,CT,20200304,\n"
                  "P8,Huber,Anna,19700203,F,A8,CT,20200304,COMPLETED\n"
                  "P9,Huber,Anna,19700203,F,A9,CT,20200304,CANCELLED\n"
                  "P9,Huber,Anna,once,F,A10,CT,20200304,\n"));
  EXPECT_EQ(s.objects, 6U);
  EXPECT_EQ(s.instances, 5U);
  EXPECT_EQ(s.instances_without_study, 1U);
  EXPECT_EQ(s.studies, 3U);
  EXPECT_EQ(s.matched, 1U);
  EXPECT_EQ(s.review, 1U);
  EXPECT_EQ(s.unmatched, 1U);
  EXPECT_EQ(s.exams, 4U);
  EXPECT_EQ(s.exams_matched, 1U);
  EXPECT_EQ(s.exams_review, 1U);
  EXPECT_EQ(s.exams_no_images, 1U);
  EXPECT_EQ(s.exams_cancelled, 1U);
  EXPECT_EQ(s.bad_rows, 1U);
  const auto written = lines("reconcile.wb");
  ASSERT_EQ(written.size(), 5U);
  EXPECT_NE(written[2].find("\"two-patients\""), std::string::npos);
  EXPECT_NE(written[3].find("\"kind\":\"proposal\""), std::string::npos);
  EXPECT_NE(written[3].find("\"rank\":1,\"exam\":\"A3\""), std::string::npos);
  EXPECT_NE(written[4].find("\"kind\":\"exam\",\"exam\":\"A8\""), std::string::npos);
  EXPECT_NE(written[4].find("[\"D01\"]"), std::string::npos);
  const auto rows = table("exceptions.csv");
  ASSERT_EQ(rows.size(), 1 + s.exceptions());
  EXPECT_EQ(rows[1][1], "review");  // the possible wrong patient comes first
  EXPECT_EQ(rows[1][2], "1.2.5");
  EXPECT_EQ(rows[2][1], "unmatched");
  EXPECT_EQ(rows[3][1], "exam-without-images");
  EXPECT_EQ(rows[4][1], "bad-row");
  EXPECT_EQ(rows[4].back(), "6");
  EXPECT_EQ(rows[5][1], "object-without-study");
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows[0].size());
}

TEST_F(Reconcile, DecidesAndWritesTheSameForAnyNumberOfThreads) {
  std::string rows, messages;
  for (int n = 0; n < 6000; ++n) {
    const std::string id = "P" + std::to_string(1000 + n / 3), accession = "A" + std::to_string(50000 + 7 * n);
    object("1.2." + std::to_string(n), n % 40 == 0 ? "Q" + id : id, "Adler^Anna" + std::string(n % 3, 'x'),
           n % 15 == 0 ? "" : accession);
    rows += id + ",Adler,Anna,19700203,F," + accession + ",CT,20200304,\n";
    if (n % 100 == 0)
      messages += "MSH|^~\\&|A|B|||2020||ADT^A40|" + std::to_string(n) + "|P|2.5\rPID|1||" + id + "\rMRG|Q" + id + "\r";
  }
  auto options = prepare(rows);
  std::ofstream(folder_ / "feed.hl7") << messages;
  options.hl7 = {(folder_ / "feed.hl7").string()};
  const auto written = [&](std::size_t threads) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    options.output = folder_ / (std::to_string(threads) + ".wb");
    options.exceptions = folder_ / (std::to_string(threads) + ".csv");
    std::string out = to_json(run(options));
    manifest::Reader reader(options.output);
    while (const auto record = reader.next()) {
      if (const auto* study = std::get_if<manifest::Study>(&*record)) out += manifest::to_json(*study) + "\n";
      if (const auto* other = std::get_if<manifest::Other>(&*record)) out += other->json + "\n";
    }
    std::ostringstream list;
    list << std::ifstream(options.exceptions).rdbuf();
    return out + list.str();
  };
  const std::string one = written(1);
  EXPECT_GT(one.size(), 1000000U);
  EXPECT_TRUE(written(2) == one);
  EXPECT_TRUE(written(5) == one);
}

TEST_F(Reconcile, HostileNamesDoNotRunInASpreadsheet) {
  for (const std::string start : {"=", "+", "-", "@"})
    object("1.2." + std::to_string(objects_.size() + 1), start + "1", start + "HYPERLINK(\"x\")^A", start + "2");
  run(prepare(""));
  const std::string csv = text("exceptions.csv");
  for (const std::string start : {"=", "+", "-", "@"}) {
    EXPECT_NE(csv.find("\"'" + start + "HYPERLINK(\"\"x\"\")^A\""), std::string::npos) << csv;
    EXPECT_EQ(csv.find("," + start), std::string::npos);
    EXPECT_EQ(csv.find("\"" + start), std::string::npos);
  }
}

TEST_F(Reconcile, TheExceptionsAreForTheirOwnerOnly) {
  object("1.2.4", "P2", "Becker^Anna", "NOWHERE");
  run(prepare(""));
  struct stat info {};
  ASSERT_EQ(stat((folder_ / "exceptions.csv").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(Reconcile, ADryRunWritesNothingAndCountsTheSame) {
  object("1.2.3", "OLD", "Adler^Anna", "");
  object("1.2.4", "P2", "Becker^Anna", "NOWHERE");
  auto options = prepare("OLD,Adler,Anna,19700203,F,A1,CT,20200304,\n");
  options.approve = {"R5"};
  options.dry_run = true;
  const auto dry = run(options);
  EXPECT_FALSE(fs::exists(options.output));
  EXPECT_FALSE(fs::exists(options.exceptions));
  EXPECT_EQ(dry.attributes.at("0008,0050").before, 0U);
  EXPECT_EQ(dry.attributes.at("0008,0050").after, 1U);
  EXPECT_EQ(dry.rules.at("R5").matched, 1U);
  EXPECT_EQ(dry.rules.at("R5").edited.studies, 1U);
  EXPECT_EQ(dry.rules.at("R5").edits.at("0008,0050").objects, 1U);
  EXPECT_EQ(dry.attributes.at("0008,0050").changes.at("missing").studies, 1U);
  const std::string told = to_text(dry) + to_json(dry);
  for (const char* value : {"Adler", "19700203", "OLD", "A1"}) EXPECT_EQ(told.find(value), std::string::npos) << value;
  options.dry_run = false;
  auto wet = run(options);
  wet.dry_run = true;
  EXPECT_EQ(to_json(wet), to_json(dry));
}

TEST_F(Reconcile, ASecondRunLeavesTheCompleteOutputAsItIs) {
  object("1.2.3", "P1", "Adler^Anna", "A1");
  const auto options = prepare("P1,Adler,Anna,19700203,F,A1,CT,20200304,\n");
  EXPECT_FALSE(run(options).already_complete);
  const std::string before = text("reconcile.wb");
  EXPECT_TRUE(run(options).already_complete);
  EXPECT_EQ(text("reconcile.wb"), before);
}

TEST_F(Reconcile, OtherApprovalsDoNotContinueAnOutput) {
  object("1.2.3", "P1", "Adler^Anna", "A1");
  auto options = prepare("P1,Adler,Anna,19700203,F,A1,CT,20200304,\n");
  run(options);
  options.approve = {"R5"};
  EXPECT_THROW(run(options), RunError);
  options.restart = manifest::Restart::yes;
  EXPECT_FALSE(run(options).already_complete);
}

TEST_F(Reconcile, AnIncompleteScanIsRefused) {
  object("1.2.3", "P1", "Adler^Anna", "A1");
  const auto options = prepare("P1,Adler,Anna,19700203,F,A1,CT,20200304,\n", false);
  try {
    run(options);
    FAIL() << "an interrupted scan was accepted";
  } catch (const RunError& error) {
    EXPECT_EQ(error.exit(), Exit::input);
  }
  EXPECT_FALSE(fs::exists(options.output));
}

TEST_F(Reconcile, OnlyR5CanBeApproved) {
  auto options = prepare("");
  options.approve = {"R4"};
  try {
    run(options);
    FAIL() << "R4 was approved";
  } catch (const RunError& error) {
    EXPECT_EQ(error.exit(), Exit::usage);
  }
}

TEST_F(Reconcile, ContradictionsOfMatchedStudiesAreListed) {
  object("1.2.3", "P1", "Adler^Anna", "A1");
  const auto s = run(prepare("P1,Adler,Anna,19881124,F,A1,CT,20200304,\n"));
  EXPECT_EQ(s.matched, 1U);
  EXPECT_EQ(s.conflicts, 1U);
  EXPECT_EQ(s.attributes.at("0010,0030").left, 1U);
  const auto rows = table("exceptions.csv");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1][1], "conflict");
}

TEST_F(Reconcile, SiteRulesBringNumbersTogetherAndStandInTheHeader) {
  object("1.2.3", "MRN-17", "Adler^Anna", "A1");
  auto options = prepare("0017,Adler,Anna,19700203,F,A1,CT,20200304,\n");
  EXPECT_EQ(run(options).matched, 0U);
  const std::string before = manifest::Reader(folder_ / "reconcile.wb").header().options;
  std::ofstream(folder_ / "rules.toml") << "[[issuer]]\nname = \"*\"\nstrip_prefix = [\"MRN-\"]\nwidth = 4\n";
  options.rules = folder_ / "rules.toml";
  EXPECT_EQ(exit_of([&] { run(options); }), Exit::usage) << "other rules do not continue an output";
  options.restart = manifest::Restart::yes;
  EXPECT_EQ(run(options).matched, 1U);
  manifest::Reader reader(folder_ / "reconcile.wb");
  EXPECT_NE(reader.header().options, before);
  const auto record = reader.next();
  const auto& edits = std::get<manifest::Study>(record.value()).edits;
  ASSERT_EQ(edits.size(), 1U);
  EXPECT_EQ(edits[0].new_value, "0017") << "the RIS's own form is written";
}

TEST_F(Reconcile, TheTableIsReadByTheMapWhichStandsInTheHeader) {
  object("1.2.3", "P1", "Adler^Anna", "A1");
  auto options = prepare("");
  std::ofstream(folder_ / "exams.csv") << "MRN;Name;Acc;Extra\nP1;Adler, Anna;A1;x\n";
  std::ofstream(folder_ / "map.toml")
      << "[columns]\nPATIENT_ID = \"MRN\"\nNAME = \"Name\"\nACCESSION = \"Acc\"\n[control]\nrows = 1\n";
  options.map = folder_ / "map.toml";
  const auto summary = run(options);
  EXPECT_EQ(summary.matched, 1U);
  EXPECT_TRUE(summary.ris_control);
  const auto inputs = manifest::Reader(folder_ / "reconcile.wb").header().inputs;
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_EQ(inputs[2].name, "map.toml");
}

TEST_F(Reconcile, ATableThatIsNotWhatWasPromisedEndsTheRunBeforeAnythingIsWritten) {
  object("1.2.3", "P1", "Adler^Anna", "A1");
  auto options = prepare("P1,Adler,Anna,19700203,F,A1,CT,20200304,\n");
  std::ofstream(folder_ / "totals.toml") << "rows = 2\n";
  options.control = folder_ / "totals.toml";
  EXPECT_EQ(exit_of([&] { run(options); }), Exit::input);
  EXPECT_FALSE(fs::exists(options.output));
  EXPECT_FALSE(fs::exists(options.exceptions));
  std::ofstream(folder_ / "totals.toml") << "row = 2\n";
  EXPECT_EQ(exit_of([&] { run(options); }), Exit::usage);
}

TEST_F(Reconcile, ADatabaseNeedsAQueryAndAQueryADatabase) {
  auto options = prepare("");
  options.query = folder_ / "q.sql";
  EXPECT_EQ(exit_of([&] { run(options); }), Exit::usage);
  options.query.clear();
  options.ris = "postgresql://reader@/nowhere";
  EXPECT_EQ(exit_of([&] { run(options); }), Exit::usage);
  options.query = folder_ / "none.sql";
  EXPECT_EQ(exit_of([&] { run(options); }), Exit::usage);
  std::ofstream(folder_ / "none.sql") << "SELECT 1";
  options.ris = "postgresql://reader@/nowhere?host=" + folder_.string();
  EXPECT_EQ(exit_of([&] { run(options); }), Exit::peer);
}

TEST_F(Reconcile, TheWorklistIsForItsOwnerAndNoNameCanEndItsData) {
  object("1.2.4", "P2", "</script><script>alert(1)</script>", "NOWHERE");
  auto options = prepare("");
  options.worklist = folder_ / "list.html";
  run(options);
  struct stat info {};
  ASSERT_EQ(stat(options.worklist.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const std::string html = text("list.html");
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_NE(html.find("\\u003cscript>alert(1)\\u003c/script>"), std::string::npos);
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

TEST_F(Reconcile, WhatIsWrongWithAnAnsweredStudyStandsInItsRecord) {
  object("1.2.3", "P1", "Adler^Anna", "A100X");
  auto options = prepare("P1,Adler,Anna,19700203,F,A100,CT,20200310,\n");
  run(options);
  EXPECT_NE(lines("reconcile.wb")[0].find(R"("decision":"review","vetoes":[],"discrepancies":["D08","D11"])"),
            std::string::npos)
      << lines("reconcile.wb")[0];
  std::ofstream(folder_ / "decided.csv") << "STUDY_UID,DECISION,DECIDED_BY\n1.2.3,none,Reed\n";
  options.decisions = folder_ / "decided.csv";
  options.restart = manifest::Restart::yes;
  EXPECT_EQ(run(options).discrepancies, (std::map<std::string, std::uint64_t>{{"D01", 1}, {"D02", 1}}));
  EXPECT_NE(lines("reconcile.wb")[0].find(R"("discrepancies":["D02"])"), std::string::npos) << lines("reconcile.wb")[0];
}

TEST_F(Reconcile, EveryLineIsOneThatThePublishedSchemaDescribes) {
  object("1.2.3", "P1", "Adler^Anna", "A1");
  object("1.2.4", "P2", "Baum^Berta", "A2X");
  object("1.2.5", "P3", "Cord^Clara", "A3X");
  auto options = prepare(
      "P1,Adler,Anna,19700203,F,A1,CT,20200304,\nP2,Baum,Berta,19700203,F,A2,CT,20200304,\n"
      "P3,Cord,Clara,19700203,F,A3,CT,20200304,\nP4,Dorn,Dora,19700203,F,A4,CT,20200304,\n");
  std::ofstream(folder_ / "decided.csv")
      << "STUDY_UID,DECISION,DECIDED_BY,SECOND_PERSON,REMARK\n1.2.4,A2,Reed,Waters,typing error\n"
         "1.2.5,A1,Reed,Waters,\n";
  options.decisions = folder_ / "decided.csv";
  run(options);
  std::string all;
  for (const auto& line : lines("reconcile.wb")) all += line + "\n";
  for (const char* kind : {"study", "proposal", "decision", "exam"})
    EXPECT_NE(all.find("{\"kind\":\"" + std::string(kind) + "\""), std::string::npos) << kind << "\n" << all;
  EXPECT_NE(all.find(R"("refused":"another study has this exam"})"), std::string::npos) << all;
  EXPECT_EQ(test::against_schema(folder_ / "reconcile.wb"), "");
}

TEST_F(Reconcile, PeoplesAnswersThatScatterAPatientRaiseAnAlarmThatStandsFirst) {
  object("1.2.3", "OLD", "Adler^Anna", "X1");
  object("1.2.4", "OLD", "Adler^Anna", "X2");
  auto options = prepare("P1,Adler,Anna,19700203,F,A1,CT,20200304,\nP2,Adler,Anne,19700203,F,A2,CT,20200304,\n");
  std::ofstream(folder_ / "decided.csv")
      << "STUDY_UID,DECISION,DECIDED_BY,SECOND_PERSON\n1.2.3,A1,Reed,Waters\n1.2.4,A2,Reed,Waters\n";
  options.decisions = folder_ / "decided.csv";
  const auto summary = run(options);
  EXPECT_EQ(summary.person, 2U);
  EXPECT_EQ(summary.alarms, 1U);
  EXPECT_EQ(summary.exceptions(), 1U);
  const auto rows = table("exceptions.csv");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1][1], "patient-scattered");
  EXPECT_EQ(rows[1][2], "1.2.3 1.2.4");
}

}  // namespace
}  // namespace waybill::reconcile
