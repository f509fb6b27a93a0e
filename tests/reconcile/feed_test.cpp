// SPDX-License-Identifier: Apache-2.0
#include "reconcile/feed.hpp"

#include "core/result.hpp"
#include "match/ladder.hpp"
#include "ris/read.hpp"
#include "support/folder.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace waybill::reconcile {
namespace {

std::string adt(const std::string& trigger, const std::string& time, const std::string& id, const std::string& name,
                const std::string& prior = "") {
  return "MSH|^~\\&|A|B|||" + time + "||ADT^" + trigger + "|" + time + "|P|2.5\rPID|1||" + id + "^^^H||" + name +
         "||19700304|F\r" + (prior.empty() ? "" : "MRG|" + prior + "^^^H\r");
}
std::string orm(const std::string& time, const std::string& id, const std::string& accession, const std::string& uid) {
  return "MSH|^~\\&|A|B|||" + time + "||ORM^O01|O" + time + "|P|2.3\rPID|1||" + id +
         "^^^H||WATERS^JANE||19700304|F\rORC|SC|P|F|||CM\rOBR|1|P|F|CTH^CT Head|||" + time + "|||||||||||" + accession +
         "||||||CT\rZDS|" + uid + "^^Application^DICOM\r";
}

match::StudyFacts study(const std::string& uid, const std::string& id, const std::string& accession) {
  match::StudyFacts f;
  f.study.study = uid;
  f.study.patient_id = id;
  f.study.issuer = "H";
  f.study.patient_name = "WATERS^JANE";
  f.study.birth_date = "19700304";
  f.study.accession = accession;
  f.study.study_date = "20240105";
  f.study.modalities = {"CT"};
  return f;
}

class ReconcileFeed : public test::InFolder {
 protected:
  match::SiteRules rules_;

