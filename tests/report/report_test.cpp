// SPDX-License-Identifier: Apache-2.0
#include "report/project.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <algorithm>

namespace waybill::report {
namespace {

using namespace waybill::test;

Report built(const std::vector<std::filesystem::path>& manifests) {
  Options options;
  options.manifests = manifests;
  return build(options);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// scan → transcode → load → verify of ten objects, all well unless `change` says otherwise.
struct Chain {
  explicit Chain(Project& project, const std::function<void(std::vector<Object>&)>& change = {}, int count = 10) {
    std::vector<Object> all = objects(count);
    scan = project.write("scan.wb", "scan", {}, all);
    transcode = project.write("transcode.wb", "transcode", {scan}, all);
    all = loaded(all);
    if (change) change(all);
    load = project.write("load.wb", "load", {transcode}, all);
    verify = project.write("verify.wb", "verify", {load}, verified(all));
  }
  std::filesystem::path scan, transcode, load, verify;
};

TEST(Report, ClosedLedgerOfVerifiedObjectsExitsZeroWhateverTheOrderOfTheManifests) {
  Project project;
  const Chain chain(project);
  const Report report = built({chain.verify, chain.scan, chain.load, chain.transcode});
  EXPECT_EQ(report.exit, Exit::ok);
  EXPECT_EQ(report.unexplained_total, 0U);
  EXPECT_EQ(report.scanned.objects, 10U);
  EXPECT_EQ(report.scanned.bytes, 10'000U);
  EXPECT_EQ(report.scanned.studies, 5U);
  EXPECT_EQ(report.grades[4], 10U);
  ASSERT_EQ(report.balances.size(), 3U);
  for (const auto& balance : report.balances) EXPECT_TRUE(balance.closes()) << balance.output;
  ASSERT_EQ(report.groups.size(), 2U);
  EXPECT_EQ(report.groups[0].modality, "CT");
  EXPECT_EQ(report.groups[0].verified, 5U);
  EXPECT_TRUE(contains(report.statement.at(1), "10 of 10 objects (100 %) were read back")) << report.statement.at(1);
}

TEST(Report, MissingObjectOpensTheLedgerAndIsNamed) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) { all.erase(all.begin() + 3); });
  const Report report = built({chain.scan, chain.transcode, chain.load, chain.verify});
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_EQ(report.unexplained[0].kind, "missing");
  EXPECT_EQ(report.unexplained[0].subject, object(3).id);
  EXPECT_EQ(report.unexplained[0].path, "/archive/3.dcm");
  EXPECT_EQ(report.unexplained[0].manifest, "load.wb");
  EXPECT_TRUE(contains(to_html(report), "/archive/3.dcm"));
  EXPECT_TRUE(contains(to_csv(report), "/archive/3.dcm"));
}

TEST(Report, ObjectThatStandsTwiceInALaterStageIsUnexplained) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) { all.push_back(all[2]); });
  const Report report = built({chain.scan, chain.transcode, chain.load});
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_EQ(report.unexplained[0].kind, "repeated");
  EXPECT_EQ(report.unexplained[0].subject, object(2).id);
}

TEST(Report, InventedObjectIsUnexplained) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) { all.push_back(loaded({object(77)})[0]); });
  const Report report = built({chain.scan, chain.transcode, chain.load});
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_EQ(report.unexplained[0].kind, "extra");
}

TEST(Report, ChangedSizeOfAnObjectOpensTheByteLevel) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) { all[0].source.size = 999; });
  const Report report = built({chain.scan, chain.transcode, chain.load});
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_EQ(report.unexplained[0].kind, "levels");
}

TEST(Report, ManifestOfAnotherScanDoesNotLinkAndBothAreNamed) {
  Project project, other;
  const Chain chain(project);
  const Chain stranger(other);
  const Report report = built({stranger.scan, chain.transcode});
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.links.size(), 1U);
  EXPECT_EQ(report.links[0].state, Link::State::broken);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_TRUE(contains(report.unexplained[0].sentence, "transcode.wb")) << report.unexplained[0].sentence;
  EXPECT_TRUE(contains(report.unexplained[0].sentence, "scan.wb")) << report.unexplained[0].sentence;
}

