// SPDX-License-Identifier: Apache-2.0
#include "match/ladder.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <functional>
#include <random>

namespace waybill::match {
namespace {

/// A study and the exam it truly belongs to, number `n` in everything; the cases change one thing each.
StudyFacts study(int n = 1) {
  static const char* const kFamily[] = {"Adler", "Becker", "Costa", "Dubois", "Eriksen", "Fischer", "Gruber"};
  StudyFacts f;
  f.study.study = "1.2." + std::to_string(n);
  f.study.patient_id = "P" + std::to_string(1000 + 37 * n);
  f.study.patient_name = std::string(kFamily[n % 7]) + "^Anna" + std::string(static_cast<std::size_t>(n % 3), 'x');
  f.study.birth_date = "19" + std::to_string(50 + n % 40) + "0703";
  f.study.sex = "F";
  f.study.accession = "ACC" + std::to_string(100000 + 7919 * n);
  f.study.study_date = "20200" + std::to_string(1 + n % 9) + "15";
  f.study.study_time = "101500";
  f.study.modalities = {"CT"};
  f.study.instances = 3;
  return f;
}

Exam exam(int n = 1) {
  const auto s = study(n).study;
  Exam e;
  e.key = *s.accession;
  e.patient_id = *s.patient_id;
  e.last = s.patient_name->substr(0, s.patient_name->find('^'));
  e.first = s.patient_name->substr(s.patient_name->find('^') + 1);
  e.birth_date = *s.birth_date;
  e.sex = "F";
  e.accession = *s.accession;
  e.study_date = *s.study_date;
  e.study_time = "100000";
  e.classes = {"CT"};
  return e;
}

struct World {
  std::vector<StudyFacts> studies{study()};
  std::vector<Exam> exams{exam(), exam(2)};
  std::set<std::string> approved;

