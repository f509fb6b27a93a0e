// SPDX-License-Identifier: Apache-2.0
#include "archive/members.hpp"

#include "support/archive.hpp"

namespace waybill {

namespace {

using archive::Members;

std::vector<std::string> names_in(Members& members) {
  std::vector<std::string> names;
  while (const auto member = members.next()) {
    if (member->kind != archive::MemberKind::folder) names.push_back(member->text);
  }
  return names;
}

}  // namespace

TEST(Members, AreThoseThePackersThemselvesListInTheirOrder) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 20);
  for (const test::Kind& kind : test::kinds()) {
    SCOPED_TRACE(kind.name);
    const auto expected = test::pack(kind, folder.path());
    ASSERT_EQ(expected.size(), 20U);
    const std::string bytes = test::slurp(folder / kind.name);
    auto members = Members::of(as_bytes(bytes));
    ASSERT_TRUE(members);
    EXPECT_EQ(names_in(*members), expected);
    EXPECT_EQ(members->damage(), "");
    EXPECT_EQ(members->type(), kind.type);
  }
}

TEST(Members, HaveTheirBytesWhetherReadFromMemoryOrFromAFileAndTheFileIsDigestedOnTheWay) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 7);
  test::write(folder / "in/sub/large.bin", test::noise(3U << 20U, 1));
  test::write(folder / "in/sub/empty", "");
  for (const test::Kind& kind : test::kinds()) {
    SCOPED_TRACE(kind.name);
    test::pack(kind, folder.path());
    const std::string bytes = test::slurp(folder / kind.name);
    const io::Descriptor fd = io::open_file(folder / kind.name, 0);
    auto from_memory = Members::of(as_bytes(bytes));
    auto from_file = Members::of(fd.get());
    for (auto* members : {&from_memory, &from_file}) {
      ASSERT_TRUE(*members);
      int files = 0;
      while (const auto member = (*members)->next()) {
        if (member->kind == archive::MemberKind::folder) continue;
        const auto content = (*members)->read(archive::kLargest);
        ASSERT_TRUE(content) << content.error().what;
        EXPECT_EQ(as_text(*content), test::slurp(folder / "in" / member->text)) << member->text;
        ++files;
      }
      EXPECT_EQ(files, 9);
      const auto digest = (*members)->digest();
      ASSERT_TRUE(digest);
      EXPECT_EQ(*digest, test::shell(folder.path(), std::string("sha256sum ") + kind.name).substr(0, 64));
    }
  }
}

TEST(Members, OfASingleCompressedFileIsOneCalledDataWhateverTheFileWasCalled) {
  const test::TempFolder folder;
  test::write(folder / "note", "hello");
  for (const auto& [program, type] :
       std::map<std::string, std::string>{{"gzip", "gzip"}, {"zstd", "zstd"}, {"bzip2", "bzip2"}, {"xz", "xz"}}) {
    SCOPED_TRACE(program);
    test::shell(folder.path(), program + " -c note > packed");
    const std::string bytes = test::slurp(folder / "packed");
    auto members = Members::of(as_bytes(bytes));
    ASSERT_TRUE(members);
    const auto member = members->next();
    ASSERT_TRUE(member);
    EXPECT_EQ(member->text, "data");
    EXPECT_EQ(members->type(), type);
    const auto content = members->read(100);
    ASSERT_TRUE(content);
    EXPECT_EQ(as_text(*content), "hello");
    EXPECT_FALSE(members->next());
    EXPECT_EQ(members->damage(), "");
  }
}

TEST(Members, OfTheSameNameAreToldApartByTheirNumber) {
  const test::TempFolder folder;
  test::shell(folder.path(),
              "echo one >x; tar cf t x; echo two >x; tar rf t x; echo three >x; tar rf t x; "
              "/usr/bin/python3 -W ignore -c 'import zipfile\nz=zipfile.ZipFile(\"z\",\"w\")\nfor s in "
              "(\"one\",\"two\",\"three\"):"
              " z.writestr(\"x\",s+\"\\n\")\nz.close()'");
  for (const char* name : {"t", "z"}) {
    SCOPED_TRACE(name);
    const std::string bytes = test::slurp(folder / name);
    auto members = Members::of(as_bytes(bytes));
    ASSERT_TRUE(members);
    for (const auto& [text, content] :
         std::vector<std::pair<std::string, std::string>>{{"x", "one\n"}, {"x%#2", "two\n"}, {"x%#3", "three\n"}}) {
      const auto member = members->next();
      ASSERT_TRUE(member);
      EXPECT_EQ(member->text, text);
      const auto read = members->read(100);
      ASSERT_TRUE(read);
      EXPECT_EQ(as_text(*read), content);
    }
  }
}

