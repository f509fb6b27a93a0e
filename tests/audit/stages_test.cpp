// SPDX-License-Identifier: Apache-2.0
// What follows from the objects and studies of a stage, recorded to a file.
#include "audit/studies.hpp"
#include "audit/trail.hpp"
#include "audit/transfers.hpp"
#include "support.hpp"

namespace waybill::audit {
namespace {

using test::contains;

class AuditStages : public testing::Test {
 protected:
  void SetUp() override {
    trail_ = std::make_unique<Trail>(target_from("file://" + (folder_ / "log").string()), [](const std::string&) {});
    set_trail(trail_.get());
  }
  void TearDown() override { set_trail(nullptr); }
  std::vector<std::string> messages() {
    std::vector<std::string> out;
    std::istringstream in(test::slurp(folder_ / "log"));
    for (std::string line; std::getline(in, line);) out.push_back(from_syslog(line).value().xml);
    for (const auto& xml : out) EXPECT_EQ(test::fault_of(xml), "") << xml;
    return out;
  }
  static manifest::Object object(const std::string& study, const std::string& patient) {
    manifest::Object object;
    object.study = study;
    object.patient_id = patient;
    object.sop_class = "1.2.840.10008.5.1.4.1.1.2";
    return object;
  }
  std::string manifest_of(const manifest::Study& study) {
    manifest::Header header{"reconcile", "r", "t", "2026-01-01T00:00:00Z", "{}", {}};
    manifest::Writer writer(folder_ / "m.wb", header, manifest::Restart::yes);
    writer.append_record(study);
    writer.finish("{}");
    return folder_ / "m.wb";
  }

  test::TempFolder folder_;
  std::unique_ptr<Trail> trail_;
};

TEST_F(AuditStages, AnInterruptedTransferIsEndedWithWhatArrivedAndWhatDidNot) {
  const std::vector<manifest::Object> all{object("1.2", "A"), object("1.2", "A"), object("1.2", "A"),
                                          object("1.3", "A")};
  {
    Transfers transfers({});
    transfers.begin({&all[0], &all[1], &all[2]});
    transfers.begin({&all[3]});
    transfers.end(all[0], true);
  }
  const auto told = messages();
  ASSERT_EQ(told.size(), 5U);  // two begun; the first ended in two parts, the second in one
  EXPECT_TRUE(contains(told[2], "EventOutcomeIndicator=\"0\"") && contains(told[2], "NumberOfInstances=\"1\""));
  EXPECT_TRUE(contains(told[3], "EventOutcomeIndicator=\"4\"") && contains(told[3], "NumberOfInstances=\"2\""));
  EXPECT_TRUE(contains(told[4], "\"1.3\"") && contains(told[4], "the run ended before"));
}

TEST_F(AuditStages, ADecidedMergeIsAPatientRecordAndAnExamCorrectionAProcedureRecord) {
  manifest::Study study;
  study.study = "1.2.3";
  study.patient_id = "OLD";
  study.patient_name = "Old^Name";
  study.decision = "auto";
  study.edits = {{"0010,0020", "OLD", "NEW", "COERCE"}, {"0008,0050", "a", "b", "CORRECT"}};
  record_decisions(manifest_of(study));
  const auto told = messages();
  ASSERT_EQ(told.size(), 2U);
  for (const char* part : {"csd-code=\"110110\"", "EventActionCode=\"U\"", "ParticipantObjectID=\"NEW\"",
                           "ParticipantObjectID=\"OLD\"", "previous ID"})
    EXPECT_TRUE(contains(told[0], part)) << part << told[0];
  EXPECT_TRUE(contains(told[1], "csd-code=\"110111\"") && contains(told[1], "<Accession Number=\"b\"/>"));
  study.decision = "review";  // nobody decided
  record_decisions(manifest_of(study));
  EXPECT_EQ(messages().size(), 2U);
}

TEST_F(AuditStages, ManyStudiesOfAMediumAreFewMessages) {
  manifest::Header header{"scan", "r", "t", "2026-01-01T00:00:00Z", "{}", {}};
  {
    manifest::Writer writer(folder_ / "m.wb", header);
    for (int i = 0; i < 250; ++i) {
      manifest::Study study;
      study.study = "1.2." + std::to_string(i);
      writer.append_record(study);
    }
    writer.finish("{}");
  }
  record_imported(folder_ / "m.wb", "TAPE-9");
  EXPECT_EQ(messages().size(), 3U);
  record_imported("-", "TAPE-9");  // cannot be read again
  EXPECT_EQ(messages().size(), 3U);
}

TEST_F(AuditStages, AStudyThatSeveralManifestsHoldLeavesOnce) {
  manifest::Study study;
  study.study = "1.2.3";
  study.patient_id = "ONE";
  const std::string first = manifest_of(study);
  std::filesystem::rename(first, folder_ / "first.wb");
  study.patient_id = "TWO";  // corrected on the way: both patients' records are in the package
  (void)manifest_of(study);
  record_leaving({folder_ / "first.wb", folder_ / "first.wb", folder_ / "m.wb"}, "out\n/package");
  const auto told = messages();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(contains(told[0], "UserID=\"out%0A/package\"")) << told[0];
  EXPECT_EQ(test::count_of(told[0], "ParticipantObjectID=\"1.2.3\""), 2U) << told[0];
  EXPECT_EQ(test::count_of(told[0], "ParticipantObjectID=\"ONE\""), 1U) << told[0];
  EXPECT_THROW(record_leaving({"-"}, "out"), RunError);
  set_trail(nullptr);
  record_leaving({"-"}, "out");  // nobody asks
  EXPECT_EQ(messages().size(), 1U);
}

}  // namespace
}  // namespace waybill::audit