TEST(Report, ScanMadeSinceOneOfTheSameNameIsNoBrokenLink) {
  Project project, before;
  const auto older = before.write("scan.wb", "scan", {}, objects(9));
  const auto scan = project.write("scan.wb", "scan", {older}, objects(10));
  const auto load = project.write("load.wb", "load", {scan}, loaded(objects(10)));
  const Report report = built({scan, load});
  EXPECT_EQ(report.unexplained_total, 0U);
  ASSERT_FALSE(report.links.empty());
  EXPECT_EQ(report.links[0].state, Link::State::not_given);
}

TEST(Report, MissingLinkInTheMiddleIsNotTakenOnTrust) {
  Project project;
  const Chain chain(project);
  const Report report = built({chain.scan, chain.load});
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_TRUE(contains(report.unexplained[0].sentence, "transcode.wb, which is not among the manifests given"))
      << report.unexplained[0].sentence;
}

TEST(Report, InterruptedRunIsIncompleteAndOwesItsObjectsWithoutOpeningTheLedger) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, objects(4));
  const auto load = project.write(
      "load.wb", "load", {scan}, [](manifest::Writer& w) { w.append_record(loaded({object(0)})[0]); }, true);
  const Report report = built({scan, load});
  EXPECT_EQ(report.exit, Exit::exceptions);
  EXPECT_EQ(report.unexplained_total, 0U);
  EXPECT_FALSE(report.manifests[1].complete);
  EXPECT_TRUE(contains(to_html(report), "load.wb is incomplete"));
}

TEST(Report, ExceptionCarriesReasonAndCodesButNoPatient) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) {
    all[4].bucket = Bucket::failed;
    all[4].load = manifest::Load{"A700", "no room for DOE^JANE", 3, "2", "2026-01-01T00:00:00Z", "refused"};
    all[4].findings.push_back({"PHI-TEST", manifest::Severity::s3, "0010,0010", "444f455e4a414e45"});
  });
  const Report report = built({chain.scan, chain.transcode, chain.load, chain.verify});
  EXPECT_EQ(report.exit, Exit::exceptions);
  ASSERT_EQ(report.exceptions.size(), 1U);
  EXPECT_EQ(report.exceptions[0].patient.size(), 12U);
  EXPECT_TRUE(contains(report.exceptions[0].reason, "status A700")) << report.exceptions[0].reason;
  for (const std::string& out : {to_html(report), to_csv(report), to_json(report), to_json_summary(report)}) {
    for (const char* phi : {"MRN-2", "DOE^JANE", "19700229", "444f455e4a414e45"})
      EXPECT_FALSE(contains(out, phi)) << phi;
  }
}

TEST(Report, PatientHashIsTheSameWithinAReportAndAnotherInTheNext) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) {
    for (const int n : {0, 1, 2}) all[static_cast<std::size_t>(n)].bucket = Bucket::failed;
  });
  const std::vector<std::filesystem::path> given{chain.scan, chain.transcode, chain.load};
  const Report one = built(given), two = built(given);
  ASSERT_EQ(one.exceptions.size(), 3U);
  EXPECT_EQ(one.exceptions[0].patient, one.exceptions[1].patient);
  EXPECT_NE(one.exceptions[0].patient, one.exceptions[2].patient);
  EXPECT_NE(one.exceptions[0].patient, two.exceptions[0].patient);
}

TEST(Report, ShowPhiShowsThePatientId) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) { all[4].bucket = Bucket::failed; });
  Options options;
  options.manifests = {chain.scan, chain.transcode, chain.load};
  options.show_phi = true;
  EXPECT_TRUE(contains(to_html(build(options)), "MRN-2"));
}

