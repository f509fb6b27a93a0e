// SPDX-License-Identifier: Apache-2.0
#include "transcode/run.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"
#include "support/unprivileged.hpp"
#include "transcode/support.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace waybill::transcode {
namespace {

using namespace waybill::test;
using manifest::Bucket;
using manifest::Object;

std::vector<Image> every_kind() {
  std::vector<Image> images(6);
  images[0].bits = 8;
  images[2].bits = 16;
  images[3].is_signed = true;
  images[4].bits = 8;
  images[4].samples = 3;
  images[5].frames = 3;
  for (std::size_t i = 0; i < images.size(); ++i) images[i].sop_instance = "1.2.3.4." + std::to_string(i + 1);
  return images;
}

/// The pixel bytes with the bits above Bits Stored cleared.
std::string stored_bits(const Image& image, std::string pixels) {
  if (image.bits <= 8) return pixels;
  const std::uint32_t mask = (1U << image.bits) - 1;
  for (std::size_t i = 1; i < pixels.size(); i += 2)
    pixels[i] = static_cast<char>(static_cast<unsigned char>(pixels[i]) & (mask >> 8U));
  return pixels;
}

struct To {
  const char *name, *syntax, *decoder;
};
class TranscodeTo : public Transcode, public ::testing::WithParamInterface<To> {};

TEST_P(TranscodeTo, GivesEveryKindOfImageBackToADecoderThatIsNotOurs) {
  if (shell(std::string("command -v ") + GetParam().decoder).exit != 0) GTEST_SKIP() << "no " << GetParam().decoder;
  const auto images = every_kind();
  for (std::size_t i = 0; i < images.size(); ++i) add("IM" + std::to_string(i), file_of(images[i]));
  scan();
  const auto objects = transcode(options(GetParam().name));
  ASSERT_EQ(objects.size(), images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Object& object = objects[i];
    ASSERT_TRUE(object.transcode) << i;
    EXPECT_EQ(object.bucket, Bucket::instance);
    EXPECT_EQ(object.transcode->outcome, "transcoded") << i << ": " << object.transcode->reason;
    EXPECT_EQ(object.transcode->to, GetParam().syntax);
    EXPECT_EQ(object.transcode->dataset_sha256, object.dataset_sha256);
    const std::string staged = get(object.transcode->path);
    EXPECT_EQ(object.transcode->file_sha256, Sha256::of(staged).hex());
    EXPECT_EQ(object.transcode->bytes_out, staged.size());
    EXPECT_LT(staged.size(), get(object.source.path).size());
    // JPEG-LS has no signed samples: DCMTK leaves the bits above Bits Stored empty.
    EXPECT_TRUE(stored_bits(images[i], decoded(GetParam().decoder, object.transcode->path)) ==
                stored_bits(images[i], pixels_of(images[i])))
        << "image " << i;
  }
}

TEST_P(TranscodeTo, ComesBackToTheSamePixelsAndAttributesAsExplicitLittleEndian) {
  const auto images = every_kind();
  for (std::size_t i = 0; i < images.size(); ++i) add("IM" + std::to_string(i), file_of(images[i]));
  scan();
  const auto there = transcode(options(GetParam().name));
  fs::rename(folder_ / "staged", folder_ / "again");
  scan("again");
  std::map<std::string, Object> by_uid;
  for (const auto& object : transcode(options("explicit-le"))) by_uid.emplace(*object.sop_instance, object);
  ASSERT_EQ(by_uid.size(), images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Object& back = by_uid.at(images[i].sop_instance);
    ASSERT_TRUE(back.transcode);
    EXPECT_EQ(back.transcode->to, "1.2.840.10008.1.2.1");
    EXPECT_EQ(back.pixel_sha256, there[i].pixel_sha256);
    EXPECT_EQ(back.transcode->dataset_sha256, there[i].dataset_sha256);
    const std::string file = get(back.transcode->path), pixels = pixels_of(images[i]);
    ASSERT_GT(file.size(), pixels.size());
    EXPECT_TRUE(file.ends_with(pixels)) << "image " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, TranscodeTo,
                         ::testing::Values(To{"rle", "1.2.840.10008.1.2.5", "dcmdrle"},
                                           To{"jpeg-lossless", "1.2.840.10008.1.2.4.70", "dcmdjpeg"},
                                           To{"jpeg-ls", "1.2.840.10008.1.2.4.80", "dcmdjpls"}),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           std::erase(name, '-');
                           return name;
                         });

TEST_F(Transcode, KeepCarriesTheBytesAsTheyAre) {
  add("IM", file_of({}));
  scan();
  const auto objects = transcode(options("keep"));
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].transcode->outcome, "copied");
  EXPECT_TRUE(get(objects[0].transcode->path) == file_of({}));
  EXPECT_EQ(objects[0].transcode->file_sha256, objects[0].file_sha256);
}

