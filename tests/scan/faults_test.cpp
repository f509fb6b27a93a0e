// SPDX-License-Identifier: Apache-2.0
// Media errors, and files that vanish or change between the walk and the last byte: recorded, and the rest is scanned.
#include "support/faulty_reads.hpp"
#include "support/scanning.hpp"

#include <set>

namespace waybill {

namespace fs = std::filesystem;

namespace {

using manifest::Bucket;
using test::OnRead;
using test::Read;

/// Nine objects 0.dcm … 8.dcm in archive/sub, of which 4.dcm is the one things happen to.
class Faults : public ::testing::Test {
 protected:
  void SetUp() override { objects_ = test::make_objects(folder_ / "archive", 9); }

  [[nodiscard]] fs::path victim() const { return folder_ / "archive/sub/4.dcm"; }
  [[nodiscard]] test::Scanned scan(bool headers = false) const {
    scan::Options options;
    options.sources = {(folder_ / "archive").string()};
    options.threads = 2;
    options.headers = headers;
    return test::scan_all(options);
  }
  static void expect_others_sound(const test::Scanned& scanned) {
    std::size_t sound = 0;
    for (const auto& object : scanned.objects)
      sound += object.bucket == Bucket::instance && !object.source.path.ends_with("/4.dcm") ? 1U : 0U;
    EXPECT_EQ(sound, 8U);
  }
  void append(std::string_view text) const { std::ofstream(victim(), std::ios::binary | std::ios::app) << text; }

  test::TempFolder folder_;
  std::vector<std::string> objects_;
};

bool is(const Read& read, std::string_view name) { return std::string_view(read.path).ends_with(name); }

TEST_F(Faults, AMediaErrorMakesAnUnreadableRecordWithTheReason) {
  for (const bool headers : {false, true}) {
    const OnRead fault([](const Read& read) { return is(read, "/4.dcm") ? EIO : 0; });
    const auto scanned = scan(headers);
    const auto record = scanned.of(victim());
    ASSERT_EQ(record.size(), 1U);
    EXPECT_EQ(record[0]->bucket, Bucket::unreadable);
    ASSERT_TRUE(test::finding(*record[0], "SRC-UNREADABLE"));
    EXPECT_EQ(test::finding(*record[0], "SRC-UNREADABLE")->severity, manifest::Severity::s4);
    EXPECT_EQ(test::finding(*record[0], "SRC-UNREADABLE")->detail, "cannot be read: Input/output error");
    EXPECT_FALSE(record[0]->file_sha256);
    EXPECT_EQ(record[0]->source.size, objects_[4].size());
    expect_others_sound(scanned);
  }
}

TEST_F(Faults, AnInterruptedReadIsNoFault) {
  int left = 3;
  const OnRead fault([&](const Read& read) { return is(read, "/4.dcm") && left-- > 0 ? EINTR : 0; });
  EXPECT_EQ(scan().tally.buckets, (std::map<std::string, std::uint64_t>{{"instance", 9}}));
  EXPECT_LT(left, 0);
}

TEST_F(Faults, AFileThatVanishesBehindTheWalkIsUnreadable) {
  const fs::path last = folder_ / "archive/sub/8.dcm";  // two batches stand before it, whoever reads first
  const OnRead fault([&](const Read& read) {
    if (is(read, ".dcm") && !is(read, "/8.dcm")) fs::remove(last);
    return 0;
  });
  scan::Options options;
  options.sources = {(folder_ / "archive").string()};
  options.threads = 1;
  const auto scanned = test::scan_all(options);
  const auto record = scanned.of(last);
  ASSERT_EQ(record.size(), 1U);
  EXPECT_EQ(record[0]->bucket, Bucket::unreadable);
  ASSERT_TRUE(test::finding(*record[0], "SRC-UNREADABLE"));
  EXPECT_EQ(test::finding(*record[0], "SRC-UNREADABLE")->detail, "cannot be opened: No such file or directory");
  EXPECT_EQ(scanned.tally.buckets, (std::map<std::string, std::uint64_t>{{"instance", 8}, {"unreadable", 1}}));
}

TEST_F(Faults, AFileThatChangesOnceIsReadAgainAndSound) {
  bool once = true;
  const OnRead fault([&](const Read& read) {
    if (is(read, "/4.dcm") && std::exchange(once, false)) {
      fs::remove(victim());
      test::write(victim(), objects_[4]);
      fs::last_write_time(victim(), fs::file_time_type::clock::now());
      append("x");
      fs::resize_file(victim(), objects_[4].size());
    }
    return 0;
  });
  const auto scanned = scan();
  EXPECT_EQ(scanned.tally.buckets, (std::map<std::string, std::uint64_t>{{"instance", 9}}));
  EXPECT_FALSE(test::finding(*scanned.of(victim())[0], "SRC-CHANGED"));
}

TEST_F(Faults, AFileThatKeepsGrowingIsRecordedWithWhatWasRead) {
  const OnRead fault([&](const Read& read) {
    if (is(read, "/4.dcm")) append("more");
    return 0;
  });
  const auto scanned = scan();
  const auto record = scanned.of(victim());
  ASSERT_EQ(record.size(), 1U);
  ASSERT_TRUE(test::finding(*record[0], "SRC-CHANGED")) << to_json(*record[0]);
  EXPECT_GT(record[0]->source.size, objects_[4].size());
  expect_others_sound(scanned);
}

TEST_F(Faults, AFileCutWhileItIsReadIsNeverTakenForAWholeOne) {
  const OnRead fault([&](const Read& read) {
    if (is(read, "/4.dcm") && read.at == 0) fs::resize_file(victim(), fs::file_size(victim()) / 2);
    return 0;
  });
  const auto scanned = scan();
  const auto record = scanned.of(victim());
  ASSERT_EQ(record.size(), 1U);
  EXPECT_NE(record[0]->bucket, Bucket::instance) << to_json(*record[0]);
  EXPECT_TRUE(test::finding(*record[0], "SRC-CHANGED")) << to_json(*record[0]);
  expect_others_sound(scanned);
}

TEST_F(Faults, AMediaErrorInAContainerIsTheContainersAndLosesNoOther) {
  test::shell(folder_ / "archive", "tar cf t sub; zip -q -0 -r z.zip sub; gzip -c sub/0.dcm >g; rm sub/4.dcm");
  const OnRead fault([](const Read& read) { return is(read, "/t") || is(read, "/z.zip") || is(read, "/g") ? EIO : 0; });
  const auto scanned = scan();
  for (const char* name : {"t", "z.zip", "g"}) {
    const auto records = scanned.of(folder_ / "archive" / name);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0]->bucket, Bucket::unreadable);
    EXPECT_TRUE(test::finding(*records[0], "SRC-UNREADABLE"));
  }
  expect_others_sound(scanned);
}

