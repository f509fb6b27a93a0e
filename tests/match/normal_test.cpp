// SPDX-License-Identifier: Apache-2.0
#include "match/normal.hpp"

#include "match/name.hpp"

#include <gtest/gtest.h>

namespace waybill::match {
namespace {

TEST(IdKey, TrimsAndRaisesButKeepsZeros) {
  EXPECT_EQ(id_key("  00ab1 "), "00AB1");
  EXPECT_NE(id_key("0012"), id_key("12"));
}

TEST(AccessionKey, LeavesSeparatorsOut) {
  EXPECT_EQ(accession_key("ct-2020/001.a"), "CT2020001A");
  EXPECT_NE(accession_key("001"), accession_key("1"));
}

TEST(BirthDates, NearFormsAreNeitherEqualNorConflicts) {
  EXPECT_EQ(compare_birth_dates("19700203", "19700203"), Same::equal);
  EXPECT_EQ(compare_birth_dates("19700203", "19700302"), Same::near);     // day and month
  EXPECT_EQ(compare_birth_dates("19700203", "19700204"), Same::near);     // one digit
  EXPECT_EQ(compare_birth_dates("19700203", "19700230"), Same::unknown);  // no such day
  EXPECT_EQ(compare_birth_dates("19170203", "19710203"), Same::near);     // exchanged digits
  EXPECT_EQ(compare_birth_dates("19230203", "20230203"), Same::near);     // century
  EXPECT_EQ(compare_birth_dates("19700101", "19700623"), Same::near);     // only the year was known
  EXPECT_EQ(compare_birth_dates("19700203", "19851117"), Same::differs);
  EXPECT_EQ(compare_birth_dates("19000101", "19851117"), Same::unknown);
  EXPECT_EQ(compare_birth_dates("", "19851117"), Same::unknown);
}

TEST(Sexes, OnlyMaleAgainstFemaleIsAConflict) {
  EXPECT_EQ(compare_sexes("M", "F"), Same::differs);
  EXPECT_EQ(compare_sexes("O", "F"), Same::unknown);
  EXPECT_EQ(compare_sexes("", "F"), Same::unknown);
  EXPECT_EQ(compare_sexes("male", "M"), Same::equal);
}

TEST(Modalities, AreComparedAsClassesOfTheRis) {
  EXPECT_EQ(compare_classes(modality_classes("CR"), modality_classes("XR")), Same::equal);
  EXPECT_EQ(compare_classes(modality_classes("PT/CT"), modality_classes("CT SR")), Same::equal);
  EXPECT_EQ(compare_classes(modality_classes("MR"), modality_classes("CT")), Same::differs);
  EXPECT_EQ(compare_classes(modality_classes("SR"), modality_classes("CT")), Same::unknown);
}

TEST(Modalities, ServicesOfHl7AreTheirClassOrSayNothing) {
  for (const std::string service : {"RUS", "VUS", "CUS", "OUS"})
    EXPECT_EQ(compare_classes(modality_classes(service), modality_classes("US")), Same::equal) << service;
  EXPECT_EQ(compare_classes(modality_classes("NMR"), modality_classes("MR")), Same::equal);
  EXPECT_EQ(compare_classes(modality_classes("NMR"), modality_classes("CT")), Same::differs);
  EXPECT_EQ(compare_classes(modality_classes("NMS"), modality_classes("NM")), Same::equal);
  EXPECT_EQ(compare_classes(modality_classes("RAD"), modality_classes("CT")), Same::unknown);
  EXPECT_EQ(compare_classes(modality_classes("LAB"), modality_classes("CT")), Same::differs);
}

TEST(OneStepApart, KnowsTheFourKindsOfTypingError) {
  EXPECT_TRUE(one_step_apart("12345", "12354"));
  EXPECT_TRUE(one_step_apart("12345", "1245"));
  EXPECT_TRUE(one_step_apart("12345", "12945"));
  EXPECT_FALSE(one_step_apart("12345", "12345"));
  EXPECT_FALSE(one_step_apart("12345", "54321"));
}

TEST(Names, AgreeThroughSpellingAccentsCaseAndTitles) {
  EXPECT_EQ(compare_names("Müller^Anna", "MUELLER^ANNA"), Same::equal);
  EXPECT_EQ(compare_names("Müller^Anna", "MULLER^ANNA"), Same::equal);
  EXPECT_EQ(compare_names("Mu\xCC\x88ller^Anna", "Müller^Anna"), Same::equal);  // combining diaeresis
  EXPECT_EQ(compare_names("Groß^Jörg", "GROSS^JOERG"), Same::equal);
  EXPECT_EQ(compare_names("O'Brien^Pat", "O BRIEN^PAT"), Same::equal);
  EXPECT_EQ(compare_names("van der Berg^Jan", "VANDERBERG^JAN"), Same::equal);
  EXPECT_EQ(compare_names("Smith^John^A^Dr", "SMITH^JOHN"), Same::equal);
  EXPECT_EQ(compare_names("Smith^J", "SMITH^JOHN"), Same::equal);
  EXPECT_EQ(compare_names("SMITH JOHN", "SMITH^JOHN"), Same::equal);  // before 1993
  EXPECT_EQ(compare_names("Łukasz^Żak", "LUKASZ^ZAK"), Same::equal);
  EXPECT_EQ(compare_names("ИВАНОВ^ИВАН", "Иванов^Иван"), Same::equal);
}

TEST(Names, NearIsNotEqualAndOtherIsOther) {
  EXPECT_EQ(compare_names("John^Smith", "Smith^John"), Same::near);
  EXPECT_EQ(compare_names("Smith^John", "Smyth^John"), Same::near);
  EXPECT_EQ(compare_names("Smith^John", "Smith"), Same::near);
  EXPECT_EQ(compare_names("Smith^John", "Garcia^Maria"), Same::differs);
  EXPECT_EQ(compare_names("", "Garcia^Maria"), Same::unknown);
}

TEST(Names, KnowThoseThatStandForNobody) {
  EXPECT_TRUE(name_kind("TEST^PATIENT").placeholder);
  EXPECT_TRUE(name_kind("Doe^John").placeholder);
  EXPECT_TRUE(name_kind("TRAUMA 12").placeholder);
  EXPECT_TRUE(name_kind("Bravo^Zulu").placeholder);
  EXPECT_FALSE(name_kind("Testa^Maria").placeholder);
  EXPECT_TRUE(name_kind("Garcia^Baby Boy").newborn);
  EXPECT_TRUE(name_kind("Garcia^Twin A").newborn);
  EXPECT_FALSE(name_kind("Boyle^Susan").newborn);
  EXPECT_TRUE(is_placeholder_id("0000"));
  EXPECT_TRUE(is_placeholder_id("ANON123"));
  EXPECT_FALSE(is_placeholder_id("9"));
  EXPECT_FALSE(is_placeholder_id("1000"));
}

TEST(JaroWinkler, GivesTheValuesOfTheLiterature) {
  EXPECT_NEAR(jaro_winkler("MARTHA", "MARHTA"), 0.9611, 0.0001);
  EXPECT_NEAR(jaro_winkler("DIXON", "DICKSONX"), 0.8133, 0.0001);
  EXPECT_EQ(jaro_winkler("ABC", "XYZ"), 0);
}

}  // namespace
}  // namespace waybill::match
