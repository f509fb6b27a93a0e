// SPDX-License-Identifier: Apache-2.0
#include "scan/catalogue.hpp"

#include "manifest/reader.hpp"
#include "scan/order.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <random>

namespace waybill::scan {
namespace {

using manifest::Bucket;
using manifest::LateFinding;
using manifest::Object;
using manifest::Severity;

std::string digits(std::uint64_t n, std::size_t width) {
  std::string out = std::to_string(n);
  return std::string(width - std::min(width, out.size()), '0') + out;
}

/// A sound instance; `n` makes id, path and digests its own.
Object instance(std::uint64_t n, const std::string& sop, const std::string& study = "1.1",
                const std::string& series = "1.1.1") {
  Object o;
  o.source.path = "/a/" + std::to_string(n);
  o.source.size = 100;
  o.id = digits(n, 16);
  o.file_sha256 = digits(n, 64);
  o.dataset_sha256 = digits(n, 64);
  o.pixel_sha256 = digits(n, 64);
  o.rows = 8;
  o.sop_instance = sop;
  o.study = study;
  o.series = series;
  o.patient_id = "P1";
  o.issuer = "H";
  o.patient_name = "DOE^JANE";
  o.birth_date = "19700101";
  o.accession = "A1";
  o.study_date = "20200101";
  o.modality = "CT";
  return o;
}

std::string codes(const Object& object) {
  std::string out;
  for (const auto& f : object.findings)
    out += (out.empty() ? "" : " ") + f.code + ":" + std::string(to_string(f.severity));
  return out;
}

class ScanCatalogue : public testing::Test {
 protected:
  /// Settles the object and gives its findings; late findings are kept in `late`.
  std::string settle(Object object) {
    const auto against = catalogue.settle(object);
    late.insert(late.end(), against.begin(), against.end());
    last = object;
    return codes(object);
  }
  std::vector<std::string> conclude() {
    std::vector<std::string> out;
    catalogue.conclude([&](const LateFinding& f) {
      out.push_back(f.id.substr(14) + " " + f.finding.code + ":" + std::string(to_string(f.finding.severity)));
      details.push_back(f.finding.detail);
    });
    return out;
  }
  std::vector<manifest::Study> studies() {
    std::vector<manifest::Study> out;
    catalogue.studies([&](const manifest::Study& study) { out.push_back(study); });
    return out;
  }
  Catalogue catalogue{""};
  std::vector<LateFinding> late;
  std::vector<std::string> details;
  Object last;
};

}  // namespace

TEST_F(ScanCatalogue, TellsTheFourKindsOfDuplicatesApart) {
  EXPECT_EQ(settle(instance(1, "1.5")), "");
  Object same = instance(2, "1.5");
  same.file_sha256 = digits(1, 64);
  EXPECT_EQ(settle(same), "UID-DUPSAME:S1");
  EXPECT_EQ(last.bucket, Bucket::duplicate_identical);
  Object edited = instance(3, "1.5");
  edited.pixel_sha256 = digits(1, 64);
  EXPECT_EQ(settle(edited), "UID-DUPSAMEPIX:S3");
  EXPECT_EQ(last.bucket, Bucket::duplicate_conflict);
  Object other = instance(4, "1.5");
  EXPECT_EQ(settle(other), "UID-DUPDIFF:S3");
  Object moved = instance(5, "1.5", "1.2");
  EXPECT_EQ(settle(moved), "UID-DUPDIFF:S3 UID-CROSSSTUDY:S3");
  Object moved_series = instance(6, "1.5", "1.1", "1.1.2");
  EXPECT_EQ(settle(moved_series), "UID-DUPDIFF:S3 UID-CROSSSERIES:S3");

  ASSERT_EQ(late.size(), 2U);  // each code once against the first object
  EXPECT_EQ(late[0].id, instance(1, "").id);
  EXPECT_EQ(late[0].finding.code, "UID-DUPSAMEPIX");
  EXPECT_EQ(late[1].finding.code, "UID-DUPDIFF");
  const auto all = studies();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].instances, 1U);
  EXPECT_EQ(all[0].series, 1U);
}

