// SPDX-License-Identifier: Apache-2.0
#include "manifest/check.hpp"
#include "report/project.hpp"

#include <gtest/gtest.h>
#include <algorithm>

namespace waybill::report {
namespace {

using namespace waybill::test;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const SheetLine& line(const std::string& name) {
  const auto& all = sheet_lines();
  return *std::find_if(all.begin(), all.end(), [&](const SheetLine& l) { return name == l.name; });
}
Amounts at(const Report& report, const std::string& name) { return sum_of(report.sheet, line(name)); }

/// A project whose target has instances that are none of its objects.
class Ledger : public ::testing::Test {
 protected:
  Project project_;
  Options options_;

  std::filesystem::path verify(const std::string& name, const std::filesystem::path& input, std::vector<Object> all,
                               const std::vector<std::string>& extras, const std::string& study = "1.2.0") {
    return project_.write(name, "verify", {input}, [&](manifest::Writer& w) {
      for (const auto& uid : extras)
        w.append(R"({"kind":"extra","study":")" + study + R"(","sop_instance":")" + uid + R"("})");
      for (const auto& object : all) w.append_record(object);
    });
  }
  Report built(const std::vector<std::filesystem::path>& manifests) {
    options_.manifests = manifests;
    return build(options_);
  }
};

TEST_F(Ledger, EveryLineOfTheSheetIsTheSumOfTheLinesBelowIt) {
  std::vector<Object> all = objects(26);
  for (std::size_t i = 0; i < 14; ++i) all[i].bucket = static_cast<Bucket>(i);
  const Report report = built({project_.write("scan.wb", "scan", {}, all)});
  const auto& lines = sheet_lines();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Amounts below;
    bool any = false;
    for (std::size_t j = i + 1; j < lines.size() && lines[j].depth > lines[i].depth; ++j) {
      if (lines[j].depth != lines[i].depth + 1) continue;
      const Amounts part = sum_of(report.sheet, lines[j]);
      below.files += part.files, below.objects += part.objects, below.studies += part.studies,
          below.bytes += part.bytes;
      any = true;
    }
    if (any) {
      EXPECT_EQ(sum_of(report.sheet, lines[i]), below) << lines[i].name;
    }
  }
  EXPECT_EQ(at(report, "source"), (Amounts{26, 26, 13, 26'000}));
  EXPECT_EQ(at(report, "source").objects, report.scanned.objects);
  EXPECT_EQ(at(report, "source").files, report.scanned.files);
  EXPECT_EQ(at(report, "source").studies, report.scanned.studies);
  EXPECT_EQ(at(report, "source").bytes, report.scanned.bytes);
}

TEST_F(Ledger, AFileAndAStudyStandWhereTheirLeastFinishedObjectStands) {
  std::vector<Object> all = objects(4);  // studies of two
  for (std::size_t i = 0; i < 3; ++i) {
    all[i].source.path = "/archive/pack.zip";
    all[i].source.member = std::to_string(i);
    all[i].id = manifest::object_id(all[i].source);
  }
  const auto scan = project_.write("scan.wb", "scan", {}, all);
  std::vector<Object> sent = loaded(all);
  sent[1].bucket = Bucket::failed;
  const Report report = built({scan, project_.write("load.wb", "load", {scan}, sent)});
  EXPECT_EQ(at(report, "failed"), (Amounts{1, 1, 1, 1000}));
  EXPECT_EQ(at(report, "loaded"), (Amounts{1, 3, 1, 3000}));
  EXPECT_EQ(at(report, "source"), (Amounts{2, 4, 2, 4000}));
}

TEST_F(Ledger, AFileWhoseMembersStandApartInTheManifestIsOneFile) {
  std::vector<Object> all = objects(4);
  for (const std::size_t i : {0U, 2U}) {
    all[i].source.path = "/archive/pack.zip";
    all[i].source.member = std::to_string(i);
    all[i].id = manifest::object_id(all[i].source);
  }
  const Report report = built({project_.write("scan.wb", "scan", {}, all)});
  EXPECT_EQ(report.scanned.files, 3U);
  EXPECT_EQ(at(report, "source").files, 3U);
}

TEST_F(Ledger, GroupsAreByModalityYearAndSite) {
  std::vector<Object> all = objects(4);
  all[0].issuer = "NORTH";
  all[2].issuer = "SOUTH";
  all[2].bucket = Bucket::quarantined;
  const Report report = built({project_.write("scan.wb", "scan", {}, all)});
  ASSERT_EQ(report.groups.size(), 3U);
  EXPECT_EQ(report.groups[0].site, "NORTH");
  EXPECT_EQ(report.groups[1].site, "SOUTH");
  EXPECT_EQ(report.groups[1].states[static_cast<std::size_t>(State::quarantined)], 1U);
  EXPECT_EQ(report.groups[2].modality, "MR");
  EXPECT_EQ(report.groups[2].objects, 2U);
}

TEST_F(Ledger, AnInstanceThatOnlyTheTargetHasIsUnexplainedAndNamed) {
  const auto load = project_.write("load.wb", "load", {}, loaded(objects(4)));
  const Report report = built({load, verify("verify.wb", load, verified(loaded(objects(4))), {"9.9.1"})});
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_EQ(report.unexplained[0].kind, "extra-at-target");
  EXPECT_EQ(report.unexplained[0].subject, "9.9.1");
  EXPECT_EQ(report.target.found(), 5U);
  EXPECT_TRUE(contains(to_html(report), "9.9.1"));
  EXPECT_TRUE(contains(to_csv(report), "9.9.1"));
}

TEST_F(Ledger, WhatWasThereBeforeTheFirstLoadIsExplained) {
  const auto scan = project_.write("scan.wb", "scan", {}, objects(4));
  const auto before = verify("before.wb", scan, objects(4), {"9.9.1"});
  const auto load = project_.write("load.wb", "load", {scan}, loaded(objects(4)));
  const Report report =
      built({scan, before, load, verify("verify.wb", load, verified(loaded(objects(4))), {"9.9.1", "9.9.2"})});
  EXPECT_EQ(report.target.before_load, 1U);
  EXPECT_EQ(report.target.unexplained, 1U);
  EXPECT_EQ(report.unexplained[0].subject, "9.9.2");
}

TEST_F(Ledger, WhatAnotherManifestOfTheProjectHoldsIsExplained) {
  const auto scan = project_.write("scan.wb", "scan", {}, objects(4));
  const auto load = project_.write("load.wb", "load", {scan}, loaded(objects(4)));
  const auto check = verify("verify.wb", load, verified(loaded(objects(4))), {"1.2.3.77"});
  const auto other = project_.write("other.wb", "scan", {}, std::vector<Object>{object(77)});
  const Report report = built({scan, load, check, other});
  EXPECT_EQ(report.target.other_manifest, 1U);
  EXPECT_EQ(report.target.unexplained, 0U);
  EXPECT_EQ(report.target.extras[0].reason, "an object of other.wb");
}

TEST_F(Ledger, APersonMayExplainAnInstanceOrAStudyAndMustGiveAReason) {
  const auto load = project_.write("load.wb", "load", {}, loaded(objects(4)));
  const auto check = verify("verify.wb", load, verified(loaded(objects(4))), {"9.9.1", "9.9.2"});
  options_.known = project_.path("known.csv");
  std::ofstream(options_.known) << "# after cut-over\n9.9.1,acquired there, says Reed\r\n1.2.0,addendum\n";
  const Report report = built({load, check});
  EXPECT_EQ(report.exit, Exit::ok);
  EXPECT_EQ(report.target.known, 2U);
  EXPECT_EQ(report.target.extras[0].reason, "acquired there, says Reed");
  EXPECT_EQ(report.target.extras[1].reason, "addendum");
  for (const char* bad : {"9.9.1\n", "9.9.1,\n", "name,reason\n"}) {
    std::ofstream(options_.known) << bad;
    EXPECT_THROW((void)built({load, check}), RunError) << bad;
  }
}

TEST_F(Ledger, ALaterVerificationThatDoesNotFindAnExtraAnyMoreSettlesIt) {
  const auto load = project_.write("load.wb", "load", {}, loaded(objects(4)));
  const auto first = verify("verify1.wb", load, verified(loaded(objects(4))), {"9.9.1"});
  const auto second = verify("verify2.wb", load, verified(loaded(objects(4))), {});
  EXPECT_EQ(built({load, first, second}).target.unexplained, 0U);
  EXPECT_EQ(built({load, first}).target.unexplained, 1U);
}

TEST_F(Ledger, AScanSinceAnotherExplainsWhatIsNewAndWhatIsGone) {
  const auto old_scan = project_.write("old.wb", "scan", {}, objects(4));
  std::vector<Object> now = objects(6);
  for (auto& o : now) o.since = "unchanged";
  now[4].since = now[5].since = "new";
  now.erase(now.begin());
  const auto with = [&](bool gone, const std::string& name) {
    return project_.write(name, "scan", {old_scan}, [&](manifest::Writer& w) {
      for (const auto& o : now) w.append_record(o);
      if (gone) w.append_record(manifest::Gone{object(0).id, object(0).source});
    });
  };
  const Report report = built({old_scan, with(true, "new.wb")});
  EXPECT_EQ(report.exit, Exit::ok);
  ASSERT_EQ(report.balances.size(), 1U);
  EXPECT_TRUE(report.balances[0].increment);
  EXPECT_EQ(report.balances[0].fresh, 2U);
  EXPECT_EQ(report.balances[0].gone, 1U);
  EXPECT_EQ(report.scanned.objects, 6U) << "both scans together";
  EXPECT_TRUE(contains(to_html(report), "2 objects are new, 1 are gone"));
  const Report lost = built({old_scan, with(false, "lost.wb")});
  ASSERT_EQ(lost.unexplained_total, 1U);
  EXPECT_EQ(lost.unexplained[0].kind, "missing");
  now[4].since = "unchanged";
  const Report invented = built({old_scan, with(true, "invented.wb")});
  ASSERT_EQ(invented.unexplained_total, 1U);
  EXPECT_EQ(invented.unexplained[0].kind, "extra");
}

TEST_F(Ledger, SignaturesAreToldAndOnesThatDoNotVerifyAreUnexplained) {
  const auto scan = project_.write("scan.wb", "scan", {}, objects(2));
  const auto key = project_.path("key");
  const std::string id = manifest::generate_key(key);
  (void)manifest::sign_manifest(scan, key);
  Report report = built({scan});
  ASSERT_EQ(report.manifests[0].signers.size(), 1U);
  EXPECT_EQ(report.manifests[0].signers[0].key, id);
  EXPECT_EQ(report.manifests[0].signers[0].state, Signer::State::not_tried);
  options_.keys = {project_.path("key.pub")};
  report = built({scan});
  EXPECT_EQ(report.manifests[0].signers[0].state, Signer::State::verified);
  EXPECT_EQ(report.exit, Exit::ok);
  EXPECT_TRUE(contains(to_html(report), id));
}

TEST_F(Ledger, LoadsGiveATimelineOfWhatTheirOwnRunPutAtTheTarget) {
  std::vector<Object> all = loaded(objects(4));
  all[0].load->at = "2026-03-01T10:00:59Z";
  all[1].load->at = "2026-03-01T10:01:00Z";
  all[2].load->at = "2026-03-01T10:01:59.5Z";
  all[3].load->at = "2026-03-01T09:00:00Z";
  all[3].load->run = "an earlier run";
  const Report report = built({project_.write("load.wb", "load", {}, all)});
  ASSERT_EQ(report.activities.size(), 1U);
  const auto& minutes = report.activities[0].minutes;
  ASSERT_EQ(minutes.size(), 2U);
  EXPECT_EQ(minutes.begin()->second.objects, 1U);
  EXPECT_EQ(minutes.rbegin()->second.objects, 2U);
  EXPECT_TRUE(contains(to_html(report), "from 2026-03-01 10:00 UTC to 2026-03-01 10:02 UTC"));
  EXPECT_TRUE(contains(to_json(report), R"("last_loaded":"2026-03-01T10:01:00Z")"));
}

TEST_F(Ledger, DiscrepanciesHaveATrendByYearAndByRun) {
  const auto scan = project_.write("scan.wb", "scan", {}, objects(4));
  const auto reconciled = [&](const std::string& name, int studies) {
    return project_.write(name, "reconcile", {scan}, [&](manifest::Writer& w) {
      for (int n = 0; n < 2; ++n) {
        manifest::Study study;
        study.study = "1.2." + std::to_string(n);
        study.study_date = std::to_string(2019 + n) + "0131";
        if (n < studies) study.discrepancies = {"D03"};
        w.append_record(study);
      }
      w.append(R"({"kind":"exam","exam":"A1","study_date":"20200101"})");
    });
  };
  const Report report = built({scan, reconciled("r1.wb", 2), reconciled("r2.wb", 1)});
  EXPECT_EQ(report.trends.at("D03").at("2019"), 2U);
  EXPECT_EQ(report.trends.at("D03").at("2020"), 1U);
  EXPECT_EQ(report.trends.at("D01").at("2020"), 2U);
  ASSERT_EQ(report.by_run.size(), 2U);
  EXPECT_EQ(report.by_run[1].second.at("D03"), 1U);
  EXPECT_TRUE(contains(to_html(report), "Discrepancies by run of reconcile"));
}

TEST_F(Ledger, ALateFindingIsDescribedFromWhicheverManifestHoldsItsObject) {
  const auto scan = project_.write("scan.wb", "scan", {}, [](manifest::Writer& w) {
    w.append_record(object(0));
    w.append_record(object(1));
    for (int n : {0, 1})
      w.append_record(
          manifest::LateFinding{object(n).id, {"ID-UIDCOLL", manifest::Severity::s3, "0008,0018", "twice"}});
  });
  const auto load = project_.write("load.wb", "load", {scan}, std::vector<Object>{loaded({object(0)})[0]});
  const Report report = built({scan, load});
  ASSERT_EQ(report.exceptions.size(), 2U);
  EXPECT_EQ(report.exceptions[0].stage, "load");
  EXPECT_EQ(report.exceptions[1].stage, "scan");
  EXPECT_EQ(report.exceptions[1].path, "/archive/1.dcm");
}

TEST_F(Ledger, ThePageHoldsEveryExceptionAsDataThatCannotEndItsElement) {
  std::vector<Object> all = objects(300);
  for (auto& o : all) {
    o.bucket = Bucket::quarantined;
    o.study = "</script><script>alert(1)</script>";
  }
  const std::string page = to_html(built({project_.write("scan.wb", "scan", {}, all)}));
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_FALSE(contains(page, "</script><script>alert"));
  const std::size_t data = page.find("id=\"exceptions-data\"");
  ASSERT_NE(data, std::string::npos);
  for (const char* path : {"\"0.dcm\"", "\"150.dcm\"", "\"299.dcm\""})
    EXPECT_NE(page.find(path, data), std::string::npos) << path;
}

}  // namespace
}  // namespace waybill::report
