// SPDX-License-Identifier: Apache-2.0
#include "verify/compare.hpp"

#include "dicom/toolkit.hpp"
#include "support/peer.hpp"

namespace waybill::verify {

namespace {

/// A file on disk, its record, and the dataset as a peer would give it back.
struct Case {
  dicom::Toolkit toolkit;
  test::TempFolder folder;
  manifest::Object object = test::make_archive(folder, 1, 1).at(0);
  std::string file = test::slurp(path_from_text(object.source.path));
  net::Received received;

  Case() {
    const ByteView bytes = as_bytes(file);
    const ByteView dataset = bytes.subspan(144 + load_u32(bytes.data() + 140));
    received = {*object.sop_class, *object.sop_instance, "1.2.840.10008.1.2.1", Bytes(dataset.begin(), dataset.end())};
  }
  void replace(std::string_view from, std::string_view to) {
    std::string text(as_text(received.dataset));
    text.replace(text.find(from), from.size(), to);
    received.dataset.assign(as_bytes(text).begin(), as_bytes(text).end());
  }
};

}  // namespace

TEST(CompareContent, SaysEquivalentForTheSameObject) {
  Case c;
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.verify->verdict, "EQUIVALENT");
  EXPECT_EQ(c.object.verify->grade, "E4");
  EXPECT_EQ(c.object.bucket, manifest::Bucket::verified);
}

TEST(CompareContent, SaysPixelDiffForOneChangedSample) {
  Case c;
  c.received.dataset.back() = std::byte{0x7F};
  compare_content(c.received, c.object);
  EXPECT_EQ(c.object.verify->verdict, "PIXEL-DIFF");
  EXPECT_EQ(c.object.bucket, manifest::Bucket::failed);
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