TEST_F(ScanCatalogue, FindsTwoPatientsInAStudyByIdIssuerNameOrBirthDate) {
  settle(instance(1, "1.5"));
  Object spaced = instance(2, "1.6");
  spaced.patient_id = " P1 ";
  spaced.patient_name = "Doe ^ Jane^^";
  EXPECT_EQ(settle(spaced), "");
  Object unnamed = instance(3, "1.7");
  unnamed.patient_name.reset();
  unnamed.birth_date = "";
  EXPECT_EQ(settle(unnamed), "");
  for (const auto field : {0, 1, 2, 3}) {
    Object o = instance(static_cast<std::uint64_t>(10 + field), "1.8." + std::to_string(field));
    if (field == 0) o.patient_id = "P2";
    if (field == 1) o.issuer = "K";
    if (field == 2) o.patient_name = "ROE^JANE";
    if (field == 3) o.birth_date = "19710101";
    EXPECT_EQ(settle(o), "UID-STUDY2PAT:S3") << field;
    EXPECT_EQ(last.bucket, Bucket::instance) << field;
  }
  EXPECT_EQ(studies()[0].discrepancies, std::vector<std::string>{"D15"});
}

TEST_F(ScanCatalogue, FindsASeriesInTwoStudiesAndOneOfTwoModalities) {
  settle(instance(1, "1.5"));
  Object mixed = instance(2, "1.6");
  mixed.modality = "MR";
  EXPECT_EQ(settle(mixed), "UID-SERIES2STUDY:S3");
  Object second = instance(3, "1.7", "1.2");
  second.accession = "A2";
  EXPECT_EQ(settle(second), "UID-SERIES2STUDY:S3");
  Object third = instance(4, "1.8", "1.2");
  third.accession = "A2";
  EXPECT_EQ(settle(third), "UID-SERIES2STUDY:S3");  // every object of the place, not only the first
  EXPECT_EQ(studies()[0].modalities, (std::vector<std::string>{"CT", "MR"}));
}

TEST_F(ScanCatalogue, FindsASplitStudyOnceAndMarksBothHalves) {
  settle(instance(1, "1.5", "1.1", "1.1.1"));
  EXPECT_EQ(settle(instance(2, "1.6", "1.2", "1.2.1")), "UID-SPLIT:S2");
  EXPECT_EQ(settle(instance(3, "1.7", "1.2", "1.2.2")), "");
  Object other_day = instance(4, "1.8", "1.3", "1.3.1");
  other_day.study_date = "20200102";
  EXPECT_EQ(settle(other_day), "");
  const auto all = studies();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].discrepancies, std::vector<std::string>{"D16"});
  EXPECT_EQ(all[1].discrepancies, std::vector<std::string>{"D16"});
  EXPECT_TRUE(all[2].discrepancies.empty());
  EXPECT_EQ(all[1].series, 2U);
}

TEST_F(ScanCatalogue, FindsSeveralAccessionsInAStudyAndOneOfTwoPatients) {
  Object none = instance(1, "1.5");
  none.accession.reset();
  EXPECT_EQ(settle(none), "");
  EXPECT_EQ(settle(instance(2, "1.6")), "");
  Object group_read = instance(3, "1.7");
  group_read.accession = "A2";
  EXPECT_EQ(settle(group_read), "UID-MANYACC:S0");
  Object again = instance(4, "1.8");
  again.accession = " A2";
  EXPECT_EQ(settle(again), "");

  Object reused = instance(5, "1.9", "1.2", "1.2.1");
  reused.patient_id = "P2";
  EXPECT_EQ(settle(reused), "ACC-SHARED:S3");
  Object elsewhere = instance(6, "1.10", "1.3", "1.3.1");
  elsewhere.patient_id = "P3";
  elsewhere.issuer = "K";  // another facility's numbers
  EXPECT_EQ(settle(elsewhere), "");
  Object anonymous = instance(7, "1.11", "1.4", "1.4.1");
  anonymous.patient_id = "";
  EXPECT_EQ(settle(anonymous), "");
}

