// SPDX-License-Identifier: Apache-2.0
#include "scan/run.hpp"

#include "core/text.hpp"
#include "dicom/toolkit.hpp"
#include "support/folder.hpp"
#include "support/images.hpp"
#include "support/unprivileged.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <map>
#include <set>

namespace waybill::scan {
namespace {

using namespace waybill::test;
using manifest::Bucket;
using manifest::Object;

const dicom::Toolkit* const kToolkit = new dicom::Toolkit;

class Scan : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    archive_ = folder_ / "archive";
    fs::create_directories(archive_);
  }

  [[nodiscard]] Options options(unsigned threads = 2, bool deep = true) const {
    Options o;
    o.sources = {archive_.string()};
    o.deep = deep;
    o.threads = threads;
    return o;
  }

  Tally scan_to(const fs::path& output, const Options& o) {
    manifest::Writer writer(output, header_of(o));
    return run(o, writer, [](auto, auto, auto) {});
  }

  std::vector<Object> scan(const Options& o) {
    const fs::path output = folder_ / "scan.wb";
    fs::remove(output);
    tally_ = scan_to(output, o);
    return objects_of(output);
  }
  std::vector<Object> scan() { return scan(options()); }

  /// Path below the archive.
  [[nodiscard]] std::string name(const Object& object) const {
    return object.source.path.substr(archive_.string().size() + 1);
  }
  std::map<std::string, Object> by_name() {
    std::map<std::string, Object> out;
    for (auto& object : scan()) out.emplace(name(object), object);
    return out;
  }

  fs::path archive_;
  Tally tally_;
};

TEST_F(Scan, WalksDepthFirstInTheOrderOfTheBytesOfTheNames) {
  for (const char* path : {"b", "a/2", "a/1", "a.txt", "B", "\xC3\xA4", "a/sub/0", "10", "9"})
    put(archive_ / path, "x");
  std::vector<std::string> names;
  for (const auto& object : scan()) names.push_back(name(object));
  EXPECT_EQ(names, (std::vector<std::string>{"10", "9", "B", "a/1", "a/2", "a/sub/0", "a.txt", "b", "\xC3\xA4"}));
}

TEST_F(Scan, TakesSourcesInTheOrderGivenAndAFolderOnlyOnce) {
  put(archive_ / "one" / "x", "1");
  put(archive_ / "two" / "y", "2");
  Options o = options();
  o.sources = {(archive_ / "two").string(), (archive_ / "one" / "x").string(), (archive_ / "two").string()};
  std::vector<std::string> names;
  std::set<std::string> loops;
  for (const auto& object : scan(o)) {
    if (object.content_type == "folder-loop") {
      loops.insert(name(object));
    } else {
      names.push_back(name(object));
    }
  }
  EXPECT_EQ(names, (std::vector<std::string>{"two/y", "one/x"}));
  EXPECT_EQ(loops, (std::set<std::string>{"two"}));
}

TEST_F(Scan, RecordsLinksAndNeverFollowsThemSoThatALoopEnds) {
  put(archive_ / "folder" / "file", "x");
  put(folder_ / "outside" / "secret", "not of the archive");
  fs::create_directory_symlink(archive_, archive_ / "folder" / "up");
  fs::create_symlink("/nowhere", archive_ / "dangling");
  fs::create_directory_symlink(folder_ / "outside", archive_ / "way-out");
  const auto found = by_name();
  ASSERT_EQ(found.size(), 4U);
  for (const char* link : {"folder/up", "dangling", "way-out"}) {
    EXPECT_EQ(found.at(link).bucket, Bucket::non_dicom) << link;
    EXPECT_EQ(found.at(link).content_type, "symlink") << link;
  }
}

TEST_F(Scan, RecordsPipesAndSocketsWithoutOpeningThem) {
  ASSERT_EQ(mkfifo((archive_ / "pipe").c_str(), 0600), 0);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (archive_ / "s").string();
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto found = by_name();  // opening the pipe would wait for a writer for ever
  ::close(fd);
  EXPECT_EQ(found.at("pipe").content_type, "fifo");
  EXPECT_EQ(found.at("s").content_type, "socket");
}

