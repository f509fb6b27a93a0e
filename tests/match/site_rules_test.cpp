// SPDX-License-Identifier: Apache-2.0
#include "match/site_rules.hpp"

#include "core/result.hpp"
#include "match/ladder.hpp"
#include "support/folder.hpp"

#include <cstdlib>

namespace waybill::match {
namespace {

class SiteRulesFile : public test::InFolder {
 protected:
  SiteRules rules(const std::string& text) {
    test::put(folder_ / "rules.toml", text);
    return SiteRules::read(folder_ / "rules.toml");
  }
  std::string refusal(const std::string& text) {
    try {
      (void)rules(text);
    } catch (const RunError& error) {
      EXPECT_EQ(error.exit(), Exit::usage);
      return error.what();
    }
    return {};
  }
};

TEST_F(SiteRulesFile, TheShippedExampleIsWhatHoldsWithoutAFile) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  if (source == nullptr) GTEST_SKIP() << "WAYBILL_SOURCE is not set";
  const auto example = SiteRules::read(std::filesystem::path(source) / "manifests/examples/rules.toml");
  EXPECT_EQ(example, SiteRules{});
  EXPECT_EQ(rule_set_hash(example), rule_set_hash());
}

TEST_F(SiteRulesFile, ANumberTakesItsIssuersForm) {
  const auto r = rules(
      "[[issuer]]\nname = \"general\"\nleave_out = \"-/ \"\nstrip_prefix = [\"mrn\", \"M\"]\nstrip_suffix = [\"t\"]\n"
      "width = 6\n[[issuer]]\nname = \"CASE\"\nany_case = false\n[[issuer]]\nname = \"*\"\nwidth = 3\n");
  for (const char* id : {"MRN-00-123", "mrn123", "123", "000123", "M 123 T", "123t"})
    EXPECT_EQ(r.number("General", id), "000123") << id;
  EXPECT_EQ(r.number("GENERAL", "MRN"), "RN") << "the longer prefix would leave nothing, the next one fits";
  EXPECT_EQ(r.number("GENERAL", "1234567"), "1234567");
  EXPECT_EQ(r.number("GENERAL", "12A"), "12A") << "only digits are filled up";
  EXPECT_EQ(r.number("CASE", " aB "), "aB");
  EXPECT_EQ(r.number("ELSEWHERE", "7"), "007");
  EXPECT_EQ(r.number("", "7"), "007");
  auto here = r;
  here.default_issuer = "GENERAL";
  EXPECT_EQ(here.number("", "MRN7"), "000007");
}

TEST_F(SiteRulesFile, WithoutFormsANumberIsComparedAsWritten) {
  const SiteRules r;
  EXPECT_EQ(r.number("ANY", " 00ab1 "), "00AB1");
  EXPECT_EQ(r.accession("CT-0012"), "CT0012");
}

TEST_F(SiteRulesFile, ACheckDigitThatProvesRightIsCutOff) {
  // The examples of HL7 version 2, data type CX: 12345-5, 401-0, 9999-4, 99999999-8 (M10) and 1234567-4 (M11).
  const auto cut = [&](const char* scheme, std::size_t digits, const char* id) {
    return rules("[[issuer]]\nname = \"X\"\ncheck_digit = \"" + std::string(scheme) +
                 "\"\nwith_check_digit = " + std::to_string(digits) + "\n")
        .number("X", id);
  };
  EXPECT_EQ(cut("M10", 6, "123455"), "12345");
  EXPECT_EQ(cut("M10", 4, "4010"), "401");
  EXPECT_EQ(cut("M10", 5, "99994"), "9999");
  EXPECT_EQ(cut("M10", 9, "999999998"), "99999999");
  EXPECT_EQ(cut("M11", 8, "12345674"), "1234567");
  EXPECT_EQ(cut("M11", 8, "12345675"), "12345675") << "a wrong one is no check digit";
  EXPECT_EQ(cut("M10", 7, "123455"), "123455") << "a number of another length carries none";
}

TEST_F(SiteRulesFile, ZerosOfAnAccessionCountUnlessTheSiteSaysOtherwise) {
  EXPECT_EQ(rules("accession_zeros_count = false\n").accession("00-12"), "12");
  EXPECT_EQ(rules("accession_zeros_count = false\n").accession("000"), "0");
  EXPECT_EQ(rules("accession_zeros_count = false\n").accession("00A"), "00A");
}

TEST_F(SiteRulesFile, NothingCanBeMadeAutomaticThatPeopleMustDecide) {
  EXPECT_EQ(rules("automatic = [\"R0\"]\n").automatic, (std::set<std::string>{"R0"}));
  EXPECT_EQ(rules("automatic = [\"R0\", \"R5\"]\n").automatic.count("R5"), 1U);
  for (const char* rule : {"R3", "R4", "R6", "R7", "R8", "R9", "R10", "r0"})
    EXPECT_NE(refusal("automatic = [\"" + std::string(rule) + "\"]\n").find("line 1"), std::string::npos) << rule;
  EXPECT_NE(refusal("night_hours = 5\n").find("from 0 to 4"), std::string::npos);
  EXPECT_NE(refusal("margin = 10\n").find("from 15 to 100"), std::string::npos);
}

TEST_F(SiteRulesFile, WhatIsMisspeltIsRefusedWithItsLine) {
  EXPECT_NE(refusal("\nautomatik = [\"R0\"]\n").find("line 2: unknown key `automatik`"), std::string::npos);
  EXPECT_NE(refusal("[[issuer]]\nname = \"A\"\nprefix = \"x\"\n").find("line 3"), std::string::npos);
  EXPECT_NE(refusal("[[issuer]]\nwidth = 3\n").find("without a `name`"), std::string::npos);
  EXPECT_NE(refusal("[[issuer]]\nname = \"A\"\n[[issuer]]\nname = \"a\"\n").find("named twice"), std::string::npos);
  EXPECT_NE(refusal("[[issuer]]\nname = \"A\"\ncheck_digit = \"M12\"\nwith_check_digit = 9\n").find("M10 or M11"),
            std::string::npos);
  EXPECT_NE(refusal("[[issuer]]\nname = \"A\"\ncheck_digit = \"M10\"\n").find("belong together"), std::string::npos);
  EXPECT_NE(refusal("automatic = \"R0\"\n").find("no list"), std::string::npos);
  EXPECT_NE(refusal("date_days = \"1\"\n").find("line 1"), std::string::npos);
  EXPECT_FALSE(refusal("automatic = [\n").empty());
}

TEST_F(SiteRulesFile, EverySettingChangesTheHashOfTheRuleSet) {
  std::set<std::string> hashes{rule_set_hash()};
  for (const char* text :
       {"automatic = [\"R0\"]", "night_hours = 3", "date_days = 2", "margin = 16", "review_score = 61",
        "accession_zeros_count = false", "[[issuer]]\nname = \"A\"", "[[issuer]]\nname = \"A\"\nwidth = 4",
        "[[issuer]]\nname = \"A\"\nstrip_prefix = [\"X\"]", "[[issuer]]\nname = \"A\"\nstrip_suffix = [\"X\"]",
        "[[issuer]]\nname = \"A\"\nleave_out = \"-\"", "[[issuer]]\nname = \"A\"\nany_case = false"})
    EXPECT_TRUE(hashes.insert(rule_set_hash(rules(text))).second) << text;
}

StudyFacts study_of(const std::string& id) {
  StudyFacts f;
  f.study.study = "1.2.3";
  f.study.patient_id = id;
  f.study.issuer = "GENERAL";
  f.study.patient_name = "Adler^Anna";
  f.study.birth_date = "19700203";
  f.study.accession = "A17";
  f.study.study_date = "20200304";
  f.study.modalities = {"CT"};
  return f;
}
Exam exam_of(const std::string& id) {
  Exam e;
  e.key = e.accession = "A17";
  e.patient_id = id;
  e.issuer = "GENERAL";
  e.last = "Adler";
  e.first = "Anna";
  e.birth_date = "19700203";
  e.study_date = "20200304";
  e.classes = {"CT"};
  return e;
}

TEST_F(SiteRulesFile, NumbersThatAreOneInNormalFormDecideAndTheEvidenceSaysSo) {
  std::vector studies{study_of("MRN-0042")};
  std::vector exams{exam_of("42")};
  EXPECT_NE(decide(studies, exams, {}).studies[0].verdict, Verdict::matched);
  const auto r = rules("[[issuer]]\nname = \"GENERAL\"\nstrip_prefix = [\"MRN-\"]\nwidth = 6\n");
  r.apply(studies[0]);
  r.apply(exams[0]);
  const auto decision = decide(studies, exams, r).studies[0];
  EXPECT_EQ(decision.verdict, Verdict::matched);
  EXPECT_EQ(decision.rule, "R1");
  EXPECT_NE(decision.explanation.view().find("patient ID equal in normal form"), std::string::npos)
      << decision.explanation;
}

TEST_F(SiteRulesFile, ARuleThatTheSiteTakesAwayLeavesItsStudiesToAPerson) {
  const std::vector studies{study_of("42")};
  const std::vector exams{exam_of("42")};
  ASSERT_EQ(decide(studies, exams, {}).studies[0].verdict, Verdict::matched);
  const auto decision = decide(studies, exams, rules("automatic = [\"R0\"]\n")).studies[0];
  EXPECT_EQ(decision.verdict, Verdict::review);
  EXPECT_EQ(decision.rule, "R1");
  EXPECT_NE(decision.explanation.view().find("rule R1 is not approved"), std::string::npos);
}

TEST_F(SiteRulesFile, ANarrowerNightLeavesTheStudyOfTheNextDayOpen) {
  auto study = study_of("42");
  study.study.accession.reset();
  study.study.study_time = "013000";
  auto exam = exam_of("42");
  exam.study_date = "20200303";
  exam.study_time = "230000";
  const auto rule = [&](const SiteRules& r) {
    return decide(std::vector{study}, std::vector{exam}, r).studies[0].rule;
  };
  EXPECT_EQ(rule({}), "R5");
  EXPECT_NE(rule(rules("night_hours = 2\n")), "R5");
}

}  // namespace
}  // namespace waybill::match
