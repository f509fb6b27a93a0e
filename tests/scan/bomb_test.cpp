// SPDX-License-Identifier: Apache-2.0
// What inflates without end is refused in little memory; archives of blank images, which inflate as much, are not.
#include "support/deflate.hpp"
#include "support/scanning.hpp"

#include <sys/resource.h>

namespace waybill {

namespace fs = std::filesystem;

namespace {

using dicom::tag;
using manifest::Bucket;

void python(const test::TempFolder& folder, const std::string& program) {
  test::write(folder / "make.py", "import gzip,io,os,struct,tarfile,zipfile,zlib\n" + program);
  test::shell(folder.path(), "mkdir -p out; cd out; /usr/bin/python3 ../make.py");
}

/// Scans with the tool; its peak resident memory in MiB.
long peak_memory_of_a_scan(const test::TempFolder& folder, const std::string& name) {
  const pid_t child = test::spawn({test::tool("scan"), (folder / "out" / name).string(), "-o",
                                   (folder / "scan.wb").string(), "--quiet", "--restart", "--threads", "2"},
                                  folder / "log");
  int status = 0;
  rusage usage{};
  EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) <= 1) << test::slurp(folder / "log");
  return usage.ru_maxrss / 1024;
}

std::vector<manifest::Object> records_in(const fs::path& manifest) {
  std::vector<manifest::Object> out;
  manifest::Reader reader(manifest);
  while (auto record = reader.next()) {
    if (auto* object = std::get_if<manifest::Object>(&*record)) out.push_back(std::move(*object));
  }
  return out;
}

/// A blank image of 16 bits.
std::string blank(int number, std::uint16_t side, int frames) {
  const std::string uid = "1.2.9." + std::to_string(number + 1);
  test::DicomBuilder b;
  b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", uid);
  b.text(tag(0x0008, 0x0020), "DA", "20200101").text(tag(0x0010, 0x0020), "LO", "T1");
  b.text(tag(0x0020, 0x000D), "UI", "1.2.9").text(tag(0x0020, 0x000E), "UI", "1.2.9.0");
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  b.text(tag(0x0028, 0x0008), "IS", std::to_string(frames)).u16(tag(0x0028, 0x0010), side);
  b.u16(tag(0x0028, 0x0011), side).u16(tag(0x0028, 0x0100), 16).u16(tag(0x0028, 0x0101), 16);
  b.u16(tag(0x0028, 0x0102), 15).u16(tag(0x0028, 0x0103), 0);
  const std::size_t size = std::size_t{2} * side * side * static_cast<std::size_t>(frames);
  return b.raw(tag(0x7FE0, 0x0010), "OW", std::string(size, '\0')).str();
}

std::string blank_file(int number, std::uint16_t side) {
  return test::DicomBuilder::part10(blank(number, side, 1), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7",
                                    "1.2.9." + std::to_string(number + 1));
}

}  // namespace

TEST(Bomb, OfTwoGigabytesInTwoMegabytesIsRefusedInLittleMemory) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a sanitizer has memory of its own";
#endif
  if (!fs::exists(test::tool("scan"))) GTEST_SKIP() << "WAYBILL_BIN names no built tools";
  const test::TempFolder folder;
  // A fully flushed block of deflate stands for itself, so 2048 copies of one are a stream of 2 GiB.
  python(folder, R"(
d = zlib.compressobj(9, zlib.DEFLATED, -15)
block = d.compress(bytes(1 << 20)) + d.flush(zlib.Z_FULL_FLUSH)
body = block * 2048 + d.flush()
open('gz', 'wb').write(b'\x1f\x8b\x08\0\0\0\0\0\0\3' + body + struct.pack('<II', 0, 1 << 31))
crc = struct.pack('<IIIHH', 0, len(body), (1 << 31), 4, 0)
local = b'PK\3\4' + struct.pack('<HHHHH', 20, 0, 8, 0, 0) + crc + b'zero'
central = b'PK\1\2' + struct.pack('<HHHHHH', 20, 20, 0, 8, 0, 0) + crc + struct.pack('<HHHII', 0, 0, 0, 0, 0) + b'zero'
end = b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, 1, 1, len(central), len(local) + len(body), 0)
open('zip', 'wb').write(local + body + central + end)
meta = b'\2\0\x10\0UI' + struct.pack('<H', 22) + b'1.2.840.10008.1.2.1.99'
open('deflated', 'wb').write(bytes(128) + b'DICM' + meta + body)
)");
  ASSERT_LT(fs::file_size(folder / "out/gz"), 3U << 20U);
  for (const char* name : {"gz", "zip", "deflated"}) {
    EXPECT_LT(peak_memory_of_a_scan(folder, name), 256) << name;
    const auto records = records_in(folder / "scan.wb");
    const bool deflated = name == std::string("deflated");
    ASSERT_EQ(records.size(), deflated ? 1U : 2U) << name;
    for (const auto& object : records) {
      EXPECT_EQ(object.bucket, Bucket::quarantined) << name;
      EXPECT_TRUE(test::finding(object, deflated ? "ENC-UNPARSED" : "SRC-BOMB")) << to_json(object);
    }
  }
}

