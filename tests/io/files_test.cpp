// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

namespace waybill::io {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "waybill-io-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string text(const fs::path& path) {
    const auto bytes = read_file(path);
    return bytes ? std::string(as_text(*bytes)) : "failure: " + bytes.error().what;
  }
  static void put(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

  fs::path folder_;
};

TEST_F(Files, ACommittedFileReplacesTheOldOneAndLeavesNoPartFile) {
  put(folder_ / "a", "old");
  AtomicFile file(folder_ / "a");
  file.write(as_bytes("new "));
  file.write(as_bytes("content"));
  EXPECT_EQ(text(folder_ / "a"), "old");
  EXPECT_EQ(text(file.part_path()), "new content");
  file.commit();
  EXPECT_EQ(text(folder_ / "a"), "new content");
  EXPECT_FALSE(fs::exists(folder_ / ".a.part"));
  struct stat info {};
  ASSERT_EQ(stat((folder_ / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(Files, AnUncommittedFileVanishesAndTheOldOneStays) {
  put(folder_ / "a", "old");
  { AtomicFile(folder_ / "a").write(as_bytes("half")); }
  EXPECT_EQ(text(folder_ / "a"), "old");
  EXPECT_FALSE(fs::exists(folder_ / ".a.part"));
}

TEST_F(Files, APartFileLaidAsALinkIsNotFollowed) {
  put(folder_ / "victim", "mine");
  fs::create_symlink(folder_ / "victim", folder_ / ".a.part");
  AtomicFile file(folder_ / "a");
  file.write(as_bytes("x"));
  file.commit();
  EXPECT_EQ(text(folder_ / "victim"), "mine");
  EXPECT_EQ(text(folder_ / "a"), "x");
}

TEST_F(Files, AMissingFolderIsAnInputErrorThatNamesPathAndReason) {
  try {
    AtomicFile file(folder_ / "no" / "a");
    FAIL() << "no error";
  } catch (const RunError& error) {
    EXPECT_EQ(error.exit(), Exit::input);
    EXPECT_NE(std::string(error.what()).find(".a.part: No such file or directory; check"), std::string::npos)
        << error.what();
  }
}

TEST_F(Files, AFullDiskStopsTheWriterForGood) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  {
    AtomicFile file(folder_ / "a");
    file.write(as_bytes(std::string(900, 'x')));
    EXPECT_THROW(file.write(as_bytes(std::string(900, 'x'))), RunError);
    EXPECT_THROW(file.commit(), RunError);
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Files, WriteAllToAFullDeviceThrowsNoSpace) {
  const Descriptor fd = open_file("/dev/full", O_WRONLY);
  ASSERT_TRUE(fd);
  try {
    write_all(fd.get(), as_bytes("x"), "/dev/full");
    FAIL() << "no error";
  } catch (const RunError& error) {
    EXPECT_NE(std::string(error.what()).find("No space left on device; free space"), std::string::npos) << error.what();
  }
}

TEST_F(Files, ReadsEmptyAndLargeFilesWhole) {
  put(folder_ / "empty", "");
  EXPECT_EQ(text(folder_ / "empty"), "");
  const std::string large(3'000'000, 'q');
  put(folder_ / "large", large);
  EXPECT_EQ(text(folder_ / "large"), large);
  fs::create_symlink(folder_ / "large", folder_ / "link");
  EXPECT_EQ(text(folder_ / "link"), large);
}

TEST_F(Files, FailuresAreValuesWithTheirFault) {
  put(folder_ / "ten", "0123456789");
  EXPECT_TRUE(read_file(folder_ / "ten", 10));
  const auto limit = read_file(folder_ / "ten", 9);
  ASSERT_FALSE(limit);
  EXPECT_EQ(limit.error().fault, Fault::limit);
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  for (const auto& path : {folder_, folder_ / "none", folder_ / "fifo"}) {
    const auto result = read_file(path);
    ASSERT_FALSE(result) << path;
    EXPECT_EQ(result.error().fault, Fault::unreadable);
  }
}

TEST_F(Files, AFileThatChangesWhileBeingReadIsNeverHandedOut) {
  const fs::path path = folder_ / "busy";
  put(path, std::string(1'000'000, 'a'));
  std::atomic<bool> stop{false};
  std::thread changer([&] {  // both letters never stand in one version of the file
    for (char c = 'b'; !stop; c = c == 'b' ? 'a' : 'b') {
      const Descriptor fd = open_file(path, O_WRONLY);
      write_all(fd.get(), as_bytes(std::string(1'000'000, c)), path);
    }
  });
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    const auto bytes = read_file(path);
    if (!bytes) {
      EXPECT_EQ(bytes.error().what, "changed while being read");
      ++refused;
    }
  }
  stop = true;
  changer.join();
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace waybill::io