TEST(Report, LateFindingMakesALoadedObjectAnException) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, [](manifest::Writer& w) {
    w.append_record(object(0));
    w.append_record(manifest::LateFinding{
        object(0).id, {"ID-UIDCOLL", manifest::Severity::s3, "0008,0018", "same UID, other pixels"}});
    w.append_record(object(1));
  });
  const auto load = project.write("load.wb", "load", {scan}, loaded(objects(2)));
  const Report report = built({scan, load});
  EXPECT_EQ(report.exit, Exit::exceptions);
  ASSERT_EQ(report.exceptions.size(), 1U);
  EXPECT_EQ(report.exceptions[0].path, "/archive/0.dcm");
  EXPECT_EQ(report.exceptions[0].bucket, "loaded");
  EXPECT_TRUE(contains(report.exceptions[0].reason, "ID-UIDCOLL"));
  EXPECT_EQ(report.codes.at("ID-UIDCOLL").findings, 1U);
}

TEST(Report, ReconcileIsCountedAndItsStudiesBalanceAgainstTheScan) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, objects(4));
  const auto reconcile = project.write("reconcile.wb", "reconcile", {scan}, [](manifest::Writer& w) {
    manifest::Study study;
    study.study = "1.2.0";
    study.instances = 2;
    study.rule = "R1";
    study.decision = "auto";
    study.discrepancies = {"D03"};
    study.edits = {{"0010,0020", "MRN-0", "SECRET-9", "CORRECT"}};
    w.append_record(study);
  });
  const Report report = built({scan, reconcile});
  EXPECT_EQ(report.rules.at("R1"), 1U);
  EXPECT_EQ(report.discrepancies.at("D03"), 1U);
  EXPECT_EQ(report.edits.at("0010,0020").instances, 2U);
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_EQ(report.unexplained[0].kind, "study-missing");
  EXPECT_EQ(report.unexplained[0].subject, "1.2.1");
  EXPECT_FALSE(contains(to_html(report), "SECRET-9"));
}

TEST(Report, PixelDifferenceIsAnExceptionEvenInAGoodBucket) {
  Project project;
  const Chain chain(project);
  std::vector<Object> all = verified(loaded(objects(10)));
  all[1].verify = manifest::Verify{"E3",
                                   "PIXEL-DIFF",
                                   {{"7FE00010", "frames", "frame 2 of 3 is the first that differs, 1 frame differs"},
                                    {"00100010", "changed", "SECRET^NAME -> OTHER^NAME"}}};
  const auto verify = project.write("verify2.wb", "verify", {chain.load}, all);
  const Report report = built({chain.scan, chain.transcode, chain.load, verify});
  EXPECT_EQ(report.exit, Exit::exceptions);
  ASSERT_EQ(report.exceptions.size(), 1U);
  EXPECT_EQ(report.exceptions[0].reason.str(),
            "verify: PIXEL-DIFF; (7FE00010) frame 2 of 3 is the first that differs, 1 frame differs; (00100010) "
            "changed")
      << "which frames differ is nobody's secret";
}

TEST(Report, HostileTextsReachNoSinkAlive) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) {
    Object& o = all[0];
    o.bucket = Bucket::quarantined;
    o.modality = "<script>x";
    o.study = "\"><script>alert(1)</script>";
    o.series = "=HYPERLINK(\"http://evil\")";
    o.sop_class = "@SUM(1)";
    o.study_date = "-1+1";
    o.findings.push_back({"<b>", manifest::Severity::s3, "", "'\"><img src=x onerror=alert(1)>\x1b[2J"});
  });
  const Report report = built({chain.scan, chain.transcode, chain.load});
  const std::string page = to_html(report);
  for (const char* alive : {"<script>alert", "<script>x", "<img", "<b>", "\x1b"})
    EXPECT_FALSE(contains(page, alive)) << alive;
  EXPECT_TRUE(contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_EQ(page.find("<script>"), page.rfind("<script>"));
  const std::string csv = to_csv(report);
  EXPECT_TRUE(contains(csv, "\"'=HYPERLINK(\"\"http://evil\"\")\""));
  EXPECT_TRUE(contains(csv, "\"'@SUM(1)\""));
  EXPECT_TRUE(contains(csv, "\"'-1+1\""));
  EXPECT_FALSE(contains(to_json(report), "\x1b"));
}