TEST_F(ScanCatalogue, ListsReferencesThatLeadNowhereAfterTheLastObject) {
  Object state = instance(1, "1.5");
  state.references = {"1.6", "9.1", "9.2", "9.3", "9.4", "1.7"};
  settle(state);
  settle(instance(2, "1.6"));
  Object broken = instance(3, "1.7");
  broken.bucket = Bucket::quarantined;
  settle(broken);

  EXPECT_EQ(conclude(), (std::vector<std::string>{"01 REF-DANGLING:S1", "01 REF-QUARANTINED:S1"}));
  EXPECT_EQ(details[0], "4 of 6 referenced objects are not in the archive: 9.1, 9.2, 9.3, …");
  EXPECT_TRUE(conclude().empty());
}

TEST_F(ScanCatalogue, RejectsWhatARejectionNoteNamesWhereverItStands) {
  settle(instance(1, "1.5"));
  Object note = instance(2, "1.6");
  note.references = {"1.5", "1.7"};
  note.rejection = "113038";
  settle(note);
  settle(instance(3, "1.7"));
  Object quality = instance(4, "1.8");
  quality.references = {"1.5"};
  quality.rejection = "113001";
  settle(quality);

  EXPECT_EQ(conclude(),
            (std::vector<std::string>{"01 REJECTED-113038:S2", "03 REJECTED-113038:S2", "01 REJECTED-113001:S0"}));
}

TEST_F(ScanCatalogue, GoesOnFromARecordedPrefixAsIfNeverInterrupted) {
  std::mt19937 random(7);
  std::vector<Object> archive;
  for (std::uint64_t n = 0; n < 400; ++n) {
    const auto pick = [&](std::uint32_t of) { return std::to_string(random() % of); };
    Object o = instance(n, "1.9." + pick(300), "1.1." + pick(20), "1.2." + pick(40));
    o.patient_id = "P" + pick(3);
    o.accession = "A" + pick(10);
    if (random() % 4 == 0) o.references = {"1.9." + pick(400), "1.9." + pick(400)};
    if (random() % 16 == 0) o.rejection = "113037";
    archive.push_back(o);
  }
  const auto run = [&](std::size_t from, std::vector<std::string>& lines) {
    Catalogue c("");
    for (const auto& line : lines) {  // what stands in the manifest already
      const auto record = manifest::parse_record(line);
      if (const auto* o = std::get_if<Object>(&record)) c.remember(*o);
      if (const auto* f = std::get_if<LateFinding>(&record)) c.remember(*f);
      if (const auto* s = std::get_if<manifest::Study>(&record)) c.remember(*s);
    }
    for (std::size_t i = from; i < archive.size(); ++i) {
      Object o = archive[i];
      EXPECT_FALSE(c.recorded(o.id));
      for (const auto& f : c.settle(o)) lines.push_back(to_json(f));
      lines.push_back(to_json(o));
    }
    c.conclude([&](const LateFinding& f) { lines.push_back(to_json(f)); });
    EXPECT_EQ(c.studies([&](const manifest::Study& s) { lines.push_back(to_json(s)); }), 20U);
  };
  std::vector<std::string> whole;
  run(0, whole);
  const auto is_object = [](const std::string& line) { return line.starts_with(R"({"kind":"object")"); };
  ASSERT_GT(whole.size(), 450U);

  for (std::size_t cut = 0; cut <= whole.size(); cut += 37) {
    std::vector<std::string> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    run(static_cast<std::size_t>(std::count_if(part.begin(), part.end(), is_object)), part);
    EXPECT_EQ(part, whole) << "cut at " << cut;
  }
}

namespace {

std::uint64_t resident_kb() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * 4;
}

}  // namespace

