// SPDX-License-Identifier: Apache-2.0
#include "verify/compare.hpp"

#include "dicom/file.hpp"
#include "dicom/toolkit.hpp"
#include "inspect/inspect.hpp"
#include "support/images.hpp"
#include "support/peer.hpp"

namespace waybill::verify {

using namespace std::string_literals;

namespace {

/// A file on disk, its record, and the dataset as a peer would give it back.
struct Case {
  dicom::Toolkit toolkit;
  test::TempFolder folder;
  manifest::Object object = test::make_archive(folder, 1, 1).at(0);
  std::string file = test::slurp(path_from_text(object.source.path));
  Bytes sent;
  net::Received received;

  Case() { as_sent(); }
  /// The same for another file.
  explicit Case(const std::string& other) : file(other) {
    const std::string path = path_from_text(object.source.path);
    std::ofstream(path, std::ios::binary) << file;
    manifest::Object fresh;
    const auto parsed = dicom::parse_file(as_bytes(file));
    if (parsed) inspect::inspect(*parsed, inspect::Depth::pixels, fresh);
    fresh.source = object.source;
    fresh.source.size = file.size();
    fresh.file_sha256 = Sha256::of(file).hex();
    object = fresh;
    as_sent();
  }
  void as_sent() {
    const ByteView bytes = as_bytes(file);
    const ByteView dataset = bytes.subspan(144 + load_u32(bytes.data() + 140));
    sent.assign(dataset.begin(), dataset.end());
    received = {*object.sop_class, *object.sop_instance, "1.2.840.10008.1.2.1", {}, sent};
  }
  /// Compares, expects PIXEL-DIFF and gives the differences, one after the other.
  std::string differences() {
    received.dataset = sent;
    compare_content(received, object);
    EXPECT_EQ(object.verify->verdict, "PIXEL-DIFF");
    std::string out;
    for (const auto& d : object.verify->differences)
      out += (out.empty() ? "" : "; ") + d.tag + " " + d.kind + (d.kind == "frames" ? ": " + d.detail : "");
    return out;
  }
  void replace(std::string_view from, std::string_view to) {
    std::string text(as_text(sent));
    text.replace(text.find(from), from.size(), to);
    sent.assign(as_bytes(text).begin(), as_bytes(text).end());
    received.dataset = sent;
  }
};

}  // namespace

TEST(CompareContent, SaysIdenticalForTheVeryBytesThatWereSent) {
  Case c;
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.verify->verdict, "IDENTICAL");
  EXPECT_EQ(c.object.verify->grade, "E4");
  EXPECT_EQ(c.object.bucket, manifest::Bucket::verified);
}

TEST(CompareContent, SaysEquivalentForTheSameObjectInOtherBytes) {
  Case c;
  const auto empty_sequence = as_bytes(std::string_view("\x08\0\x15\x11SQ\0\0\0\0\0\0", 12));
  const std::string text(as_text(c.sent));
  const auto at = c.sent.begin() + static_cast<std::ptrdiff_t>(text.find(std::string_view("\x10\0\x10\0PN", 6)));
  c.sent.insert(at, empty_sequence.begin(), empty_sequence.end());
  c.received.dataset = c.sent;
  EXPECT_FALSE(is_identical(c.received, c.object));
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.verify->verdict, "EQUIVALENT-LENIENT");
  EXPECT_EQ(c.object.bucket, manifest::Bucket::verified);
}

TEST(CompareContent, SaysEquivalentByTheDigestsAloneWhereTheSentFileIsGone) {
  Case c;
  const auto parsed = dicom::parse_file(as_bytes(c.file));
  ASSERT_TRUE(parsed);
  inspect::inspect(*parsed, inspect::Depth::pixels, c.object);
  std::filesystem::remove(path_from_text(c.object.source.path));
  EXPECT_FALSE(is_identical(c.received, c.object));
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.verify->verdict, "EQUIVALENT");
  EXPECT_EQ(c.object.verify->grade, "E4");
}

