// SPDX-License-Identifier: Apache-2.0
// Our encoder and decoder of JPEG lossless against DCMTK's, which share no code with them.
#include "pixel/support.hpp"

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <algorithm>

namespace waybill::pixel::test {
namespace {

class JpegLossless : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { DJEncoderRegistration::registerCodecs(); }
  static void TearDownTestSuite() { DJEncoderRegistration::cleanup(); }
};

/// What DCMTK writes for a frame; `predictor` other than 1 is .57.
Bytes by_dcmtk(const ImageInfo& info, const Frame& frame, int predictor) {
  DcmDataset set;
  set.putAndInsertUint16(DCM_SamplesPerPixel, info.samples);
  set.putAndInsertString(DCM_PhotometricInterpretation, info.photometric.c_str());
  if (info.samples > 1) set.putAndInsertUint16(DCM_PlanarConfiguration, 0);
  set.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(info.rows));
  set.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(info.columns));
  set.putAndInsertUint16(DCM_BitsAllocated, info.bits_allocated);
  set.putAndInsertUint16(DCM_BitsStored, info.bits_stored);
  set.putAndInsertUint16(DCM_HighBit, info.high_bit);
  set.putAndInsertUint16(DCM_PixelRepresentation, info.is_signed ? 1 : 0);
  Bytes data = frame.data;
  if (data.size() % 2 != 0) data.push_back(std::byte{0});
  if (info.bits_allocated == 16)
    set.putAndInsertUint16Array(DCM_PixelData, reinterpret_cast<const Uint16*>(data.data()), data.size() / 2);
  else
    set.putAndInsertUint8Array(DCM_PixelData, reinterpret_cast<const Uint8*>(data.data()), data.size());
  const E_TransferSyntax syntax = predictor == 1 ? EXS_JPEGProcess14SV1 : EXS_JPEGProcess14;
  const DJ_RPLossless way(predictor, 0);
  DcmElement* element = nullptr;
  DcmPixelSequence* sequence = nullptr;
  DcmPixelItem* item = nullptr;
  Uint8* bytes = nullptr;
  if (set.chooseRepresentation(syntax, &way).bad() || set.findAndGetElement(DCM_PixelData, element).bad()) return {};
  auto* pixels = dynamic_cast<DcmPixelData*>(element);
  if (pixels == nullptr || pixels->getEncapsulatedRepresentation(syntax, &way, sequence).bad() ||
      sequence->getItem(item, 1).bad() || item->getUint8Array(bytes).bad())
    return {};
  const auto* from = reinterpret_cast<const std::byte*>(bytes);
  return {from, from + item->getLength()};
}

TEST_F(JpegLossless, OfEveryPredictorThatDcmtkWritesIsDecoded) {
  for (int predictor = 1; predictor <= 7; ++predictor) {
    for (const unsigned bits : {8U, 12U, 16U}) {
      for (const unsigned samples : {1U, 3U}) {
        const ImageInfo info = image(41, 53, bits, false, samples);
        const Frame source = picture(info);
        const Bytes stream = by_dcmtk(info, source, predictor);
        ASSERT_EQ(sniff(stream).predictor, predictor);
        const auto decoded = decode_frame("1.2.840.10008.1.2.4.57", info, stream);
        ASSERT_TRUE(decoded) << decoded.error().what;
        EXPECT_EQ(decoded->data, source.data) << predictor << ' ' << bits << ' ' << samples;
        EXPECT_EQ(decoded->quirk, Quirk::none);
      }
    }
  }
}

TEST_F(JpegLossless, IsNoLargerThanWhatDcmtkWrites) {
  for (const unsigned samples : {1U, 3U}) {
    const ImageInfo info = image(120, 130, 8, false, samples);
    const Frame source = picture(info);
    const auto ours = encode_frame(kJpeg, info, source);
    ASSERT_TRUE(ours);
    const Bytes theirs = by_dcmtk(info, source, 1);
    ASSERT_FALSE(theirs.empty());
    EXPECT_LE(ours->size(), theirs.size() + 64);
  }
}

/// An image whose differences of category k occur `counts[k]` times.
Frame with_categories(const std::vector<unsigned>& counts, ImageInfo& info) {
  std::vector<std::uint32_t> samples = {0x8000};
  for (std::size_t k = 0; k < counts.size(); ++k) {
    for (unsigned i = 0; i < counts[k]; ++i) {
      const std::uint32_t step = k == 0 ? 0 : 1U << (k - 1);
      samples.push_back(static_cast<std::uint16_t>(samples.back() + (i % 2 == 0 ? step : 0x10000U - step)));
    }
  }
  info = image(1, static_cast<std::uint32_t>(samples.size()), 16);
  Frame frame = picture(info);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    frame.data[2 * i] = static_cast<std::byte>(samples[i] & 0xFFU);
    frame.data[2 * i + 1] = static_cast<std::byte>(samples[i] >> 8U);
  }
  return frame;
}

TEST_F(JpegLossless, HasCodesOfAtMostSixteenBitsHoweverRareACategoryIs) {
  std::vector<unsigned> fibonacci = {1, 1};  // the rarest of 17 such categories would take 17 bits
  while (fibonacci.size() < 17) fibonacci.push_back(fibonacci.back() + fibonacci[fibonacci.size() - 2]);
  for (const bool rising : {true, false}) {
    std::vector<unsigned> counts(fibonacci);
    if (!rising) std::reverse(counts.begin(), counts.end());
    ImageInfo info;
    const Frame source = with_categories(counts, info);
    const auto stream = encode_frame(kJpeg, info, source);
    ASSERT_TRUE(stream);
    for (const Decoder which : decoders_of(kJpeg)) {
      const auto decoded = decode_frame(kJpeg, info, *stream, which);
      ASSERT_TRUE(decoded) << decoder_name(kJpeg, which) << ": " << decoded.error().what;
      EXPECT_TRUE(decoded->data == source.data) << decoder_name(kJpeg, which);
    }
  }
}

TEST_F(JpegLossless, KeepsADifferenceOf32768WhichHasNoBitsBehindItsCode) {
  ImageInfo info;
  const Frame source = with_categories({3, 2, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, info);
  const auto stream = encode_frame(kJpeg, info, source);
  ASSERT_TRUE(stream);
  for (const Decoder which : decoders_of(kJpeg)) {
    const auto decoded = decode_frame(kJpeg, info, *stream, which);
    ASSERT_TRUE(decoded) << decoded.error().what;
    EXPECT_EQ(decoded->data, source.data) << decoder_name(kJpeg, which);
  }
}

}  // namespace
}  // namespace waybill::pixel::test
