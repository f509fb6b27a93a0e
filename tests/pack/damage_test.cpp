// SPDX-License-Identifier: Apache-2.0
// Sources that changed, volumes that rotted, manifests that lie.
#include "manifest/place.hpp"
#include "manifest/writer.hpp"
#include "pack/restore.hpp"
#include "support/folder.hpp"

#include <algorithm>
#include <map>

namespace waybill::test {
namespace {

class PackDamage : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (!has_tools()) GTEST_SKIP() << "the tools are not built";
    for (int i = 0; i < 8; ++i) put(folder_ / "in" / std::to_string(i), "content " + std::to_string(i % 6));
    EXPECT_EQ(run("$B/waybill-scan in -o scan.wb --quiet").exit, 0);
  }
  Ran run(const std::string& command) { return shell("cd '" + folder_.string() + "' && " + command); }
  Ran pack() { return run("$B/waybill-pack scan.wb -o backup --quiet 2>&1"); }
  Ran check() { return run("$B/waybill-unpack backup --check --quiet 2>&1"); }
  void flip(const fs::path& file, std::uint64_t at) {
    std::string bytes = get(file);
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    put(file, bytes);
  }
  /// A backup's manifest with one object whose source and place are given.
  void lie(const manifest::Source& source, const manifest::Place& place) {
    manifest::Header header{"pack", "r", "t", "2026-01-01T00:00:00Z", R"({"root":"/archive"})", {}};
    manifest::Object object;
    object.id = "0123456789abcdef";
    object.source = source;
    manifest::Writer writer(folder_ / "backup/pack.wb", header, manifest::Restart::yes);
    writer.append(with_place(to_json(object), place));
    writer.finish("{}");
  }
  manifest::Place first_place() {
    for (const auto& line : lines_of(folder_ / "backup/pack.wb")) {
      if (const auto place = manifest::place_of(line)) return *place;
    }
    return {};
  }
};

TEST_F(PackDamage, ASourceThatChangedIsNamedAndItsCopyElsewhereIsPackedInstead) {
  put(folder_ / "in/0", "other 0  ");  // 6 holds what 0 held
  put(folder_ / "in/2", "content 3");
  EXPECT_EQ(pack().exit, 5);
  const auto objects = objects_of(folder_ / "backup/pack.wb");
  ASSERT_EQ(objects.size(), 8U);
  for (const int i : {0, 2}) {
    EXPECT_EQ(objects[i].bucket, manifest::Bucket::failed);
    EXPECT_TRUE(has_finding(objects[i], "PACK-CHANGED"));
  }
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --quiet >&2; ls out | tr -d '\\n'").out, "134567");
  EXPECT_EQ(get(folder_ / "out/6"), "content 0");
}

TEST_F(PackDamage, ASourceThatIsGoneIsAnExceptionAndTheRestIsPacked) {
  fs::remove(folder_ / "in/5");
  EXPECT_EQ(pack().exit, 1);
  EXPECT_TRUE(has_finding(objects_of(folder_ / "backup/pack.wb")[5], "PACK-UNREADABLE"));
  EXPECT_EQ(check().exit, 0);
}

TEST_F(PackDamage, AScanWithoutDigestsGivesABackupWhoseHolesAreTold) {
  EXPECT_EQ(run("$B/waybill-scan in -o headers.wb --headers --quiet").exit, 0);
  EXPECT_EQ(run("$B/waybill-pack headers.wb -o backup --quiet").exit, 1);
  EXPECT_TRUE(has_finding(objects_of(folder_ / "backup/pack.wb")[0], "PACK-NODIGEST"));
}

