// SPDX-License-Identifier: Apache-2.0
// Sources that changed, volumes that rotted, manifests that lie.
#include "manifest/place.hpp"
#include "manifest/writer.hpp"
#include "pack/restore.hpp"
#include "support/folder.hpp"

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
    EXPECT_EQ(run("find out outside -type f").out, "") << path;
  }
  manifest::Source member{"/archive/a.zip", "../../../outside/x", 0, place.size, "", 0};
  lie(member, place);
  EXPECT_EQ(run("$B/waybill-unpack backup --to out/in --quiet 2>/dev/null").exit, 1);
  EXPECT_EQ(run("find out outside -type f").out, "");
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
