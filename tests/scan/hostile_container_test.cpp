// SPDX-License-Identifier: Apache-2.0
#include "support/scanning.hpp"

#include <array>

namespace waybill {

namespace fs = std::filesystem;

namespace {

using manifest::Bucket;

void python(const test::TempFolder& folder, const std::string& program) {
  test::write(folder / "make.py",
              "import io,os,struct,tarfile,zipfile,zlib,gzip,warnings\nwarnings.simplefilter('ignore')\n" + program);
  test::shell(folder.path(), "mkdir -p out; cd out; /usr/bin/python3 ../make.py");
}

}  // namespace

TEST(HostileContainer, CutAnywhereKeepsWhatWasWholeAndSaysThatItIsDamaged) {
  const test::TempFolder folder;
  std::vector<std::string> digests;
  for (unsigned i = 0; i < 40; ++i) {
    const std::string bytes = test::noise(12'000, i);
    test::write(folder / "in/sub" / std::to_string(i), bytes);
    digests.push_back(Sha256::of(as_bytes(bytes)).hex());
  }
  for (const test::Kind& kind : test::kinds()) {
    test::pack(kind, folder.path());
    const std::string whole = test::slurp(folder / kind.name);
    for (std::size_t k = 1; k < 50; ++k)
      test::write(folder / "out" / (std::string(kind.name) + std::to_string(k)),
                  whole.substr(0, whole.size() * k / 50));
  }
  const auto scanned = test::scan_folder(folder / "out");
  for (const test::Kind& kind : test::kinds()) {
    std::size_t most = 0;
    for (std::size_t k = 1; k < 50; ++k) {
      SCOPED_TRACE(kind.name + std::to_string(k));
      const auto records = scanned.of(folder / "out" / (std::string(kind.name) + std::to_string(k)));
      ASSERT_FALSE(records.empty());
      std::size_t whole = 0;
      for (std::size_t i = 1; i < records.size(); ++i) {
        if (records[i]->bucket == Bucket::unreadable) {
          EXPECT_TRUE(test::finding(*records[i], "SRC-UNREADABLE"));
          continue;
        }
        EXPECT_EQ(std::count(digests.begin(), digests.end(), records[i]->file_sha256.value_or("")), 1);
        ++whole;
      }
      most = std::max(most, whole);
      // A tar file ends in blocks of zeros; without some of these it is whole.
      if (whole == digests.size() && records[0]->bucket == Bucket::non_dicom) continue;
      EXPECT_EQ(records[0]->bucket, Bucket::quarantined);
      EXPECT_TRUE(test::finding(*records[0], "SRC-CONTAINER-DAMAGED")) << to_json(*records[0]);
    }
    // bzip2 and xz pack all this into one block, which is lost as a whole.
    const std::string type = kind.type;
    const std::size_t least = type == "tar.bz2" || type == "tar.xz" ? 0 : 25;
    EXPECT_GE(most, least) << kind.name;
  }
}

TEST(HostileContainer, DamagedInOneZipMemberLosesThatMemberOnly) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 5);
  test::shell(folder / "in", "mkdir ../out; zip -q -0 -r ../out/z sub");
  std::string bytes = test::slurp(folder / "out/z.zip");
  const std::size_t at = bytes.find("1.2.9.1.3");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = '7';
  test::write(folder / "out/z.zip", bytes);
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_EQ(scanned.tally.buckets.at("unreadable"), 1U);
  EXPECT_EQ(scanned.tally.buckets.at("instance"), 4U);
}

TEST(HostileContainer, ThatInflatesWithoutEndIsRefusedEarlyWhateverItsKind) {
  const test::TempFolder folder;
  // 140 MiB of zeros in each, some 1000 times what deflate makes of it.
  python(folder, R"(
zeros = bytes(1 << 20)
with zipfile.ZipFile('zip', 'w', zipfile.ZIP_DEFLATED) as z:
    with z.open('zeros', 'w') as f:
        for _ in range(140): f.write(zeros)
    z.writestr('behind', 'x')
with gzip.open('gz', 'wb') as f:
    for _ in range(140): f.write(zeros)
m = tarfile.TarInfo('zeros'); m.size = 140 << 20
tarfile.open('../tar', 'w').addfile(m, open('/dev/zero', 'rb'))
)");
  test::shell(folder / "out",
              "head -c 140M /dev/zero | zstd -q >zst; head -c 140M /dev/zero | bzip2 >bz2; "
              "zstd -qc ../tar >tar; rm ../tar");
  const auto scanned = test::scan_folder(folder / "out");
  for (const char* name : {"zip", "gz", "zst", "bz2", "tar"}) {
    SCOPED_TRACE(name);
    const auto records = scanned.of(folder / "out" / name);
    ASSERT_EQ(records.size(), 2U);
    for (const auto* record : records) {
      EXPECT_EQ(record->bucket, Bucket::quarantined);
      EXPECT_TRUE(test::finding(*record, "SRC-BOMB")) << to_json(*record);
    }
  }
}

