// SPDX-License-Identifier: Apache-2.0
// What pack writes comes back byte for byte, by unpack and by standard tools alone.
#include "manifest/place.hpp"
#include "manifest/writer.hpp"
#include "support/folder.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace waybill::test {
namespace {

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

class PackRoundTrip : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (!has_tools()) GTEST_SKIP() << "the tools are not built";
  }
  Ran run(const std::string& command) { return shell("cd '" + folder_.string() + "' && " + command); }
  /// A tree with everything that is awkward about names and contents.
  void make_tree() {
    put(folder_ / "in" / "a" / "1.bin", noise(5000, 1));
    put(folder_ / "in" / "a" / "2.bin", noise(70000, 2));
    put(folder_ / "in" / "b" / "copy of 1.bin", noise(5000, 1));
    put(folder_ / "in" / "b" / "empty", "");
    put(folder_ / "in" / "b" / "100%\n\xFF\x1B", noise(512, 3));
    put(folder_ / "in" / "b" / std::string(255, 'n'), noise(511, 4));
    put(folder_ / "in" / "zipped" / "x.bin", noise(3000, 5));
    put(folder_ / "in" / "zipped" / "sub" / "y.bin", noise(4000, 6));
    EXPECT_EQ(run("cd in && zip -q -r c.zip zipped && tar czf d.tgz c.zip zipped && rm -r zipped").exit, 0);
    fs::create_symlink("/etc/passwd", folder_ / "in" / "b" / "link");
  }
  std::map<std::string, std::vector<manifest::Place>> places(const fs::path& manifest) {
    std::map<std::string, std::vector<manifest::Place>> out;
    for (const auto& line : lines_of(manifest)) {
      if (const auto place = manifest::place_of(line)) out[place->sha256].push_back(*place);
    }
    return out;
  }
};

TEST_F(PackRoundTrip, ATreeComesBackByteForByteUnderItsNamesAndTimes) {
  make_tree();
  EXPECT_EQ(run("$B/waybill-scan in -o scan.wb --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-unpack backup --check --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --quiet >&2").exit, 0);
  fs::remove(folder_ / "in" / "b" / "link");  // a link has no bytes
  EXPECT_EQ(run("diff -r in out").out, "");
  EXPECT_EQ(fs::last_write_time(folder_ / "in/a/2.bin"), fs::last_write_time(folder_ / "out/a/2.bin"));
  EXPECT_EQ(run("stat -c %a backup backup/* out/a/1.bin | sort -u").out, "600\n700\n");
  EXPECT_EQ(run("ls -A out out/b | grep -c part").out, "0\n");
  EXPECT_EQ(run("$B/waybill-manifest check backup/pack.wb >&2").exit, 0);
  const auto again = run("$B/waybill-unpack backup --to out --json --quiet");  // all of it is there
  EXPECT_EQ(again.exit, 0);
  EXPECT_NE(again.out.find("\"present\":"), std::string::npos);
  EXPECT_EQ(run("diff -r in out").out, "");
}

TEST_F(PackRoundTrip, ARestoreLeavesARecordOfEachObjectThatChainsToTheBackup) {
  make_tree();
  (void)run("$B/waybill-scan in -o scan.wb --quiet; $B/waybill-pack scan.wb -o backup --quiet");
  EXPECT_EQ(run("$B/waybill-unpack backup --to out/ --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-manifest check out.unpack.wb >&2").exit, 0);
  EXPECT_EQ(run("stat -c %a out.unpack.wb").out, "600\n");
  manifest::Reader backup(folder_ / "backup/pack.wb"), record(folder_ / "out.unpack.wb");
  while (backup.next_line()) {
  }
  ASSERT_EQ(record.header().inputs.size(), 1U);
  EXPECT_EQ(record.header().inputs[0].head, backup.head());
  EXPECT_EQ(record.header().stage, "unpack");
  const auto ids = [](const std::vector<manifest::Object>& objects) {
    std::vector<std::string> out;
    for (const auto& object : objects) out.push_back(object.id);
    return out;
  };
  EXPECT_EQ(ids(objects_of(folder_ / "out.unpack.wb")), ids(objects_of(folder_ / "backup/pack.wb")));
  const std::string outcomes =
      "zstdcat out.unpack.wb | jq -r 'select(.kind == \"object\").unpack.outcome' | sort | uniq -c"
      " | awk '{print $2, $1}'";
  EXPECT_EQ(run(outcomes).out, "not-packed 1\nrestored 8\nwith-container 7\n");  // the link has no bytes
  EXPECT_EQ(
      run("zstdcat out.unpack.wb | jq -r 'select((.source.path // \"\") | endswith(\"/a/2.bin\")).unpack.path'").out,
      "a/2.bin\n");
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --quiet >&2").exit, 0);
  EXPECT_EQ(run(outcomes).out, "not-packed 1\npresent 8\nwith-container 7\n");
  EXPECT_EQ(run("$B/waybill-unpack backup --check -o check.wb --quiet >&2").exit, 0);
  EXPECT_EQ(run("zstdcat check.wb | jq -r 'select(.kind == \"object\").unpack.outcome' | sort -u").out,
            "not-packed\nproved\n");
  EXPECT_EQ(run("$B/waybill-report scan.wb backup/pack.wb check.wb out.unpack.wb --json >&2").exit,
            run("$B/waybill-report scan.wb backup/pack.wb --json >&2").exit);
}

