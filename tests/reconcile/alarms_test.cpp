// SPDX-License-Identifier: Apache-2.0
#include "reconcile/alarms.hpp"

#include <gtest/gtest.h>

namespace waybill::reconcile {
namespace {

struct World {
  std::vector<match::StudyFacts> studies;
  std::vector<match::Exam> exams;
  match::Outcome outcome;

  /// A study under `number` that is matched with an exam of `patient`.
  void matched(const std::string& number, const std::string& patient, const std::string& last = "Adler",
               const std::string& born = "19700203") {
    match::StudyFacts f;
    f.study.study = "1.2." + std::to_string(studies.size() + 1);
    f.study.patient_id = number;
    match::Exam e;
    e.patient_id = patient;
    e.last = last;
    e.first = "Anna";
    e.birth_date = born;
    match::Decision d;
    d.verdict = match::Verdict::matched;
    d.exam = exams.size();
    studies.push_back(f);
    exams.push_back(e);
    outcome.studies.push_back(d);
  }
  std::vector<Alarm> alarms() const {
    std::vector<match::StudyKeys> keys;
    for (const auto& facts : studies) keys.push_back(match::keys_of(facts));
    return find_alarms(keys, exams, outcome);
  }
};

TEST(Alarms, StudiesOfOneNumberThatGoToTwoPatientsAreScattered) {
  World w;
  w.matched("OLD", "P1");
  w.matched("old", "P2", "Becker", "19800203");
  w.matched("OTHER", "P3");
  const auto alarms = w.alarms();
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].kind, "patient-scattered");
  EXPECT_EQ(alarms[0].studies, (std::vector<std::string>{"1.2.1", "1.2.2"}));
  EXPECT_EQ(alarms[0].reason.find("OLD"), std::string::npos) << "no patient's data";
  w.outcome.studies[1].verdict = match::Verdict::review;
  EXPECT_TRUE(w.alarms().empty()) << "what is not decided is not scattered";
}

TEST(Alarms, StudiesThatFollowOneSurvivorAndPlaceholdersAreFine) {
  World w;
  w.matched("OLD", "NEW");
  w.matched("OLD", "NEW");
  w.matched("OLD", "new");
  w.matched("UNKNOWN", "P8");
  w.matched("UNKNOWN", "P9");
  EXPECT_TRUE(w.alarms().empty());
  w.studies[1].study.issuer = "ELSEWHERE";
  w.exams[1].patient_id = "P7";
  EXPECT_TRUE(w.alarms().empty()) << "a number of another issuer is another number";
}

TEST(Alarms, ANumberOfTwoPeopleInTheRisIsTold) {
  World w;
  w.matched("P1", "P1");
  w.matched("P1", "P1", "Wolf", "19310809");
  w.matched("P2", "P2");
  w.matched("P2", "P2", "Adler-Roth", "19700203");
  w.matched("P3", "P3");
  w.matched("P3", "P3", "Adler", "19700302");
  const auto alarms = w.alarms();
  ASSERT_EQ(alarms.size(), 1U) << "a new name alone or a birth date alone is no other person";
  EXPECT_EQ(alarms[0].kind, "number-of-two-people");
  EXPECT_EQ(alarms[0].patient_id, "P1");
  EXPECT_EQ(alarms[0].count, 2U);
}

}  // namespace
}  // namespace waybill::reconcile