TEST(Report, PageLoadsNothingAndAllowsOnlyItsOwnScript) {
  Project project;
  const Chain chain(project);
  const std::string page = to_html(built({chain.scan, chain.transcode}));
  EXPECT_TRUE(contains(page, "default-src 'none'"));
  EXPECT_TRUE(contains(page, "script-src 'sha256-"));
  for (const char* outside : {"http://", "https://", "src=", "@import", "url(", "style=\""})
    EXPECT_FALSE(contains(page, outside)) << outside;
}

TEST(Report, FilesArePrivateAndNeverReplaceAManifest) {
  Project project;
  const Chain chain(project);
  Options options;
  options.manifests = {chain.scan};
  options.html = project.path("report.html");
  options.csv = project.path("report.csv");
  options.json = project.path("report.json");
  write(build(options), options);
  for (const auto& path : {options.html, options.csv, options.json}) {
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
  }
  options.csv = chain.scan;
  EXPECT_THROW((void)build(options), RunError);
}

TEST(Report, EveryObjectStandsInOnePlaceAndThePlacesSumUp) {
  Project project;
  std::vector<Object> all = objects(10);
  all[0].bucket = Bucket::duplicate_identical;
  all[1].bucket = Bucket::empty;
  all[2].bucket = Bucket::quarantined;
  const auto scan = project.write("scan.wb", "scan", {}, all);
  all = loaded(all);
  all[3] = object(3);  // not sent yet
  const auto load = project.write("load.wb", "load", {scan}, all);
  all = verified(all);
  all[4].bucket = Bucket::loaded;
  all[4].verify.reset();
  all[5].findings.push_back({"UID-STUDY2PAT", manifest::Severity::s3, "", "two patients"});
  const Report report = built({scan, load, project.write("verify.wb", "verify", {load}, all)});
  const Places& p = report.places;
  EXPECT_EQ(p.verified, 4U);
  EXPECT_EQ(p.loaded, 1U);
  EXPECT_EQ(p.waiting, 1U);
  EXPECT_EQ(p.no_transfer, 2U);
  EXPECT_EQ(p.exceptions, 2U) << "verified with a finding of S3 is an exception, and only that";
  EXPECT_EQ(p.verified + p.loaded + p.waiting + p.no_transfer + p.exceptions, objects_in(report.buckets));
  const auto said = [&](const std::string& text) {
    return std::any_of(report.statement.begin(), report.statement.end(),
                       [&](const std::string& s) { return contains(s, text); });
  };
  EXPECT_TRUE(said("2 objects need no transfer: 1 identical duplicate, 1 empty file."));
  EXPECT_TRUE(said("1 object is in scope and not loaded yet."));
}

TEST(Report, RepeatsWhatASampleProvedInItsWords) {
  Project project;
  const auto verify = project.write("verify.wb", "verify", {}, [](manifest::Writer& writer) {
    writer.append(
        R"({"kind":"sample-result","seed":7,"state":"passed","statement":"With 95 % confidence at most 1 %."})");
  });
  const Report report = built({verify});
  ASSERT_EQ(report.samples.size(), 1U);
  EXPECT_EQ(report.samples[0].state, "passed");
  EXPECT_TRUE(std::ranges::find(report.statement, "verify.wb: With 95 % confidence at most 1 %.") !=
              report.statement.end());
}