TEST_F(PackDamage, TheRecordOfARestoreNamesWhatItCouldNotGiveBack) {
  ASSERT_EQ(pack().exit, 0);
  const manifest::Place place = first_place();
  flip(folder_ / "backup" / place.volume, place.offset + place.length / 2);
  put(folder_ / "out/3", "something else");
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --quiet >&2").exit, 5);
  std::size_t damaged = 0, refused = 0;
  const auto objects = objects_of(folder_ / "out.unpack.wb");
  EXPECT_EQ(objects.size(), 8U);
  for (const auto& object : objects) {
    damaged += has_finding(object, "UNPACK-DAMAGED");
    refused += has_finding(object, "UNPACK-REFUSED");
    const bool good = object.findings.empty();
    EXPECT_EQ(object.bucket == manifest::Bucket::failed, !good) << object.source.path;
  }
  EXPECT_EQ(damaged, 2U);  // 0 and 6 are the same content
  EXPECT_EQ(refused, 1U);
  EXPECT_EQ(run("$B/waybill-unpack backup --check -o check.wb --quiet >&2").exit, 5);
  EXPECT_EQ(run("zstdcat check.wb | jq -r 'select(.unpack.outcome == \"damaged\").id' | wc -l").out, "2\n");
}

TEST_F(PackDamage, ASealedVolumeNeedsItsKeyAndIsAuthenticRecordByRecord) {
  const std::string marker = "PATIENT^NAMED";
  put(folder_ / "in/8", marker);
  put(folder_ / "in/9", std::string(80'000'000, 'x') + marker);  // streamed, in many records
  EXPECT_EQ(
      run("$B/waybill-manifest keygen --encryption -o k >&2; $B/waybill-manifest keygen --encryption -o other >&2;"
          "$B/waybill-scan in -o scan.wb --restart --quiet; $B/waybill-pack scan.wb -o backup --level 1 --encrypt-to k "
          "--quiet")
          .exit,
      0);
  const auto volume = folder_ / "backup/volume-000001.tar.zst.sealed";
  EXPECT_EQ(get(volume).find(marker), std::string::npos);
  EXPECT_EQ(get(volume).find("sha256/"), std::string::npos) << "the tar heads are not in the clear";
  EXPECT_EQ(run("stat -c %a backup/*.sealed").out, "600\n");
  EXPECT_EQ(run("$B/waybill-unpack backup --check --quiet").exit, 2) << "no key";
  EXPECT_EQ(run("$B/waybill-unpack backup --check --key other --quiet").exit, 2) << "another key";
  EXPECT_EQ(run("$B/waybill-unpack backup --check --key k --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --key k --quiet >&2; diff -r in out").out, "");
  EXPECT_EQ(run("cd backup && sha256sum --quiet -c SHA256SUMS").exit, 0);
  const std::string unseal = std::string(std::getenv("WAYBILL_SOURCE")) + "/scripts/unseal";
  EXPECT_EQ(run(unseal + " k backup/volume-000001.tar.zst.sealed | tar --zstd -xO --wildcards '*' | tail -c 13").out,
            marker);
  const std::string whole = get(volume);
  for (std::uint64_t at = 0; at < whole.size(); at += 1 + whole.size() / 40) {
    flip(volume, at);
    EXPECT_NE(run("$B/waybill-unpack backup --check --key k --quiet 2>&1").exit, 0) << at;
    put(volume, whole);
  }
  // Two records of one length change places: each is authentic, at its own place only.
  std::map<std::uint32_t, std::vector<std::size_t>> by_size;
  for (std::size_t at = 48; at < whole.size();) {
    const std::uint32_t size = load_u32(as_bytes(whole).data() + at + 8);
    by_size[size].push_back(at);
    at += size + 40;
  }
  const auto same = std::ranges::find_if(by_size, [](const auto& one) { return one.second.size() > 1; });
  ASSERT_NE(same, by_size.end());
  std::string swapped = whole;
  swapped.replace(same->second[0] + 12, same->first + 28, whole, same->second[1] + 12, same->first + 28);
  put(volume, swapped);
  EXPECT_EQ(run("$B/waybill-unpack backup --check --key k --quiet 2>&1").exit, 5);
}

