// SPDX-License-Identifier: Apache-2.0
#include "archive/selection.hpp"

#include "archive/supply.hpp"
#include "support/archive.hpp"

namespace waybill {

namespace {

std::vector<std::string> supplied(const std::vector<std::string>& sources, const archive::Selection& selection) {
  archive::Supply supply(sources, selection, [](const archive::Entry&) { return archive::Plan::read; });
  std::vector<std::string> paths;
  while (const auto entry = supply.next()) paths.push_back(entry->path);
  return paths;
}

}  // namespace

TEST(Shard, IsReadFromITextAndNothingElseIsTaken) {
  const auto shard = archive::shard_from("2/8");
  ASSERT_TRUE(shard);
  EXPECT_EQ(shard->index, 2U);
  EXPECT_EQ(shard->count, 8U);
  for (const char* bad : {"", "2", "0/8", "9/8", "2/0", "2/8/1", "-1/8", "a/b", "2/", "/8", "2 /8", "99999999999/8"})
    EXPECT_FALSE(archive::shard_from(bad)) << bad;
}

TEST(Shard, TogetherTheSharesHoldEveryEntryOnceAndEachIsOfFairSize) {
  const test::TempFolder folder;
  for (int i = 0; i < 600; ++i) test::write(folder / ("d" + std::to_string(i % 7)) / std::to_string(i), "x");
  const auto all = supplied({folder.path().string()}, {});
  ASSERT_EQ(all.size(), 600U);
  std::vector<std::string> together;
  for (std::uint32_t i = 1; i <= 4; ++i) {
    const auto share = supplied({folder.path().string()}, {{}, {}, {i, 4}});
    EXPECT_GT(share.size(), 100U);
    EXPECT_LT(share.size(), 200U);
    together.insert(together.end(), share.begin(), share.end());
  }
  auto sorted = all;
  std::sort(sorted.begin(), sorted.end());
  std::sort(together.begin(), together.end());
  EXPECT_EQ(together, sorted);
}

TEST(Shard, DoesNotDependOnWhereTheArchiveIsMounted) {
  const test::TempFolder one;
  const test::TempFolder two;
  std::vector<std::string> shares[2];
  for (const auto* folder : {&one, &two}) {
    for (int i = 0; i < 50; ++i) test::write(*folder / ("d/" + std::to_string(i)), "x");
    for (const std::string& path : supplied({folder->path().string()}, {{}, {}, {1, 3}}))
      shares[folder == &two].push_back(path.substr(folder->path().string().size()));
  }
  EXPECT_EQ(shares[0], shares[1]);
  EXPECT_FALSE(shares[0].empty());
}

TEST(Selection, MatchesThePathRelativeToTheSourceAtAnyDepth) {
  archive::Selection selection;
  selection.include = {"*.dcm"};
  selection.exclude = {"viewer/*"};
  const auto excluded = [&](const std::string& relative) {
    archive::Entry entry;
    entry.path = "/archive/" + relative;
    entry.root = 9;
    return selection.excluded(entry).has_value();
  };
  EXPECT_FALSE(excluded("a.dcm"));
  EXPECT_FALSE(excluded("x/y/a.dcm"));
  EXPECT_TRUE(excluded("x/y/a.txt"));
  EXPECT_TRUE(excluded("viewer/a.dcm"));
  EXPECT_FALSE(excluded("x/viewer/a.dcm"));
}

TEST(Walk, GivesTheNameOfAFileRelativeToItsSource) {
  const test::TempFolder folder;
  test::write(folder / "in/a/b/c", "x");
  test::write(folder / "in/z", "x");
  test::write(folder / "single", "x");
  archive::Walk walk({(folder / "in").string(), (folder / "single").string()});
  std::vector<std::string> names;
  while (const auto entry = walk.next()) names.emplace_back(entry->relative());
  EXPECT_EQ(names, (std::vector<std::string>{"a/b/c", "z", "single"}));
}

}  // namespace waybill