TEST(Report, VerificationOfFilesIsNoEvidenceAboutATarget) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, objects(4));
  std::vector<Object> checked = objects(4);
  for (auto& o : checked) {
    o.bucket = Bucket::verified;
    o.verify = manifest::Verify{"E0", "IDENTICAL", {}};
  }
  const Report report = built({scan, project.write("verify.wb", "verify", {scan}, checked)});
  EXPECT_EQ(report.ungraded, 4U);
  EXPECT_EQ(report.grades[0], 0U);
  EXPECT_EQ(report.places.waiting, 4U);
  EXPECT_EQ(report.places.verified, 0U);
  EXPECT_TRUE(contains(to_html(report), "the files of 4 still have the bytes that were scanned"));
}

TEST(Report, VerificationOfFilesAfterALoadDoesNotLowerTheGrade) {
  Project project;
  const auto load = project.write("load.wb", "load", {}, loaded(objects(4)));
  std::vector<Object> checked = verified(loaded(objects(4)));
  for (auto& o : checked) o.verify = manifest::Verify{"E0", "IDENTICAL", {}};
  const Report report = built({load, project.write("verify.wb", "verify", {load}, checked)});
  EXPECT_EQ(report.grades[1], 4U);
  EXPECT_EQ(report.places.loaded, 4U);
}

TEST(Report, ExceptionsAreGroupedByCauseSoThatAPersonSeesWhatThereIsToDecide) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) {
    for (const std::size_t n : {0U, 1U, 2U}) {
      all[n].bucket = Bucket::quarantined;
      all[n].load.reset();
      all[n].findings = {{"ENC-GROUPLEN", manifest::Severity::s1, "", "x"},
                         {"MATCH-REVIEW", manifest::Severity::s3, "", "y"}};
    }
    all[3].bucket = Bucket::failed;
    all[3].load = manifest::Load{"A700", "", 3, "2", "2026-01-01T00:00:00Z", "refused"};
  });
  const Report report = built({chain.scan, chain.transcode, chain.load});
  ASSERT_EQ(report.exceptions.size(), 4U);
  EXPECT_EQ(report.exceptions[0].cause, "MATCH-REVIEW") << "the mended finding is no cause";
  EXPECT_EQ(report.exceptions[3].cause, "refused, status A700");
  EXPECT_TRUE(
      contains(to_html(report), "MATCH-REVIEW</th><td>quarantined</td><td class=\"n\">3</td><td class=\"n\">2</td>"));
}

TEST(Report, ManifestThatDoesNotLinkIsNoStartOfTheLedger) {
  Project project;
  const Chain chain(project);
  const std::string page = to_html(built({chain.scan, chain.load}));
  EXPECT_TRUE(contains(page, "not linked"));
}

TEST(Report, PageHasALanguageOneTitleScopedHeadersAndLinksToAllItsSections) {
  Project project;
  const Chain chain(project, [](std::vector<Object>& all) { all[4].bucket = Bucket::failed; });
  const std::string page = to_html(built({chain.scan, chain.transcode, chain.load, chain.verify}));
  EXPECT_TRUE(contains(page, "<html lang=\"en\">"));
  EXPECT_EQ(page.find("<h1"), page.rfind("<h1"));
  std::size_t headings = 0;
  for (std::size_t at = page.find("<h2 id=\""); at != std::string::npos; at = page.find("<h2 id=\"", at + 1)) {
    const std::string id = page.substr(at + 8, page.find('"', at + 8) - at - 8);
    EXPECT_TRUE(contains(page, "href=\"#" + id + "\"")) << id;
    EXPECT_TRUE(contains(page, "aria-labelledby=\"" + id + "\"")) << id;
    ++headings;
  }
  EXPECT_GE(headings, 6U);
  for (std::size_t at = page.find("<th"); at != std::string::npos; at = page.find("<th", at + 1)) {
    if (page.substr(at, 4) == "<the") continue;
    EXPECT_EQ(page.substr(at, 10), "<th scope=") << page.substr(at, 60);
  }
}

