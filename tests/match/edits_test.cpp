// SPDX-License-Identifier: Apache-2.0
#include "match/edits.hpp"

#include <gtest/gtest.h>

namespace waybill::match {
namespace {

Exam exam() {
  Exam e;
  e.patient_id = "123";
  e.issuer = "HOSP";
  e.last = "MÜLLER";
  e.first = "ANNA";
  e.birth_date = "19700203";
  e.sex = "F";
  e.accession = "A1";
  return e;
}

StudyFacts study() {
  StudyFacts f;
  f.study.study = "1.2.3";
  f.study.patient_id = "123";
  f.study.issuer = "HOSP";
  f.study.patient_name = "Müller^Anna";
  f.study.birth_date = "19700203";
  f.study.sex = "F";
  f.study.accession = "A1";
  return f;
}

/// "0010,0020 old>new REASON; …"
std::string edits(const StudyFacts& f, const Exam& e) {
  std::string out;
  for (const auto& edit : edits_for(f, e))
    out += (out.empty() ? "" : "; ") + edit.tag + " " + edit.old_value + ">" + edit.new_value + " " + edit.reason;
  return out;
}

TEST(Edits, NothingChangesWhenOnlyCaseDiffers) { EXPECT_EQ(edits(study(), exam()), ""); }

TEST(Edits, IdentifiersFollowTheRis) {
  auto f = study();
  f.study.patient_id = "OLD7";
  f.study.issuer.reset();
  f.study.accession = "";
  EXPECT_EQ(edits(f, exam()), "0008,0050 >A1 COERCE; 0010,0020 OLD7>123 COERCE; 0010,0021 >HOSP COERCE");
}

TEST(Edits, ANameIsCorrectedWhenLettersDiffer) {
  auto f = study();
  f.study.patient_name = "MUELLER^ANNA";
  EXPECT_EQ(edits(f, exam()), "0010,0010 MUELLER^ANNA>MÜLLER^ANNA CORRECT");
  f.study.patient_name = "Garcia^Maria^^Dr";
  EXPECT_EQ(edits(f, exam()), "0010,0010 Garcia^Maria^^Dr>MÜLLER^ANNA CORRECT");
  f.study.patient_name.reset();
  EXPECT_EQ(edits(f, exam()), "0010,0010 >MÜLLER^ANNA COERCE");
}

TEST(Edits, ADamagedNameOrNumberIsNotWrittenOverAWholeOne) {
  auto e = exam();
  for (const char* name : {"M?LLER", "M\uFFFDLLER"}) {
    e.last = name;
    EXPECT_EQ(edits(study(), e), "") << name;
  }
  e.last = "MÜLLER";
  e.patient_id = "12\\3";
  e.accession = "A\uFFFD";
  EXPECT_EQ(edits(study(), e), "");
}

TEST(Edits, KeepWhatTheRisDoesNotKnowOfTheSamePerson) {
  auto f = study();
  f.study.patient_name = "Mueller^Anna^B^Dr=山田^花子";
  EXPECT_EQ(edits(f, exam()), "0010,0010 Mueller^Anna^B^Dr=山田^花子>MÜLLER^ANNA^B^Dr=山田^花子 CORRECT");
}

TEST(Edits, ABirthDateIsCorrectedWhenMissingPlaceholderOrMistyped) {
  auto f = study();
  f.study.birth_date = "19700302";
  EXPECT_EQ(edits(f, exam()), "0010,0030 19700302>19700203 CORRECT");
  f.study.birth_date = "19000101";
  EXPECT_EQ(edits(f, exam()), "0010,0030 19000101>19700203 CORRECT");
  f.study.birth_date.reset();
  EXPECT_EQ(edits(f, exam()), "0010,0030 >19700203 COERCE");
}

TEST(Edits, ContradictionsAreLeftToAPerson) {
  auto f = study();
  f.study.birth_date = "19881124";
  f.study.sex = "M";
  EXPECT_EQ(edits(f, exam()), "");
}

TEST(Edits, AnUnknownSexIsFilled) {
  auto f = study();
  f.study.sex = "";
  EXPECT_EQ(edits(f, exam()), "0010,0040 >F COERCE");
  f.study.sex = "O";
  EXPECT_EQ(edits(f, exam()), "0010,0040 O>F CORRECT");
}

TEST(Edits, NothingIsEverChangedToEmpty) { EXPECT_EQ(edits(study(), Exam{}), ""); }

TEST(Edits, AttributesThatDifferWithinTheStudyAreSetForAllObjects) {
  auto f = study();
  f.mixed = {"0008,0050"};
  EXPECT_EQ(edits(f, exam()), "0008,0050 A1>A1 COERCE");
}

TEST(Edits, NoAccessionIsChosenAmongSeveralOrTooLongForItsAttribute) {
  auto f = study();
  f.several_accessions = true;
  f.study.accession = "Z9";
  EXPECT_EQ(edits(f, exam()), "");
  f.several_accessions = false;
  auto e = exam();
  e.accession = "12345678901234567";
  EXPECT_EQ(edits(f, e), "");
}

}  // namespace
}  // namespace waybill::match
