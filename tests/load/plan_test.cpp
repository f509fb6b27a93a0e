// SPDX-License-Identifier: Apache-2.0
#include "load/plan.hpp"
#include "load/status.hpp"

#include <gtest/gtest.h>
#include <cstdint>
#include <initializer_list>

namespace waybill::load {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

Object object_of(const std::string& uid, const std::string& study, const std::string& sop_class) {
  Object object;
  object.id = uid;
  object.sop_instance = uid;
  object.study = study;
  object.sop_class = sop_class;
  return object;
}

const std::string kImage = "1.2.840.10008.5.1.4.1.1.2";
const std::string kState = "1.2.840.10008.5.1.4.1.1.11.1";
const std::string kKeyObject = "1.2.840.10008.5.1.4.1.1.88.59";
const std::string kReport = "1.2.840.10008.5.1.4.1.1.88.11";

Meaning meaning(std::uint16_t status) { return meaning_of({status, "", "", true}); }

}  // namespace

TEST(LoadPlan, SendsImagesThenStatesThenKeyObjectsThenReportsOfAStudy) {
  transfer::Contents contents;
  contents.objects = {object_of("1", "A", kReport), object_of("2", "B", kImage), object_of("3", "A", kKeyObject),
                      object_of("4", "A", kState), object_of("5", "A", kImage)};
  const Plan plan = make_plan(contents);
  ASSERT_EQ(plan.batches.size(), 2U);
  EXPECT_EQ(plan.batches[0].objects, (std::vector<std::size_t>{4, 3, 2, 0}));
  EXPECT_EQ(plan.batches[1].objects, (std::vector<std::size_t>{1}));
}

TEST(LoadPlan, CarriesWhatMustNotBeSent) {
  transfer::Contents contents;
  for (int i = 0; i < 5; ++i) contents.objects.push_back(object_of(std::to_string(i), "A", kImage));
  contents.objects[0].findings.push_back({"X", Severity::s3, "", ""});
  contents.objects[1].bucket = Bucket::duplicate_identical;
  contents.objects[2].findings.push_back({"X", Severity::s2, "", ""});
  contents.objects[3].sop_instance = "2";  // the UID of another object
  contents.objects[4].transcode.emplace().outcome = "not-staged";
  const Plan plan = make_plan(contents);
  EXPECT_EQ(plan.carried, (std::vector<std::size_t>{0, 1, 3, 4}));
  EXPECT_EQ(contents.objects[0].bucket, Bucket::quarantined);
  EXPECT_EQ(contents.objects[1].bucket, Bucket::duplicate_identical);
  EXPECT_EQ(contents.objects[3].bucket, Bucket::quarantined);
}

TEST(LoadPlan, LeavesOutWhatIsRejectedAndSendsAQualityNoteLast) {
  transfer::Contents contents;
  for (const auto* uid : {"1", "2", "3", "4"}) contents.objects.push_back(object_of(uid, "A", kImage));
  contents.objects[0].rejection = "113001";
  contents.objects[0].sop_class = kKeyObject;
  contents.objects[1].findings.push_back({"REJECTED-113001", Severity::s0, "", ""});
  contents.objects[2].findings.push_back({"REJECTED-113037", Severity::s2, "", ""});
  contents.objects[3].rejection = "113039";
  const Plan plan = make_plan(contents);
  EXPECT_EQ(plan.carried, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(contents.objects[2].bucket, Bucket::excluded);
  EXPECT_EQ(contents.objects[3].bucket, Bucket::excluded);
  EXPECT_EQ(contents.objects[3].findings.back().code, "REJECTION-NOTE");
  ASSERT_EQ(plan.batches.size(), 1U);
  EXPECT_EQ(plan.batches[0].objects, (std::vector<std::size_t>{1, 0}));
}

TEST(LoadPlan, NeverPutsTwoStudiesOrMoreThanFiftyObjectsInABatch) {
  transfer::Contents contents;
  for (int i = 0; i < 120; ++i)
    contents.objects.push_back(object_of(std::to_string(i), i % 2 == 0 ? "A" : "B", kImage));
  const Plan plan = make_plan(contents);
  std::size_t total = 0;
  for (const Batch& batch : plan.batches) {
    EXPECT_LE(batch.objects.size(), kBatchObjects);
    for (const std::size_t i : batch.objects) EXPECT_EQ(contents.objects[i].study, batch.study);
    total += batch.objects.size();
  }
  EXPECT_EQ(total, 120U);
}

TEST(StoreStatus, FollowsTheTable) {
  using Next = Meaning::Next;
  EXPECT_EQ(meaning(0x0000).bucket, Bucket::loaded);
  EXPECT_FALSE(meaning(0x0000).finding);
  for (const std::uint16_t warning : std::initializer_list<std::uint16_t>{0xB000, 0xB006, 0xB007}) {
    EXPECT_EQ(meaning(warning).bucket, Bucket::loaded);
    EXPECT_EQ(meaning(warning).finding.value().code, "LOAD-WARNING");
  }
  EXPECT_EQ(meaning(0x0111).outcome, "already-present");
  EXPECT_EQ(meaning(0x0111).bucket, Bucket::loaded);
  EXPECT_EQ(meaning(0xA700).next, Next::retry);
  EXPECT_EQ(meaning(0x0213).next, Next::retry);
  EXPECT_EQ(meaning(0x0110).next, Next::ask);
  EXPECT_EQ(meaning(0x0124).next, Next::stop);
  for (const std::uint16_t unsupported : std::initializer_list<std::uint16_t>{0x0122, 0x0112, 0x0118})
    EXPECT_EQ(meaning(unsupported).finding.value().code, "D27");
  for (const std::uint16_t faulty : std::initializer_list<std::uint16_t>{0xA900, 0xA9FF, 0xC000, 0xCFFF, 0x0117}) {
    EXPECT_EQ(meaning(faulty).next, Next::done);
    EXPECT_EQ(meaning(faulty).bucket, Bucket::quarantined);
  }
  for (const std::uint16_t refused : std::initializer_list<std::uint16_t>{0x0210, 0x0211, 0x0212, 0x1234}) {
    EXPECT_EQ(meaning(refused).next, Next::done);
    EXPECT_EQ(meaning(refused).bucket, Bucket::failed);
  }
  EXPECT_EQ(meaning(0xFE00).next, Next::ask);
}

TEST(StoreStatus, AsksWhenNoAnswerCameAndNamesARefusedContext) {
  EXPECT_EQ(meaning_of({std::nullopt, "", "lost", true}).next, Meaning::Next::ask);
  const Meaning refused = meaning_of({std::nullopt, "", "not granted", false});
  EXPECT_EQ(refused.finding.value().code, "D27");
  EXPECT_EQ(refused.bucket, Bucket::failed);
}

}  // namespace waybill::load