TEST_F(PackDamage, EveryFlippedBitOfAVolumeIsFoundAndTheObjectNamed) {
  ASSERT_EQ(pack().exit, 0);
  const auto volume = folder_ / "backup/volume-000001.tar.zst";
  const auto size = fs::file_size(volume);
  for (std::uint64_t at = 0; at < size; at += 23) {
    flip(volume, at);
    const Ran ran = check();
    EXPECT_EQ(ran.exit, 5) << at << ran.out;
    EXPECT_NE(ran.out.find("SHA-256"), std::string::npos) << ran.out;
    flip(volume, at);
  }
  EXPECT_EQ(check().exit, 0);
  flip(volume, first_place().offset + 40);
  const Ran ran = run("$B/waybill-unpack backup --to out --quiet 2>&1");
  EXPECT_EQ(ran.exit, 5);
  EXPECT_NE(ran.out.find(objects_of(folder_ / "backup/pack.wb")[0].id), std::string::npos) << ran.out;
  EXPECT_EQ(run("ls -A out | tr -d '\\n'").out, "123457");  // 0 and 6 share the damaged content; no part file stays
}

TEST_F(PackDamage, AShortOrMissingVolumeIsFound) {
  ASSERT_EQ(pack().exit, 0);
  const auto volume = folder_ / "backup/volume-000001.tar.zst";
  fs::resize_file(volume, fs::file_size(volume) / 2);
  EXPECT_EQ(check().exit, 5);
  fs::remove(volume);
  const Ran ran = check();
  EXPECT_EQ(ran.exit, 5);
  EXPECT_NE(ran.out.find("volume-000001.tar.zst cannot be opened"), std::string::npos) << ran.out;
}

TEST_F(PackDamage, TheListOfDigestsIsHeldAgainstTheManifestAndEachOddVolumeIsNamed) {
  ASSERT_EQ(run("head -c 3000000 /dev/urandom >in/noise; $B/waybill-scan in -o scan.wb --restart --quiet; "
                "$B/waybill-pack scan.wb -o backup --volume-size 1MiB --quiet >&2")
                .exit,
            0);
  const auto list = folder_ / "backup/SHA256SUMS";
  const std::string good = get(list), first = good.substr(0, good.find('\n') + 1), rest = good.substr(first.size());
  const std::string known = first.substr(66, first.size() - 67), digest(64, 'a');
  ASSERT_FALSE(rest.empty()) << "there must be two volumes at least";
  ASSERT_EQ(run("$B/waybill-unpack backup --check --quiet | grep SHA256SUMS").out, "SHA256SUMS\tagrees\n");
  const std::vector<std::pair<std::string, std::string>> tampered{
      {digest + "  " + known + "\n" + rest, "its digest of " + known + " is not the one of the manifest"},
      {rest, "it does not list " + known},
      {first, "it does not list " + rest.substr(66, rest.find('\n') - 66)},
      {"", "it does not list " + known},
      {good + digest + "  volume-000099.tar.zst\n", "it lists volume-000099.tar.zst, which is none of this backup"},
      {good + digest + "  ../../etc/passwd\n", "it lists ../../etc/passwd, which is none of this backup"},
      {good + first, "it lists " + known + " more than once"},
      {good + "\n", "is no digest and name of a file"},
      {good + "volume\n", "is no digest and name of a file"},
      {std::string(64, 'Z') + first.substr(64) + rest, "its line 1 is no digest and name of a file"},
  };
  for (const auto& [text, says] : tampered) {
    put(list, text);
    const Ran ran = check();
    EXPECT_EQ(ran.exit, 5) << says;
    EXPECT_NE(ran.out.find(says), std::string::npos) << says << "\n" << ran.out;
    EXPECT_NE(ran.out.find("SHA256SUMS\tdiffers"), std::string::npos) << ran.out;
  }
  fs::remove(list);
  EXPECT_NE(check().out.find("SHA256SUMS: "), std::string::npos);
  EXPECT_EQ(check().exit, 5);
  put(list, good);
  put(folder_ / "backup/volume-000098.tar.zst", "what somebody put here");
  put(folder_ / "backup/volume-000099.tar.zst.sealed", "what somebody put here");
  const Ran extra = check();
  EXPECT_EQ(extra.exit, 5);
  for (const char* name : {"volume-000098.tar.zst: it is no volume", "volume-000099.tar.zst.sealed: it is no volume"})
    EXPECT_NE(extra.out.find(name), std::string::npos) << extra.out;
}