TEST(Members, WithoutANameAreNumberedSoThatEachCanBeNamed) {
  const test::TempFolder folder;
  test::shell(
      folder.path(),
      "/usr/bin/python3 -W ignore -c 'import zipfile\nz=zipfile.ZipFile(\"z\",\"w\")\nfor s in (\"one\",\"two\"): "
      "z.writestr(zipfile.ZipInfo(\"\"),s)\nz.close()'");
  const std::string bytes = test::slurp(folder / "z");
  auto members = Members::of(as_bytes(bytes));
  ASSERT_TRUE(members);
  EXPECT_EQ(names_in(*members), (std::vector<std::string>{"%#1", "%#2"}));
}

TEST(Members, KeepTheBytesOfNamesInAnyEncoding) {
  const test::TempFolder folder;
  const std::string latin1 = "M\xFCller";
  const std::string utf8 = "M\xC3\xBCller";
  for (const std::string& name : {latin1, utf8, std::string("100%/#2"), std::string("tab\there")})
    test::write(folder / "in/sub" / name, name);
  for (const test::Kind& kind : test::kinds()) {
    SCOPED_TRACE(kind.name);
    test::shell(folder / "in", kind.make);
    const std::string bytes = test::slurp(folder / kind.name);
    auto members = Members::of(as_bytes(bytes));
    ASSERT_TRUE(members);
    int files = 0;
    while (const auto member = members->next()) {
      if (member->kind == archive::MemberKind::folder) continue;
      ++files;
      EXPECT_TRUE(is_utf8(member->text));
      EXPECT_EQ(member->text.find("%#"), std::string::npos) << "no name is twice in it: " << member->text;
      const auto content = members->read(100);
      ASSERT_TRUE(content);
      // What the file holds is its own name.
      EXPECT_TRUE(path_from_text(member->text).ends_with(as_text(*content))) << member->text;
    }
    EXPECT_EQ(files, 4);
  }
}

TEST(Members, WhoseNamesDifferOnlyInTheFormOfTheirAccentsStayTwo) {
  const test::TempFolder folder;
  test::write(folder / "in/sub/M\xC3\xBCller", "composed");
  test::write(folder / "in/sub/Mu\xCC\x88ller", "decomposed");
  for (const test::Kind& kind : test::kinds()) {
    SCOPED_TRACE(kind.name);
    test::shell(folder / "in", kind.make);
    const std::string bytes = test::slurp(folder / kind.name);
    auto members = Members::of(as_bytes(bytes));
    ASSERT_TRUE(members);
    const auto names = names_in(*members);
    ASSERT_EQ(names.size(), 2U);
    EXPECT_NE(names[0], names[1]);
  }
}

TEST(Members, OfTapesWithSeveralArchivesOneBehindTheOtherAreAllFound) {
  const test::TempFolder folder;
  test::shell(folder.path(),
              "echo one >x; echo two >y; tar cf a x; tar cf b y; cat a b >ab; gzip -c a >c; gzip -c b >>c");
  for (const char* name : {"ab", "c"}) {
    SCOPED_TRACE(name);
    const std::string bytes = test::slurp(folder / name);
    auto members = Members::of(as_bytes(bytes));
    ASSERT_TRUE(members);
    EXPECT_EQ(names_in(*members), (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(members->damage(), "");
  }
}

TEST(Members, OfATarCutBetweenTwoMembersIsReportedAsDamaged) {
  const test::TempFolder folder;
  test::shell(folder.path(), "echo one >x; echo two >y; tar cf a x y; head -c 1024 a >cut");
  const std::string bytes = test::slurp(folder / "cut");
  auto members = Members::of(as_bytes(bytes));
  ASSERT_TRUE(members);
  EXPECT_EQ(names_in(*members), std::vector<std::string>{"x"});
  EXPECT_NE(members->damage(), "");
}

TEST(Container, IsToldByContentAndADicomFileIsNone) {
  using archive::Container;
  using archive::container_of;
  const auto of = [](const std::string& bytes) { return container_of(as_bytes(bytes)); };
  EXPECT_EQ(of(std::string(600, '\0')), Container::none);
  EXPECT_EQ(of(""), Container::none);
  EXPECT_EQ(of("BZh9 is how this text begins"), Container::none);
  EXPECT_EQ(of("PK\x03\x04 and so on"), Container::zip);
  EXPECT_EQ(of("PK\x03\x04" + std::string(124, '\0') + "DICM and so on"), Container::none);
}

}  // namespace waybill
