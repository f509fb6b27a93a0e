// SPDX-License-Identifier: Apache-2.0
#include "reconcile/studies.hpp"

#include <gtest/gtest.h>
#include <algorithm>

namespace waybill::reconcile {
namespace {

manifest::Object object(const std::string& uid, const std::string& patient = "P1") {
  manifest::Object o;
  o.study = uid;
  o.series = uid + ".1";
  o.patient_id = patient;
  o.patient_name = "Adler^Anna";
  o.birth_date = "19700203";
  o.modality = "CT";
  o.accession = "A1";
  o.source.size = 100;
  return o;
}

std::vector<match::StudyFacts> collect(const std::vector<manifest::Object>& objects) {
  const match::SiteRules rules;
  StudyCollector collector(rules);
  for (const auto& o : objects) EXPECT_TRUE(collector.add(o));
  const StudyTable table = collector.finish();
  std::vector<match::StudyFacts> studies;
  for (std::size_t n = 0; n < table.size(); ++n) studies.push_back(table[n]);
  return studies;
}

TEST(StudyCollector, CountsSeriesInstancesAndBytes) {
  auto second = object("1.2");
  second.series = "1.2.2";
  second.modality = "SR";
  const auto studies = collect({object("1.3"), object("1.2"), second, object("1.2")});
  ASSERT_EQ(studies.size(), 2U);
  const auto& s = studies[0].study;
  EXPECT_EQ(s.study, "1.2");
  EXPECT_EQ(s.series, 2U);
  EXPECT_EQ(s.instances, 3U);
  EXPECT_EQ(s.bytes, 300U);
  EXPECT_EQ(s.modalities, (std::vector<std::string>{"CT", "SR"}));
  EXPECT_TRUE(studies[0].mixed.empty());
}

TEST(StudyCollector, SeesTwoPatientsInOneStudyInAnyOrder) {
  for (const bool swapped : {false, true}) {
    std::vector<manifest::Object> objects = {object("1.2", "P1"), object("1.2", "P2")};
    if (swapped) std::swap(objects[0], objects[1]);
    const auto studies = collect(objects);
    EXPECT_TRUE(studies[0].two_patients);
    EXPECT_EQ(studies[0].study.patient_id, "P1");
  }
}

TEST(StudyCollector, CaseAndBlanksAreNoSecondPatient) {
  const auto studies = collect({object("1.2", "p1"), object("1.2", "P1 ")});
  EXPECT_FALSE(studies[0].two_patients);
  EXPECT_EQ(studies[0].mixed, std::vector<std::string>{"0010,0020"});
}

TEST(StudyCollector, AnotherNameWithAnotherBirthDateIsAnotherPatient) {
  auto other = object("1.2");
  other.patient_name = "Garcia^Maria";
  EXPECT_FALSE(collect({object("1.2"), other})[0].two_patients);
  other.birth_date = "19881124";
  EXPECT_TRUE(collect({object("1.2"), other})[0].two_patients);
}

TEST(StudyCollector, AMissingValueIsFilledAndNoted) {
  auto bare = object("1.2");
  bare.accession.reset();
  const auto studies = collect({bare, object("1.2")});
  EXPECT_EQ(studies[0].study.accession, "A1");
  EXPECT_EQ(studies[0].mixed, std::vector<std::string>{"0008,0050"});
  EXPECT_FALSE(studies[0].several_accessions);
}

TEST(StudyCollector, SeesSeveralAccessions) {
  auto other = object("1.2");
  other.accession = "A2";
  EXPECT_TRUE(collect({object("1.2"), other})[0].several_accessions);
}

TEST(StudyCollector, RefusesObjectsWithoutStudy) {
  const match::SiteRules rules;
  StudyCollector collector(rules);
  EXPECT_FALSE(collector.add(object("")));
  EXPECT_FALSE(collector.add(manifest::Object{}));
  EXPECT_TRUE(collector.finish().size() == 0);
}

}  // namespace
}  // namespace waybill::reconcile