TEST(CompareContent, TakesNoOtherLabelForTheSameBytes) {
  Case c;
  c.received.transfer_syntax = "1.2.840.10008.1.2";
  EXPECT_FALSE(is_identical(c.received, c.object));
}

TEST(CompareContent, IsNotSatisfiedByTheSourceWhereEditsWereSent) {
  Case c;
  const auto parsed = dicom::parse_file(as_bytes(c.file));
  ASSERT_TRUE(parsed);
  inspect::inspect(*parsed, inspect::Depth::pixels, c.object);
  c.object.transcode.emplace();  // as load --edits leaves it: nothing staged, another dataset sent
  c.object.transcode->outcome = "rewritten";
  c.object.transcode->dataset_sha256 = std::string(64, 'a');
  EXPECT_FALSE(is_identical(c.received, c.object));
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.bucket, manifest::Bucket::failed) << "the target holds the object without its edits";
  EXPECT_EQ(c.object.findings.back().code, "VERIFY-UNEDITED");
}

TEST(CompareContent, FindsEverySingleChangedByte) {
  Case c;
  for (std::size_t i = 0; i < c.received.dataset.size(); ++i) {
    c.sent[i] ^= std::byte{1};
    EXPECT_FALSE(is_identical(c.received, c.object)) << i;
    c.sent[i] ^= std::byte{1};
  }
  EXPECT_TRUE(is_identical(c.received, c.object));
  c.sent.pop_back();
  c.received.dataset = c.sent;
  EXPECT_FALSE(is_identical(c.received, c.object));
}

TEST(CompareContent, SaysPixelDiffForOneChangedSample) {
  Case c;
  c.sent.back() = std::byte{0x7F};
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.verify->verdict, "PIXEL-DIFF");
  EXPECT_EQ(c.object.bucket, manifest::Bucket::failed);
  ASSERT_EQ(c.object.findings.back().code, "VERIFY-PIXELS");
  const auto parsed = dicom::parse_file(as_bytes(c.file));
  ASSERT_TRUE(parsed);
  manifest::Object sent;
  inspect::inspect(*parsed, inspect::Depth::pixels, sent);
  ASSERT_TRUE(sent.pixel_sha256);
  const std::string& detail = c.object.findings.back().detail;
  EXPECT_TRUE(detail.ends_with(", of what was sent " + *sent.pixel_sha256)) << detail;
  const auto& differences = c.object.verify->differences;
  ASSERT_EQ(differences.size(), 1U) << "nothing but a sample differs";
  EXPECT_EQ(differences[0].tag + " " + differences[0].kind, "7FE00010 frames");
  EXPECT_EQ(differences[0].detail, "frame 1 of 1 is the first that differs, 1 frame differs");
}

TEST(CompareContent, NamesTheFirstFrameThatDiffersAndHowManyDo) {
  const test::Image image{.bits = 16, .frames = 5, .rows = 4, .columns = 4};  // 32 bytes a frame
  const auto frames = [&](const std::vector<std::size_t>& changed) {
    Case c(test::file_of(image));
    for (const std::size_t frame : changed) c.sent[c.sent.size() - 5 * 32 + frame * 32 + 7] ^= std::byte{1};
    return c.differences();
  };
  EXPECT_EQ(frames({0}), "7FE00010 frames: frame 1 of 5 is the first that differs, 1 frame differs");
  EXPECT_EQ(frames({4}), "7FE00010 frames: frame 5 of 5 is the first that differs, 1 frame differs");
  EXPECT_EQ(frames({1, 3, 4}), "7FE00010 frames: frame 2 of 5 is the first that differs, 3 frames differ");
}

TEST(CompareContent, SaysWhereSamplesAreTheSameAndOnlyTheirMeaningIsAnother) {
  Case c(test::file_of({.bits = 12, .frames = 2, .rows = 4, .columns = 4}));
  c.replace("MONOCHROME2 ", "MONOCHROME1 ");
  EXPECT_EQ(c.differences(),
            "7FE00010 frames: the samples of 2 frames are those that were sent; another is Photometric Interpretation");
}

