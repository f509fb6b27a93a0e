// SPDX-License-Identifier: Apache-2.0
#include "assess/assess.hpp"
#include "assess/meaning.hpp"
#include "support/exits.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <regex>

namespace waybill::assess {
namespace {

TEST(Sizes, QuantilesAreNeverTooLargeAndAtMostTwoPerCentTooSmall) {
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> all;
  Sizes sizes, first, second;
  for (int n = 0; n < 20'001; ++n) {
    all.push_back(random() >> (random() % 64));
    sizes.add(all.back());
    (n % 3 == 0 ? first : second).add(all.back());
  }
  first.add(second);
  std::sort(all.begin(), all.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 1.0}) {
    const auto exact = all[std::max<std::size_t>(1, static_cast<std::size_t>(share * 20'001 + 0.5)) - 1];
    EXPECT_LE(sizes.quantile(share), exact) << share;
    EXPECT_GE(static_cast<double>(sizes.quantile(share)), static_cast<double>(exact) * 0.98) << share;
    EXPECT_EQ(first.quantile(share), sizes.quantile(share));
  }
  EXPECT_EQ(sizes.largest(), all.back());
}

TEST(Sizes, OfNoneAreZero) {
  EXPECT_EQ(Sizes().quantile(0.5), 0U);
  EXPECT_EQ(Sizes().largest(), 0U);
}

TEST(YearOf, KnowsYearsThatCanBe) {
  EXPECT_EQ(year_of("20190502", 2026), "2019");
  EXPECT_EQ(year_of("2019.05.02", 2026), "2019");
  EXPECT_EQ(year_of(" 20260101 ", 2026), "2026");
  EXPECT_EQ(year_of("", 2026), "none");
  for (const char* odd : {"00000000", "18891231", "20270101", "99991231", "201", "unknown", "19x00101"})
    EXPECT_EQ(year_of(odd, 2026), "implausible") << odd;
}

TEST(ScriptOf, TellsTheScriptAndNothingElse) {
  EXPECT_EQ(script_of(""), "ASCII");
  EXPECT_EQ(script_of("Buc^Jerome"), "ASCII");
  EXPECT_EQ(script_of("Buc^Jérôme"), "Latin");
  EXPECT_EQ(script_of("Διονυσιος"), "Greek");
  EXPECT_EQ(script_of("Люкceмбypг"), "Cyrillic");
  EXPECT_EQ(script_of("قباني^لنزار"), "Arabic");
  EXPECT_EQ(script_of("שרון^דבורה"), "Hebrew");
  EXPECT_EQ(script_of("Yamada^Tarou=山田^太郎"), "Han");
  EXPECT_EQ(script_of("ﾔﾏﾀﾞ^ﾀﾛｳ"), "Kana");
  EXPECT_EQ(script_of("Hong^Gildong=홍^길동"), "Hangul");
  EXPECT_EQ(script_of("a\xEF\xBF\xBD"), "undecodable");
  EXPECT_EQ(script_of("a\xC3"), "undecodable");
}

TEST(Volumes, RowsOfAHostileManifestEndAndNothingIsLost) {
  Volumes volumes;
  manifest::Object object;
  object.source.size = 10;
  for (std::size_t n = 0; n < kMostRows + 500; ++n) {
    object.issuer = "SITE" + std::to_string(n);
    object.sop_class = "1." + std::to_string(n);
    volumes.add(object, {{"CODE-" + std::to_string(n), manifest::Severity::s1}}, 2026);
  }
  EXPECT_LE(volumes.groups.size(), kMostRows + 1);
  EXPECT_LE(volumes.kinds.size(), kMostRows + 1);
  EXPECT_LE(volumes.codes.size(), kMostRows + 1);
  Amount groups, kinds;
  for (const auto& [group, amount] : volumes.groups) groups += amount;
  for (const auto& [kind, amount] : volumes.kinds) kinds += amount;
  EXPECT_EQ(groups, volumes.instances);
  EXPECT_EQ(kinds, volumes.instances);
}

TEST(MeaningOf, HasWordsForEveryCodeThatTheToolsWrite) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  ASSERT_NE(source, nullptr);
  std::ifstream page(std::string(source) + "/docs/findings.md");
  const std::regex row("^\\| `([A-Z0-9-]+)`( `([A-Z0-9-]+)`)?.*");
  std::size_t codes = 0;
  std::smatch found;
  for (std::string line; std::getline(page, line);) {
    if (!std::regex_match(line, found, row)) continue;
    for (const std::size_t group : {1U, 3U}) {
      if (!found[group].matched) continue;
      const Meaning& meaning = meaning_of(found[group].str());
      EXPECT_FALSE(meaning.meaning.empty()) << found[group];
      EXPECT_EQ(meaning.meaning.find('`'), std::string::npos) << found[group] << ": " << meaning.meaning;
      ++codes;
    }
  }
  EXPECT_GT(codes, 150U);
  EXPECT_TRUE(meaning_of("NO-SUCHCODE").meaning.empty());
  EXPECT_EQ(meaning_of("PIX-SHORT").tools, "quarantine; never padded");
  EXPECT_EQ(meaning_of("PIX-SHORT").person, "fetch another copy");
}

TEST(ParseCount, TakesLevelsAndRefusesWhatIsNone) {
  const ControlCount count = parse_count("query: studies=12, objects=900");
  EXPECT_EQ(count.name, "query");
  EXPECT_EQ(count.counts.at("objects"), 900U);
  EXPECT_TRUE(differs(count, {{"studies", 12}, {"objects", 901}}));
  EXPECT_FALSE(differs(count, {{"studies", 12}, {"objects", 900}, {"series", 1}}));
  for (const char* wrong :
       {"", "query", "query:", ":studies=1", "query: studies", "query: studies=x", "query: studies=-1",
        "query: images=1", "query: studies=1, studies=2", "query: studies=99999999999999999999"})
    EXPECT_EQ(test::exit_of([&] { (void)parse_count(wrong); }), Exit::usage) << wrong;
}

TEST(Matching, CountsRulesAndDays) {
  Matching matching;
  matching.minutes_a_study = 10;
  const auto add = [&](const char* rule, const char* decision) {
    manifest::Study study;
    study.rule = rule;
    study.decision = decision;
    matching.add(study);
  };
  for (int n = 0; n < 90; ++n) add("R1", "auto");
  for (int n = 0; n < 42; ++n) add("R4", "review");
  for (int n = 0; n < 3; ++n) add("R10", "unmatched");
  add("R8", "person");
  matching.add(manifest::Other{"exam", "{}"});
  EXPECT_EQ(matching.all().studies(), 136U);
  EXPECT_EQ(matching.rules.at("R4").review, 42U);
  EXPECT_EQ(matching.rules.rbegin()->first, "R10");
  EXPECT_DOUBLE_EQ(matching.days(matching.all().review), 1);  // 42 times ten minutes are seven hours
  EXPECT_EQ(matching.exams_without_images, 1U);
}

}  // namespace
}  // namespace waybill::assess