  StudyFacts& facts() { return studies.front(); }
  Exam& ris() { return exams.front(); }
  manifest::Study& dicom() { return studies.front().study; }
  Decision decision() const { return decide(studies, exams, site()).studies.front(); }
  SiteRules site() const {
    SiteRules rules;
    rules.automatic.insert(approved.begin(), approved.end());
    return rules;
  }
};

bool has(const std::vector<Interned>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

struct Case {
  const char* name;
  std::function<void(World&)> change;
  const char* rule;
  Verdict verdict;
  const char* veto;         ///< that must stand, "" for no veto at all
  const char* discrepancy;  ///< that must stand, "" for none asked
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Ladder : public testing::TestWithParam<Case> {};

TEST_P(Ladder, DecidesAsTheRulesSay) {
  World world;
  GetParam().change(world);
  const Decision d = world.decision();
  EXPECT_EQ(d.rule, GetParam().rule) << d.explanation;
  EXPECT_EQ(to_string(d.verdict), to_string(GetParam().verdict)) << d.explanation;
  const std::string veto = GetParam().veto, discrepancy = GetParam().discrepancy;
  EXPECT_EQ(d.vetoes.empty(), veto.empty()) << testing::PrintToString(d.vetoes);
  EXPECT_TRUE(veto.empty() || has(d.vetoes, veto)) << testing::PrintToString(d.vetoes);
  EXPECT_TRUE(discrepancy.empty() || has(d.discrepancies, discrepancy)) << testing::PrintToString(d.discrepancies);
}

void no_accession(World& w) { w.dicom().accession.reset(); }
void linked(World& w) {
  w.dicom().patient_id = "OLD9";
  w.ris().other_ids = {"OLD9"};
}

const Case kCases[] = {
    // rules
    {"accession and patient", [](World&) {}, "R1", Verdict::matched, "", ""},
    {"study UID and patient",
     [](World& w) {
       w.ris().study_uid = "1.2.1";
       w.ris().accession = "OTHER77";
     },
     "R0", Verdict::matched, "", "D08"},
    {"study UID wins over accession", [](World& w) { w.ris().study_uid = "1.2.1"; }, "R0", Verdict::matched, "", ""},
    {"linked patient", linked, "R2", Verdict::matched, "", "D14"},
    {"linked patient, birth date one digit off",
     [](World& w) {
       linked(w);
       w.dicom().birth_date = "19510704";
     },
     "R4", Verdict::review, "", "D05"},
    {"no accession, one of a kind, approved",
     [](World& w) {
       no_accession(w);
       w.approved = {"R5"};
     },
     "R5", Verdict::matched, "", "D07"},
    {"no accession, not approved", no_accession, "R5", Verdict::review, "", "D07"},
    {"no accession, night shift",
     [](World& w) {
       no_accession(w);
       w.approved = {"R5"};
       w.dicom().study_date = "20200216";
       w.dicom().study_time = "003000";
       w.ris().study_time = "233000";
     },
     "R5", Verdict::matched, "", ""},
    {"no accession, next noon",
     [](World& w) {
       no_accession(w);
       w.approved = {"R5"};
       w.dicom().study_date = "20200216";
     },
     "R8", Verdict::review, "", "D07"},
    {"no accession, two exams that day",
     [](World& w) {
       no_accession(w);
       w.approved = {"R5"};
       w.exams.push_back(exam());
       w.exams.back().accession = "ZZZ99";
     },
     "R6", Verdict::review, "two-candidates", ""},
    {"no accession, two studies that day",
     [](World& w) {
       no_accession(w);
       w.approved = {"R5"};
       w.studies.push_back(study());
       w.studies.back().study.study = "1.9";
       w.studies.back().study.accession.reset();
     },
     "R6", Verdict::review, "", ""},
    {"accession equal, other patient",
     [](World& w) {
       w.dicom().patient_id = "Q9999999";
       w.dicom().patient_name = "Garcia^Maria";
     },
     "R4", Verdict::review, "", "D03"},
    {"accession equal, unknown link", [](World& w) { w.dicom().patient_id = "Q9999999"; }, "R8", Verdict::review, "",
     "D03"},
    {"study UID equal, other patient",
     [](World& w) {
       w.ris().study_uid = "1.2.1";
       w.ris().accession = "OTHER";
       w.dicom().patient_id = "Q9999999";
     },
     "R3", Verdict::review, "", "D03"},
    {"accession mistyped", [](World& w) { w.dicom().accession = "ACC107991"; }, "R8", Verdict::review, "", "D08"},
    {"no patient ID, person and day agree",
     [](World& w) {
       no_accession(w);
       w.dicom().patient_id.reset();
     },
     "R7", Verdict::review, "", "D07"},
    {"patient known, exam not",
     [](World& w) {
       w.dicom().accession = "XYZ";
       w.dicom().study_date = "20110101";
     },
     "R9", Verdict::review, "", "D02"},
    {"nothing", [](World& w) { w.dicom() = study(5).study; }, "R10", Verdict::unmatched, "", "D02"},
    {"modality contradicts", [](World& w) { w.dicom().modalities = {"MR"}; }, "R8", Verdict::review, "", "D12"},
    {"cancelled twin of a live exam",
     [](World& w) {
       w.exams.push_back(w.ris());
       w.exams.back().state = ExamState::cancelled;
     },
     "R1", Verdict::matched, "", ""},
    {"issuers differ",
     [](World& w) {
       w.dicom().issuer = "A";
       w.ris().issuer = "B";
     },
     "R8", Verdict::review, "", "D03"},
    {"issuer on one side", [](World& w) { w.ris().issuer = "B"; }, "R1", Verdict::matched, "", ""},
    {"same number at another issuer",
     [](World& w) {
       w.dicom().issuer = "A";
       w.ris().issuer = "A";
       w.exams.push_back(exam());
       w.exams.back().issuer = "B";
     },
     "R1", Verdict::matched, "", ""},
    {"leading zero is another patient",
     [](World& w) {
       w.dicom().patient_id = "0001";
       w.ris().patient_id = "1";
     },
     "R8", Verdict::review, "", "D03"},
    {"birth date conflict with agreeing name", [](World& w) { w.dicom().birth_date = "19881124"; }, "R1",
     Verdict::matched, "", "D05"},
    {"several accessions",
     [](World& w) {
       w.facts().several_accessions = true;
       w.approved = {"R5"};
     },
     "R6", Verdict::review, "", ""},
    {"image count", [](World& w) { w.ris().images = 5; }, "R1", Verdict::matched, "", "D13"},
    // vetoes
    {"birth date and name conflict",
     [](World& w) {
       w.dicom().birth_date = "19881124";
       w.dicom().patient_name = "Garcia^Maria";
     },
     "R1", Verdict::review, "birth-date-and-name-conflict", "D05"},
    {"sex conflict with mammography",
     [](World& w) {
       w.dicom().sex = "M";
       w.dicom().modalities = {"MG"};
       w.ris().classes = {"MG"};
     },
     "R1", Verdict::review, "sex-conflict", "D06"},
    {"sex conflict with an obstetric exam",
     [](World& w) {
       w.dicom().sex = "M";
       w.ris().description = "Obstetric ultrasound";
     },
     "R1", Verdict::review, "sex-conflict", "D06"},
    {"sex conflict elsewhere", [](World& w) { w.dicom().sex = "M"; }, "R1", Verdict::matched, "", "D06"},
    {"placeholder name", [](World& w) { w.dicom().patient_name = "TEST^PATIENT"; }, "R1", Verdict::review,
     "placeholder-name", "D21"},
    {"placeholder name in the RIS", [](World& w) { w.ris().last = "Unknown"; }, "R1", Verdict::review,
     "placeholder-name", ""},
    {"placeholder ID",
     [](World& w) {
       w.dicom().patient_id = "0000";
       w.ris().patient_id = "0000";
     },
     "R1", Verdict::review, "placeholder-id", ""},
    {"newborn", [](World& w) { w.dicom().patient_name = "Becker^Baby Boy"; }, "R1", Verdict::review, "newborn-or-twin",
     ""},
    {"twin in the RIS, patient only linked",
     [](World& w) {
       linked(w);
       w.exams.push_back(exam());
       w.exams.back().patient_id = "P555";
       w.exams.back().accession = "T77777";
       w.exams.back().first = "Berta";
     },
     "R2", Verdict::review, "newborn-or-twin", ""},
    {"twin in the RIS, patient certain",
     [](World& w) {
       w.exams.push_back(exam());
       w.exams.back().patient_id = "P555";
       w.exams.back().accession = "T77777";
       w.exams.back().first = "Berta";
     },
     "R1", Verdict::matched, "", ""},
    {"cancelled", [](World& w) { w.ris().state = ExamState::cancelled; }, "R1", Verdict::review, "exam-cancelled",
     "D19"},
    {"a number that cannot stand in an object",
     [](World& w) {
       w.ris().patient_id = "P\\1";
       w.dicom().patient_id = "P\\1";
     },
     "R1", Verdict::review, "number-not-writable", ""},
    {"before birth", [](World& w) { w.dicom().study_date = "19490101"; }, "R1", Verdict::review, "exam-before-birth",
     "D11"},
    {"two candidates",
     [](World& w) {
       w.exams.push_back(exam());
       w.exams.back().study_uid = "9.9.9";
     },
     "R1", Verdict::review, "two-candidates", ""},
    {"accession of two patients",
     [](World& w) {
       w.exams.push_back(exam());
       w.exams.back().patient_id = "P555";
     },
     "R1", Verdict::review, "accession-reused", "D09"},
    {"accession of two patients, study UID known",
     [](World& w) {
       w.ris().study_uid = "1.2.1";
       w.exams.push_back(exam());
       w.exams.back().patient_id = "P555";
     },
     "R0", Verdict::review, "accession-reused", "D09"},
    {"accession on two studies",
     [](World& w) {
       w.studies.push_back(study());
       w.studies.back().study.study = "1.9";
     },
     "R1", Verdict::review, "accession-on-several-studies", "D09"},
    {"study bound to another order", [](World& w) { w.exams[1].study_uid = "1.2.1"; }, "R1", Verdict::review,
     "study-already-bound", ""},
    {"exam names another study",
     [](World& w) {
       w.studies.push_back(study(4));
       w.ris().study_uid = w.studies.back().study.study;
     },
     "R1", Verdict::review, "exam-names-another-study", "D10"},
    {"two patients in the study", [](World& w) { w.facts().two_patients = true; }, "R1", Verdict::review,
     "two-patients", "D15"},
    {"rows of the RIS disagree", [](World& w) { w.ris().disputed = true; }, "R1", Verdict::review, "ris-rows-disagree",
     ""},
    {"old ID leads to two patients",
     [](World& w) {
       linked(w);
       w.exams[1].other_ids = {"OLD9"};
       w.studies.push_back(study(2));
       w.studies.back().study.patient_id = "OLD9";
     },
     "R2", Verdict::review, "patient-scattered", ""},
};

INSTANTIATE_TEST_SUITE_P(Golden, Ladder, testing::ValuesIn(kCases));

/// Every veto that is a property of the pair, on top of every automatic rule.
TEST(LadderVetoes, WinOverEveryRule) {
  const std::vector<std::function<void(World&)>> rules = {[](World&) {}, [](World& w) { w.ris().study_uid = "1.2.1"; },
                                                          linked,
                                                          [](World& w) {
                                                            no_accession(w);
                                                            w.approved = {"R5"};
                                                          }};
  const std::vector<std::function<void(World&)>> vetoes = {
      [](World& w) { w.facts().two_patients = true; },
      [](World& w) { w.ris().state = ExamState::cancelled; },
      [](World& w) { w.ris().disputed = true; },
      [](World& w) {
        w.ris().last = "Trauma";
        w.dicom().patient_name = "Trauma^" + w.ris().first;
      },
      [](World& w) {
        w.ris().first = "Baby";
        w.dicom().patient_name = w.ris().last + "^Baby";
      },
      [](World& w) { w.dicom().study_date = w.ris().study_date = "19490101"; },
      [](World& w) {
        w.exams.push_back(w.ris());
        w.exams.back().patient_id = "P555";
        w.exams.back().other_ids.clear();
      },
      [](World& w) {
        w.dicom().sex = "M";
        w.dicom().modalities = {"MG"};
        w.ris().classes = {"MG"};
      },
  };
  for (const auto& rule : rules) {
    World plain;
    rule(plain);
    ASSERT_EQ(plain.decision().verdict, Verdict::matched);
    for (const auto& veto : vetoes) {
      World world;
      rule(world);
      veto(world);
      const Decision d = world.decision();
      EXPECT_EQ(d.verdict, Verdict::review) << d.rule << ": " << d.explanation;
      EXPECT_FALSE(d.vetoes.empty());
    }
  }
}

TEST(LadderVetoes, TheStrongerRuleKeepsTheExam) {
  World world;
  world.ris().study_uid = "1.2.1";
  world.studies.push_back(study());
  world.studies.back().study.study = "1.9";
  const auto outcome = decide(world.studies, world.exams, {});
  EXPECT_EQ(outcome.studies[0].verdict, Verdict::matched);
  EXPECT_EQ(outcome.studies[1].verdict, Verdict::review);
  EXPECT_TRUE(has(outcome.studies[1].vetoes, "exam-already-bound"));
}

TEST(LadderDecisions, ExplainWithoutPatientData) {
  World world;
  world.dicom().patient_id = "Q9999999";
  const Decision d = world.decision();
  EXPECT_EQ(d.explanation,
            "study UID unknown, accession equal, patient ID differs, name equal, birth date equal, sex "
            "equal, date equal, modality equal");
  ASSERT_EQ(d.proposals.size(), 1U);
  EXPECT_EQ(d.proposals[0].exam, 0U);
  EXPECT_EQ(d.proposals[0].explanation, d.explanation);
}

TEST(LadderDecisions, CountEveryExamOnce) {
  World world;
  world.exams.push_back(exam(3));
  world.exams.back().state = ExamState::cancelled;
  world.exams.push_back(exam(4));
  world.exams.back().state = ExamState::planned;
  const auto fates = decide(world.studies, world.exams, {}).exams;
  EXPECT_EQ(fates,
            (std::vector<ExamFate>{ExamFate::matched, ExamFate::no_images, ExamFate::cancelled, ExamFate::planned}));
}

TEST(LadderDecisions, OrdersPerformedAsOneStudyAreAllMatched) {
  World world;
  world.ris().study_uid = "1.2.1";
  world.exams.push_back(exam());
  world.exams.back().accession = "SECOND9";
  world.exams.back().study_uid = "1.2.1";
  const auto outcome = decide(world.studies, world.exams, {});
  EXPECT_EQ(outcome.studies[0].exam, 0U);
  EXPECT_EQ(outcome.studies[0].verdict, Verdict::matched);
  EXPECT_EQ(outcome.exams[2], ExamFate::matched);
}

/// A mixed world; decisions by study UID must not depend on the order of studies or exams.
TEST(LadderDecisions, DoNotDependOnTheOrder) {
  std::vector<StudyFacts> studies;
  std::vector<Exam> exams;
  for (int n = 1; n <= 60; ++n) {
    studies.push_back(study(n));
    if (n % 5 == 0) studies.back().study.accession.reset();
    if (n % 7 == 0) studies.back().study.patient_id = "P" + std::to_string(1000 + 37 * (n - 1));
    if (n % 11 == 0) studies.back().study.accession = study(n - 1).study.accession;
    if (n % 13 == 0) continue;
    exams.push_back(exam(n));
    if (n % 6 == 0) exams.back().study_uid = "1.2." + std::to_string(n % 12 == 0 ? n : n + 1);
    if (n % 17 == 0) exams.push_back(exams.back()), exams.back().accession = exams.back().accession + std::string("B");
  }
  const auto decisions = [&] {
    SiteRules site;
    site.automatic.insert("R5");
    const auto outcome = decide(studies, exams, site);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < studies.size(); ++i) {
      const Decision& d = outcome.studies[i];
      std::string line =
          studies[i].study.study + " " + d.rule + " " + std::string(to_string(d.verdict)) + " " + d.explanation;
      for (const auto& v : d.vetoes) line += " " + v;
      for (const auto& c : d.discrepancies) line += " " + c;
      if (d.exam) line += " " + exams[*d.exam].accession;
      out.push_back(line);
    }
    std::sort(out.begin(), out.end());
    return out;
  };
  const auto expected = decisions();
  std::mt19937 random(11);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(studies.begin(), studies.end(), random);
    std::shuffle(exams.begin(), exams.end(), random);
    ASSERT_EQ(decisions(), expected);
  }
}

TEST(RuleSet, HasAHashOfItsText) {
  EXPECT_EQ(rule_set_hash().size(), 64U);
  EXPECT_NE(rule_set_text().find("R5"), std::string_view::npos);
}

}  // namespace
}  // namespace waybill::match
