// SPDX-License-Identifier: Apache-2.0
#include "reconcile/explain.hpp"

#include "core/result.hpp"
#include "manifest/writer.hpp"
#include "support/folder.hpp"

namespace waybill::reconcile {
namespace {

class ReconcileExplain : public test::InFolder {
 protected:
  std::string manifest(const std::string& stage = "reconcile") {
    const auto path = folder_ / (stage + ".wb");
    manifest::Header header;
    header.stage = stage;
    header.options = "{\"rule_set\":\"abc123\"}";
    manifest::Writer writer(path, header);
    manifest::Study s;
    s.study = "1.2.3";
    s.rule = "R8";
    s.decision = "review";
    s.instances = 7;
    s.vetoes = {"two-candidates"};
    s.discrepancies = {"D08"};
    s.explanation = "accession nearly equal";
    s.edits = {{"0010,0010", "SECRET^OLD", "SECRET^NEW", "CORRECT"}};
    writer.append_record(s);
    writer.append(
        R"({"kind":"proposal","study":"1.2.3","rank":1,"exam":"A1","score":70,"rule":"R8","explanation":"name equal"})");
    writer.append(
        R"({"kind":"proposal","study":"1.2.9","rank":1,"exam":"OTHER","score":70,"rule":"R8","explanation":"x"})");
    writer.append(R"({"kind":"decision","study":"1.2.3","decision":"none","by":"Reed","refused":"the list is old"})");
    writer.finish("{}");
    return path.string();
  }
};

TEST_F(ReconcileExplain, SaysRuleEvidenceVetoesProposalsAndRuleSetInWords) {
  const std::string text = explain(manifest(), "1.2.3", false);
  for (const char* part : {"waits for a person", "Rule R8: something comes near", "accession nearly equal",
                           "another exam fits as well", "Discrepancy D08: the accession number is another one.",
                           "in all 7 objects", "Proposed: exam A1, rule R8: name equal.",
                           "A person's decision was not followed: the list is old.", "Rule set abc123"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
  EXPECT_EQ(text.find("OTHER"), std::string::npos);
}

TEST_F(ReconcileExplain, HasWordsForEveryVetoAndDiscrepancyThatTheDocumentationNames) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  ASSERT_NE(source, nullptr);
  const std::string page = test::get(std::filesystem::path(source) / "docs/matching.md");
  const std::string code = test::get(std::filesystem::path(source) / "lib/reconcile/explain.cpp");
  std::size_t vetoes = 0;
  for (std::size_t at = page.find("\n| `"); at != std::string::npos; at = page.find("\n| `", at + 1)) {
    const std::string name = page.substr(at + 4, page.find('`', at + 4) - at - 4);
    if (name.find('-') == std::string::npos) continue;
    ++vetoes;
    EXPECT_NE(code.find("Words{\"" + name + "\""), std::string::npos) << name;
  }
  EXPECT_GE(vetoes, 20U);
  for (int n = 1; n < 30; ++n)
    EXPECT_NE(code.find("Words{\"D" + std::string(n < 10 ? "0" : "") + std::to_string(n) + "\""), std::string::npos)
        << n;
}

TEST_F(ReconcileExplain, ShowsPatientsValuesOnlyOnDemand) {
  const std::string path = manifest();
  EXPECT_EQ(explain(path, "1.2.3", false).find("SECRET"), std::string::npos);
  EXPECT_NE(explain(path, "1.2.3", true).find("'SECRET^OLD' becomes 'SECRET^NEW'"), std::string::npos);
}

TEST_F(ReconcileExplain, RefusesOtherManifestsAndUnknownStudies) {
  EXPECT_THROW((void)explain(manifest(), "1.2.4", false), RunError);
  EXPECT_THROW((void)explain(manifest("scan"), "1.2.3", false), RunError);
}

}  // namespace
}  // namespace waybill::reconcile
