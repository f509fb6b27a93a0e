// SPDX-License-Identifier: Apache-2.0
#include "support/scanning.hpp"

#include "archive/file.hpp"
#include "archive/source.hpp"

namespace waybill {

namespace fs = std::filesystem;

namespace {

using manifest::Bucket;

std::vector<std::string> members_of(const std::vector<const manifest::Object*>& objects) {
  std::vector<std::string> names;
  for (const auto* object : objects) {
    if (object->source.member) names.push_back(*object->source.member);
  }
  return names;
}

}  // namespace

TEST(ScanContainer, RecordsTheFileAndEveryMemberInItsOrderForEveryKind) {
  const test::TempFolder folder;
  const auto bytes = test::make_objects(folder / "in", 9);
  test::write(folder / "in/sub/readme.txt", "not an image");
  std::map<std::string, std::vector<std::string>> expected;
  for (const test::Kind& kind : test::kinds()) expected[kind.name] = test::pack(kind, folder.path());
  fs::remove_all(folder / "in");

  const auto scanned = test::scan_folder(folder.path());

  for (const test::Kind& kind : test::kinds()) {
    SCOPED_TRACE(kind.name);
    const auto records = scanned.of(folder / kind.name);
    ASSERT_EQ(records.size(), 11U);
    EXPECT_EQ(records[0]->bucket, Bucket::non_dicom);
    EXPECT_EQ(records[0]->content_type, kind.type);
    ASSERT_TRUE(test::finding(*records[0], "SRC-CONTAINER"));
    EXPECT_EQ(test::finding(*records[0], "SRC-CONTAINER")->detail, "10 members");
    EXPECT_EQ(records[0]->findings.size(), 1U);
    EXPECT_EQ(*records[0]->file_sha256, Sha256::of(as_bytes(test::slurp(folder / kind.name))).hex());
    EXPECT_EQ(members_of(records), expected[kind.name]);
    for (const auto* record : records) {
      if (!record->source.member || !record->source.member->ends_with(".dcm")) continue;
      const std::string number = record->source.member->substr(4);
      const std::string& object = bytes[static_cast<std::size_t>(std::stoi(number))];
      EXPECT_EQ(*record->file_sha256, Sha256::of(as_bytes(object)).hex());
      EXPECT_EQ(record->source.size, object.size());
      EXPECT_EQ(record->study, "1.2.9");
      EXPECT_TRUE(record->bucket == Bucket::instance || record->bucket == Bucket::duplicate_identical);
    }
  }
}

TEST(ScanContainer, OpensASingleCompressedObject) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 1);
  test::shell(folder.path(),
              "mkdir out; gzip -c in/sub/0.dcm >out/a; zstd -qc in/sub/0.dcm >out/b; bzip2 -c in/sub/0.dcm >out/c; "
              "xz -c in/sub/0.dcm >out/d");
  const auto scanned = test::scan_folder(folder / "out");
  EXPECT_EQ(scanned.objects.size(), 8U);
  EXPECT_EQ(scanned.tally.buckets.at("instance"), 1U);
  EXPECT_EQ(scanned.tally.buckets.at("duplicate-identical"), 3U);
  EXPECT_EQ(scanned.tally.buckets.at("non-dicom"), 4U);
}

TEST(ScanContainer, GoesThreeContainersDeepAndRefusesTheFourth) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 1);
  test::shell(folder / "in",
              "mkdir ../out; tar cf one sub; zip -q two one; tar czf three two.zip; zip -q ../out/four three; "
              "cp three ../out/three");
  const auto scanned = test::scan_folder(folder / "out");
  const auto shallow = scanned.of(folder / "out/three");
  ASSERT_EQ(shallow.size(), 4U);
  EXPECT_EQ(shallow[3]->source.member, "two.zip%/one%/sub/0.dcm");
  EXPECT_EQ(shallow[3]->sop_instance, "1.2.9.1.1");
  const auto deep = scanned.of(folder / "out/four.zip");
  ASSERT_EQ(deep.size(), 4U);
  EXPECT_EQ(deep[3]->source.member, "three%/two.zip%/one");
  EXPECT_EQ(deep[3]->bucket, Bucket::quarantined);
  EXPECT_TRUE(test::finding(*deep[3], "SRC-BOMB"));
}