/// load.wb as a run writes it that reads its input as a stream.
std::filesystem::path streamed(Project& project, const std::string& head, bool interrupted = false) {
  manifest::Header header;
  header.stage = "load";
  header.run = random_uuid();
  header.tool = "waybill test";
  header.created = utc_now();
  header.inputs = {{"-", ""}};
  manifest::Writer writer(project.path("load.wb"), header);
  for (const auto& object : loaded(objects(4))) writer.append_record(object);
  if (!interrupted) writer.finish("{}", {{"-", head}});
  return project.path("load.wb");
}

TEST(Report, StreamedInputIsLinkedByTheHeadOfTheEndLine) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, objects(4));
  const Report report = built({scan, streamed(project, manifest::input_of(scan).head)});
  EXPECT_EQ(report.unexplained_total, 0U);
  ASSERT_EQ(report.links.size(), 1U);
  EXPECT_EQ(report.links[0].state, Link::State::linked);
  EXPECT_EQ(report.links[0].from, "scan.wb");
  ASSERT_EQ(report.balances.size(), 1U);
  EXPECT_TRUE(report.balances[0].closes());
}

TEST(Report, StreamThatWasNoneOfTheManifestsGivenDoesNotLink) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, objects(4));
  const Report report = built({scan, streamed(project, std::string(64, 'a'))});
  EXPECT_EQ(report.exit, Exit::integrity);
  ASSERT_EQ(report.unexplained_total, 1U);
  EXPECT_TRUE(contains(report.unexplained[0].sentence, "stream with head aaaa")) << report.unexplained[0].sentence;
}

TEST(Report, InterruptedRunOverAStreamIsIncompleteAndNotUnexplained) {
  Project project;
  const auto scan = project.write("scan.wb", "scan", {}, objects(4));
  const Report report = built({scan, streamed(project, "", true)});
  EXPECT_EQ(report.exit, Exit::exceptions);
  EXPECT_EQ(report.unexplained_total, 0U);
  ASSERT_EQ(report.links.size(), 1U);
  EXPECT_EQ(report.links[0].state, Link::State::unknown);
  EXPECT_TRUE(contains(to_json(report), "\"unknown\""));
}

TEST(Report, ExceptionsAreTheSameAsForTheStages) {
  Project project;
  std::vector<Object> all = objects(9);
  const Bucket buckets[] = {
      Bucket::empty,       Bucket::non_instance, Bucket::excluded, Bucket::unreadable, Bucket::duplicate_conflict,
      Bucket::quarantined, Bucket::failed,       Bucket::pending,  Bucket::instance};
  for (std::size_t i = 0; i < all.size(); ++i) all[i].bucket = buckets[i];
  all[8].findings.push_back({"UID-STUDY2PAT", manifest::Severity::s3, "0020,000D", "two patients"});
  const Report report = built({project.write("scan.wb", "scan", {}, all)});
  ASSERT_EQ(report.exceptions.size(), 6U);
  for (const auto& e : report.exceptions) {
    EXPECT_TRUE(e.bucket != "empty" && e.bucket != "non-instance" && e.bucket != "excluded") << e.bucket;
  }
}

TEST(Report, SameRunGivenTwiceIsAUsageError) {
  Project project;
  const Chain chain(project);
  try {
    (void)built({chain.scan, chain.scan});
    FAIL() << "accepted";
  } catch (const RunError& error) {
    EXPECT_EQ(error.exit(), Exit::usage);
  }
}

TEST(Report, ChangedByteInAManifestIsAnIntegrityError) {
  Project project;
  const Chain chain(project, {}, 200);
  std::string bytes = text_of(chain.scan);
  bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 1);
  std::ofstream(chain.scan, std::ios::binary) << bytes;
  try {
    (void)built({chain.scan});
    FAIL() << "accepted";
  } catch (const RunError& error) {
    EXPECT_EQ(error.exit(), Exit::integrity) << error.what();
  }
}

}  // namespace
}  // namespace waybill::report
