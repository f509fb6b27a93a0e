// SPDX-License-Identifier: Apache-2.0
// The real chain: objects are scanned, corrected, loaded into an Orthanc, and then the RIS changes its mind.
#include "manifest/reader.hpp"
#include "support/peer.hpp"
#include "support/schema.hpp"

#include <memory>
#include <set>

namespace waybill {
namespace {

using namespace test;
using dicom::tag;

struct Patient {
  std::string id, name, birth_date;
};

std::string image(const std::string& study, int number, const Patient& patient, const std::string& accession) {
  const std::string uid = study + ".1." + std::to_string(number);
  DicomBuilder b;
  b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", uid);
  b.text(tag(0x0008, 0x0020), "DA", "20240105").text(tag(0x0008, 0x0050), "SH", accession);
  b.text(tag(0x0008, 0x0060), "CS", "CT").text(tag(0x0010, 0x0010), "PN", patient.name);
  b.text(tag(0x0010, 0x0020), "LO", patient.id).text(tag(0x0010, 0x0030), "DA", patient.birth_date);
  b.text(tag(0x0010, 0x0040), "CS", "F").text(tag(0x0020, 0x000D), "UI", study);
  b.text(tag(0x0020, 0x000E), "UI", study + ".1").text(tag(0x0020, 0x0013), "IS", std::to_string(number));
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  b.u16(tag(0x0028, 0x0010), 2).u16(tag(0x0028, 0x0011), 2).u16(tag(0x0028, 0x0100), 16);
  b.u16(tag(0x0028, 0x0101), 16).u16(tag(0x0028, 0x0102), 15).u16(tag(0x0028, 0x0103), 0);
  b.words(tag(0x7FE0, 0x0010), {1, 2, 3, static_cast<std::uint16_t>(number)});
  return DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", uid);
}

std::string adt(const std::string& trigger, const std::string& time, const Patient& patient,
                const std::string& prior = "") {
  return "MSH|^~\\&|A|B|||" + time + "||ADT^" + trigger + "|" + time + "|P|2.5\rPID|1||" + patient.id + "||" +
         patient.name + "||" + patient.birth_date + "|F\r" + (prior.empty() ? "" : "MRG|" + prior + "\r");
}

const Patient kAnna{"P1", "ABEL^ANNA", "19700203"}, kBerta{"P2", "BAUM^BERTA", "19800304"},
    kClara{"P3", "CORD^CLARA", "19601112"};

class Corrections : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "a");
    add("1.2.1", 2, kAnna, "A1");
    add("1.2.2", 2, kBerta, "A2");
    add("1.2.3", 1, kClara, "A3");
    run({"scan", "a", "-o", "scan.wb"}, 1);  // the archive is small and bare: findings
  }
  void add(const std::string& study, int images, const Patient& patient, const std::string& accession) {
    for (int i = 1; i <= images; ++i)
      put("a/" + study + "." + std::to_string(i) + ".dcm", image(study, i, patient, accession));
  }
  void put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  std::string run(std::vector<std::string> words, int most = 0) {
    words[0] = tool(words[0]);
    std::string line = "cd '" + folder_.path().string() + "' && exec";
    for (const auto& word : words) line += " '" + word + "'";
    const auto ran = test::run({"/bin/bash", "-c", line}, folder_ / "log");
    EXPECT_LE(ran.exit, most) << line << "\n" << ran.text;
    return ran.text;
  }
  void load() { run({"load", "scan.wb", "--to", orthanc_->url(), "-o", "load.wb"}, 1); }
  void load_with_edits(const std::string& rows) {
    put("exams.csv", "PATIENT_ID,LAST,FIRST,DOB,SEX,ACCESSION,MODALITY,STUDY_DATE,STATUS\n" + rows);
    run({"reconcile", "scan.wb", "--ris", "exams.csv", "-o", "reconcile.wb"}, 1);
    run({"transcode", "scan.wb", "--to", "keep", "--edits", "reconcile.wb", "--out", "staged", "-o", "transcode.wb"},
        1);
    run({"load", "transcode.wb", "--to", orthanc_->url(), "-o", "load.wb"}, 1);
  }

  struct Found {
    std::set<std::string> objects;               ///< SOP Instance UIDs of the object records
    std::map<std::string, std::string> changes;  ///< of each correction: "tag before>after "
    std::map<std::string, manifest::Study> studies;
  };
  Found corrections(std::vector<std::string> words, int most = 0) {
    words.insert(words.begin(), {"reconcile", "scan.wb", "--loaded", "load.wb", "-o", "corrections.wb", "--exceptions",
                                 "list.csv", "--restart"});
    run(words, most);
    Found found;
    manifest::Reader reader(folder_ / "corrections.wb");
    while (auto record = reader.next()) {
      if (const auto* object = std::get_if<manifest::Object>(&*record)) found.objects.insert(*object->sop_instance);
      if (const auto* study = std::get_if<manifest::Study>(&*record)) found.studies[study->study] = *study;
      if (const auto* other = std::get_if<manifest::Other>(&*record)) {
        EXPECT_EQ(other->kind, "correction");
        const auto text = [&](std::string_view name, std::size_t from) {
          const std::string key = "\"" + std::string(name) + "\":\"";
          const std::size_t at = other->json.find(key, from);
          const std::size_t begin = at + key.size();
          return at == std::string::npos ? std::string()
                                         : other->json.substr(begin, other->json.find('"', begin) - begin);
        };
        auto& changes = found.changes[text("sop_instance", 0)];
        for (std::size_t at = other->json.find("\"tag\""); at != std::string::npos;
             at = other->json.find("\"tag\"", at + 1))
          changes += text("tag", at) + " " + text("before", at) + ">" + text("after", at) + " ";
      }
    }
    EXPECT_TRUE(reader.end());
    EXPECT_EQ(against_schema(folder_ / "corrections.wb"), "");
    return found;
  }

  // One for all tests: each loads the same objects again, which changes nothing there.
  static void SetUpTestSuite() { orthanc_ = std::make_unique<Orthanc>(); }
  static void TearDownTestSuite() { orthanc_.reset(); }

  TempFolder folder_;
  inline static std::unique_ptr<Orthanc> orthanc_;
};