TEST(HostileContainer, WithEndlessZerosBehindItsMembersIsRefusedAsWell) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 1);
  test::shell(folder / "in", "mkdir ../out; (tar c sub; head -c 300M /dev/zero) | zstd -q >../out/t");
  const auto scanned = test::scan_folder(folder / "out");
  ASSERT_EQ(scanned.objects.size(), 2U);
  EXPECT_EQ(scanned.objects[0].bucket, Bucket::quarantined);
  EXPECT_TRUE(test::finding(scanned.objects[0], "SRC-BOMB"));
  EXPECT_EQ(scanned.objects[1].bucket, Bucket::instance);
}

TEST(HostileContainer, ThatOnlyClaimsToBeLargeIsRefusedWithoutMemory) {
  const test::TempFolder folder;
  python(folder, R"(
m = tarfile.TarInfo('claim'); m.size = 64 << 30
open('t', 'wb').write(m.tobuf() + b'x' * 1024)
z = zipfile.ZipFile('z', 'w', zipfile.ZIP_DEFLATED); z.writestr('claim', 'x' * 1000); z.close()
b = bytearray(open('z', 'rb').read())
for mark, at in ((b'PK\1\2', 24), (b'PK\3\4', 22)):
    i = b.index(mark); b[i + at:i + at + 4] = struct.pack('<I', 0xFFFFFFF0)
open('z', 'wb').write(b)
)");
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_EQ(scanned.objects.size(), 4U);
  for (const auto& object : scanned.objects) EXPECT_EQ(object.bucket, Bucket::quarantined) << to_json(object);
}

TEST(HostileContainer, OfZipsInZipsIsBoundedAsAWhole) {
  const test::TempFolder folder;
  // 16 x 16 x 16 members of 4 MiB of zeros: 16 GiB from some 100 kB.
  python(folder, R"(
def pack(name, content):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:
        for i in range(16): z.writestr(name + str(i), content)
    return b.getvalue()
open('42.zip', 'wb').write(pack('c', pack('b', pack('a', bytes(4 << 20)))))
)");
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_EQ(scanned.objects[0].bucket, Bucket::quarantined);
  EXPECT_TRUE(test::finding(scanned.objects[0], "SRC-BOMB"));
  EXPECT_LT(scanned.tally.bytes, std::uint64_t{256} << 20U);
}

TEST(HostileContainer, WritesNothingOutsideWhateverItsMembersAreCalled) {
  const test::TempFolder folder;
  python(folder, R"(
evil = ['../evil', '/tmp/waybill-evil', 'a/../../evil', '..\\evil', 'C:\\evil', './ok', 'a//b', '...', 'nul\0name', 'x' * 5000]
z = zipfile.ZipFile('z', 'w')
for n in evil:
    i = zipfile.ZipInfo(n); i.filename = n.split('\0')[0] if '\0' in n else n
    z.writestr(i, 'text')
z.close()
t = tarfile.open('t', 'w')
for n in evil:
    i = tarfile.TarInfo(n.replace('\0', '')); i.size = 4; t.addfile(i, io.BytesIO(b'text'))
for kind, n in ((tarfile.SYMTYPE, 'link'), (tarfile.LNKTYPE, 'hard'), (tarfile.FIFOTYPE, 'fifo'), (tarfile.CHRTYPE, 'device')):
    i = tarfile.TarInfo(n); i.type = kind; i.linkname = '/etc/passwd' if kind == tarfile.SYMTYPE else './ok'; t.addfile(i)
t.close()
)");
  const std::string before = test::shell(folder.path(), "find . -type f | sort | xargs -d '\\n' sha256sum");
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_EQ(test::shell(folder.path(), "find . -type f | sort | xargs -d '\\n' sha256sum"), before);
  EXPECT_FALSE(fs::exists("/tmp/waybill-evil"));
  const auto zip = scanned.of(folder / "out/z");
  const auto tar = scanned.of(folder / "out/t");
  ASSERT_EQ(zip.size(), 11U);
  ASSERT_EQ(tar.size(), 15U);
  for (const auto& records : {zip, tar}) {
    for (std::size_t i = 1; i <= 10; ++i)
      EXPECT_EQ(test::finding(*records[i], "SRC-MEMBERPATH") != nullptr, i <= 5) << *records[i]->source.member;
  }
  EXPECT_EQ(tar[11]->content_type, "symlink");
  EXPECT_EQ(tar[12]->content_type, "hardlink");
  EXPECT_EQ(tar[13]->content_type, "special");
  EXPECT_EQ(tar[14]->content_type, "special");
}

