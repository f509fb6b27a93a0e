// SPDX-License-Identifier: Apache-2.0
// Several verifications of one project, and manifests that are missing or say otherwise than the scan.
#include "project.hpp"
#include "report/report.hpp"

#include <gtest/gtest.h>
#include <algorithm>

namespace waybill::report {
namespace {

using namespace waybill::test;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Verifications : public ::testing::Test {
 protected:
  Project project_;
  std::filesystem::path scan_ = project_.write("scan.wb", "scan", {}, objects(4));
  std::filesystem::path load_ = project_.write("load.wb", "load", {scan_}, loaded(objects(4)));

  /// A verification of four loaded objects; object 0 came to this.
  std::filesystem::path verify(const std::string& name, const std::string& level, const manifest::Verify& good,
                               const manifest::Verify& first, Bucket bucket, const std::string& extra = {}) {
    manifest::Header header;
    header.stage = "verify";
    header.run = random_uuid();
    header.tool = "waybill test";
    header.created = utc_now();
    header.options = R"({"level":")" + level + "\"}";
    header.inputs = {manifest::input_of(load_)};
    manifest::Writer writer(project_.path(name), header);
    if (!extra.empty()) writer.append(R"({"kind":"extra","study":"1.2.0","sop_instance":")" + extra + "\"}");
    auto all = loaded(objects(4));
    for (auto& o : all) {
      o.bucket = Bucket::verified;
      o.verify = good;
    }
    all[0].bucket = bucket;
    all[0].verify = first;
    for (const auto& o : all) writer.append_record(o);
    writer.finish("{}");
    return project_.path(name);
  }
  std::filesystem::path content(const std::string& name, const std::string& verdict, const std::string& extra = {}) {
    const bool good = verdict == "IDENTICAL";
    return verify(name, "content", {"E4", "IDENTICAL", {}}, {good ? "E4" : "E3", verdict, {}},
                  good ? Bucket::verified : Bucket::failed, extra);
  }
  std::filesystem::path presence(const std::string& name, bool there = true) {
    return verify(name, "exists", {"E3", "PRESENT", {}}, {there ? "E3" : "E0", there ? "PRESENT" : "MISSING", {}},
                  there ? Bucket::verified : Bucket::failed);
  }
  std::filesystem::path commitment(const std::string& name) {
    return verify(name, "commitment", {"E2", "COMMITTED", {}}, {"E2", "COMMITTED", {}}, Bucket::verified);
  }
  std::filesystem::path files(const std::string& name, bool equal = true) {
    return verify(name, "fixity", {"E0", "IDENTICAL", {}}, {"E0", equal ? "IDENTICAL" : "CHANGED", {}},
                  equal ? Bucket::verified : Bucket::failed);
  }
  Report built(const std::vector<std::filesystem::path>& verifications) {
    Options options;
    options.manifests = {scan_, load_};
    options.manifests.insert(options.manifests.end(), verifications.begin(), verifications.end());
    return build(options);
  }
};

TEST_F(Verifications, ALaterCheckThatLooksLessCloselySettlesNoDefect) {
  const auto found = content("content.wb", "PIXEL-DIFF");
  for (const auto& later : {presence("presence.wb"), commitment("commitment.wb"), files("files.wb")}) {
    const Report report = built({found, later});
    EXPECT_EQ(report.exit, Exit::exceptions) << later;
    ASSERT_EQ(report.exceptions.size(), 1U) << later;
    EXPECT_EQ(report.exceptions[0].verdict.str(), "PIXEL-DIFF");
    EXPECT_EQ(report.refuted_by.at("PIXEL-DIFF"), 1U);
    EXPECT_EQ(report.grades[4], 3U) << "what the closer check proved of the others stands";
    EXPECT_TRUE(contains(to_html(report), "1 object has other pixels at the target than were sent."));
  }
}

TEST_F(Verifications, ACheckAsCloseSettlesADefect) {
  const Report report = built({content("a.wb", "PIXEL-DIFF"), presence("b.wb"), content("c.wb", "IDENTICAL")});
  EXPECT_EQ(report.exit, Exit::ok);
  EXPECT_TRUE(report.exceptions.empty());
  EXPECT_EQ(report.grades[4], 4U);
  EXPECT_EQ(built({presence("d.wb", false), content("e.wb", "IDENTICAL")}).exit, Exit::ok);
}

