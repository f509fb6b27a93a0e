// SPDX-License-Identifier: Apache-2.0
// An increment on an older scan: what is new, changed, gone or the same, and that only the first two are read.
#include "core/result.hpp"
#include "support/scanning.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace waybill::test {
namespace {

class SinceTest : public ::testing::Test {
 protected:
  SinceTest() {
    make_objects(folder_ / "archive", 6);
    scan_into("old.wb", {});
  }

  [[nodiscard]] scan::Options options() const {
    scan::Options out;
    out.sources = {(folder_ / "archive").string()};
    out.threads = 2;
    return out;
  }
  void scan_into(const char* name, const fs::path& since, double recheck = 0) {
    static const dicom::Toolkit toolkit;
    scan::Options now = options();
    now.since = since;
    now.recheck = recheck;
    manifest::Writer writer(folder_ / name, scan::header_of(now), manifest::Restart::yes);
    tally_ = scan::run(now, writer, [](auto, auto, auto) {});
  }
  [[nodiscard]] std::map<std::string, manifest::Object> objects(const char* name) const {
    std::map<std::string, manifest::Object> out;
    manifest::Reader reader(folder_ / name);
    while (auto record = reader.next()) {
      if (auto* object = std::get_if<manifest::Object>(&*record))
        out[fs::path(object->source.path).filename().string()] = *object;
    }
    return out;
  }
  [[nodiscard]] std::vector<std::string> gone(const char* name) const {
    std::vector<std::string> out;
    manifest::Reader reader(folder_ / name);
    while (auto record = reader.next()) {
      if (auto* one = std::get_if<manifest::Gone>(&*record))
        out.push_back(fs::path(one->source.path).filename().string());
    }
    return out;
  }
  [[nodiscard]] fs::path file(const char* name) const { return folder_ / "archive" / "sub" / name; }

  TempFolder folder_;
  scan::Tally tally_;
};

TEST_F(SinceTest, CallsEverythingUnchangedWhenNothingHappened) {
  const auto old = objects("old.wb");
  scan_into("new.wb", folder_ / "old.wb");
  EXPECT_EQ(tally_.since, (std::map<std::string, std::uint64_t>{{"unchanged", 6}}));
  for (auto [name, object] : objects("new.wb")) {
    object.since.reset();
    EXPECT_EQ(manifest::to_json(object), manifest::to_json(old.at(name)));
  }
}

TEST_F(SinceTest, TellsNewChangedAndGoneFiles) {
  fs::remove(file("0.dcm"));
  fs::remove(file("5.dcm"));
  write(file("2.dcm"), small_object("1.2.9", "1.2.9.1", "1.2.9.1.77", 5));
  write(file("3a.dcm"), small_object("1.2.9", "1.2.9.1", "1.2.9.1.78", 6));
  scan_into("new.wb", folder_ / "old.wb");
  const auto now = objects("new.wb");
  EXPECT_EQ(now.size(), 5U);
  EXPECT_EQ(now.at("1.dcm").since, "unchanged");
  EXPECT_EQ(now.at("2.dcm").since, "changed");
  EXPECT_EQ(now.at("2.dcm").sop_instance, "1.2.9.1.77");
  EXPECT_EQ(now.at("3a.dcm").since, "new");
  EXPECT_EQ(gone("new.wb"), (std::vector<std::string>{"0.dcm", "5.dcm"}));
  EXPECT_EQ(tally_.since.at("gone"), 2U);
}

TEST_F(SinceTest, DoesNotReadWhatLooksTheSame) {
  // Other bytes under the same size and time: only a file that is not read again can pass for unchanged.
  struct stat before {};
  ASSERT_EQ(stat(file("1.dcm").c_str(), &before), 0);
  std::string bytes(fs::file_size(file("1.dcm")), 'x');
  {
    std::ofstream out(file("1.dcm"), std::ios::binary | std::ios::in);
    out << bytes;
  }
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, file("1.dcm").c_str(), times, 0), 0);
  scan_into("new.wb", folder_ / "old.wb");
  EXPECT_EQ(objects("new.wb").at("1.dcm").since, "unchanged");
  scan_into("checked.wb", folder_ / "old.wb", 1.0);
  const auto checked = objects("checked.wb");
  EXPECT_EQ(checked.at("2.dcm").since, "rechecked");
  EXPECT_EQ(checked.at("1.dcm").since, "changed");
  EXPECT_EQ(checked.at("1.dcm").bucket, manifest::Bucket::quarantined);
  EXPECT_NE(finding(checked.at("1.dcm"), "SRC-ALTERED"), nullptr);
}

TEST_F(SinceTest, SettlesDuplicatesAnew) {
  write(file("7.dcm"), small_object("1.2.9", "1.2.9.1", "1.2.9.1.1", 0));
  scan_into("with.wb", folder_ / "old.wb");
  EXPECT_EQ(objects("with.wb").at("7.dcm").bucket, manifest::Bucket::duplicate_identical);
  fs::remove(file("0.dcm"));
  scan_into("without.wb", folder_ / "with.wb");
  const auto now = objects("without.wb");
  EXPECT_EQ(now.at("7.dcm").since, "unchanged");
  EXPECT_EQ(now.at("7.dcm").bucket, manifest::Bucket::instance);
  EXPECT_EQ(finding(now.at("7.dcm"), "UID-DUPSAME"), nullptr);
}

