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
    for (std::size_t i = 0; i < 2; ++i) {
      outcome_.studies[i].verdict = match::Verdict::review;
      outcome_.studies[i].proposals.push_back({i, 70, "R8", {}});
    }
  }
  std::vector<Refusal> answer(const std::string& rows) {
    test::put(folder_ / "decided.csv", "STUDY_UID,DECISION,DECIDED_BY,SECOND_PERSON,PROPOSAL_1\n" + rows);
    return follow(read_answers(folder_ / "decided.csv"), keys(), exams_, rules_, outcome_);
  }
  std::vector<match::StudyKeys> keys() const {
    std::vector<match::StudyKeys> all;
    for (const auto& facts : studies_) all.push_back(match::keys_of(facts));
    return all;
  }
  std::vector<match::StudyFacts> studies_ = {study("1.1", "P1"), study("1.2", "P2")};
  std::vector<match::Exam> exams_ = {exam("A1", "P1"), exam("A2", "P2")};
  match::SiteRules rules_;
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

TEST_F(ReconcileDecided, TwoPatientsInOneStudyAndAnotherPersonUnderTheSameNumberTakeTwoPeopleToo) {
  studies_[0].two_patients = true;
  studies_[1].study.patient_name = "DOE^JANE";
  studies_[1].study.birth_date = "19700304";
  exams_[1].last = "WATERS";
  exams_[1].first = "SAMUEL";
  exams_[1].birth_date = "19331120";
  EXPECT_EQ(answer("1.1,A1,Reed,,\n1.2,A2,Reed,,\n").size(), 2U);
  EXPECT_TRUE(answer("1.1,A1,Reed,Waters,\n1.2,A2,Reed,Waters,\n").empty());
}

TEST_F(ReconcileDecided, WhatIsWrongWithAnAnsweredStudyIsSaidOfTheExamThatItWasGiven) {
  studies_[0].study.accession = "A9";
  studies_[0].study.sex = "F";
  studies_[0].two_patients = true;
  exams_[0].sex = "M";
  exams_[0].images = 7;
  outcome_.studies[0].exam = 0;
  outcome_.studies[0].discrepancies = {"D11", "D12", "D16"};
  outcome_.studies[1].discrepancies = {"D03", "D16"};

  EXPECT_TRUE(answer("1.1,A1,Reed,Waters,\n1.2,none,Reed,,\n").empty());

  EXPECT_EQ(outcome_.studies[0].discrepancies, (std::vector<Interned>{"D06", "D08", "D13", "D15", "D16"}));
  EXPECT_EQ(outcome_.studies[1].discrepancies, (std::vector<Interned>{"D02"}));
}

TEST_F(ReconcileDecided, AStudyGivenAnotherExamThanTheOneOthersLaidClaimToIsNoSplitStudyAnyMore) {
  outcome_.studies[0].exam = 0;
  outcome_.studies[0].discrepancies = {"D16"};
  EXPECT_TRUE(answer("1.1,A2,Reed,Waters,\n").empty());
  EXPECT_EQ(outcome_.studies[0].discrepancies, (std::vector<Interned>{"D03", "D07"}));
}

TEST_F(ReconcileDecided, RefusesWhatCannotBeFollowed) {
  EXPECT_EQ(answer("9.9,A1,Reed,,\n")[0].reason, "the scan has no such study");
  EXPECT_EQ(answer("1.1,A7,Reed,,\n")[0].reason, "there is no exam of that key");
  EXPECT_EQ(answer("1.1,A1,,,\n")[0].reason, "DECIDED_BY is empty");
  EXPECT_EQ(answer("1.1,2,Reed,,A1\n")[0].reason, "DECISION names a proposal that the row does not have");
  EXPECT_EQ(answer("1.1,A1,Reed,,\n1.2,A1,Reed,Waters,\n")[0].reason, "another study has this exam");
}

TEST_F(ReconcileDecided, AnExamThatAnAnswerTakesAwayFromItsStudyIsOneWithoutImagesAgain) {
  outcome_.studies[0].verdict = match::Verdict::matched;
  outcome_.studies[0].exam = 0;
  outcome_.exams[0] = match::ExamFate::matched;
  outcome_.exams[1] = match::ExamFate::review;
  EXPECT_TRUE(answer("1.1,none,Reed,,\n").empty());
  EXPECT_EQ(outcome_.exams[0], match::ExamFate::no_images);
  EXPECT_EQ(outcome_.exams[1], match::ExamFate::review) << "another study waits for it";
  EXPECT_TRUE(answer("1.2,none,Reed,,\n").empty());
  EXPECT_EQ(outcome_.exams[1], match::ExamFate::no_images);
}