TEST_F(Corrections, AMergeAfterTheLoadGivesExactlyTheObjectsOfTheDeadNumber) {
  load();
  put("a40.hl7", adt("A40", "20260101", {"P9", "ABEL^ANNA", "19700203"}, "P1"));
  const Found found = corrections({"--hl7", "a40.hl7"});
  EXPECT_EQ(found.objects, (std::set<std::string>{"1.2.1.1.1", "1.2.1.1.2"}));
  EXPECT_EQ(found.changes.at("1.2.1.1.1"), "0010,0020 P1>P9 ");
  EXPECT_EQ(found.changes.size(), 2U);
  EXPECT_EQ(found.studies.size(), 1U);

  // Transcode takes the file as input and as edits, and the written objects say the new number.
  run({"transcode", "corrections.wb", "--edits", "corrections.wb", "--to", "keep", "--out", "again", "-o", "again.wb"});
  const auto objects = objects_of(folder_ / "again.wb");
  ASSERT_EQ(objects.size(), 2U);
  for (const auto& [uid, object] : objects) {
    const auto dumped = test::run({"dcmdump", "+P", "0010,0020", object.transcode->path}, folder_ / "dump");
    EXPECT_NE(dumped.text.find("[P9]"), std::string::npos) << dumped.text;
  }
}

TEST_F(Corrections, NothingNewGivesNothing) {
  load();
  put("old.hl7", adt("A08", "20260101", kAnna) + adt("A40", "20260102", {"X9", "OTHER^ONE", "19500101"}, "X1") +
                     adt("A08", "20260103", kBerta));
  const Found found = corrections({"--hl7", "old.hl7"});
  EXPECT_TRUE(found.objects.empty());
  EXPECT_TRUE(found.studies.empty());
}

TEST_F(Corrections, AnUpdateChangesTheNameOnlyWhereThePatientHadTheOldOne) {
  load();
  put("a08.hl7", adt("A08", "20250101", kAnna) + adt("A08", "20260101", {"P1", "MARRIED^ANNA", "19700203"}) +
                     adt("A08", "20260101", {"P2", "SOMEBODY^ELSE", "19800304"}));
  const Found found = corrections({"--hl7", "a08.hl7"}, 1);
  EXPECT_EQ(found.objects, (std::set<std::string>{"1.2.1.1.1", "1.2.1.1.2"}));
  EXPECT_EQ(found.changes.at("1.2.1.1.2"), "0010,0010 ABEL^ANNA>MARRIED^ANNA ");
  ASSERT_EQ(found.studies.count("1.2.2"), 1U);
  EXPECT_EQ(found.studies.at("1.2.2").decision, "review");
  EXPECT_EQ(found.studies.at("1.2.2").vetoes, std::vector<std::string>{"name-never-told"});
  EXPECT_NE(slurp(folder_ / "list.csv").find("1.2.2"), std::string::npos);
}