TEST(HostileContainer, WithEncryptedMembersListsThemAsUnreadable) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 3);
  test::shell(folder / "in", "mkdir ../out; zip -q -P secret ../out/z sub/0.dcm sub/1.dcm; zip -q ../out/z sub/2.dcm");
  const auto scanned = test::scan_folder(folder / "out");
  ASSERT_EQ(scanned.objects.size(), 4U);
  for (const auto& object : scanned.objects) {
    const bool encrypted = object.source.member == "sub/0.dcm" || object.source.member == "sub/1.dcm";
    EXPECT_EQ(test::finding(object, "SRC-ENCRYPTED") != nullptr, encrypted);
    const Bucket expected = encrypted              ? Bucket::unreadable
                            : object.source.member ? Bucket::instance
                                                   : Bucket::non_dicom;
    EXPECT_EQ(object.bucket, expected);
  }
}

TEST(HostileContainer, WithOneNameManyTimesKeepsThemApart) {
  const test::TempFolder folder;
  test::write(folder / "obj", test::small_object("1.2", "1.2.1", "1.2.1.1", 1));
  python(folder, R"(
z = zipfile.ZipFile('z', 'w')
for i in range(100): z.writestr('same', open('../obj', 'rb').read())
z.close()
)");
  const auto scanned = test::scan_folder(folder / "out");  // which checks that ids are unique
  EXPECT_EQ(scanned.objects.size(), 101U);
  EXPECT_EQ(scanned.tally.buckets.at("instance"), 1U);
  EXPECT_EQ(scanned.tally.buckets.at("duplicate-identical"), 99U);
}

TEST(HostileContainer, WithTenThousandMembersHasARecordOfEach) {
  const test::TempFolder folder;
  python(folder, R"(
z = zipfile.ZipFile('z', 'w', zipfile.ZIP_DEFLATED)
t = tarfile.open('t', 'w:gz', compresslevel=1)
for i in range(10000):
    z.writestr('d%d/%d' % (i % 100, i), 'text %d' % i)
    m = tarfile.TarInfo('d%d/%d' % (i % 100, i)); m.size = 4; t.addfile(m, io.BytesIO(b'text'))
z.close(); t.close()
)");
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_EQ(scanned.objects.size(), 20'002U);
  EXPECT_EQ(scanned.of(folder / "out/z").front()->findings.front().detail, "10000 members");
}

TEST(HostileContainer, WhoseDirectoryLiesAboutTheNumberOfMembersIsDamaged) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 3);
  test::shell(folder / "in", "mkdir ../out; zip -q -r ../out/z sub");
  std::string bytes = test::slurp(folder / "out/z.zip");
  bytes[bytes.rfind("PK\x05\x06") + 10] = 9;
  test::write(folder / "out/z.zip", bytes);
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_TRUE(test::finding(scanned.objects[0], "SRC-CONTAINER-DAMAGED"));
  EXPECT_EQ(scanned.tally.buckets.at("instance"), 3U);
}

