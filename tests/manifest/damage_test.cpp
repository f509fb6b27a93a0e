// SPDX-License-Identifier: Apache-2.0
#include "manifest/signature.hpp"
#include "support.hpp"

#include <zstd.h>

namespace waybill::manifest {
namespace {

using Damage = Folder;

bool sound(const fs::path& path) { return check(path).exit() == Exit::ok; }

/// Every flipped bit, removed byte, doubled byte and swapped pair of neighbours of `path`.
void try_every_byte(const fs::path& path, const fs::path& copy) {
  ASSERT_TRUE(sound(path));
  const std::string bytes = test::get(path);
  ASSERT_LT(bytes.size(), 4096U);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(static_cast<unsigned char>(flipped[i]) ^ (1U << bit));
      test::put(copy, flipped);
      ASSERT_EQ(check(copy).exit(), Exit::integrity) << "flipped bit " << bit << " of byte " << i;
    }
    std::string removed = bytes;
    removed.erase(i, 1);
    test::put(copy, removed);
    ASSERT_NE(check(copy).exit(), Exit::ok) << "removed byte " << i;
    std::string doubled = bytes;
    doubled.insert(i, 1, bytes[i]);
    test::put(copy, doubled);
    ASSERT_EQ(check(copy).exit(), Exit::integrity) << "doubled byte " << i;
    if (i + 1 < bytes.size() && bytes[i] != bytes[i + 1]) {
      std::string swapped = bytes;
      std::swap(swapped[i], swapped[i + 1]);
      test::put(copy, swapped);
      ASSERT_EQ(check(copy).exit(), Exit::integrity) << "swapped bytes " << i << " and the next";
    }
  }
}

TEST_F(Damage, EveryFlippedRemovedDoubledOrMovedByteIsFound) {
  write_small(file_);
  try_every_byte(file_, folder_ / "copy.wb");
}

TEST_F(Damage, EveryFlippedRemovedDoubledOrMovedByteOfASignedManifestIsFound) {
  write_small(file_);
  generate_key(folder_ / "key");
  sign_manifest(file_, folder_ / "key");
  try_every_byte(file_, folder_ / "copy.wb");
}

TEST_F(Damage, ACutAtAnyByteIsNeverSound) {
  write_small(file_);
  const std::string bytes = test::get(file_);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    test::put(folder_ / "cut.wb", std::string_view(bytes).substr(0, size));
    ASSERT_NE(check(folder_ / "cut.wb").exit(), Exit::ok) << size;
  }
}

TEST_F(Damage, WholeFramesThatAreDroppedSwappedOrDoubledAreFound) {
  write_small(file_);
  const std::string bytes = test::get(file_);
  std::vector<std::string> frames;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = ZSTD_findFrameCompressedSize(bytes.data() + at, bytes.size() - at);
    ASSERT_EQ(ZSTD_isError(n), 0U);
    frames.push_back(bytes.substr(at, n));
    at += n;
  }
  ASSERT_EQ(frames.size(), 6U);  // header, two of records, end, seal, table
  const auto joined = [](const std::vector<std::string>& parts) {
    std::string all;
    for (const auto& part : parts) all += part;
    return all;
  };
  for (std::size_t i = 0; i < frames.size(); ++i) {
    auto dropped = frames;
    dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(i));
    test::put(folder_ / "x.wb", joined(dropped));
    EXPECT_EQ(check(folder_ / "x.wb").exit(), Exit::integrity) << "dropped " << i;
    auto doubled = frames;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), frames[i]);
    test::put(folder_ / "x.wb", joined(doubled));
    EXPECT_EQ(check(folder_ / "x.wb").exit(), Exit::integrity) << "doubled " << i;
    if (i + 1 == frames.size()) continue;
    auto swapped = frames;
    std::swap(swapped[i], swapped[i + 1]);
    test::put(folder_ / "x.wb", joined(swapped));
    EXPECT_EQ(check(folder_ / "x.wb").exit(), Exit::integrity) << "swapped " << i;
  }
}

TEST_F(Damage, CountsThatContradictTheRecordsAreFound) {
  {
    Writer writer(file_, header());
    writer.append_record(object(1));
    writer.finish(R"({"buckets":{"instance":2}})");
  }
  const auto report = check(file_);
  EXPECT_EQ(report.exit(), Exit::integrity);
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_EQ(report.problems[0], "the end line states 2 objects in bucket instance, there are 1");
}

TEST_F(Damage, AnUnfinishedManifestIsReportedAsInterruptedNotAsDamaged) {
  {
    Writer writer(file_, header());
    writer.append(line(1));
  }
  EXPECT_EQ(check(file_).exit(), Exit::interrupted);
  EXPECT_EQ(check(file_).records, 1U);
}

TEST_F(Damage, ASignatureIsVerifiedWithThePublicKeyAndFailsWithAnother) {
  write_small(file_);
  const std::string head = content(file_).head;
  const std::string id = generate_key(folder_ / "key");
  generate_key(folder_ / "other");
  const PublicKey key(folder_ / "key.pub");
  const PublicKey other(folder_ / "other.pub");
  EXPECT_EQ(key.id(), id);
  EXPECT_EQ(check(file_, &key).exit(), Exit::integrity) << "an unsigned file must not pass with a key";
  EXPECT_EQ(sign_manifest(file_, folder_ / "key"), id);
  EXPECT_EQ(content(file_).head, head) << "signing must not change what other manifests refer to";
  EXPECT_TRUE(check(file_, &key).verified);
  EXPECT_EQ(check(file_, &key).exit(), Exit::ok);
  EXPECT_EQ(check(file_, &other).exit(), Exit::integrity);
  sign_manifest(file_, folder_ / "other");
  EXPECT_EQ(check(file_, &key).exit(), Exit::ok);
  EXPECT_EQ(check(file_, &other).exit(), Exit::ok);
  EXPECT_EQ(content(file_).lines.size(), 3U);
}

TEST_F(Damage, OnlyPrivateKeyFilesAndCompleteManifestsAreSigned) {
  write_small(file_);
  generate_key(folder_ / "key");
  EXPECT_EQ(exit_of([&] { generate_key(folder_ / "key"); }), Exit::usage);
  EXPECT_EQ(exit_of([&] { sign_manifest(file_, folder_ / "key.pub"); }), Exit::usage);
  fs::permissions(folder_ / "key", fs::perms::owner_read | fs::perms::group_read);
  EXPECT_EQ(exit_of([&] { sign_manifest(file_, folder_ / "key"); }), Exit::usage);
  fs::permissions(folder_ / "key", fs::perms::owner_read);
  { Writer(folder_ / "open.wb", header()).append(line(1)); }
  EXPECT_EQ(exit_of([&] { sign_manifest(folder_ / "open.wb", folder_ / "key"); }), Exit::usage);
  std::string bytes = test::get(file_);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  test::put(file_, bytes);
  EXPECT_EQ(exit_of([&] { sign_manifest(file_, folder_ / "key"); }), Exit::integrity);
  EXPECT_EQ(test::get(file_), bytes);
}

}  // namespace
}  // namespace waybill::manifest
