// SPDX-License-Identifier: Apache-2.0
#include "reconcile/decided.hpp"

#include "core/result.hpp"
#include "support/folder.hpp"

namespace waybill::reconcile {
namespace {

match::StudyFacts study(const std::string& uid, const std::string& patient) {
  match::StudyFacts f;
  f.study.study = uid;
  f.study.patient_id = patient;
  return f;
}
match::Exam exam(const std::string& key, const std::string& patient) {
  match::Exam e;
  e.key = e.accession = key;
  e.patient_id = patient;
  return e;
}

class ReconcileDecided : public test::InFolder {
 protected:
  ReconcileDecided() {
    outcome_.studies.resize(2);
    outcome_.exams.resize(2, match::ExamFate::no_images);
    for (auto& d : outcome_.studies) d.verdict = match::Verdict::review;
  }
  std::vector<Refusal> answer(const std::string& rows) {
    test::put(folder_ / "decided.csv", "STUDY_UID,DECISION,DECIDED_BY,SECOND_PERSON,PROPOSAL_1\n" + rows);
    std::vector<match::StudyKeys> keys;
    for (const auto& facts : studies_) keys.push_back(match::keys_of(facts));
    return follow(read_answers(folder_ / "decided.csv"), keys, exams_, outcome_);
  }
  std::vector<match::StudyFacts> studies_ = {study("1.1", "P1"), study("1.2", "P2")};
  std::vector<match::Exam> exams_ = {exam("A1", "P1"), exam("A2", "P2")};
  match::Outcome outcome_;
};

TEST_F(ReconcileDecided, AnAnswerBindsTheStudyToTheExam) {
  EXPECT_TRUE(answer("1.1,A1,Reed,,\n1.2,1,Reed,,'A2\n").empty());
  EXPECT_EQ(outcome_.studies[0].exam, 0U);
  EXPECT_TRUE(outcome_.studies[0].by_person);
  EXPECT_EQ(outcome_.studies[1].exam, 1U);
  EXPECT_EQ(outcome_.exams[0], match::ExamFate::matched);
}

TEST_F(ReconcileDecided, NoneSaysThatThereIsNoExamAndAnEmptyAnswerSaysNothing) {
  EXPECT_TRUE(answer("1.1,none,Reed,,\n1.2,,,,\n").empty());
  EXPECT_TRUE(outcome_.studies[0].by_person);
  EXPECT_EQ(outcome_.studies[0].verdict, match::Verdict::unmatched);
  EXPECT_FALSE(outcome_.studies[1].by_person);
}

TEST_F(ReconcileDecided, AnotherPatientTakesTwoPeople) {
  for (const char* row : {"1.1,A2,Reed,,\n", "1.1,A2,Reed,reed,\n"}) {
    const auto refused = answer(row);
    ASSERT_EQ(refused.size(), 1U) << row;
    EXPECT_NE(refused[0].reason.find("SECOND_PERSON"), std::string::npos);
    EXPECT_FALSE(outcome_.studies[0].by_person);
  }
  EXPECT_TRUE(answer("1.1,A2,Reed,Waters,\n").empty());
  EXPECT_EQ(outcome_.studies[0].exam, 1U);
}

TEST_F(ReconcileDecided, RefusesWhatCannotBeFollowed) {
  EXPECT_EQ(answer("9.9,A1,Reed,,\n")[0].reason, "the scan has no such study");
  EXPECT_EQ(answer("1.1,A7,Reed,,\n")[0].reason, "there is no exam of that key");
  EXPECT_EQ(answer("1.1,A1,,,\n")[0].reason, "DECIDED_BY is empty");
  EXPECT_EQ(answer("1.1,2,Reed,,A1\n")[0].reason, "DECISION names a proposal that the row does not have");
  EXPECT_EQ(answer("1.1,A1,Reed,,\n1.2,A1,Reed,Waters,\n")[0].reason, "another study has this exam");
}

TEST_F(ReconcileDecided, AStudyDecidedTwiceKeepsTheFirstRow) {
  const auto refused = answer("1.1,A1,Reed,,\n1.1,none,Reed,,\n");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].line, 3U);
  EXPECT_EQ(outcome_.studies[0].exam, 0U);
}

TEST_F(ReconcileDecided, AListWithoutItsColumnsEndsTheRun) {
  test::put(folder_ / "decided.csv", "STUDY_UID,DECISION\n1.1,A1\n");
  EXPECT_THROW((void)read_answers(folder_ / "decided.csv"), RunError);
  EXPECT_THROW((void)read_answers(folder_ / "absent.csv"), RunError);
}

}  // namespace
}  // namespace waybill::reconcile