TEST_F(Transcode, PixelsThatNoCodecMakesSmallerStayAsTheyAreWithTheReason) {
  Image noise;
  noise.bits = 8;
  noise.rows = noise.columns = 2;
  add("IM", file_of(noise));
  scan();
  for (const char* to : {"rle", "jpeg-ls", "jpeg-lossless"}) {
    const auto objects = transcode(options(to));
    ASSERT_EQ(objects.size(), 1U);
    EXPECT_EQ(objects[0].transcode->outcome, "kept-source") << to;
    EXPECT_NE(objects[0].transcode->reason.find("smaller"), std::string::npos) << objects[0].transcode->reason;
    EXPECT_TRUE(get(objects[0].transcode->path) == file_of(noise)) << to;
    EXPECT_EQ(tally_.exceptions, 0U);
  }
}

/// The lines of dcmdump outside the meta group; sequences with all their content.
std::set<std::string> dump_of(const std::string& path) {
  std::set<std::string> lines;
  std::istringstream in(shell("dcmdump -q +L " + path + " 2>/dev/null").out);
  for (std::string line; std::getline(in, line);) {
    const bool delimiter = line.starts_with("(fffe,");
    if (line.starts_with("(") && !line.starts_with("(0002") && !delimiter) lines.insert(line.substr(0, line.find('#')));
  }
  return lines;
}

TEST_F(Transcode, EditsAreExactlyTheDifferenceAndTheOldValuesAreKept) {
  if (shell("command -v dcmdump").exit != 0) GTEST_SKIP() << "no dcmdump";
  add("IM", file_of({}));
  const fs::path scanned = scan();
  write_decisions(
      folder_ / "reconcile.wb", scanned,
      {decided("1.2.3.1", "auto", {{"0010,0020", "P-1", "P-900", "CORRECT"}, {"0008,0050", "", "ACC7", "CORRECT"}})});
  for (const char* to : {"keep", "jpeg-ls"}) {
    Options o = options(to);
    o.edits = folder_ / "reconcile.wb";
    const auto objects = transcode(o);
    ASSERT_EQ(objects.size(), 1U);
    ASSERT_EQ(objects[0].bucket, Bucket::instance) << to;
    EXPECT_NE(objects[0].transcode->dataset_sha256, objects[0].dataset_sha256);
    auto before = dump_of(objects[0].source.path), after = dump_of(objects[0].transcode->path);
    std::set<std::string> lost, gained;
    std::ranges::set_difference(before, after, std::inserter(lost, lost.end()));
    std::ranges::set_difference(after, before, std::inserter(gained, gained.end()));
    const auto not_pixels = [](const std::string& line) { return !line.starts_with("(7fe0,0010)"); };
    EXPECT_EQ(std::ranges::count_if(lost, not_pixels), 1) << to;
    EXPECT_TRUE(std::ranges::any_of(lost, [](const auto& l) { return l.starts_with("(0010,0020) LO [P-1]"); }));
    std::set<std::string> tags;
    for (const auto& line : gained) {
      if (not_pixels(line)) tags.insert(line.substr(0, 11));
    }
    EXPECT_EQ(tags, (std::set<std::string>{"(0008,0050)", "(0010,0020)", "(0018,a001)", "(0400,0561)"})) << to;
    const std::string nested = shell("dcmdump -q +L +P 0400,0561 " + objects[0].transcode->path).out;
    EXPECT_NE(nested.find("(0010,0020) LO [P-1]"), std::string::npos) << nested;
    EXPECT_NE(nested.find("[CORRECT]"), std::string::npos) << nested;
    const std::string source = get(objects[0].source.path);
    EXPECT_TRUE(source == file_of({})) << "the source was changed";
  }
}