TEST_F(PackDamage, APartOfABackupSaysWhyItsListIsNotChecked) {
  ASSERT_EQ(pack().exit, 0);
  put(folder_ / "backup/SHA256SUMS", "nothing");
  ASSERT_EQ(run("$B/waybill-manifest filter backup/pack.wb --bucket non-dicom -o part.wb >&2").exit, 0);
  const Ran ran = run("$B/waybill-unpack part.wb --volumes backup --check --quiet --json");
  EXPECT_EQ(ran.exit, 0);
  EXPECT_NE(ran.out.find(R"("list":"not checked: the manifest is a part of the backup's)"), std::string::npos)
      << ran.out;
}

TEST_F(PackDamage, AChangedManifestIsRefused) {
  ASSERT_EQ(pack().exit, 0);
  flip(folder_ / "backup/pack.wb", 200);
  EXPECT_EQ(check().exit, 5);
  EXPECT_EQ(run("$B/waybill-unpack scan.wb --check 2>/dev/null").exit, 2);
  EXPECT_EQ(run("$B/waybill-unpack nothing.wb --check 2>/dev/null").exit, 3);
}

TEST_F(PackDamage, NoNameInAManifestLeadsOutOfTheTarget) {
  ASSERT_EQ(pack().exit, 0);
  const auto place = first_place();
  fs::create_directory(folder_ / "outside");
  for (const char* path : {"/archive/../outside/x", "/archive/a/../../outside/x", "/archive//x", "/archive/./x",
                           "/archive/x/..", "/archive/..", "../outside/x", "/archive/a%00b"}) {
    lie({path, std::nullopt, 0, place.size, "", 0}, place);
    const Ran ran = run("$B/waybill-unpack backup --to out/in --quiet 2>&1");
    EXPECT_EQ(ran.exit, 1) << path << ran.out;
    EXPECT_EQ(run("find out/in outside -type f").out, "") << path;
  }
  manifest::Source member{"/archive/a.zip", "../../../outside/x", 0, place.size, "", 0};
  lie(member, place);
  EXPECT_EQ(run("$B/waybill-unpack backup --to out/in --quiet 2>/dev/null").exit, 1);
  EXPECT_EQ(run("find out/in outside -type f").out, "");
}

TEST_F(PackDamage, ALinkInTheTargetIsNotFollowed) {
  ASSERT_EQ(pack().exit, 0);
  fs::create_directories(folder_ / "outside");
  fs::create_directories(folder_ / "out");
  fs::create_directory_symlink(folder_ / "outside", folder_ / "out/sub");
  lie({"/archive/sub/x", std::nullopt, 0, first_place().size, "", 0}, first_place());
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --quiet 2>/dev/null").exit, 1);
  EXPECT_EQ(run("find outside -type f").out, "");
}

TEST_F(PackDamage, AVolumeNameWithAPathInItIsNoRecord) {
  ASSERT_EQ(pack().exit, 0);
  const auto good = first_place();
  for (const char* name : {"../secret", "/etc/passwd", "", ".hidden", "a/b"}) {
    auto place = good;
    place.volume = name;
    lie({"/archive/x", std::nullopt, 0, place.size, "", 0}, place);
    EXPECT_EQ(run("$B/waybill-unpack backup --check --quiet 2>/dev/null").exit, 5) << name;
  }
}

TEST_F(PackDamage, AFileThatIsThereIsNeverReplaced) {
  ASSERT_EQ(pack().exit, 0);
  put(folder_ / "out/3", "mine");
  const Ran ran = run("$B/waybill-unpack backup --to out --exceptions e.csv --quiet 2>&1");
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.out.find("/in/3"), std::string::npos) << "a path may hold a name: " << ran.out;
  EXPECT_EQ(get(folder_ / "out/3"), "mine");
  EXPECT_NE(get(folder_ / "e.csv").find("/in/3"), std::string::npos);
  EXPECT_EQ(run("stat -c %a e.csv").out, "600\n");
}

}  // namespace
}  // namespace waybill::test