TEST_F(Faults, AMediaErrorWithinALargeContainerKeepsTheMembersBeforeIt) {
  // Above 256 MiB a container is read as a stream; the hole costs no disk.
  test::shell(
      folder_ / "archive",
      "mkdir x; mv sub x; truncate -s 300M hole; tar cf ../t -C x sub; tar rf ../t hole; rm -r hole x; mv ../t .");
  const OnRead fault(
      [](const Read& read) { return is(read, "/t") && read.at >= (std::uint64_t{100} << 20U) ? EIO : 0; });
  const auto scanned = scan();
  const auto records = scanned.of(folder_ / "archive/t");
  ASSERT_EQ(records.size(), 11U);
  EXPECT_EQ(records[0]->bucket, Bucket::unreadable) << to_json(*records[0]);
  EXPECT_TRUE(test::finding(*records[0], "SRC-CONTAINER-DAMAGED")) << to_json(*records[0]);
  EXPECT_EQ(records[10]->bucket, Bucket::unreadable) << to_json(*records[10]);
  EXPECT_EQ(scanned.tally.buckets.at("instance"), 9U);
}

TEST_F(Faults, AnIncrementKeepsNothingOfAFileThatCannotBeReadAnyMore) {
  scan::Options options;
  options.sources = {(folder_ / "archive").string()};
  const auto scan_to = [&](const char* name) {
    manifest::Writer writer(folder_ / name, scan::header_of(options), manifest::Restart::yes);
    (void)scan::run(options, writer, [](auto, auto, auto) {});
  };
  scan_to("old.wb");
  append("later");
  options.since = folder_ / "old.wb";
  {
    const OnRead fault([](const Read& read) { return is(read, "/4.dcm") ? EIO : 0; });
    scan_to("new.wb");
  }
  bool met = false;
  manifest::Reader reader(folder_ / "new.wb");
  while (auto record = reader.next()) {
    const auto* object = std::get_if<manifest::Object>(&*record);
    if (object == nullptr || !object->source.path.ends_with("/4.dcm")) continue;
    met = true;
    EXPECT_EQ(object->bucket, Bucket::unreadable);
    EXPECT_EQ(object->since, "changed");
    EXPECT_FALSE(object->file_sha256 || object->sop_instance);
  }
  EXPECT_TRUE(met);
}

}  // namespace
}  // namespace waybill