TEST_F(Corrections, ADisputedNumberIsLeftToAPerson) {
  load();
  put("two.hl7", adt("A40", "20260101", {"P8", "ABEL^ANNA", "19700203"}, "P1") +
                     adt("A40", "20260102", {"P9", "ABEL^ANNA", "19700203"}, "P1"));
  const Found found = corrections({"--hl7", "two.hl7"}, 1);
  EXPECT_TRUE(found.objects.empty());
  ASSERT_EQ(found.studies.size(), 1U);
  EXPECT_EQ(found.studies.at("1.2.1").decision, "review");
}

TEST_F(Corrections, WhatWasEditedBeforeTheLoadIsComparedAsItIsThere) {
  load_with_edits(
      "P1,ABEL,ANNA-MARIA,19700203,F,A1,CT,20240105,COMPLETED\n"
      "P2,BAUM,BERTA,19800304,F,A2,CT,20240105,COMPLETED\n"
      "P3,CORD,CLARA,19601112,F,A3,CT,20240105,COMPLETED\n");
  const std::vector<std::string> same{"--ris", "exams.csv"};
  EXPECT_TRUE(corrections(same, 1).objects.empty()) << "the same exams, nothing new";

  put("a40.hl7", adt("A40", "20260101", {"P9", "ABEL^ANNA-MARIA", "19700203"}, "P1"));
  const Found found = corrections({"--ris", "exams.csv", "--hl7", "a40.hl7"}, 1);
  EXPECT_EQ(found.objects, (std::set<std::string>{"1.2.1.1.1", "1.2.1.1.2"}));
  EXPECT_EQ(found.changes.at("1.2.1.1.1"), "0010,0020 P1>P9 ") << "the name was corrected before";
  // The study's edits begin at the source, which transcode reads: the earlier correction is not lost.
  std::map<std::string, std::string> edits;
  for (const auto& e : found.studies.at("1.2.1").edits) edits[e.tag] = e.old_value + ">" + e.new_value;
  EXPECT_EQ(edits,
            (std::map<std::string, std::string>{{"0010,0010", "ABEL^ANNA>ABEL^ANNA-MARIA"}, {"0010,0020", "P1>P9"}}));
  // The messages alone say the same: the exam is not needed to follow a merge.
  EXPECT_EQ(corrections({"--hl7", "a40.hl7"}, 1).objects, found.objects);
}

TEST_F(Corrections, ARepeatedRoundFindsNothingOnceTheCorrectionIsLoaded) {
  load();
  put("a40.hl7", adt("A40", "20260101", {"P9", "ABEL^ANNA", "19700203"}, "P1"));
  EXPECT_EQ(corrections({"--hl7", "a40.hl7"}).objects.size(), 2U);
  run({"transcode", "corrections.wb", "--edits", "corrections.wb", "--to", "keep", "--out", "again", "-o", "again.wb"});
  run({"load", "again.wb", "--to", orthanc_->url(), "-o", "again-load.wb"}, 1);
  fs::rename(folder_ / "corrections.wb", folder_ / "first.wb");
  EXPECT_TRUE(corrections({"--loaded", "again-load.wb", "--applied", "first.wb", "--hl7", "a40.hl7"}).objects.empty());
}

TEST_F(Corrections, SaysWhatIsMissing) {
  load_with_edits("P1,ABEL,ANNA-MARIA,19700203,F,A1,CT,20240105,COMPLETED\n");
  put("a40.hl7", adt("A40", "20260101", {"P9", "ABEL^ANNA", "19700203"}, "P1"));
  fs::create_directory(folder_ / "elsewhere");
  fs::rename(folder_ / "reconcile.wb", folder_ / "elsewhere" / "r.wb");
  const std::vector<std::string> words{"reconcile", "scan.wb", "--loaded", "load.wb", "--hl7", "a40.hl7", "-o", "c.wb"};
  EXPECT_NE(run(words, 2).find("name it and that of transcode with --applied"), std::string::npos);
  auto with = words;
  with.insert(with.end(), {"--applied", "elsewhere/r.wb"});
  EXPECT_EQ(run(with, 1).find("--applied"), std::string::npos);
  EXPECT_NE(run({"reconcile", "scan.wb", "--loaded", "scan.wb", "--hl7", "a40.hl7", "-o", "d.wb"}, 2)
                .find("--loaded takes manifests of load"),
            std::string::npos);
}

}  // namespace
}  // namespace waybill