TEST_F(Scan, AnUnreadableFolderAndFileAreExceptionsAndTheRestIsScanned) {
  put(archive_ / "a" / "x", "x");
  put(archive_ / "locked" / "y", "y");
  put(archive_ / "z", "z");
  fs::permissions(archive_ / "locked", fs::perms::none);
  fs::permissions(archive_ / "z", fs::perms::none);
  const test::Unprivileged unprivileged(folder_);
  const auto found = by_name();
  fs::permissions(archive_ / "locked", fs::perms::owner_all);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found.at("locked").bucket, Bucket::unreadable);
  EXPECT_EQ(found.at("z").bucket, Bucket::unreadable);
  EXPECT_TRUE(has_finding(found.at("z"), "SRC-UNREADABLE"));
  EXPECT_EQ(tally_.exceptions, 2U);
}

TEST_F(Scan, KeepsNamesOfAnyBytesAndOfFullLength) {
  std::set<std::string> names;
  for (int c = 1; c < 256; ++c) {
    if (c != '/' && c != '.') names.insert(std::string(1, static_cast<char>(c)));
  }
  for (const char* name : {"=cmd|' /C calc'!A0", "<script>", "'; DROP TABLE x", "$(reboot)", "`id`", "-rf", "--", "...",
                           "a\nb", "\x1B[2J", "%n%s",
                           "\xE2\x80\xAE"
                           "gpj.exe",
                           "NUL", "C:\\x", "..\\x"})
    names.insert(name);
  names.insert(std::string(255, 'n'));
  for (const std::string& name : names) put(archive_ / name, "x");
  std::set<std::string> met;
  for (const auto& object : scan()) met.insert(path_from_text(object.source.path).substr(archive_.string().size() + 1));
  EXPECT_EQ(met, names);
  EXPECT_GT(names.size(), 250U);
}

TEST_F(Scan, AHoleOfATerabyteAndAFarmOfLinksCostNothing) {
  put(archive_ / "hole", "x");
  fs::resize_file(archive_ / "hole", std::uintmax_t{1} << 40U);
  put(archive_ / "farm" / "0", file_of({}));
  for (int i = 1; i < 50; ++i) fs::create_hard_link(archive_ / "farm" / "0", archive_ / "farm" / std::to_string(i));
  const auto found = by_name();
  EXPECT_EQ(found.at("hole").bucket, Bucket::unreadable);
  EXPECT_TRUE(has_finding(found.at("hole"), "SRC-UNREADABLE"));
  EXPECT_EQ(tally_.buckets.at("instance"), 1U);
  EXPECT_EQ(tally_.buckets.at("duplicate-identical"), 49U);
}

TEST_F(Scan, AnEmptyFileIsInTheLedgerAndNoException) {
  put(archive_ / "zero", "");
  put(archive_ / "note.txt", "see box 7");
  const auto found = by_name();
  EXPECT_EQ(found.at("zero").bucket, Bucket::empty);
  EXPECT_EQ(found.at("zero").source.size, 0U);
  EXPECT_EQ(found.at("note.txt").bucket, Bucket::non_dicom);
  EXPECT_EQ(tally_.exceptions, 0U);
  EXPECT_EQ(tally_.entries, 2U);
  EXPECT_TRUE(tally_.closes());
}

TEST_F(Scan, AMissingSourceIsAnInputErrorThatNamesIt) {
  Options o = options();
  o.sources = {(archive_ / "nothing-here").string()};
  std::string text;
  EXPECT_EQ(exit_of([&] { (void)scan_to(folder_ / "scan.wb", o); }, &text), Exit::input);
  EXPECT_NE(text.find("nothing-here"), std::string::npos) << text;
}

