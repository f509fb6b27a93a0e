// SPDX-License-Identifier: Apache-2.0
#include "archive/file.hpp"

#include "support/archive.hpp"
#include "support/faulty_reads.hpp"

#include <fcntl.h>

namespace waybill {

TEST(OpenFile, HasAllBytesAndTheFilesOwnSizeAndTime) {
  const test::TempFolder folder;
  const std::string bytes = test::noise(100'000, 1);
  test::write(folder / "x", bytes);
  const auto file = archive::open_file((folder / "x").string());
  ASSERT_TRUE(file);
  EXPECT_EQ(as_text(file->bytes), bytes);
  EXPECT_EQ(file->state.size, bytes.size());
  EXPECT_FALSE(file->changed);
  EXPECT_FALSE(archive::is_sparse_stub(*file));
}

TEST(OpenFile, RefusesWhatIsNoRegularFileWithoutWaiting) {
  const test::TempFolder folder;
  test::shell(folder.path(), "mkfifo fifo; mkdir folder");
  for (const char* name : {"fifo", "folder", "absent"}) {
    const auto file = archive::open_file((folder / name).string());
    ASSERT_FALSE(file) << name;
    EXPECT_EQ(file.error().fault, Fault::unreadable);
  }
}

TEST(OpenFile, SaysWhenTheFileKeepsChangingWhileItIsRead) {
  const test::TempFolder folder;
  test::write(folder / "x", std::string(1000, 'a'));
  {
    const test::OnRead grows([&](const test::Read&) {
      std::ofstream(folder / "x", std::ios::app) << "more";
      return 0;
    });
    const auto file = archive::open_file((folder / "x").string());
    ASSERT_TRUE(file);
    EXPECT_EQ(file->state.size, file->bytes.size());
    EXPECT_TRUE(file->changed);
  }
  const auto calm = archive::open_file((folder / "x").string());
  ASSERT_TRUE(calm);
  EXPECT_FALSE(calm->changed);
}

TEST(SparseStub, IsAFileWithFewBytesOnDiskAndZerosForTheRest) {
  const test::TempFolder folder;
  test::shell(
      folder.path(),
      "truncate -s 4M hole; (head -c 4096 /dev/urandom) >stub; truncate -s 4M stub; head -c 4M /dev/zero >zeros; "
      "head -c 4M /dev/urandom >full");
  const auto stub = [&](const char* name) {
    const auto file = archive::open_file((folder / name).string());
    return file && archive::is_sparse_stub(*file);
  };
  EXPECT_TRUE(stub("hole"));
  EXPECT_TRUE(stub("stub"));
  EXPECT_FALSE(stub("full"));
  EXPECT_FALSE(stub("zeros"));
}

}  // namespace waybill