TEST(Bomb, IsNoArchiveOfBlankImagesHoweverWellItDeflates) {
  const test::TempFolder folder;
  constexpr int kImages = 160;  // 80 MiB, more than 500 times what gzip makes of them and 5000 times what zstd does
  for (int i = 0; i < kImages; ++i) test::write(folder / "in/sub" / std::to_string(i), blank_file(i, 512));
  test::shell(folder / "in",
              "mkdir ../out; tar c sub | gzip -6 >../out/gz; tar c sub | zstd -q -9 --long >../out/zst; "
              "zip -q -r ../out/zip sub");
  ASSERT_LT(fs::file_size(folder / "out/zst") * 500, std::uint64_t{80} << 20U);
  for (const char* name : {"gz", "zst", "zip.zip"}) {
    const auto scanned = test::scan_folder(folder / "out" / name);
    EXPECT_EQ(scanned.tally.buckets, (std::map<std::string, std::uint64_t>{{"instance", kImages}, {"non-dicom", 1}}))
        << name << to_json(scanned.objects[0]);
  }
}

TEST(Bomb, IsNoLargeMemberThatInflatesAsFilesDo) {
  const test::TempFolder folder;
  // 72 MiB, of which a tenth is noise.
  std::string content;
  while (content.size() < (std::size_t{72} << 20U))
    content += test::noise(100'000, static_cast<unsigned>(content.size())) + std::string(900'000, 'x');
  test::write(folder / "in/sub/large", content);
  test::shell(folder / "in",
              "mkdir ../out; gzip -1 -c sub/large >../out/gz; zip -q -1 -r ../out/zip sub; zip -q -0 -r ../out/stored "
              "sub; tar cf ../out/tar sub; "
              "tar c sub | zstd -q >../out/zst");
  for (const char* name : {"gz", "zip.zip", "stored.zip", "tar", "zst"}) {
    const auto scanned = test::scan_folder(folder / "out" / name);
    ASSERT_EQ(scanned.objects.size(), 2U) << name;
    EXPECT_EQ(scanned.objects[1].file_sha256, Sha256::of(content).hex()) << name << to_json(scanned.objects[1]);
  }
}

TEST(Bomb, IsNoDeflatedObjectWhosePixelDataIsAnnounced) {
  const test::TempFolder folder;
  const std::string data = blank(1, 1024, 36);  // 72 MiB of zeros
  const std::string packed = test::deflated(data, -15);
  ASSERT_GT(data.size(), packed.size() * 500);
  test::write(folder / "out/blank",
              test::DicomBuilder::part10(packed, "1.2.840.10008.1.2.1.99", "1.2.840.10008.5.1.4.1.1.7", "1.2.9.2"));
  // The same number of zeros, but behind elements that announce fewer.
  test::write(folder / "out/bomb",
              test::DicomBuilder::part10(test::deflated(blank(2, 64, 1) + std::string(72U << 20U, '\0'), -15),
                                         "1.2.840.10008.1.2.1.99", "1.2.840.10008.5.1.4.1.1.7", "1.2.9.3"));
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_EQ(scanned.of(folder / "out/blank")[0]->bucket, Bucket::instance)
      << to_json(*scanned.of(folder / "out/blank")[0]);
  EXPECT_TRUE(test::finding(*scanned.of(folder / "out/bomb")[0], "ENC-UNPARSED"));
}

}  // namespace waybill