TEST_F(ScanCatalogue, NeedsNoMoreMemoryForMoreObjects) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has memory of its own";
#endif
  std::uint64_t n = 0;
  const auto add = [&](std::uint64_t upto) {
    for (; n < upto; ++n) {
      // a study of 50 objects each, UIDs in no order
      const std::string study = "1.2.840.99999.1." + std::to_string(n / 50 * 2654435761U);
      settle(instance(n, "1.2.840.99999.3." + std::to_string(n * 2654435761U), study, study + ".1"));
    }
  };
  add(100'000);  // the buffers are full by now
  const std::uint64_t before = resident_kb();
  add(400'000);
  EXPECT_LT(resident_kb(), before + 24 * 1024);  // a map of them would take 90 MB more
}

TEST(ScanOrder, IsThatOfNamesFolderByFolder) {
  std::vector<std::string> paths = {"/a", "/a.x", "/a/b", "/a/b c", "/a/b/c", "/a/b-c", "/b", "/a/\xFF", "/a/\x01"};
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return walk_order(a, b) < 0; });
  EXPECT_EQ(paths,
            (std::vector<std::string>{"/a", "/a/\x01", "/a/b", "/a/b/c", "/a/b c", "/a/b-c", "/a/\xFF", "/a.x", "/b"}));
  EXPECT_EQ(walk_order("/a/b", "/a/b"), std::strong_ordering::equal);
}

TEST_F(ScanCatalogue, TellsPatientIdsThatDifferInLeadingZerosOnceAStudy) {
  const auto with_id = [](std::uint64_t n, const char* id, const char* study) {
    Object o = instance(n, "1.5." + std::to_string(n), study, std::string(study) + ".1");
    o.patient_id = id;
    o.accession = "A" + std::string(study);
    return o;
  };
  EXPECT_EQ(settle(with_id(1, "00012345", "1.1")), "");
  EXPECT_EQ(settle(with_id(2, "12345", "1.2")), "PID-ZERO:S3");
  EXPECT_FALSE(manifest::quarantines(last.findings[0]));
  EXPECT_EQ(settle(with_id(3, "12345", "1.2")), "");
  EXPECT_EQ(settle(with_id(4, "00012345", "1.3")), "");
  EXPECT_EQ(settle(with_id(5, "12346", "1.4")), "");
  EXPECT_EQ(settle(with_id(6, "000", "1.5")), "");
  EXPECT_EQ(settle(with_id(7, "0000", "1.6")), "");
  Object elsewhere = with_id(8, "012345", "1.7");  // of another issuer
  elsewhere.issuer = "OTHER";
  EXPECT_EQ(settle(elsewhere), "");
  Catalogue::forget(last = with_id(2, "12345", "1.2"));
  EXPECT_EQ(codes(last), "");
}

TEST_F(ScanCatalogue, TellsPatientIdsThatDifferInAFacilitysPrefix) {
  const auto with_id = [](std::uint64_t n, const char* id) {
    const std::string study = "1." + std::to_string(n);
    Object o = instance(n, "1.5." + std::to_string(n), study, study + ".1");
    o.patient_id = id;
    o.accession = "A" + study;
    return o;
  };
  EXPECT_EQ(settle(with_id(1, "123")), "");
  EXPECT_EQ(settle(with_id(2, "A-123")), "PID-PREFIX:S2");
  Object again = last;
  Catalogue::forget(again);
  EXPECT_EQ(codes(again), "");
  EXPECT_EQ(settle(with_id(3, "123/NORTH")), "PID-PREFIX:S2");
  EXPECT_EQ(settle(with_id(4, "A-12")), "");
  EXPECT_EQ(settle(with_id(5, "B-12")), "") << "two digits are no number of a patient";
  EXPECT_EQ(settle(with_id(6, "A-777")), "");
  EXPECT_EQ(settle(with_id(7, "A-778")), "");
  EXPECT_EQ(settle(with_id(8, "12-34-777")), "") << "a number in groups";
}

