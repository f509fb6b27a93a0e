// SPDX-License-Identifier: Apache-2.0
// An archive that went away as a whole ends a run instead of making every object of it unreadable.
#include "archive/places.hpp"

#include "support/folder.hpp"

#include <gtest/gtest.h>

namespace waybill::archive::test {
namespace {

using waybill::test::InFolder;
using waybill::test::put;

class Places : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    put(folder_ / "in/a/1", "1");
    put(folder_ / "in/a/2", "2");
  }
  waybill::test::Ran run(const std::string& command) {
    return waybill::test::shell("cd '" + folder_.string() + "' && " + command);
  }
};

TEST_F(Places, ThatHoldSomethingAreThereAndEmptyOrMissingOnesAreGone) {
  EXPECT_NO_THROW(require_place(folder_ / "in"));
  EXPECT_NO_THROW(require_place(folder_ / "in/a/1")) << "a file is not asked about";
  std::filesystem::create_directory(folder_ / "mount");
  for (const char* name : {"mount", "never"}) {
    try {
      require_place(folder_ / name);
      FAIL() << name;
    } catch (const RunError& error) {
      EXPECT_EQ(error.exit(), Exit::input);
      EXPECT_NE(std::string(error.what()).find("is gone"), std::string::npos) << error.what();
    }
  }
}

TEST_F(Places, OfAnObjectTheInnermostIsAskedAboutAndStrangersAreNot) {
  std::filesystem::create_directory(folder_ / "in/mount");
  const std::vector<std::filesystem::path> places = {folder_ / "in", folder_ / "in/mount"};
  EXPECT_NO_THROW(require_place_of(folder_ / "in/gone", places));
  EXPECT_NO_THROW(require_place_of(folder_ / "in/mountain/gone", places)) << "a name that begins alike lies elsewhere";
  EXPECT_THROW(require_place_of(folder_ / "in/mount/gone", places), RunError);
  EXPECT_NO_THROW(require_place_of("/elsewhere/gone", places));
}

TEST_F(Places, ThatAreGoneEndABackupWithoutARecordOfThemAndItGoesOnWhenTheyAreBack) {
  if (!waybill::test::has_tools()) GTEST_SKIP() << "the tools are not built";
  EXPECT_EQ(run("$B/waybill-scan in -o scan.wb --quiet").exit, 0);
  std::filesystem::rename(folder_ / "in", folder_ / "away");
  std::filesystem::create_directory(folder_ / "in");
  const auto gone = run("$B/waybill-pack scan.wb -o backup --quiet 2>&1");
  EXPECT_EQ(gone.exit, 3) << gone.out;
  EXPECT_NE(gone.out.find("is gone (it is an empty folder)"), std::string::npos) << gone.out;
  std::filesystem::remove(folder_ / "in");
  std::filesystem::rename(folder_ / "away", folder_ / "in");
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup --quiet").exit, 0);
}

TEST_F(Places, AreNotAskedAboutForOneObjectThatVanished) {
  if (!waybill::test::has_tools()) GTEST_SKIP() << "the tools are not built";
  EXPECT_EQ(run("$B/waybill-scan in -o scan.wb --quiet").exit, 0);
  std::filesystem::remove(folder_ / "in/a/1");
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup --quiet 2>/dev/null").exit, 1);
}

}  // namespace
}  // namespace waybill::archive::test