TEST_F(Transcode, StudiesThatWaitForAPersonAreKeptBackUnlessAskedFor) {
  Image other;
  other.sop_instance = "1.2.3.4.2";
  other.study = "1.2.3.99";
  add("1", file_of({}));
  add("2", file_of(other));
  const fs::path scanned = scan();
  write_decisions(folder_ / "reconcile.wb", scanned, {decided("1.2.3.1", "review", {})});
  Options o = options("keep");
  o.edits = folder_ / "reconcile.wb";
  auto objects = transcode(o);
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].bucket, Bucket::quarantined);
  EXPECT_TRUE(has_finding(objects[0], "MATCH-REVIEW"));
  EXPECT_TRUE(has_finding(objects[1], "MATCH-NONE"));
  EXPECT_EQ(tally_.exceptions, 2U);
  EXPECT_FALSE(fs::exists(o.out) && !fs::is_empty(o.out));
  o.unmatched = Unmatched::stage;
  objects = transcode(o);
  EXPECT_EQ(objects[0].bucket, Bucket::instance);
  EXPECT_EQ(objects[1].transcode->outcome, "copied");
}

TEST_F(Transcode, ASourceThatChangedSinceTheScanIsNotStaged) {
  add("IM", file_of({}));
  scan();
  Image changed;
  changed.seed = 4;
  add("IM", file_of(changed));
  const auto objects = transcode(options("keep"));
  EXPECT_EQ(objects.at(0).bucket, Bucket::failed);
  EXPECT_TRUE(has_finding(objects[0], "TX-SOURCECHANGED"));
  EXPECT_TRUE(tally_.integrity);
  EXPECT_TRUE(objects[0].transcode->path.empty());
}

/// Fourteen objects of several kinds.
void fill(const fs::path& archive) {
  for (unsigned n = 0; n < 12; ++n) {
    Image image = every_kind()[n % 6];
    image.sop_instance = "1.2.3.4." + std::to_string(n + 1);
    image.seed = n;
    put(archive / ("IM" + std::to_string(n)), file_of(image));
  }
  put(archive / "cut", file_of({}).substr(0, 900));
  put(archive / "note.txt", "hello");
}

TEST_F(Transcode, WhatIsStagedAlreadyIsNotStagedAgainFromItsSource) {
  add("A", file_of({}));
  scan();
  transcode(options("jpeg-ls"));
  const Ran ran = in_folder("$B/waybill-transcode transcode.wb --to rle --out again -o again.wb --quiet 2>&1");
  EXPECT_EQ(ran.exit, 2);
  EXPECT_NE(ran.out.find("is staged already; name the manifest of scan"), std::string::npos) << ran.out;
}

TEST_F(Transcode, OneAndFourThreadsStageTheSameBytesAndRecords) {
  fill(folder_ / "archive");
  scan();
  (void)transcode(options("jpeg-ls", 1), "one.wb");
  (void)transcode(options("jpeg-ls", 4), "four.wb");
  EXPECT_EQ(lines_of(folder_ / "one.wb"), lines_of(folder_ / "four.wb"));
}

TEST_F(Transcode, ARunCutBehindAnyRecordIsContinuedToTheSameRecords) {
  fill(folder_ / "archive");
  scan();
  (void)transcode(options("jpeg-ls"), "whole.wb");
  const auto whole = lines_of(folder_ / "whole.wb");
  for (std::size_t kept = 0; kept <= whole.size(); ++kept) {
    fs::remove(folder_ / "cut.wb");
    {
      manifest::Writer writer(folder_ / "cut.wb", header_of(options("jpeg-ls")));
      for (std::size_t i = 0; i < kept; ++i) writer.append(whole[i]);
    }
    continue_run(options("jpeg-ls"), "cut.wb");
    EXPECT_EQ(lines_of(folder_ / "cut.wb"), whole) << "cut behind record " << kept;
    EXPECT_TRUE(is_complete(folder_ / "cut.wb"));
  }
}