TEST(ScanContainer, GivesTheSameRecordsForOneAndForManyThreads) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 300);
  for (const test::Kind& kind : test::kinds()) test::pack(kind, folder.path());
  const auto one = test::scan_folder(folder.path(), 1);
  const auto many = test::scan_folder(folder.path(), 8);
  ASSERT_EQ(one.objects.size(), many.objects.size());
  for (std::size_t i = 0; i < one.objects.size(); ++i) EXPECT_EQ(to_json(one.objects[i]), to_json(many.objects[i]));
}

TEST(ScanContainer, IsStreamedWhenItIsLargeAndMembersStayReadable) {
  const test::TempFolder folder;
  const auto objects = test::make_objects(folder / "in", 3);
  test::write(folder / "in/sub/big", test::noise(archive::kInMemory / 16, 5));
  test::shell(folder / "in",
              "cd sub; for i in $(seq 16); do cp big z$i; done; rm big; cd ..; "
              "mkdir ../out; tar cf ../out/t sub; zip -q -0 -r ../out/z sub; rm -r sub");
  ASSERT_GT(fs::file_size(folder / "out/t"), archive::kInMemory);
  const auto scanned = test::scan_folder(folder / "out");
  for (const char* name : {"t", "z.zip"}) {
    SCOPED_TRACE(name);
    const auto records = scanned.of(folder / "out" / name);
    ASSERT_EQ(records.size(), 20U);
    EXPECT_EQ(*records[0]->file_sha256, test::shell(folder / "out", std::string("sha256sum ") + name).substr(0, 64));
    int dicom = 0;
    for (const auto* record : records) {
      if (!record->sop_instance) continue;
      const auto bytes = archive::read_source(record->source);
      ASSERT_TRUE(bytes);
      EXPECT_EQ(Sha256::of(*bytes).hex(), *record->file_sha256);
      ++dicom;
    }
    EXPECT_EQ(dicom, 3);
  }
}

TEST(ScanContainer, ItsObjectsAreStagedByteForByteAndStayProvable) {
  const test::TempFolder folder;
  const auto bytes = test::make_objects(folder / "in", 40);
  test::shell(folder / "in",
              "mkdir ../out; ls sub/* | head -20 | zip -q ../out/z -@; tar czf ../out/t $(ls sub/* | tail -20)");
  const auto tool = [&](const std::vector<std::string>& words) {
    const test::Ran ran = test::run(words, folder / "log");
    EXPECT_EQ(ran.exit, 0) << ran.text;
  };
  const std::string scan = (folder / "s.wb").string();
  const std::string staged = (folder / "t.wb").string();
  tool({test::tool("scan"), (folder / "out").string(), "-o", scan, "--quiet"});
  tool({test::tool("transcode"), scan, "--to", "keep", "--out", (folder / "staged").string(), "-o", staged, "--quiet"});
  tool({test::tool("verify"), staged, "-o", (folder / "v.wb").string(), "--quiet"});
  std::vector<std::string> found;
  for (const auto& [uid, object] : test::objects_of(staged)) {
    if (object.transcode) found.push_back(test::slurp(path_from_text(object.transcode->path)));
  }
  auto expected = bytes;
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected);
}

TEST(ScanContainer, IsFinishedByTheNextRunWhenARunEndedInTheMiddleOfIt) {
  const test::TempFolder folder;
  test::make_objects(folder / "in", 30);
  test::shell(folder / "in", "mkdir ../out; tar cf ../out/b sub; cp sub/0.dcm ../out/a; cp sub/1.dcm ../out/c");
  scan::Options options;
  options.sources = {(folder / "out").string()};
  const auto whole = test::scan_all(options);
  ASSERT_EQ(whole.objects.size(), 33U);
  for (const std::size_t written : {1U, 2U, 9U, 32U}) {
    const fs::path path = folder / ("cut" + std::to_string(written));
    {
      manifest::Writer writer(path, scan::header_of(options), manifest::Restart::no);
      for (std::size_t i = 0; i < written; ++i) writer.append_record(whole.objects[i]);
      writer.commit();
    }
    manifest::Writer writer(path, scan::header_of(options), manifest::Restart::no);
    ASSERT_TRUE(writer.resumed());
    const auto tally = scan::run(options, writer, [](auto, auto, auto) {});
    EXPECT_EQ(tally.entries, 33U);
    std::vector<std::string> ids;
    manifest::Reader reader(path);
    while (const auto record = reader.next()) {
      if (const auto* object = std::get_if<manifest::Object>(&*record)) ids.push_back(object->id);
    }
    ASSERT_EQ(ids.size(), 33U);
    for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], whole.objects[i].id);
  }
}

}  // namespace waybill
