// SPDX-License-Identifier: Apache-2.0
#include "verify/compare.hpp"

#include "dicom/file.hpp"
#include "dicom/toolkit.hpp"
#include "inspect/inspect.hpp"
#include "support/peer.hpp"

namespace waybill::verify {

namespace {

/// A file on disk, its record, and the dataset as a peer would give it back.
struct Case {
  dicom::Toolkit toolkit;
  test::TempFolder folder;
  manifest::Object object = test::make_archive(folder, 1, 1).at(0);
  std::string file = test::slurp(path_from_text(object.source.path));
  Bytes sent;
  net::Received received;

  Case() {
    const ByteView bytes = as_bytes(file);
    const ByteView dataset = bytes.subspan(144 + load_u32(bytes.data() + 140));
    sent.assign(dataset.begin(), dataset.end());
    received = {*object.sop_class, *object.sop_instance, "1.2.840.10008.1.2.1", {}, sent};
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
  EXPECT_TRUE(c.object.verify->differences.empty()) << "nothing but a sample differs";
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
