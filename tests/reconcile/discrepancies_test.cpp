// SPDX-License-Identifier: Apache-2.0
// Each discrepancy and veto that objects, table or messages can raise, with the case beside it that must not raise it.
#include "manifest/reader.hpp"
#include "manifest/writer.hpp"
#include "reconcile/run.hpp"
#include "reconcile/signs.hpp"
#include "support/folder.hpp"

#include <functional>

namespace waybill::reconcile {
namespace {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

const std::string kColumns =
    "PATIENT_ID,ISSUER,LAST,FIRST,DOB,SEX,ACCESSION,MODALITY,STUDY_DATE,STATUS,DEATH_DATE,VIP,REPORTED\n";
const std::string kExam = "P1,H,WATERS,JANE,19700203,F,A1,CT,20200304,COMPLETED";

Object object() {
  Object o;
  o.source.path = "/archive/1";
  o.source.size = 10;
  o.study = "1.2.3";
  o.series = "1.2.3.1";
  o.patient_id = "P1";
  o.issuer = "H";
  o.patient_name = "WATERS^JANE";
  o.birth_date = "19700203";
  o.sex = "F";
  o.accession = "A1";
  o.study_date = "20200304";
  o.modality = "CT";
  return o;
}

std::string adt(const std::string& rest_of_pid, const std::string& more) {
  return "MSH|^~\\&|A|B|||20250101||ADT^A08|1|P|2.5\rPID|1||P1^^^H||WATERS^JANE||19700203|F" + rest_of_pid + "\r" +
         more;
}

class Discrepancies : public test::InFolder {
 protected:
  struct Got {
    manifest::Study study;
    std::string decision;
    std::vector<std::string> exams;  ///< exam records
    bool has(const std::string& code) const {
      const auto in = [&](const auto& list) { return std::find(list.begin(), list.end(), code) != list.end(); };
      return in(study.discrepancies) || in(study.vetoes);
    }
  };
  /// Reconciles the first study of these objects with the rows and messages.
  Got of(std::vector<Object> objects, const std::string& rows, const std::string& hl7 = "") {
    manifest::Header header;
    header.stage = "scan";
    {
      manifest::Writer writer(folder_ / "scan.wb", header, manifest::Restart::yes);
      for (std::size_t i = 0; i < objects.size(); ++i) {
        objects[i].source.path += std::to_string(i);
        objects[i].id = manifest::object_id(objects[i].source);
        writer.append_record(objects[i]);
      }
      writer.finish("{}");
    }
    test::put(folder_ / "exams.csv", kColumns + rows);
    Options options;
    options.scan = folder_ / "scan.wb";
    options.ris = folder_ / "exams.csv";
    options.output = folder_ / "out.wb";
    options.restart = manifest::Restart::yes;
    if (!hl7.empty()) {
      test::put(folder_ / "m.hl7", hl7);
      options.hl7 = {(folder_ / "m.hl7").string()};
    }
    (void)run(options);
    Got got;
    bool first = true;
    manifest::Reader reader(folder_ / "out.wb");
    while (auto record = reader.next()) {
      auto* study = std::get_if<manifest::Study>(&*record);
      if (study != nullptr && std::exchange(first, false)) got.study = std::move(*study);
      const auto* other = std::get_if<manifest::Other>(&*record);
      if (other != nullptr && other->kind == "exam") got.exams.push_back(other->json);
    }
    got.decision = got.study.decision.value_or("");
    return got;
  }
};

TEST_F(Discrepancies, ASoundStudyHasNone) {
  const Got got = of({object()}, kExam + ",,,\n");
  EXPECT_EQ(got.decision, "auto");
  EXPECT_TRUE(got.study.discrepancies.empty());
  EXPECT_TRUE(got.study.vetoes.empty());
}

struct Sign {
  const char* code;
  std::function<void(Object&)> spoil;  ///< of a second object of the study
  std::function<void(Object&)> twin;   ///< nearly the same, without being it
};

void finding(Object& o, const char* code, Severity severity) { o.findings.push_back({code, severity, {}, "x"}); }

TEST_F(Discrepancies, WhatObjectsShowByThemselvesIsSaidOfTheirStudy) {
  const std::vector<Sign> signs = {
      {"D22", [](Object& o) { o.rejection = "113001"; }, [](Object&) {}},
      {"D22", [](Object& o) { finding(o, "REJECTED-113037", Severity::s2), o.bucket = Bucket::excluded; },
       [](Object& o) { o.bucket = Bucket::excluded; }},
      {"D23", [](Object& o) { finding(o, "CS-MISSING8", Severity::s2); },
       [](Object& o) { finding(o, "CS-BADTERM", Severity::s1); }},
      {"D25", [](Object& o) { o.bucket = Bucket::duplicate_identical; }, [](Object&) {}},
      {"D25", [](Object& o) { o.bucket = Bucket::duplicate_conflict; },
       [](Object& o) { o.bucket = Bucket::non_instance; }},
      {"D26", [](Object& o) { finding(o, "PIX-TRUNC", Severity::s3), o.bucket = Bucket::quarantined; },
       [](Object& o) { finding(o, "PIX-RESCALE", Severity::s0); }},
      {"D26", [](Object& o) { finding(o, "ENC-UNPARSED", Severity::s4), o.bucket = Bucket::quarantined; },
       [](Object& o) { finding(o, "UID-SYNTAX", Severity::s3), o.bucket = Bucket::quarantined; }},
      {"legal-hold", [](Object& o) { finding(o, "KO-LEGALHOLD", Severity::s1); },
       [](Object& o) { finding(o, "VAL-RETIRED", Severity::s0); }},
      {"D28", [](Object& o) { finding(o, "PRIV-ANNOT", Severity::s3); },
       [](Object& o) { finding(o, "SOP-PRIVATE", Severity::s2); }},
      {"D29", [](Object& o) { o.rejection = "113039"; }, [](Object& o) { o.rejection = "113038"; }},
  };
  for (const auto& sign : signs) {
    Object spoilt = object(), twin = object();
    sign.spoil(spoilt);
    sign.twin(twin);
    EXPECT_TRUE(of({object(), spoilt}, kExam + ",,,\n").has(sign.code)) << sign.code;
    EXPECT_TRUE(of({spoilt, object()}, kExam + ",,,\n").has(sign.code)) << sign.code << ", met before the instance";
    EXPECT_FALSE(of({object(), twin}, kExam + ",,,\n").has(sign.code)) << sign.code;
    spoilt.study = "1.2.9";
    EXPECT_FALSE(of({object(), spoilt}, kExam + ",,,\n").has(sign.code)) << sign.code << " of another study";
  }
}

TEST_F(Discrepancies, ReportsWithoutImagesAndImagesWithoutReport) {
  const std::string other = "P2,H,STONE,ALMA,19800101,F,A9,CT,20200305,COMPLETED";
  Got got = of({object()}, kExam + ",,,R77\n" + other + ",,,Y\n");
  EXPECT_FALSE(got.has("D18"));
  ASSERT_EQ(got.exams.size(), 1U);
  EXPECT_NE(got.exams[0].find(R"("discrepancies":["D01","D17"])"), std::string::npos) << got.exams[0];

  got = of({object()}, kExam + ",,,N\n" + other + ",,,Y\n");
  EXPECT_TRUE(got.has("D18"));
  EXPECT_EQ(got.decision, "auto");

  got = of({object()}, kExam + ",,,\n" + other + ",,,\n");  // nothing tells of reports at all
  EXPECT_FALSE(got.has("D18"));
  EXPECT_NE(got.exams[0].find(R"("discrepancies":["D01"])"), std::string::npos) << got.exams[0];

  const std::string oru =
      "MSH|^~\\&|A|B|||20250101||ORU^R01|1|P|2.5\rPID|1||P1^^^H||WATERS^JANE||19700203|F\r"
      "OBR|1|PL|A1|CT^CT|||20200304|||||||||||A1||||||CT|F\rOBX|1|TX|R||fine||||||F\r";
  EXPECT_FALSE(of({object()}, kExam + ",,,\n", oru).has("D18"));
}

TEST_F(Discrepancies, ACancelledExamWithImages) {
  const std::string cancelled = "P1,H,WATERS,JANE,19700203,F,A1,CT,20200304,CANCELLED,,,\n";
  const Got got = of({object()}, cancelled);
  EXPECT_TRUE(got.has("D19"));
  EXPECT_EQ(got.decision, "review");
  EXPECT_FALSE(of({object()}, kExam + ",,,\n").has("D19"));
}

TEST_F(Discrepancies, AStudyOfAnIssuerUnknownToTheRisIsFromOutside) {
  Object outside = object();
  outside.issuer = "ELSEWHERE";
  EXPECT_TRUE(of({outside}, kExam + ",,,\n").has("D20"));
  outside.issuer = "";
  EXPECT_FALSE(of({outside}, kExam + ",,,\n").has("D20"));
  outside.issuer = "h";
  EXPECT_FALSE(of({outside}, kExam + ",,,\n").has("D20"));
}

TEST_F(Discrepancies, AnIssuerIsMissingOnlyWhereThereAreSeveral) {
  Object bare = object();
  bare.issuer = "";
  EXPECT_TRUE(of({bare}, kExam + ",,,\nP2,K,STONE,ALMA,19800101,F,A9,CT,20200305,COMPLETED,,,\n").has("D24"));
  EXPECT_FALSE(of({bare}, kExam + ",,,\n").has("D24"));
}

TEST_F(Discrepancies, NothingIsDecidedAloneForAStudyAfterDeath) {
  Got got = of({object()}, kExam + ",20200301,,\n");
  EXPECT_TRUE(got.has("exam-after-death"));
  EXPECT_EQ(got.decision, "review");
  got = of({object()}, kExam + ",20200303,,\n");  // a day later: post mortem, or a night
  EXPECT_FALSE(got.has("exam-after-death"));
  EXPECT_EQ(got.decision, "auto");
  EXPECT_TRUE(of({object()}, kExam + ",,,\n", adt(std::string(21, '|') + "20200301", "")).has("exam-after-death"));
  EXPECT_FALSE(of({object()}, kExam + ",,,\n", adt(std::string(21, '|') + "20240301", "")).has("exam-after-death"));
}

TEST_F(Discrepancies, NothingIsDecidedAloneForARestrictedPatient) {
  const Got got = of({object()}, kExam + ",,Y,\n");
  EXPECT_TRUE(got.has("patient-restricted"));
  EXPECT_EQ(got.decision, "review");
  EXPECT_FALSE(of({object()}, kExam + ",,N,\n").has("patient-restricted"));
  const std::string pv1 = "PV1|1|O|||||||||||||" + std::string(1, '|');
  EXPECT_TRUE(of({object()}, kExam + ",,,\n", adt("", pv1 + "VIP\r")).has("patient-restricted"));
  EXPECT_FALSE(of({object()}, kExam + ",,,\n", adt("", pv1 + "N\r")).has("patient-restricted"));
  EXPECT_TRUE(of({object()}, kExam + ",,,\n", adt("", "PD1||||||||||||Y\r")).has("patient-restricted"));
  EXPECT_FALSE(of({object()}, kExam + ",,,\n", adt("", "PD1||||||||||||\r")).has("patient-restricted"));
}

}  // namespace
}  // namespace waybill::reconcile