TEST_F(Scan, RecordsWhatAnImageIsWithTheDigestThatSha256sumGives) {
  put(archive_ / "image.dcm", file_of({}));
  const auto objects = scan();
  ASSERT_EQ(objects.size(), 1U);
  const Object& o = objects[0];
  EXPECT_EQ(o.bucket, Bucket::instance);
  EXPECT_EQ(o.sop_instance, "1.2.3.4.1");
  EXPECT_EQ(o.patient_name, "DOE^JANE");
  EXPECT_EQ(o.rows, 33U);
  EXPECT_EQ(o.columns, 47U);
  EXPECT_TRUE(o.pixel_sha256 && o.dataset_sha256);
  EXPECT_EQ(o.file_sha256, shell("sha256sum < " + (archive_ / "image.dcm").string()).out.substr(0, 64));
}

TEST_F(Scan, AChangedFileKeepsItsIdAndGetsOtherDigests) {
  put(archive_ / "image.dcm", file_of({}));
  const Object before = scan().at(0);
  Image changed;
  changed.seed = 9;
  put(archive_ / "image.dcm", file_of(changed));
  const Object after = scan().at(0);
  EXPECT_EQ(before.id, after.id);
  EXPECT_NE(before.file_sha256, after.file_sha256);
  EXPECT_NE(before.pixel_sha256, after.pixel_sha256);
  EXPECT_EQ(before.dataset_sha256, after.dataset_sha256) << "the pixels are not part of DS1";
}

TEST_F(Scan, TheSameObjectTwiceIsADuplicateWhateverItsName) {
  put(archive_ / "1", file_of({}));
  put(archive_ / "2", file_of({}));
  const auto found = by_name();
  EXPECT_EQ(found.at("1").bucket, Bucket::instance);
  EXPECT_EQ(found.at("2").bucket, Bucket::duplicate_identical);
  EXPECT_TRUE(has_finding(found.at("2"), "UID-DUPSAME"));
  EXPECT_EQ(tally_.exceptions, 0U);
  EXPECT_EQ(tally_.studies, 1U);
}

TEST_F(Scan, TwoContentsUnderOneUidAreAConflictOnBothSides) {
  Image other;
  other.seed = 5;
  put(archive_ / "1", file_of({}));
  put(archive_ / "2", file_of(other));
  const auto found = by_name();
  EXPECT_EQ(found.at("1").bucket, Bucket::instance) << "it was sound when it was recorded";
  EXPECT_EQ(found.at("2").bucket, Bucket::duplicate_conflict);
  EXPECT_TRUE(has_finding(found.at("2"), "UID-DUPDIFF"));
  bool told = false;
  manifest::Reader reader(folder_ / "scan.wb");
  while (auto record = reader.next()) {
    if (const auto* late = std::get_if<manifest::LateFinding>(&*record))
      told = told || (late->id == found.at("1").id && late->finding.code == "UID-DUPDIFF");
  }
  EXPECT_TRUE(told) << "the first object got no finding";
  EXPECT_GE(tally_.exceptions, 1U);
}

TEST_F(Scan, TheSamePixelsUnderOtherAttributesAreToldApartFromOtherPixels) {
  Image other;
  other.patient_name = "DOE^JOHN";
  put(archive_ / "1", file_of({}));
  put(archive_ / "2", file_of(other));
  const auto found = by_name();
  EXPECT_EQ(found.at("2").bucket, Bucket::duplicate_conflict);
  EXPECT_TRUE(has_finding(found.at("2"), "UID-DUPSAMEPIX"));
}

TEST_F(Scan, TwoPatientsInOneStudyAreAnException) {
  Image other;
  other.sop_instance = "1.2.3.4.2";
  other.patient_id = "P-2";
  put(archive_ / "1", file_of({}));
  put(archive_ / "2", file_of(other));
  const auto found = by_name();
  EXPECT_TRUE(has_finding(found.at("2"), "UID-STUDY2PAT"));
  EXPECT_EQ(tally_.exceptions, 1U);
}