TEST_F(Verifications, WhatWasProvedOnceIsNotProvedOfAnObjectThatWasMissingSince) {
  const Report gone = built({content("a.wb", "IDENTICAL"), presence("b.wb", false)});
  EXPECT_EQ(gone.exit, Exit::exceptions);
  EXPECT_EQ(gone.refuted_by.at("MISSING"), 1U);
  const Report back = built({content("c.wb", "IDENTICAL"), presence("d.wb", false), presence("e.wb")});
  EXPECT_EQ(back.exit, Exit::ok);
  EXPECT_EQ(back.grades[4], 3U);
  EXPECT_EQ(back.grades[3], 1U);
}

TEST_F(Verifications, ATargetProvesNothingAboutFilesAndFilesNothingAboutATarget) {
  const Report report = built({files("a.wb", false), content("b.wb", "IDENTICAL")});
  EXPECT_EQ(report.exit, Exit::exceptions);
  EXPECT_EQ(report.exceptions.at(0).verdict.str(), "CHANGED");
  const Report settled = built({files("c.wb", false), content("d.wb", "IDENTICAL"), files("e.wb")});
  EXPECT_EQ(settled.exit, Exit::ok);
  EXPECT_EQ(settled.grades[4], 4U);
}

TEST_F(Verifications, TwoDefectsOfAnObjectAreBothTold) {
  const Report report = built({content("a.wb", "PIXEL-DIFF"), presence("b.wb", false)});
  ASSERT_EQ(report.exceptions.size(), 1U);
  EXPECT_EQ(report.exceptions[0].reason.str(), "verify: PIXEL-DIFF; verify: MISSING");
}

TEST_F(Verifications, OnlyACheckThatAsksForTheListSettlesWhatTheTargetHasBeyondOurObjects) {
  const auto found = content("a.wb", "IDENTICAL", "9.9.1");
  EXPECT_EQ(built({found, commitment("b.wb"), files("c.wb")}).target.unexplained, 1U);
  EXPECT_EQ(built({found, presence("d.wb")}).target.unexplained, 0U);
}

TEST_F(Verifications, ThePageAndTheSentencesSayWhatIsMissingAndDoNotCallItPresent) {
  const Report report = built({presence("a.wb", false)});
  EXPECT_TRUE(std::ranges::count(report.statement, "1 object is missing at the target."));
  for (const auto& sentence : report.statement) EXPECT_FALSE(contains(sentence, "gave no answer")) << sentence;
  EXPECT_TRUE(contains(to_html(report), "Of these found lost or changed"));
}

TEST(MissingManifests, AStageWhoseInputIsNotGivenIsUnexplained) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, objects(4));
  const auto decisions = project.write("reconcile.wb", "reconcile", {scan}, [](manifest::Writer& w) {
    for (const char* study : {"1.2.0", "1.2.1"}) {
      manifest::Study record;
      record.study = study;
      w.append_record(record);
    }
  });
  const auto staged = project.write("transcode.wb", "transcode", {scan, decisions}, objects(4));
  const auto load = project.write("load.wb", "load", {staged}, loaded(objects(4)));
  const auto built = [](const std::vector<std::filesystem::path>& manifests) {
    Options options;
    options.manifests = manifests;
    return build(options);
  };
  EXPECT_EQ(built({scan, decisions, staged, load}).unexplained_total, 0U);
  EXPECT_EQ(built({load}).exit, Exit::integrity);
  EXPECT_TRUE(contains(built({load}).unexplained.at(0).sentence, "transcode.wb, which is not among the manifests"));
  EXPECT_TRUE(contains(built({scan, staged, load}).unexplained.at(0).sentence, "reconcile.wb: it is not among"));
}

TEST(MissingManifests, AnObjectThatALaterStageCallsADuplicateIsUnexplained) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, objects(4));
  auto all = loaded(objects(4));
  all[1].bucket = Bucket::duplicate_identical;
  all[2].bucket = Bucket::excluded;  // by a decision, with its finding
  Options options;
  options.manifests = {scan, project.write("load.wb", "load", {scan}, all)};
  const Report report = build(options);
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_EQ(report.unexplained[0].kind, "bucket");
  EXPECT_EQ(report.unexplained[0].path, "/archive/1.dcm");
}

}  // namespace
}  // namespace waybill::report