  Feed feed(const std::string& messages, const std::string& issuer = "", hl7::Time as_of = identity::Graph::kEver) {
    test::put(folder_ / "feed" / "all.hl7", messages);
    rules_.default_issuer = match::id_key(issuer);
    return Feed({(folder_ / "feed").string()}, rules_, as_of);
  }
};

TEST_F(ReconcileFeed, AStudyUnderAMergedNumberMatchesTheExamOfTheSurvivor) {
  const Feed f = feed(adt("A01", "20240101", "OLD", "WATERS^JANE") + orm("20240105", "OLD", "A1", "1.2.3") +
                      adt("A40", "20240201", "NEW", "ROE^JANE", "OLD"));
  match::ExamTable table;
  f.apply(table);
  match::StudyFacts facts = study("1.2.9", "OLD", "A1");
  f.apply(facts);

  ASSERT_EQ(table.exams.size(), 1U);
  EXPECT_EQ(table.exams[0].patient_id, "NEW");
  EXPECT_EQ(table.exams[0].last, "ROE");
  EXPECT_EQ(facts.current_id, "NEW");
  const auto outcome = match::decide(std::vector{facts}, table.exams, {});
  EXPECT_EQ(outcome.studies[0].rule, "R1");
  EXPECT_EQ(outcome.studies[0].verdict, match::Verdict::matched);
  EXPECT_TRUE(std::count(outcome.studies[0].discrepancies.begin(), outcome.studies[0].discrepancies.end(), "D14"));
}

TEST_F(ReconcileFeed, AsOfADateBeforeTheMergeTheNumberIsStillItsOwn) {
  const Feed f =
      feed(adt("A01", "20240101", "OLD", "WATERS^JANE") + adt("A40", "20240201", "NEW", "WATERS^JANE", "OLD"), "",
           *hl7::parse_time("20240115"));
  match::StudyFacts facts = study("1.2.9", "OLD", "A1");
  f.apply(facts);
  EXPECT_EQ(facts.current_id, "");
}

TEST_F(ReconcileFeed, NothingIsDecidedAloneByADisputedOrReusedNumber) {
  const std::string exam = orm("20240105", "X", "A1", "1.2.3");
  const Feed disputed = feed(exam + adt("A40", "20240201", "Y", "D^J", "X") + adt("A40", "20240301", "Z", "D^J", "X"));
  const Feed reused = feed(exam + adt("A40", "20240201", "Y", "D^J", "X") + adt("A01", "20240301", "X", "OTHER^ONE"));
  for (const auto& [f, veto] :
       {std::pair<const Feed*, const char*>{&disputed, "number-disputed"}, {&reused, "number-reused"}}) {
    match::ExamTable table;
    f->apply(table);
    match::StudyFacts facts = study("1.2.3", "X", "A1");
    f->apply(facts);
    const auto outcome = match::decide(std::vector{facts}, table.exams, {});
    EXPECT_EQ(outcome.studies[0].verdict, match::Verdict::review) << veto;
    EXPECT_TRUE(std::count(outcome.studies[0].vetoes.begin(), outcome.studies[0].vetoes.end(), veto)) << veto;
  }
}

TEST_F(ReconcileFeed, ATablesRowsKeepTheirValuesAndTakeTheStudyUidFromTheOrder) {
  const Feed f = feed(orm("20240105", "77", "A1", "1.2.3") + orm("20240106", "77", "A2", "1.2.4"));
  auto table = ris::read_exams("PATIENT_ID,ISSUER,ACCESSION,LAST,FIRST,STUDY_DATE\n77,H,A1,SMITH,JANE,20240107\n");
  f.apply(table);

  ASSERT_EQ(table.exams.size(), 2U);
  EXPECT_EQ(table.from_hl7, 1U);
  EXPECT_EQ(table.exams[0].last, "SMITH");
  EXPECT_EQ(table.exams[0].study_uid, "1.2.3");
  EXPECT_EQ(table.exams[0].study_date, "20240107");
  EXPECT_TRUE(table.exams[1].from_hl7);
}

TEST_F(ReconcileFeed, AFormerNameOfThePatientIsAName) {
  const Feed f = feed(adt("A01", "20240101", "77", "MAIDEN^JANE") + orm("20240105", "77", "A1", "1.2.3") +
                      adt("A08", "20240601", "77", "MARRIED^JANE"));
  match::ExamTable table;
  f.apply(table);
  match::StudyFacts facts = study("1.2.3", "77", "A1");
  facts.study.patient_name = "MAIDEN^JANE";
  const auto evidence = match::compare(match::keys_of(facts), table.exams[0]);
  EXPECT_EQ(table.exams[0].last, "MARRIED");
  EXPECT_EQ(evidence.name, match::Same::equal);
  EXPECT_TRUE(evidence.former_name);
}

TEST_F(ReconcileFeed, AnOrderWhoseVisitWasMovedBelongsToTheOtherPatient) {
  const std::string order =
      "MSH|^~\\&|A|B|||20240105||ORM^O01|O1|P|2.3\rPID|1||FROM^^^H||WATERS^JANE\rPV1|1|O|||||||||||||||||V1^^^VIS\r"
      "ORC|SC|P|F|||CM\rOBR|1|P|F|X||||||||||||||A1\r";
  const std::string a45 =
      "MSH|^~\\&|A|B|||20240201||ADT^A45|3|P|2.5\rPID|1||TO^^^H||ROE^JIM\rMRG|FROM^^^H||||V1^^^VIS\r";
  const Feed f = feed(order + a45);
  match::ExamTable table;
  f.apply(table);
  ASSERT_EQ(table.exams.size(), 1U);
  EXPECT_EQ(table.exams[0].patient_id, "TO");
  EXPECT_EQ(table.exams[0].last, "ROE");
  match::StudyFacts facts = study("1.2.3", "FROM", "A9");
  f.apply(facts);
  EXPECT_EQ(facts.vetoes, std::vector<std::string>{"visit-moved"});
}

TEST_F(ReconcileFeed, NumbersWithoutAuthorityTakeTheDefaultOne) {
  const Feed f = feed(adt("A40", "20240201", "NEW", "WATERS^JANE", "OLD"), "h");
  match::StudyFacts facts = study("1.2.3", "OLD", "A1");
  facts.study.issuer.reset();
  f.apply(facts);
  EXPECT_EQ(facts.current_id, "NEW");
  const Feed without = feed(adt("A40", "20240201", "NEW", "WATERS^JANE", "OLD"));
  match::StudyFacts unknown = study("1.2.3", "OLD", "A1");
  unknown.study.issuer.reset();
  without.apply(unknown);
  EXPECT_EQ(unknown.current_id, "") << "a number is never compared without its authority";
}

TEST_F(ReconcileFeed, NumbersOfMessagesAreComparedInTheirNormalFormAndWrittenAsTheyWere) {
  auto& form = rules_.issuers["H"];
  form.leave_out = "-";
  form.strip_prefix = {"MRN"};
  form.width = 6;
  const Feed f =
      feed(adt("A40", "20240201", "MRN-77", "WATERS^JANE", "MRN-12") + orm("20240105", "000012", "A1", "1.2.3"));
  match::ExamTable table;
  f.apply(table);
  ASSERT_EQ(table.exams.size(), 1U);
  EXPECT_EQ(table.exams[0].patient_id, "MRN-77") << "what is written is never the normal form";
  match::StudyFacts facts = study("1.2.3", "12", "A1");
  f.apply(facts);
  EXPECT_EQ(facts.current_id, "MRN-77");
  rules_.apply(facts);
  rules_.apply(table.exams[0]);
  const auto outcome = match::decide(std::vector{facts}, table.exams, rules_);
  EXPECT_EQ(outcome.studies[0].verdict, match::Verdict::matched);
}

TEST_F(ReconcileFeed, TheExamsAreTheSameForAnyOrderOfMessagesAndFiles) {
  std::vector<std::string> messages;
  std::mt19937 random(7);
  const auto number = [&](unsigned most) { return std::to_string(random() % most); };
  const std::array<const char*, 6> triggers = {"A01", "A08", "A40", "A47", "A31", "A40"};
  for (int i = 0; i < 400; ++i) {
    const std::string time = std::to_string(20240101000000 + i * 60);
    if (i % 2 == 0) {
      messages.push_back(orm(time, number(40), "A" + number(60), "1.2." + number(60)));
    } else {
      const std::string trigger = triggers[random() % triggers.size()];
      const std::string prior = trigger == "A40" || trigger == "A47" ? number(40) : std::string();
      messages.push_back(adt(trigger, time, number(40), "WATERS^" + number(9), prior));
    }
  }
  const auto exams_of = [&](std::size_t files) {
    std::filesystem::remove_all(folder_ / "feed");
    for (std::size_t n = 0; n < files; ++n) {
      std::string part;
      for (std::size_t i = n; i < messages.size(); i += files) part += messages[i];
      test::put(folder_ / "feed" / std::to_string(n), part);
    }
    const Feed f({(folder_ / "feed").string()}, rules_, identity::Graph::kEver);
    match::ExamTable table;
    f.apply(table);
    std::string out;
    for (const auto& e : table.exams) {
      out +=
          e.key.str() + '|' + e.patient_id.str() + '|' + e.last.str() + '^' + e.first.str() + '|' + e.study_uid.str();
      for (const auto& list : {e.other_ids, e.other_names, e.vetoes})
        for (const Interned text : list) out += '|' + text.str();
      out += '\n';
    }
    return out;
  };
  const std::string expected = exams_of(1);
  EXPECT_GT(std::count(expected.begin(), expected.end(), '\n'), 50);
  for (const std::size_t files : {1U, 2U, 7U, 50U}) {
    std::shuffle(messages.begin(), messages.end(), random);
    EXPECT_EQ(exams_of(files), expected) << files << " files";
  }
}

TEST_F(ReconcileFeed, AnAuthorityThatIsNamedByItsUniversalIdAloneIsTheStudysIssuer) {
  const auto in_form = [](std::string text, const std::string& form) {
    const std::string plain = "^^^H|";
    for (std::size_t at = 0; (at = text.find(plain, at)) != std::string::npos; at += form.size())
      text.replace(at, plain.size(), form + "|");
    return text;
  };
  const Feed f = feed(in_form(adt("A01", "20240101", "1", "WATERS^JANE"), "^^^H&1.2.840.5&ISO") +
                      in_form(orm("20240105", "1", "A1", "1.2.3"), "^^^&1.2.840.5&ISO"));
  match::ExamTable table;
  f.apply(table);
  ASSERT_EQ(table.exams.size(), 1U);
  EXPECT_EQ(table.exams[0].patient_id, "1");
  EXPECT_EQ(table.exams[0].issuer, "H");
}

}  // namespace
}  // namespace waybill::reconcile