TEST_F(ReconcileDecided, AnExamIsFreeWhenAnotherAnswerMovesItsStudyWhateverTheOrder) {
  for (std::size_t i = 0; i < 2; ++i) outcome_.studies[i].proposals.clear();
  exams_.push_back(exam("A3", "P2"));
  outcome_.exams.push_back(match::ExamFate::no_images);
  outcome_.studies[1].verdict = match::Verdict::matched;
  outcome_.studies[1].exam = 1;
  outcome_.exams[1] = match::ExamFate::matched;
  EXPECT_TRUE(answer("1.1,A2,Reed,Waters,\n1.2,A3,Reed,,\n").empty());
  EXPECT_EQ(outcome_.studies[0].exam, 1U);
  EXPECT_EQ(outcome_.studies[1].exam, 2U);
  EXPECT_EQ(outcome_.exams[1], match::ExamFate::matched);
  EXPECT_EQ(outcome_.exams[2], match::ExamFate::matched);
}

TEST_F(ReconcileDecided, TwoStudiesMayExchangeTheirExams) {
  for (std::size_t i = 0; i < 2; ++i) {
    outcome_.studies[i].verdict = match::Verdict::matched;
    outcome_.studies[i].exam = i;
    outcome_.studies[i].proposals.clear();
    outcome_.exams[i] = match::ExamFate::matched;
  }
  EXPECT_TRUE(answer("1.1,A2,Reed,Waters,\n1.2,A1,Reed,Waters,\n").empty());
  EXPECT_EQ(outcome_.studies[0].exam, 1U);
  EXPECT_EQ(outcome_.studies[1].exam, 0U);
  EXPECT_EQ(outcome_.exams, std::vector(2, match::ExamFate::matched));
}

TEST_F(ReconcileDecided, AStudyWhoseAnswerIsRefusedKeepsItsExamAgainstAllOthers) {
  studies_.push_back(study("1.3", "P1"));
  outcome_.studies.resize(3);
  for (std::size_t i = 0; i < 2; ++i) {
    outcome_.studies[i].verdict = match::Verdict::matched;
    outcome_.studies[i].exam = i;
    outcome_.studies[i].proposals.clear();
  }
  // 1.2 would leave A2 for A1, which 1.1 gives to nobody: so it stays, and 1.3 cannot have A2.
  const auto refused = answer("1.2,A1,Reed,Waters,\n1.3,A2,Reed,Waters,\n");
  ASSERT_EQ(refused.size(), 2U);
  for (const auto& r : refused) EXPECT_EQ(r.reason, "another study has this exam");
  EXPECT_EQ(outcome_.studies[1].exam, 1U);
  EXPECT_FALSE(outcome_.studies[1].by_person);
  EXPECT_FALSE(outcome_.studies[2].by_person);
}

TEST_F(ReconcileDecided, AProposalThatASpreadsheetChangedIsRefused) {
  exams_[1].key = "0012";
  exams_.push_back(exam("12", "P2"));
  outcome_.exams.push_back(match::ExamFate::no_images);
  const auto refused = answer("1.2,1,Reed,,12\n");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_NE(refused[0].reason.find("a spreadsheet changed"), std::string::npos);
  EXPECT_FALSE(outcome_.studies[1].by_person);
  EXPECT_TRUE(answer("1.2,1,Reed,,0012\n").empty());
}

TEST_F(ReconcileDecided, AnAnswerToAStudyThatARuleHasDecidedSinceIsFollowedWhenItSaysTheSame) {
  outcome_.studies[0].verdict = match::Verdict::matched;
  outcome_.studies[0].exam = 0;
  outcome_.studies[0].proposals.clear();
  EXPECT_TRUE(answer("1.1,1,Reed,,A1\n").empty());
  EXPECT_EQ(answer("1.1,1,Reed,Waters,A2\n").size(), 1U);
}

TEST_F(ReconcileDecided, AListThatASpreadsheetSavedAsUtf16IsRead) {
  std::string wide = "\xFF\xFE";
  for (const char c : std::string("STUDY_UID\tDECISION\tDECIDED_BY\r\n1.1\tA1\tReed\r\n")) (wide += c) += '\0';
  test::put(folder_ / "decided.csv", wide);
  EXPECT_TRUE(follow(read_answers(folder_ / "decided.csv"), keys(), exams_, rules_, outcome_).empty());
  EXPECT_EQ(outcome_.studies[0].exam, 0U);
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