TEST(HostileContainer, WithAMemberThatItsDirectoryDoesNotListIsDamaged) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 3);
  test::shell(folder / "in", "mkdir ../out; zip -q -r ../sound sub; zip -q -fd -r ../out/descriptors sub");
  // What is left of the entry of the first member when a program has deleted it from the directory alone.
  python(folder, R"(
b = open('../sound.zip', 'rb').read()
first = b.find(b'PK\x01\x02')
end = b.find(b'PK\x05\x06')
names = struct.unpack('<HHH', b[first + 28:first + 34])
second = first + 46 + sum(names)
left = struct.unpack('<H', b[end + 10:end + 12])[0] - 1
tail = bytearray(b[end:])
tail[8:20] = struct.pack('<HHII', left, left, end - second, first)
open('deleted.zip', 'wb').write(b[:first] + b[second:end] + tail)
)");
  const auto scanned = test::scan_folder(folder / "out");
  const auto deleted = scanned.of(folder / "out/deleted.zip");
  EXPECT_TRUE(test::finding(*deleted.at(0), "SRC-CONTAINER-DAMAGED"));
  EXPECT_EQ(deleted.at(0)->bucket, Bucket::quarantined);
  EXPECT_EQ(scanned.of(folder / "out/descriptors.zip").at(0)->bucket, Bucket::non_dicom);
}

TEST(HostileContainer, WithBytesBehindItsCompressedDataIsDamagedUnlessTheyAreZeros) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 1);
  test::shell(folder / "in", R"(mkdir ../out; cd ../out; f=$(find ../in -type f)
for z in gzip bzip2 xz zstd; do
  $z -c $f > sound.$z; { $z -c $f; head -c 512 /dev/zero; } > padded.$z; done
{ gzip -c $f; echo lost; } > gzip; { bzip2 -c $f; echo lost; } > bzip2; { gzip -c $f; cat $f; } > object)");
  const auto scanned = test::scan_folder(folder / "out");
  for (const char* name : {"gzip", "bzip2", "object"})
    EXPECT_TRUE(test::finding(*scanned.of(folder / "out" / name).at(0), "SRC-CONTAINER-DAMAGED")) << name;
  for (const char* name : {"sound.gzip", "sound.bzip2", "sound.xz", "sound.zstd", "padded.gzip", "padded.bzip2"})
    EXPECT_EQ(scanned.of(folder / "out" / name).at(0)->bucket, Bucket::non_dicom) << name;
}

TEST(HostileContainer, OfNothingCompressedHoldsAnEmptyMember) {
  const test::TempFolder folder;
  test::shell(folder.path(), "mkdir out; for z in gzip bzip2 xz zstd; do $z -c < /dev/null > out/$z; done");
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_EQ(scanned.tally.buckets.at("empty"), 4U);
  EXPECT_EQ(scanned.tally.buckets.at("non-dicom"), 4U);
}

TEST(HostileContainer, OfAKindThatIsNotReadIsQuarantinedAndNamed) {
  const test::TempFolder folder;
  test::write(folder / "out/a", std::string("7z\xBC\xAF\x27\x1C") + std::string(40, 'x'));
  test::write(folder / "out/b", std::string("Rar!\x1A\x07\x01") + std::string(40, 'x'));
  test::write(folder / "out/c", std::string(32769, 'x') + "CD001" + std::string(2000, 'x'));
  const auto scanned = test::scan_folder(folder / "out");
  const std::array types{"7z", "rar", "iso9660"};
  for (std::size_t i = 0; i < types.size(); ++i) {
    EXPECT_EQ(scanned.objects.at(i).content_type, types[i]);
    EXPECT_EQ(scanned.objects.at(i).bucket, Bucket::quarantined);
    EXPECT_TRUE(test::finding(scanned.objects.at(i), "SRC-UNOPENED"));
  }
}

TEST(HostileContainer, MadeOfNoiseBehindAMagicIsOneQuarantinedRecord) {
  const test::TempFolder folder;
  const std::map<std::string, std::string> magics = {{"zip", "PK\x03\x04"},
                                                     {"gz", "\x1F\x8B\x08"},
                                                     {"zst", "\x28\xB5\x2F\xFD"},
                                                     {"xz", std::string("\xFD"
                                                                        "7zXZ\0",
                                                                        6)},
                                                     {"bz2", "BZh91AY&SY"}};
  for (const auto& [name, magic] : magics) test::write(folder / "out" / name, magic + test::noise(5000, 7));
  const auto scanned = test::scan_folder(folder / "out");
  for (const auto& [name, magic] : magics) {
    const auto records = scanned.of(folder / "out" / name);
    ASSERT_GE(records.size(), 1U) << name;
    EXPECT_EQ(records[0]->bucket, Bucket::quarantined) << name;
    EXPECT_TRUE(test::finding(*records[0], "SRC-CONTAINER-DAMAGED")) << name;
  }
}

}  // namespace waybill