TEST_F(Transcode, ATornStagedFileOfAKilledRunIsReplaced) {
  fill(folder_ / "archive");
  scan();
  const auto objects = transcode(options("jpeg-ls"));
  const auto whole = lines_of(folder_ / "transcode.wb");
  std::size_t torn = 0;
  for (const auto& object : objects) {
    if (!object.transcode || object.transcode->path.empty()) continue;
    const fs::path staged = object.transcode->path;
    const std::string bytes = get(staged);
    put(staged, torn % 2 == 0 ? bytes.substr(0, bytes.size() / 2) : std::string(bytes.size(), '\0'));
    put(staged.parent_path() / ("." + staged.filename().string() + ".part"), "half");
    ++torn;
  }
  ASSERT_EQ(torn, 12U);
  fs::remove(folder_ / "transcode.wb");  // the kill came before the first record
  continue_run(options("jpeg-ls"));
  EXPECT_EQ(lines_of(folder_ / "transcode.wb"), whole);
  for (const auto& object : objects) {
    if (!object.transcode || object.transcode->path.empty()) continue;
    EXPECT_EQ(Sha256::of(get(object.transcode->path)).hex(), object.transcode->file_sha256);
  }
  EXPECT_EQ(in_folder("find staged -name '.*.part' | wc -l").out, "0\n");
}

TEST_F(Transcode, AFullDiskEndsTheRunAndTheSameCommandFinishesIt) {
  fill(folder_ / "archive");
  Image large;
  large.sop_instance = "1.2.3.4.500";
  large.rows = large.columns = 300;
  add("IM5-large", file_of(large));
  scan();
  const std::string command = "$B/waybill-transcode scan.wb --to keep --out staged --threads 1 --quiet -o transcode.wb";
  // 64 KiB a file: the manifest and the small images fit, the large one does not.
  const Ran full = in_folder("bash -c \"ulimit -f 64; B='$B'; " + command + "\" 2>&1");
  EXPECT_EQ(full.exit, 3) << full.out;
  EXPECT_NE(full.out.find("/staged/"), std::string::npos) << full.out;
  EXPECT_NE(full.out.find("File too large"), std::string::npos) << full.out;
  EXPECT_FALSE(is_complete(folder_ / "transcode.wb"));
  EXPECT_GT(objects_of(folder_ / "transcode.wb").size(), 0U) << "what was staged before was not recorded";
  EXPECT_EQ(in_folder("find staged -name '.*.part' | wc -l").out, "0\n");
  EXPECT_EQ(in_folder(command + " > log").exit, 1) << "the cut file is an exception of the scan";
  const auto after = lines_of(folder_ / "transcode.wb");
  (void)transcode(options("keep"), "whole.wb");
  EXPECT_EQ(after, lines_of(folder_ / "whole.wb"));
}

TEST_F(Transcode, AnOutputFolderThatCannotBeWrittenIsAnInputErrorThatNamesIt) {
  add("IM", file_of({}));
  scan();
  put(folder_ / "file", "not a folder");
  Options o = options("keep");
  o.out = folder_ / "file" / "staged";
  std::string text;
  EXPECT_EQ(exit_of([&] { continue_run(o); }, &text), Exit::input);
  EXPECT_NE(text.find("staged"), std::string::npos) << text;
}

TEST_F(Transcode, AReadOnlyOutputFolderIsAnInputErrorAndTheRunContinuesWhenItIsMended) {
  add("IM", file_of({}));
  scan();
  fs::create_directories(folder_ / "staged");
  fs::permissions(folder_ / "staged", fs::perms::owner_read | fs::perms::owner_exec);
  const test::Unprivileged unprivileged(folder_);
  std::string text;
  EXPECT_EQ(exit_of([&] { continue_run(options("keep")); }, &text), Exit::input) << text;
  EXPECT_NE(text.find("staged"), std::string::npos) << text;
  fs::permissions(folder_ / "staged", fs::perms::owner_all);
  continue_run(options("keep"));
  EXPECT_TRUE(is_complete(folder_ / "transcode.wb"));
}

}  // namespace
}  // namespace waybill::transcode
