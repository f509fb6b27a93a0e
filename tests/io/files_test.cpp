// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"
#include "support/faulty_reads.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>

namespace waybill::io {
namespace {

namespace fs = std::filesystem;

class Files : public test::InFolder {
 protected:
  static std::string text(const fs::path& path) {
    const auto bytes = read_file(path);
    return bytes ? std::string(as_text(*bytes)) : "failure: " + bytes.error().what;
  }
  static void put(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }
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
  const auto same_size = [&] { put(path, "changed!"); };
  const auto grows = [&] { std::ofstream(path, std::ios::app) << "more"; };
  const auto shrinks = [&] { fs::resize_file(path, 3); };
  for (const std::function<void()>& change :
       {std::function<void()>(same_size), std::function<void()>(grows), std::function<void()>(shrinks)}) {
    put(path, "original");
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(1));
    const test::OnRead now([&](const test::Read&) {
      change();  // between the look at the file and its bytes
      return 0;
    });
    const auto bytes = read_file(path);
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().what, "changed while being read");
  }
}

TEST_F(Files, AMediaErrorIsAFailureWithItsReason) {
  put(folder_ / "a", "bytes");
  const test::OnRead fault([](const test::Read&) { return EIO; });
  const auto bytes = read_file(folder_ / "a");
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().fault, Fault::unreadable);
  EXPECT_EQ(bytes.error().what, "cannot be read: Input/output error");
}

}  // namespace
}  // namespace waybill::io
