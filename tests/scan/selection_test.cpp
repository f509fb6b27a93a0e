// SPDX-License-Identifier: Apache-2.0
#include "support/scanning.hpp"

namespace waybill {

namespace {

using manifest::Bucket;

}  // namespace

TEST(ScanSelection, RecordsWhatIsLeftOutWithoutReadingIt) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 3);
  test::write(folder / "in/viewer/x.dcm", "x");
  test::write(folder / "in/notes.txt", "x");
  scan::Options options;
  options.sources = {(folder / "in").string()};
  options.selection.include = {"*.dcm"};
  options.selection.exclude = {"viewer/*"};
  const auto scanned = test::scan_all(options);
  EXPECT_EQ(scanned.tally.buckets, (std::map<std::string, std::uint64_t>{{"excluded", 2}, {"instance", 3}}));
  EXPECT_EQ(scanned.tally.exceptions, 0U);
  for (const auto& object : scanned.objects) {
    if (object.bucket != Bucket::excluded) continue;
    ASSERT_TRUE(test::finding(object, "SRC-EXCLUDED"));
    EXPECT_FALSE(object.file_sha256);
    EXPECT_EQ(object.source.size, 1U);
  }
}

TEST(ScanSelection, ShardsTogetherAreTheWholeScan) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 50);
  test::shell(folder / "in", "tar cf t sub; zip -q -r z sub; mkfifo fifo; ln -s sub link");
  const auto whole = test::scan_folder(folder / "in");
  std::vector<std::string> all;
  std::vector<std::string> together;
  for (const auto& object : whole.objects) all.push_back(object.id);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    scan::Options options;
    options.sources = {(folder / "in").string()};
    options.selection.shard = {i, 3};
    for (const auto& object : test::scan_all(options).objects) together.push_back(object.id);
  }
  std::sort(all.begin(), all.end());
  std::sort(together.begin(), together.end());
  EXPECT_EQ(together, all);
}

TEST(ScanSelection, IsPartOfTheHeaderSoThatAnotherShardDoesNotContinueTheFile) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 3);
  const auto scan = [&](const std::string& shard) {
    return test::run({test::tool("scan"), (folder / "in").string(), "-o", (folder / "s.wb").string(), "--quiet",
                      "--shard", shard, "--include", "*.dcm", "--exclude", "x/*", "--exclude", "y/*"},
                     folder / "log");
  };
  const auto first = scan("1/2");
  EXPECT_EQ(first.exit, 0) << first.text;
  EXPECT_NE(
      test::shell(folder.path(), "zstdcat s.wb").find(R"("include":["*.dcm"],"exclude":["x/*","y/*"],"shard":"1/2")"),
      std::string::npos);
  EXPECT_EQ(scan("2/2").exit, 2);
  EXPECT_EQ(scan("3/2").exit, 2);
  EXPECT_EQ(scan("0/2").exit, 2);
}

TEST(ScanSource, SaysWhichFilesAreStubs) {
  const test::TempFolder folder;
  test::shell(folder.path(), "truncate -s 4M hole; head -c 1M /dev/zero >zeros");
  const auto scanned = test::scan_folder(folder.path());
  ASSERT_EQ(scanned.objects.size(), 2U);
  EXPECT_TRUE(test::finding(scanned.objects[0], "SRC-SPARSE"));
  EXPECT_FALSE(test::finding(scanned.objects[0], "SRC-ZEROS"));
  EXPECT_TRUE(test::finding(scanned.objects[1], "SRC-ZEROS"));
  EXPECT_FALSE(test::finding(scanned.objects[1], "SRC-SPARSE"));
}

}  // namespace waybill
