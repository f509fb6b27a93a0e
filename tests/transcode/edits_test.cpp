// SPDX-License-Identifier: Apache-2.0
// Edits and UIDs: what is written, what is kept of the old, and that all of it can be taken back.
#include "dicom/digest.hpp"
#include "transcode/convert.hpp"
#include "transcode/dry_run.hpp"
#include "transcode/support.hpp"
#include "transcode/uid_map.hpp"

#include <set>
#include <sstream>

namespace waybill::transcode {
namespace {

using dicom::tag;

constexpr const char* kReport = "1.2.840.10008.5.1.4.1.1.88.11";

/// An object that refers to another instance, to its study and to itself, in the open and in a private element.
std::string referring(const std::string& sop, const std::string& to, const std::string& extra = {}) {
  DicomBuilder item;
  item.text(tag(0x0008, 0x1150), "UI", kSecondaryCapture).text(tag(0x0008, 0x1155), "UI", to);
  DicomBuilder nested;
  nested.sequence(tag(0x0008, 0x1199), {item.str()}, true).text(tag(0x0020, 0x000E), "UI", "1.2.3.2");
  DicomBuilder b;
  b.text(tag(0x0008, 0x0005), "CS", "ISO_IR 100");
  b.text(tag(0x0008, 0x0016), "UI", kReport).text(tag(0x0008, 0x0018), "UI", sop);
  b.text(tag(0x0008, 0x0020), "DA", "20240131").text(tag(0x0008, 0x0060), "CS", "SR");
  b.sequence(tag(0x0008, 0x1115), {nested.str(), nested.str()}, false);
  b.text(tag(0x0009, 0x0010), "LO", "ACME").text(tag(0x0009, 0x1001), "UI", to);
  b.text(tag(0x0010, 0x0010), "PN", "M\xFCLLER^EVA").text(tag(0x0010, 0x0020), "LO", "P-1" + extra);
  b.text(tag(0x0020, 0x000D), "UI", "1.2.3.1").text(tag(0x0020, 0x000E), "UI", "1.2.3.2");
  b.text(tag(0x0020, 0x0052), "UI", to);
  return DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", kReport, sop);
}

struct Edited {
  Converted converted;
  dicom::File file() const { return *dicom::parse_file(converted.file); }
};

/// Converted, proved, and taken back: DS1 must be the source's.
Edited edited(const std::string& bytes, const dicom::Changes& changes) {
  const auto source = dicom::parse_file(as_bytes(bytes));
  CodecsHere codecs;
  const Converter converter(codecs, {"waybill test", "20260301120000.000000+0000"});
  auto converted = converter.convert(as_bytes(bytes), *source, {}, changes);
  if (!converted) {
    ADD_FAILURE() << converted.error().what;
    return {};
  }
  const auto proof = converter.prove(*source, converted->file, *converted);
  EXPECT_TRUE(proof) << proof.error().what;
  const auto written = dicom::parse_file(converted->file);
  dicom::Rewrite back{written->transfer_syntax, {}, false};
  EXPECT_TRUE(dicom::revert_changes(*written, converted->former, converted->changed, back));
  const auto restored = dicom::write_file(*written, back);
  const auto again = dicom::parse_file(*restored);
  EXPECT_EQ(dicom::dataset_digest(again->dataset), dicom::dataset_digest(source->dataset));
  EXPECT_EQ(again->meta.sop_instance, source->meta.sop_instance);
  return {*std::move(converted)};
}

std::set<std::string> values_of(const dicom::File& file, const std::string& end) {
  std::set<std::string> out;
  for (const auto& e : dicom::canonical_elements(file.dataset, dicom::Profile::strict)) {
    if (e.path.ends_with(end) && !e.path.starts_with("04000561")) out.insert(e.value);
  }
  return out;
}

TEST(Uids, EveryReferenceOfAnyLevelFollows) {
  const Edited got =
      edited(referring("1.2.3.4.1", "1.2.3.4.2"), {{}, {}, {{"1.2.3.4.2", "2.25.7"}, {"1.2.3.2", "2.25.8"}}});
  const auto file = got.file();
  EXPECT_EQ(values_of(file, ".00081155"), std::set<std::string>{"6:2.25.7 "});
  EXPECT_EQ(values_of(file, "0020000E"), std::set<std::string>{"6:2.25.8 "});
  EXPECT_EQ(file.dataset.text(tag(0x0020, 0x0052)), "1.2.3.4.2") << "frames of reference are no instances";
  EXPECT_EQ(file.dataset.text(tag(0x0008, 0x0018)), "1.2.3.4.1");
}

TEST(Uids, TheInstancesOwnUidChangesInMetaInformationToo) {
  const Edited got = edited(referring("1.2.3.4.1", "1.2.3.4.2"), {{}, {}, {{"1.2.3.4.1", "2.25.9"}}});
  EXPECT_EQ(got.file().meta.sop_instance, "2.25.9");
  EXPECT_EQ(got.file().dataset.text(tag(0x0008, 0x0018)), "2.25.9");
}

TEST(Uids, TwoThatChangePlacesCanBeTakenBack) {
  const Edited got =
      edited(referring("1.2.3.4.1", "1.2.3.4.2"), {{}, {}, {{"1.2.3.4.1", "1.2.3.4.2"}, {"1.2.3.4.2", "1.2.3.4.1"}}});
  EXPECT_EQ(got.file().dataset.text(tag(0x0008, 0x0018)), "1.2.3.4.2");
  EXPECT_EQ(values_of(got.file(), ".00081155"), std::set<std::string>{"9:1.2.3.4.1 "});
}

TEST(Uids, OneThatTheObjectDoesNotNameLeavesTheBytesAlone) {
  const std::string bytes = referring("1.2.3.4.1", "1.2.3.4.2");
  const auto source = dicom::parse_file(as_bytes(bytes));
  EXPECT_TRUE(dicom::named(source->dataset, {{"9.9", "2.25.1"}}).empty());
}

TEST(Uids, AreMintedTheSameInEveryRunAndDifferentForEachScope) {
  EXPECT_EQ(minted_uid("study", "1.2.3", ""), minted_uid("study", "1.2.3", ""));
  EXPECT_NE(minted_uid("study", "1.2.3", ""), minted_uid("series", "1.2.3", ""));
  EXPECT_NE(minted_uid("instance", "1.2.3", "a"), minted_uid("instance", "1.2.3", "b"));
  EXPECT_TRUE(minted_uid("study", "1.2.3", "").starts_with("2.25."));
  EXPECT_LE(minted_uid("study", "1.2.3", "").size(), 44U);
}

TEST(Edits, ThatAreMissingEmptyNonconformingOrInAnotherCharacterSetCanBeTakenBack) {
  const std::string longer(80, 'X');
  for (const std::string& extra : {std::string(), longer}) {
    for (const std::string name : {"NEW^NAME", "\xC5\x81UKASZ^\xC3\x9CNAL"}) {
      const Edited got = edited(
          referring("1.2.3.4.1", "1.2.3.4.2", extra),
          {{{"0010,0010", "", name, "CORRECT"}, {"0010,0020", "", "P-2", "COERCE"}, {"0008,0050", "", "ACC", "COERCE"}},
           {},
           {{"1.2.3.4.2", "2.25.7"}}});
      const auto file = got.file();
      EXPECT_EQ(file.dataset.text(tag(0x0010, 0x0010)), name);
      bool kept = false, issuer = false;
      for (const auto& e : dicom::canonical_elements(file.dataset, dicom::Profile::strict)) {
        kept = kept || (e.path == "04000561[0].04000551[0].04000552" && e.value.find(longer) != std::string::npos);
        issuer = issuer || e.path == "04000561[0].04000550[0].00100021";
      }
      EXPECT_EQ(kept, !extra.empty()) << "the old value that is too long";
      EXPECT_TRUE(issuer) << "the old issuer stands beside the old patient id";
    }
  }
}

TEST(Edits, NameTheModifyingEquipmentOnceForEachRun) {
  const std::string bytes = referring("1.2.3.4.1", "1.2.3.4.2");
  const Edited first = edited(bytes, {{{"0010,0020", "", "P-2", "COERCE"}}, {}, {}});
  const Edited second =
      edited(std::string(as_text(first.converted.file)), {{{"0010,0020", "", "P-3", "COERCE"}}, {}, {}});
  std::vector<std::string> codes;
  for (const auto& e : dicom::canonical_elements(second.file().dataset, dicom::Profile::strict)) {
    if (e.path.ends_with("0040A170[0].00080100")) codes.push_back(e.path + " " + e.value);
  }
  EXPECT_EQ(codes, (std::vector<std::string>{"0018A001[0].0040A170[0].00080100 6:109103 ",
                                             "0018A001[1].0040A170[0].00080100 6:109103 "}));
}

TEST(Edits, OfACharacterSetRelabelTheTextAndCanBeTakenBack) {
  const Edited got =
      edited(referring("1.2.3.4.1", "1.2.3.4.2"), {{{"0008,0005", "ISO_IR 100", "ISO_IR 101", "CORRECT"}}, {}, {}});
  EXPECT_EQ(got.file().dataset.raw_text(tag(0x0010, 0x0010)), "M\xFCLLER^EVA");
}

/// Two studies of one object each, which name each other, and a table that replaces one instance and one study.
class EditedArchive : public Transcode {
 protected:
  void SetUp() override {
    Transcode::SetUp();
    if (IsSkipped()) return;
    add("A", referring("1.2.3.4.1", "1.2.3.4.2"));
    add("B", referring("1.2.3.4.2", "1.2.3.4.1"));
    Image image;
    image.sop_instance = "1.2.3.4.3";
    add("C", file_of(image));
    write_decisions(folder_ / "reconcile.wb", scan(),
                    {decided("1.2.3.1", "auto", {{"0010,0020", "P-1", "P-900", "CORRECT"}})});
    put(folder_ / "uids.csv",
        "level,old,scope,new,reason\ninstance,1.2.3.4.2,,2.25.77,taken twice\nstudy,1.2.3.1,,,\n");
  }
  [[nodiscard]] std::vector<std::string> studies_of(const char* manifest) const {
    manifest::Reader reader(folder_ / manifest);
    std::vector<std::string> out;
    while (const auto record = reader.next())
      if (const auto* study = std::get_if<manifest::Study>(&*record)) out.push_back(study->study);
    return out;
  }
  [[nodiscard]] Options with_edits(const std::string& to, unsigned threads = 2) const {
    Options o = options(to, threads);
    o.edits = folder_ / "reconcile.wb";
    o.uid_map = folder_ / "uids.csv";
    return o;
  }
};

TEST_F(EditedArchive, IsGivenBackByUndoWithDs1OfEverySource) {
  for (const char* to : {"keep", "jpeg-ls"}) {
    const auto objects = transcode(with_edits(to));
    ASSERT_EQ(objects.size(), 3U);
    for (const Object& object : objects) {
      ASSERT_EQ(object.bucket, Bucket::instance) << (object.findings.empty() ? "" : object.findings.back().detail);
      EXPECT_EQ(object.study, minted_uid("study", "1.2.3.1", ""));
      EXPECT_FALSE(object.transcode->undo.empty());
    }
    EXPECT_EQ(objects[1].sop_instance, "2.25.77");
    EXPECT_EQ(studies_of("transcode.wb"), std::vector{minted_uid("study", "1.2.3.1", "")});
    EXPECT_TRUE(has_finding(objects[0], "TX-UIDPRIVATE"));
    Options back;
    back.input = folder_ / "transcode.wb";
    back.out = folder_ / "restored";
    back.undo = true;
    back.threads = 2;
    fs::remove(folder_ / "restored.wb");
    continue_run(back, "restored.wb");
    const auto restored = objects_of(folder_ / "restored.wb");
    ASSERT_EQ(restored.size(), 3U);
    EXPECT_EQ(studies_of("restored.wb"), std::vector{std::string("1.2.3.1")});
    const auto scanned = objects_of(folder_ / "scan.wb");
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_EQ(restored[i].bucket, Bucket::instance) << restored[i].findings.back().detail;
      EXPECT_EQ(restored[i].transcode->outcome, "restored");
      const std::string bytes = get(restored[i].transcode->path);
      EXPECT_EQ(dicom::dataset_digest(dicom::parse_file(as_bytes(bytes))->dataset).hex(), *scanned[i].dataset_sha256);
      EXPECT_EQ(restored[i].study, scanned[i].study);
      EXPECT_EQ(restored[i].sop_instance, scanned[i].sop_instance);
    }
  }
}

TEST_F(Transcode, UndoGivesBackDs1OfTextThatWasConvertedToUtf8) {
  Image image;
  image.patient_name = "DOE^JANE";
  add("A", file_of(image));
  write_decisions(
      folder_ / "reconcile.wb", scan(),
      {decided("1.2.3.1", "auto", {{"0010,0010", "DOE^JANE", "WA\xC5\x81\xC4\x98SA^J\xC3\x93ZEF", "CORRECT"}})});
  Options o = options("jpeg-ls");
  o.edits = folder_ / "reconcile.wb";
  const auto objects = transcode(o);
  ASSERT_EQ(objects.at(0).bucket, Bucket::instance);
  EXPECT_NE(get(objects[0].transcode->path).find("ISO_IR 192"), std::string::npos);
  const Object restored = undone();
  ASSERT_EQ(restored.bucket, Bucket::instance) << restored.findings.back().detail;
  EXPECT_EQ(restored.transcode->dataset_sha256, *objects_of(folder_ / "scan.wb").at(0).dataset_sha256);
}

TEST_F(EditedArchive, IsTheSameForOneTwoAndFourThreads) {
  (void)transcode(with_edits("jpeg-ls", 1), "one.wb");
  for (const unsigned threads : {2U, 4U}) {
    (void)transcode(with_edits("jpeg-ls", threads), "more.wb");
    EXPECT_EQ(lines_of(folder_ / "one.wb"), lines_of(folder_ / "more.wb")) << threads;
  }
}

TEST_F(EditedArchive, IsOnlyToldOfByADryRun) {
  const std::string command =
      "$B/waybill-transcode scan.wb --to jpeg-ls --edits reconcile.wb --uid-map uids.csv --dry-run";
  const Ran dry = in_folder(command);
  EXPECT_EQ(dry.exit, 0);
  EXPECT_NE(dry.out.find("study 1.2.3.1: 3 objects"), std::string::npos) << dry.out;
  EXPECT_NE(dry.out.find("edit 0010,0020: 3 objects"), std::string::npos) << dry.out;
  EXPECT_NE(dry.out.find("UID 1.2.3.4.2 -> 2.25.77"), std::string::npos) << dry.out;
  EXPECT_NE(dry.out.find("to jpeg-ls: 3 objects"), std::string::npos) << dry.out;
  EXPECT_EQ(dry.out.find("P-900"), std::string::npos) << "patient data without --show-phi";
  EXPECT_NE(in_folder(command + " --show-phi").out.find("\"P-1\" -> \"P-900\""), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "staged"));
}

TEST_F(EditedArchive, RefusesATableThatGivesOneUidTwoOthers) {
  put(folder_ / "uids.csv", "level,old,scope,new,reason\nstudy,1.2.3.1,,2.25.1,\nstudy,1.2.3.1,,2.25.2,\n");
  EXPECT_EQ(exit_of([&] { continue_run(with_edits("keep")); }), Exit::usage);
  put(folder_ / "uids.csv", "level,old,scope,new,reason\nstudy,1.2.840.10008.1.1,,2.25.1,\n");
  std::string text;
  EXPECT_EQ(exit_of([&] { continue_run(with_edits("keep")); }, &text), Exit::usage);
  EXPECT_NE(text.find("line 2"), std::string::npos) << text;
}

TEST_F(EditedArchive, RefusesANewUidThatIsNone) {
  for (const char* uid : {"1.2.03", "1..2", ".1", "1.", "abc", "1.2.x"}) {
    put(folder_ / "uids.csv", std::string("level,old,scope,new,reason\nstudy,1.2.3.1,,") + uid + ",\n");
    EXPECT_EQ(exit_of([&] { continue_run(with_edits("keep")); }), Exit::usage) << uid;
  }
}

}  // namespace
}  // namespace waybill::transcode