TEST_F(SinceTest, RefusesAnOlderScanOfOtherSettings) {
  scan::Options other = options();
  other.since = folder_ / "old.wb";
  other.deep = true;
  try {
    (void)scan::header_of(other);
    FAIL() << "accepted";
  } catch (const RunError& error) {
    EXPECT_EQ(error.exit(), Exit::usage);
  }
}

TEST_F(SinceTest, TakesAnOlderScanWhateverTheOrderAndTheValuesOfItsSettings) {
  // A source whose name holds what stands in front of the settings of an increment.
  const fs::path odd = folder_ / R"(odd,"since":)";
  make_objects(odd, 1);
  scan::Options now;
  now.sources = {odd.string()};
  {
    manifest::Writer writer(folder_ / "odd.wb", scan::header_of(now), manifest::Restart::yes);
    (void)scan::run(now, writer, [](auto, auto, auto) {});
  }
  scan::Options other = now;
  other.selection.exclude = {"*.tmp"};
  other.since = now.since = folder_ / "odd.wb";
  EXPECT_NO_THROW((void)scan::header_of(now));
  try {
    (void)scan::header_of(other);
    FAIL() << "accepted";
  } catch (const RunError& error) {
    EXPECT_NE(std::string(error.what()).find("(exclude)"), std::string::npos) << error.what();
  }
}

TEST_F(SinceTest, TellsStudiesThatHaveFewerInstancesThanBefore) {
  scan_into("same.wb", folder_ / "old.wb");
  EXPECT_FALSE(tally_.findings.contains("STU-COUNT"));
  fs::remove(file("3.dcm"));
  scan_into("new.wb", folder_ / "old.wb");
  EXPECT_EQ(tally_.findings.at("STU-COUNT"), 1U);
}

TEST_F(SinceTest, TellsAnImageThatCameBackUnderAnotherUid) {
  const auto deep = [&](const char* name, const fs::path& since) {
    scan::Options now = options();
    now.deep = true;
    now.since = since;
    manifest::Writer writer(folder_ / name, scan::header_of(now), manifest::Restart::yes);
    (void)scan::run(now, writer, [](auto, auto, auto) {});
  };
  deep("deep.wb", {});
  write(file("1.dcm"), small_object("1.2.9", "1.2.9.1", "1.2.9.1.999", 1));     // the same pixels
  write(file("2.dcm"), small_object("1.2.9", "1.2.9.1", "1.2.9.1.998", 4711));  // others
  deep("new.wb", folder_ / "deep.wb");
  const auto now = objects("new.wb");
  ASSERT_NE(finding(now.at("1.dcm"), "UID-FRESH"), nullptr);
  EXPECT_EQ(now.at("1.dcm").bucket, manifest::Bucket::quarantined);
  EXPECT_EQ(finding(now.at("2.dcm"), "UID-FRESH"), nullptr);
  EXPECT_EQ(now.at("2.dcm").bucket, manifest::Bucket::instance);
}

TEST_F(SinceTest, DrawsTheSameShareForTheSameSeed) {
  make_objects(folder_ / "archive", 200);
  scan_into("old.wb", {});
  scan_into("a.wb", folder_ / "old.wb", 0.2);
  const auto drawn = tally_.since.at("rechecked");
  EXPECT_GT(drawn, 10U);
  EXPECT_LT(drawn, 90U);
  scan_into("b.wb", folder_ / "old.wb", 0.2);
  EXPECT_EQ(tally_.since.at("rechecked"), drawn);
}

TEST(HeaderScan, GivesTheAttributesOfAFullScanWithoutDigests) {
  const TempFolder folder;
  make_objects(folder / "archive", 5);
  write(folder / "archive" / "note.txt", "hello, this is a text\n");
  write(folder / "archive" / "empty", "");
  scan::Options options;
  options.sources = {(folder / "archive").string()};
  const auto full = scan_all(options);
  options.headers = true;
  const auto headers = scan_all(options);
  ASSERT_EQ(headers.objects.size(), full.objects.size());
  for (std::size_t i = 0; i < full.objects.size(); ++i) {
    manifest::Object expected = full.objects[i];
    expected.file_sha256 = expected.dataset_sha256 = expected.pixel_sha256 = expected.codestream_sha256 = std::nullopt;
    std::erase_if(expected.findings, [](const manifest::Finding& f) { return f.code.starts_with("PIX-"); });
    EXPECT_EQ(manifest::to_json(headers.objects[i]), manifest::to_json(expected));
  }
}

TEST(HeaderScan, LeavesOneSopInstanceInTwoFilesOpen) {
  const TempFolder folder;
  make_objects(folder / "archive", 1);
  write(folder / "archive" / "sub" / "copy.dcm", small_object("1.2.9", "1.2.9.1", "1.2.9.1.1", 0));
  scan::Options options;
  options.sources = {(folder / "archive").string()};
  options.headers = true;
  const auto scanned = scan_all(options);
  EXPECT_EQ(scanned.tally.buckets.at("duplicate-conflict"), 1U);
}

}  // namespace
}  // namespace waybill::test