TEST(CompareContent, SaysWhereTheNumberOfFramesIsAnotherOrOneCannotBeRead) {
  const test::Image image{.bits = 16, .frames = 3, .rows = 4, .columns = 4};
  Case cut(test::file_of(image));
  cut.sent.resize(cut.sent.size() - 40);  // and its length says otherwise
  EXPECT_EQ(cut.differences(), "7FE00010 frames: no pixel data came that can be read");
  Case less(test::file_of(image));
  less.sent.resize(less.sent.size() - 40);  // of 96 bytes
  less.replace("OW\0\0\x60\0\0\0"s, "OW\0\0\x38\0\0\0"s);
  EXPECT_TRUE(
      less.differences().starts_with("7FE00010 frames: frame 2 of 3 is the first that cannot be compared; what "
                                     "came cannot be read to its end: frame 2: "))
      << less.differences();
  Case fewer(test::file_of(image));
  fewer.replace("IS\x02\x00"s + "3 ", "IS\x02\x00"s + "2 ");
  EXPECT_TRUE(
      fewer.differences().starts_with("7FE00010 frames: 2 frames came and 3 were sent; those that both have are equal"))
      << fewer.differences();
}

TEST(CompareContent, NamesTheFrameOfACompressedObject) {
  const test::Image image{.bits = 8, .frames = 3, .rows = 4, .columns = 4};
  const std::string pixels = test::pixels_of(image);
  const auto rle = [&](const std::string& samples) {  // one segment, literal runs
    std::string out("\x01\0\0\0\x40\0\0\0", 8);
    out.resize(64, '\0');
    return out + '\x0F' + samples + '\0';
  };
  std::vector<std::string> items{""};
  for (int i = 0; i < 3; ++i) items.push_back(rle(pixels.substr(static_cast<std::size_t>(i) * 16, 16)));
  const auto file = [&](const std::vector<std::string>& fragments) {
    std::string native = test::file_of(image);
    const std::size_t meta = 144 + load_u32(as_bytes(native).data() + 140);
    const std::string dataset = native.substr(meta, native.find("\xE0\x7F\x10\0"s, meta) - meta);
    test::DicomBuilder b;
    b.fragments(fragments);
    return test::DicomBuilder::part10(dataset + b.str(), "1.2.840.10008.1.2.5", test::kSecondaryCapture,
                                      image.sop_instance);
  };
  Case c(file(items));
  c.received.transfer_syntax = "1.2.840.10008.1.2.5";
  items[2][70] = static_cast<char>(items[2][70] ^ 1);
  const std::string other = file(items);
  const ByteView bytes = as_bytes(other);
  const ByteView dataset = bytes.subspan(144 + load_u32(bytes.data() + 140));
  c.sent.assign(dataset.begin(), dataset.end());
  c.received.dataset = c.sent;
  EXPECT_EQ(c.differences(), "7FE00010 frames: frame 2 of 3 is the first that differs, 1 frame differs");
}

TEST(CompareContent, SaysTargetCoercedForAnotherPatientId) {
  Case c;
  c.replace("T1", "T2");
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.verify->verdict, "TARGET-COERCED");
  ASSERT_EQ(c.object.verify->differences.size(), 1U);
  EXPECT_EQ(c.object.verify->differences[0].tag, "00100020");
  EXPECT_EQ(c.object.bucket, manifest::Bucket::failed);
}

TEST(CompareContent, SaysMetadataLossForAnotherModality) {
  Case c;
  c.replace("OT", "CT");
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.verify->verdict, "METADATA-LOSS");
}

TEST(Fixity, TellsChangedFromIdenticalFiles) {
  Case c;
  manifest::Object same = c.object;
  check_fixity(same);
  EXPECT_EQ(same.verify->verdict, "IDENTICAL");
  EXPECT_EQ(same.bucket, manifest::Bucket::verified);
  std::ofstream(path_from_text(c.object.source.path), std::ios::app) << "x";
  std::fstream(path_from_text(c.object.source.path), std::ios::in | std::ios::out | std::ios::binary).put('x');
  check_fixity(c.object);
  EXPECT_EQ(c.object.bucket, manifest::Bucket::failed);
}

}  // namespace waybill::verify
