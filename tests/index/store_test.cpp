// SPDX-License-Identifier: Apache-2.0
#include "index/store.hpp"

#include "core/result.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <fstream>
#include <map>

namespace waybill::index {
namespace {

using IndexStore = test::InFolder;

unsigned rights(const std::filesystem::path& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
}

TEST_F(IndexStore, GivesBackWhatWasPutLastInByteOrder) {
  Store store(folder_ / "i");
  std::map<std::string, std::string> expected;
  for (int i = 0; i < 60000; ++i) {  // several tables
    const std::string key = "k" + std::to_string(i * 7919 % 60000);
    const std::string value = std::to_string(i) + std::string(200, static_cast<char>('a' + i % 26));
    store.put(key, value);
    expected[key.substr(1)] = value;
  }
  store.put("j", "before");
  store.put("l", "behind");
  store.put("k5", "again");
  expected["5"] = "again";

  std::map<std::string, std::string> seen;
  std::string last;
  store.each("k", [&](std::string_view key, std::string_view value) {
    EXPECT_LT(last, key);
    last = key;
    seen.emplace(key, value);
  });

  EXPECT_EQ(seen, expected);
  EXPECT_EQ(store.get("k5"), "again");
  EXPECT_EQ(store.get("nothing"), std::nullopt);
}

TEST_F(IndexStore, FolderIsForItsOwnerAloneAndGoneAtTheEnd) {
  {
    Store store(folder_ / "i");
    for (int i = 0; i < 40000; ++i) store.put(std::to_string(i), std::string(300, 'x'));
    EXPECT_EQ(rights(folder_ / "i"), 0700U);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "i"));
}

TEST_F(IndexStore, WithoutANameLiesUnderTmpdir) {
  setenv("TMPDIR", folder_.c_str(), 1);
  std::filesystem::path folder;
  {
    const Store store("");
    folder = store.folder();
    EXPECT_EQ(folder.parent_path(), folder_);
    EXPECT_EQ(rights(folder), 0700U);
  }
  unsetenv("TMPDIR");
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(IndexStore, ThrowsAwayWhatAKilledRunLeft) {
  {
    Store running(folder_ / "running");
    for (int i = 0; i < 40000; ++i) running.put(std::to_string(i), std::string(300, 'x'));
    std::filesystem::copy(folder_ / "running", folder_ / "i");  // as a kill would leave it
  }
  ASSERT_FALSE(std::filesystem::is_empty(folder_ / "i"));

  const Store store(folder_ / "i");

  EXPECT_EQ(store.get("1"), std::nullopt);
}

TEST_F(IndexStore, TouchesNoFolderOfOthers) {
  std::filesystem::create_directory(folder_ / "i");
  std::ofstream(folder_ / "i" / "thesis.txt") << "mine";

  EXPECT_THROW(Store(folder_ / "i"), RunError);

  EXPECT_TRUE(std::filesystem::exists(folder_ / "i" / "thesis.txt"));
}

TEST_F(IndexStore, FollowsNoLink) {
  std::filesystem::create_directory(folder_ / "other");
  std::filesystem::create_directory_symlink(folder_ / "other", folder_ / "i");
  EXPECT_THROW(Store(folder_ / "i"), RunError);
}

}  // namespace
}  // namespace waybill::index
