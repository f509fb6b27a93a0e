// SPDX-License-Identifier: Apache-2.0
#include "dicom/toolkit.hpp"
#include "load/queue.hpp"
#include "scan/run.hpp"
#include "support/dicom_builder.hpp"
#include "support/temp_folder.hpp"
#include "transcode/run.hpp"

#include <gtest/gtest.h>
#include <cstdlib>
#include <fstream>

namespace waybill::transcode {
namespace {

namespace fs = std::filesystem;
using dicom::tag;
using manifest::Bucket;
using manifest::Object;

class RejectedObjects : public test::InFolder {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "archive");
    for (const auto* sop : {"1.5.1", "1.5.2", "1.5.3", "1.5.4"}) {
      test::DicomBuilder d;
      d.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.88.11");
      d.text(tag(0x0008, 0x0018), "UI", sop);
      d.text(tag(0x0010, 0x0020), "LO", "P1");
      d.text(tag(0x0020, 0x000D), "UI", "1.1");
      d.text(tag(0x0020, 0x000E), "UI", "1.1.1");
      std::ofstream(folder_ / "archive" / sop, std::ios::binary)
          << test::DicomBuilder::part10(d.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.88.11", sop);
    }
    scan::Options options;
    options.sources = {(folder_ / "archive").string()};
    manifest::Writer writer(folder_ / "scan.wb", scan::header_of(options));
    (void)scan::run(options, writer, [](auto, auto, auto) {});
  }

  /// The scan with a note among its objects and the findings that follow from it behind them.
  void reject(const std::string& title) const {
    manifest::Reader reader(folder_ / "scan.wb");
    manifest::Writer writer(folder_ / "rejected.wb", reader.header());
    std::vector<Object> objects;
    while (const auto record = reader.next()) {
      if (const auto* object = std::get_if<Object>(&*record)) objects.push_back(*object);
    }
    objects[1].rejection = title;
    objects[1].references = {"1.5.3"};
    for (const Object& object : objects) writer.append_record(object);
    writer.append_record(
        manifest::LateFinding{objects[2].id, {"REJECTED-" + title, manifest::Severity::s2, "0008,0018", "by a note"}});
    writer.finish(reader.end()->counts);
  }
  [[nodiscard]] std::map<std::string, Object> transcode() const {
    Options options;
    options.input = folder_ / "rejected.wb";
    options.out = folder_ / "staged";
    Tally tally;
    {
      manifest::Writer writer(folder_ / "t.wb", header_of(options));
      tally = run(options, *start_codecs(options), writer, [](auto, auto, auto) {});
    }
    EXPECT_EQ(tally.objects, 4U);
    EXPECT_EQ(tally.exceptions, 0U);
    std::map<std::string, Object> out;
    manifest::Reader reader(folder_ / "t.wb");
    while (const auto record = reader.next()) {
      if (const auto* object = std::get_if<Object>(&*record)) out[*object->sop_instance] = *object;
    }
    return out;
  }
  dicom::Toolkit toolkit;
};

/// What load makes of a manifest.
struct Plan {
  std::vector<Object> sent, carried;
};

Plan plan_of(const fs::path& manifest) {
  load::Options options;
  options.manifest = manifest;
  options.output = manifest.parent_path() / "load.wb";
  const load::Priority priority;
  index::Store store{{}};
  load::Queue queue(options, priority, store);
  Plan plan;
  queue.set_carry({[](const manifest::Study&) {}, [&](const Object& object) { plan.carried.push_back(object); },
                   [](const std::string&) { return false; }});
  while (auto piece = queue.next())
    for (const load::Parcel& parcel : piece->parcels) plan.sent.push_back(parcel.object);
  return plan;
}

}  // namespace

TEST_F(RejectedObjects, ForAWrongWorklistEntryAreNeitherStagedNorSentAndTheirNoteNeither) {
  reject("113038");
  const auto objects = transcode();
  for (const auto* sop : {"1.5.2", "1.5.3"}) {
    const Object& o = objects.at(sop);
    EXPECT_EQ(o.bucket, Bucket::excluded) << sop;
    EXPECT_EQ(o.transcode.value().outcome, "not-staged") << sop;
    EXPECT_TRUE(o.transcode.value().path.empty()) << sop;
  }
  EXPECT_EQ(objects.at("1.5.3").findings.back().code, "REJECTED-113038");
  EXPECT_EQ(objects.at("1.5.2").findings.back().code, "REJECTION-NOTE");
  EXPECT_EQ(objects.at("1.5.1").bucket, Bucket::instance);

  for (const auto* name : {"rejected.wb", "t.wb"}) {  // load after transcode, or straight after scan
    const Plan plan = plan_of(folder_ / name);
    EXPECT_EQ(plan.sent.size(), 2U) << name;
    ASSERT_EQ(plan.carried.size(), 2U) << name;
    for (const Object& object : plan.carried) EXPECT_EQ(object.bucket, Bucket::excluded) << name;
  }
}

TEST_F(RejectedObjects, ForQualityAreSentWithTheirNoteBehindThem) {
  reject("113001");
  for (const auto& [sop, object] : transcode()) EXPECT_EQ(object.bucket, Bucket::instance) << sop;
  const Plan plan = plan_of(folder_ / "t.wb");
  ASSERT_EQ(plan.sent.size(), 4U);
  EXPECT_EQ(plan.sent.back().sop_instance, "1.5.2");
}

}  // namespace waybill::transcode
