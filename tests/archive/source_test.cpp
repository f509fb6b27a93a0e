// SPDX-License-Identifier: Apache-2.0
#include "archive/source.hpp"

#include "support/archive.hpp"

#include <fstream>

namespace waybill {

namespace fs = std::filesystem;

namespace {

manifest::Source member_of(const fs::path& path, const std::string& member) {
  manifest::Source source;
  source.path = path_to_text(path.string());
  source.member = member;
  return source;
}

/// Bytes this process has read from files so far.
std::uint64_t bytes_read() {
  std::ifstream counters("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  counters >> name >> value;
  return name == "rchar:" ? value : 0;
}

}  // namespace

TEST(ReadSource, GivesAFileOrAPartOfIt) {
  const test::TempFolder folder;
  const std::string bytes = test::noise(5000, 3);
  test::write(folder / "100% x", bytes);
  manifest::Source source;
  source.path = path_to_text((folder / "100% x").string());
  source.size = 5000;
  auto read = archive::read_source(source);
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(*read), bytes);
  source.offset = 1000;
  source.size = 700;
  read = archive::read_source(source);
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(*read), bytes.substr(1000, 700));
  source.size = 4001;
  read = archive::read_source(source);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().fault, Fault::mismatch);
}

TEST(ReadSource, GivesMembersInAnyOrderFromAnyKindOfContainer) {
  const test::TempFolder folder;
  const auto objects = test::make_objects(folder / "in", 12);
  for (const test::Kind& kind : test::kinds()) {
    SCOPED_TRACE(kind.name);
    test::pack(kind, folder.path());
    for (const int i : {0, 1, 2, 11, 5, 5, 4, 0}) {
      const auto read = archive::read_source(member_of(folder / kind.name, "sub/" + std::to_string(i) + ".dcm"));
      ASSERT_TRUE(read) << read.error().what;
      EXPECT_EQ(as_text(*read), objects[static_cast<std::size_t>(i)]);
    }
    const auto absent = archive::read_source(member_of(folder / kind.name, "sub/12.dcm"));
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().fault, Fault::mismatch);
  }
}

TEST(ReadSource, GivesMembersOfNestedContainersAndPartsOfThem) {
  const test::TempFolder folder;
  const auto objects = test::make_objects(folder / "in", 3);
  test::shell(folder / "in", "tar czf inner.tgz sub; echo x >other; zip -q ../outer.zip other inner.tgz sub/1.dcm");
  const fs::path outer = folder / "outer.zip";
  for (const auto& [member, expected] :
       std::vector<std::pair<std::string, std::string>>{{"inner.tgz%/sub/0.dcm", objects[0]},
                                                        {"inner.tgz%/sub/2.dcm", objects[2]},
                                                        {"sub/1.dcm", objects[1]},
                                                        {"inner.tgz%/sub/1.dcm", objects[1]},
                                                        {"other", "x\n"}}) {
    const auto read = archive::read_source(member_of(outer, member));
    ASSERT_TRUE(read) << member << ": " << read.error().what;
    EXPECT_EQ(as_text(*read), expected) << member;
  }
  auto part = member_of(outer, "inner.tgz%/sub/0.dcm");
  part.offset = 10;
  part.size = 20;
  const auto read = archive::read_source(part);
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(*read), objects[0].substr(10, 20));
}

TEST(ReadSource, SeesThatTheContainerWasReplacedBetweenTwoReads) {
  const test::TempFolder folder;
  test::shell(folder.path(), "echo one >a; echo two >b; tar cf t a b");
  ASSERT_TRUE(archive::read_source(member_of(folder / "t", "a")));
  test::shell(folder.path(), "echo three >b; rm t; tar cf t a b; touch -d 2001-01-01 t");
  const auto read = archive::read_source(member_of(folder / "t", "b"));
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(*read), "three\n");
}

TEST(ReadSource, ReadsMembersAskedForInOrderInOnePass) {
  const test::TempFolder folder;
  // 2,000 members of 20 kB: one pass reads 40 MB, a pass a member would read 40 GB.
  test::shell(folder.path(), "mkdir m; head -c 40000000 /dev/urandom | split -a 4 -b 20000 - m/; tar c m | gzip -1 >t");
  const auto names = test::lines_of(test::shell(folder.path(), "tar tf t"));
  const std::uint64_t before = bytes_read();
  int read = 0;
  for (const std::string& name : names) {
    if (name.back() == '/') continue;
    ASSERT_TRUE(archive::read_source(member_of(folder / "t", name))) << name;
    ++read;
  }
  EXPECT_EQ(read, 2000);
  const std::uint64_t bytes = bytes_read() - before;
  EXPECT_GE(bytes, 40'000'000U);
  EXPECT_LT(bytes, 60'000'000U);
}

}  // namespace waybill