TEST_F(PackRoundTrip, EachContentIsStoredOnceAndMembersWithTheirContainer) {
  make_tree();
  (void)run("$B/waybill-scan in -o scan.wb --quiet; $B/waybill-pack scan.wb -o backup --quiet");
  std::set<std::pair<std::string, std::uint64_t>> entries;
  std::size_t parts = 0;
  for (const auto& [digest, all] : places(folder_ / "backup/pack.wb")) {
    for (const auto& place : all) {
      entries.emplace(place.volume, place.offset);
      parts += place.part;
      EXPECT_EQ(place.offset, all.front().offset) << digest;
    }
  }
  EXPECT_EQ(entries.size(), 7U);  // 1.bin, 2.bin, empty, two odd names, c.zip, d.tgz
  EXPECT_EQ(parts, 7U);           // two in c.zip; in d.tgz c.zip, its two and two beside it
  EXPECT_EQ(run("tar --zstd -tf backup/volume-000001.tar.zst | wc -l").out, "7\n");
}

TEST_F(PackRoundTrip, TarZstdAndJqRestoreItWithoutUs) {
  make_tree();
  (void)run("$B/waybill-scan in -o scan.wb --quiet; $B/waybill-pack scan.wb -o backup --volume-size 1MiB --quiet");
  EXPECT_EQ(run("cd backup && sha256sum --quiet -c SHA256SUMS").exit, 0);
  EXPECT_EQ(run("mkdir c && for v in backup/volume-*; do tar --zstd -xf $v -C c || exit 9; done").exit, 0);
  EXPECT_EQ(run("cd c/sha256 && find . -type f -printf '%f  %p\\n' | sha256sum --quiet -c").exit, 0);
  EXPECT_EQ(
      run("zstdcat backup/pack.wb | jq -r 'select(.pack and (.pack.part|not)) | "
          "select(.source.path|endswith(\"/a/2.bin\"))"
          " | [.pack.volume,.pack.offset,.pack.length,.pack.size]|@tsv' | while read v o l s; do"
          " tail -c +$((o+1)) backup/$v | head -c $l | zstd -dc | tail -c +513 | head -c $s; done | cmp - in/a/2.bin")
          .exit,
      0);
}