/// Studies, duplicates, conflicts, damage, other files: something of each.
void fill(const fs::path& archive) {
  for (unsigned n = 0; n < 24; ++n) {
    Image image;
    image.sop_instance = "1.2.3.4." + std::to_string(n % 20);  // four collide
    image.study = "1.2.3." + std::to_string(n / 4 + 10);
    image.series = image.study + ".1";
    image.patient_id = "P-" + std::to_string(n / 4);
    image.seed = n % 3;
    image.bits = n % 2 == 0 ? 12 : 8;
    put(archive / std::to_string(n / 6) / ("IM" + std::to_string(n)), file_of(image));
  }
  put(archive / "0" / "copy", file_of({}));
  put(archive / "1" / "cut", file_of({}).substr(0, 900));
  put(archive / "2" / "empty", "");
  put(archive / "3" / "readme.txt", "hello");
  fs::create_symlink("nowhere", archive / "link");
}

TEST_F(Scan, OneAndFourThreadsWriteTheSameRecordsInTheSameOrder) {
  fill(archive_);
  (void)scan_to(folder_ / "one.wb", options(1));
  (void)scan_to(folder_ / "four.wb", options(4));
  const auto one = lines_of(folder_ / "one.wb"), four = lines_of(folder_ / "four.wb");
  EXPECT_GT(one.size(), 28U);
  EXPECT_EQ(one, four);
}

TEST_F(Scan, ARunCutBehindAnyRecordIsContinuedToTheSameRecords) {
  fill(archive_);
  (void)scan_to(folder_ / "whole.wb", options());
  const auto whole = lines_of(folder_ / "whole.wb");
  std::string counts;
  {
    manifest::Reader reader(folder_ / "whole.wb");
    while (reader.next_line()) {
    }
    counts = reader.end()->counts;
  }
  for (std::size_t kept = 0; kept <= whole.size(); ++kept) {
    const fs::path cut = folder_ / "cut.wb";
    fs::remove(cut);
    {
      manifest::Writer writer(cut, header_of(options()));
      writer.commit();
      for (std::size_t i = 0; i < kept; ++i) writer.append(whole[i]);
    }
    ASSERT_FALSE(is_complete(cut));
    (void)scan_to(cut, options());
    EXPECT_EQ(lines_of(cut), whole) << "cut behind record " << kept;
    manifest::Reader reader(cut);
    while (reader.next_line()) {
    }
    ASSERT_TRUE(reader.end());
    EXPECT_EQ(reader.end()->counts, counts) << "cut behind record " << kept;
  }
}

TEST_F(Scan, ReadsTheSourceAndChangesNothingInIt) {
  fill(archive_);
  const std::string look =
      "cd " + archive_.string() + " && find . -type f -printf '%p %s %m %T@ ' -exec sha256sum {} +";
  const std::string before = shell(look).out;
  ASSERT_FALSE(before.empty());
  (void)scan();
  EXPECT_EQ(shell(look).out, before);
}

TEST_F(Scan, TheToolEndsWithTheCodeThatItsExceptionsMean) {
  if (!has_tools()) GTEST_SKIP() << "WAYBILL_BIN names no built tools";
  const std::string start = "cd " + folder_.string() + " && $B/waybill-scan archive --quiet ";
  put(archive_ / "good.dcm", file_of({}));
  put(archive_ / "empty", "");
  EXPECT_EQ(shell(start + "-o good.wb > /dev/null").exit, 0);
  put(archive_ / "cut.dcm", file_of({}).substr(0, 900));
  EXPECT_EQ(shell(start + "-o bad.wb > /dev/null").exit, 1);
  EXPECT_EQ(shell(start + "-o none.wb --nonsense 2>/dev/null").exit, 2);
  EXPECT_EQ(shell("$B/waybill-scan /no/such/folder -o " + (folder_ / "n.wb").string() + " 2>/dev/null").exit, 3);
  const Ran json = shell(start + "-o json.wb --json | jq -r .counts.exceptions,.counts.buckets.empty");
  EXPECT_EQ(json.out, "1\n1\n");
}

}  // namespace
}  // namespace waybill::scan