TEST_F(ScanCatalogue, NamesStudiesWithoutAnIssuerWhereThereAreSeveral) {
  Object without = instance(1, "1.5.1", "1.1");
  without.issuer.reset();
  Object north = instance(2, "1.5.2", "1.2", "1.2.1");
  north.issuer = "NORTH";
  north.accession = "A2";
  EXPECT_EQ(settle(without), "");
  EXPECT_EQ(settle(north), "");
  EXPECT_TRUE(conclude().empty()) << "one issuer: the others are of the same, for all we know";
  Object south = instance(3, "1.5.3", "1.3", "1.3.1");
  south.issuer = "SOUTH";
  south.accession = "A3";
  EXPECT_EQ(settle(south), "");
  EXPECT_EQ(conclude(), (std::vector<std::string>{"01 PID-ISSUER:S2"}));
  const auto all = studies();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].discrepancies, std::vector<std::string>{"D24"});
  EXPECT_TRUE(all[1].discrepancies.empty());
}

TEST_F(ScanCatalogue, TellsBothGreyScalesInOneSeries) {
  const auto image = [](std::uint64_t n, const char* photometric, const char* series) {
    Object o = instance(n, "1.5." + std::to_string(n), "1.1", series);
    o.photometric = photometric;
    return o;
  };
  EXPECT_EQ(settle(image(1, "MONOCHROME2", "1.1.1")), "");
  EXPECT_EQ(settle(image(2, "MONOCHROME1", "1.1.1")), "PIX-RESCALE:S0");
  EXPECT_EQ(settle(image(3, "MONOCHROME2", "1.1.1")), "");
  EXPECT_EQ(settle(image(4, "MONOCHROME1", "1.1.2")), "");
  EXPECT_EQ(settle(image(5, "RGB", "1.1.1")), "");
  Object known = image(6, "MONOCHROME1", "1.1.1");  // the code stands once an object
  known.findings.push_back({"PIX-RESCALE", Severity::s0, "0028,1050", "no window and no VOI LUT"});
  EXPECT_EQ(settle(known), "PIX-RESCALE:S0");
  Object again = image(2, "MONOCHROME1", "1.1.1");
  again.findings.push_back({"PIX-RESCALE", Severity::s0, "0028,0004", "MONOCHROME1 and MONOCHROME2 in one series"});
  Catalogue::forget(again);
  Catalogue::forget(known);
  EXPECT_EQ(codes(again), "");
  EXPECT_EQ(codes(known), "PIX-RESCALE:S0");
}

TEST_F(ScanCatalogue, ComparesCountsWithThoseOfAnOlderScan) {
  settle(instance(1, "1.5.1"));
  settle(instance(2, "1.5.2"));
  std::vector<std::string> told;
  const auto emit = [&](const LateFinding& f) {
    told.push_back(f.id.substr(14) + " " + f.finding.code + " " + f.finding.detail);
  };
  manifest::Study older;
  older.study = "1.1";
  older.instances = 2;
  catalogue.compare_count(older, emit);
  EXPECT_TRUE(told.empty());
  older.instances = 3;
  catalogue.compare_count(older, emit);
  older.study = "1.9";
  catalogue.compare_count(older, emit);
  EXPECT_EQ(told, std::vector<std::string>{"01 STU-COUNT the study has 2 instances, the older scan counted 3"});
  EXPECT_EQ(studies().at(0).discrepancies, std::vector<std::string>{"D13"});
}

TEST_F(ScanCatalogue, SaysHowPixelsCouldBeComparedOnlyWhereThatWouldHelp) {
  const auto without_pixels = [](std::uint64_t n) {
    Object o = instance(n, "1.5");
    o.pixel_sha256.reset();
    return o;
  };
  settle(without_pixels(1));
  settle(without_pixels(2));
  EXPECT_NE(last.findings.at(0).detail.find("scan with --deep"), std::string::npos);
  Catalogue deep("", Catalogue::Depth::pixels);
  Object first = without_pixels(1);
  Object second = without_pixels(2);
  (void)deep.settle(first);
  (void)deep.settle(second);
  EXPECT_EQ(second.findings.at(0).code, "UID-DUPDIFF");
  EXPECT_EQ(second.findings.at(0).detail.find("--deep"), std::string::npos);
}

}  // namespace waybill::scan