TEST_F(PackRoundTrip, VolumesKeepTheirSizeAndAreTheSameForAnyNumberOfThreads) {
  for (unsigned i = 0; i < 60; ++i)
    put(folder_ / "in" / std::to_string(i % 7) / std::to_string(i), noise(100'000 + 13 * i, i % 50));
  (void)run("$B/waybill-scan in -o scan.wb --quiet");
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o one --volume-size 1MiB --threads 1 --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o four --volume-size 1MiB --threads 4 --quiet >&2").exit, 0);
  EXPECT_EQ(run("for v in one/volume-*; do cmp $v four/${v#one/}; done").out, "");
  EXPECT_EQ(lines_of(folder_ / "one/pack.wb"), lines_of(folder_ / "four/pack.wb"));
  EXPECT_EQ(run("find one -name 'volume-*' -size +1024k").out, "");
  EXPECT_EQ(run("ls one | grep -c volume").out, "6\n");
  EXPECT_EQ(run("$B/waybill-unpack one --to out --quiet >&2; diff -r in out").out, "");
}

TEST_F(PackRoundTrip, AFileTooLargeForMemoryIsStreamedAndHasAVolumeOfItsOwn) {
  put(folder_ / "in" / "a", noise(2000, 1));
  put(folder_ / "in" / "big", noise(65 << 20, 7) + std::string(12 << 20, 'x'));
  put(folder_ / "in" / "z", noise(2000, 2));
  (void)run("$B/waybill-scan in -o scan.wb --quiet");
  for (const char* threads : {"1", "3"}) {
    const std::string to = std::string("backup") + threads;
    EXPECT_EQ(
        run("$B/waybill-pack scan.wb -o " + to + " --volume-size 1MiB --quiet --threads " + threads + " >&2").exit, 0);
  }
  EXPECT_EQ(run("for v in backup1/volume-*; do cmp $v backup3/${v#backup1/}; done; ls backup1 | grep -c volume").out,
            "3\n");
  EXPECT_EQ(run("$B/waybill-unpack backup1 --to out --quiet >&2; diff -r in out").out, "");
  // The same file with other bytes: nothing of it stays in the volume.
  (void)run("printf y | dd of=in/big bs=1 seek=70000000 conv=notrunc 2>/dev/null");
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o after --volume-size 1MiB --quiet >&2").exit, 5);
  EXPECT_EQ(run("for v in after/volume-*; do tar --zstd -tf $v; done | wc -l").out, "2\n");
}

TEST_F(PackRoundTrip, MembersWithoutTheirContainerAreCopiedAndRestoredByThemselves) {
  make_tree();
  (void)run("$B/waybill-scan in -o scan.wb --quiet");
  // Only the members: what a filter by study leaves of an archive of zip files.
  (void)run("$B/waybill-manifest cat scan.wb | grep '\"member\"' > members");
  const auto members = get(folder_ / "members");
  {
    manifest::Header header;
    header.stage = "scan";
    header.run = "r";
    header.tool = "t";
    header.created = "2026-01-01T00:00:00Z";
    header.options = "{\"sources\":[\"" + (folder_ / "in").string() + "\"]}";
    manifest::Writer writer(folder_ / "members.wb", header);
    for (std::size_t at = 0; at < members.size(); at = members.find('\n', at) + 1)
      writer.append(members.substr(at, members.find('\n', at) - at));
    writer.finish("{}");
  }
  EXPECT_EQ(run("$B/waybill-pack members.wb -o backup --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --quiet >&2").exit, 0);
  EXPECT_EQ(get(folder_ / "out/c.zip%/zipped/sub/y.bin"), noise(4000, 6));
  EXPECT_EQ(get(folder_ / "out/d.tgz%/c.zip%/zipped/x.bin"), noise(3000, 5));
}

TEST_F(PackRoundTrip, AStreamedScanIsPackedAndLinked) {
  make_tree();
  EXPECT_EQ(run("$B/waybill-scan in -o - --quiet | tee scan.wb | $B/waybill-pack - -o backup --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-manifest check backup/pack.wb | grep -c \"$($B/waybill-manifest check scan.wb | grep head "
                "| tr -s ' ' | cut -d' ' -f2)\"")
                .out,
            "1\n");
  EXPECT_EQ(run("$B/waybill-unpack backup --check --quiet >&2").exit, 0);
}

TEST_F(PackRoundTrip, AFilteredBackupRestoresOnlyWhatWasAskedFor) {
  make_tree();
  (void)run("$B/waybill-scan in -o scan.wb --quiet; $B/waybill-pack scan.wb -o backup --quiet");
  EXPECT_EQ(run("$B/waybill-manifest filter backup/pack.wb --bucket empty -o some.wb >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-unpack some.wb --volumes backup --to out --quiet >&2").exit, 0);
  EXPECT_EQ(run("cd out && find . -type f").out, "./b/empty\n");
}

TEST_F(PackRoundTrip, EncryptedManifestsArePackedThroughAPipeAndReportedBesideTheOtherStages) {
  make_tree();
  const std::string keys = "export WAYBILL_KEY=key WAYBILL_ENCRYPT_TO=key; ";
  EXPECT_EQ(run("$B/waybill-manifest keygen --encryption -o key >&2").exit, 0);
  EXPECT_EQ(run(keys + "$B/waybill-scan in -o - --quiet | tee scan.wb | $B/waybill-pack - -o backup --quiet >&2").exit,
            0);
  EXPECT_EQ(run("head -c 16 scan.wb; head -c 16 backup/pack.wb").out, "waybill-sealed/1waybill-sealed/1");
  EXPECT_EQ(run(keys + "$B/waybill-unpack backup --to out --quiet >&2").exit, 0);
  EXPECT_EQ(get(folder_ / "out/a/2.bin"), noise(70000, 2));
  const Ran report = run(keys + "$B/waybill-report scan.wb backup/pack.wb");
  EXPECT_NE(report.out.find("The ledger closes"), std::string::npos) << report.out;
  EXPECT_EQ(report.exit, 0) << report.out;
}

TEST_F(PackRoundTrip, TheCorpusComesBackByteForByte) {
  const char* corpus = std::getenv("WAYBILL_CORPUS");
  if (corpus == nullptr) GTEST_SKIP() << "WAYBILL_CORPUS names no corpus";
  (void)run("$B/waybill-scan '" + std::string(corpus) + "' -o scan.wb --quiet");
  EXPECT_LE(run("$B/waybill-pack scan.wb -o backup --volume-size 4MiB --quiet >&2").exit, 1);
  EXPECT_EQ(run("$B/waybill-unpack backup --check --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --quiet >&2").exit, 0);
  EXPECT_EQ(run("diff -r '" + std::string(corpus) + "' out").out, "");
}

}  // namespace
}  // namespace waybill::test
