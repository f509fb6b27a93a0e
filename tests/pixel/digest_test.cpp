// SPDX-License-Identifier: Apache-2.0
#include "pixel/digest.hpp"

#include "pixel/encapsulated.hpp"
#include "pixel/support.hpp"

#include <algorithm>

namespace waybill::pixel::test {
namespace {

using manifest::Finding;

PixelData native(const ImageInfo& info, const Bytes& value) {
  return {info, "1.2.840.10008.1.2.1", value, false, false};
}

std::string pix1(const PixelData& data) {
  std::vector<Finding> findings;
  const auto digests = digest_pixels(data, findings);
  return digests ? digests->pixel.hex() : digests.error().what;
}

bool has(const std::vector<Finding>& findings, std::string_view code) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.code == code; });
}

TEST(Pix1, OfSignedTwelveBitsIsThePublishedValue) {
  const Bytes value = from_hex("ffff0000010000f8");
  EXPECT_EQ(pix1(native(image(2, 2, 12, true), value)),
            "be9d3039b79f1b9156a779e6fa3310e650b7b4e8bae177eb85f8e50c711fe9ee");
}

TEST(Pix1, OfRedAndBlueIsThePublishedValueByPixelAndByPlane) {
  const std::string expected = "acaf11a1476306c53ac39809617375a21bf66af09cbc62c2742db9a5e1290b23";
  ImageInfo info = image(1, 2, 8, false, 3);
  const Bytes by_pixel = from_hex("ff00000000ff");
  EXPECT_EQ(pix1(native(info, by_pixel)), expected);
  info.planar = true;
  const Bytes by_plane = from_hex("ff00000000ff");  // R: ff 00, G: 00 00, B: 00 ff
  EXPECT_EQ(pix1(native(info, by_plane)), expected);
}

TEST(Pix1, IgnoresByteOrderUnusedBitsAndTheHighBit) {
  const ImageInfo info = image(2, 2, 12, true);
  const Bytes plain = from_hex("ffff0000010000f8");
  const std::string expected = pix1(native(info, plain));
  const Bytes swapped = from_hex("ffff00000001f800");
  PixelData big = native(info, swapped);
  big.big_endian = true;
  EXPECT_EQ(pix1(big), expected);
  const Bytes unextended = from_hex("ff0f000001000008");
  EXPECT_EQ(pix1(native(info, unextended)), expected);
  ImageInfo high = info;
  high.high_bit = 15;
  const Bytes shifted = from_hex("f0ff000010000080");
  EXPECT_EQ(pix1(native(high, shifted)), expected);
}

/// A dataset's value of Encapsulated Uncompressed (.98): each frame begins a fragment, and a byte, of its own.
PixelData uncompressed(ImageInfo info, const std::vector<Bytes>& frames, Bytes& value) {
  info.frames = static_cast<std::uint32_t>(frames.size());
  write_encapsulated(frames, value);
  return {std::move(info), "1.2.840.10008.1.2.1.98", value, true, false};
}

TEST(Pix1, OfBitsInFragmentsIsThatOfThePackedOnes) {
  ImageInfo info = image(3, 3, 1);
  info.bits_allocated = 1;
  info.high_bit = 0;
  info.frames = 2;
  const Bytes packed = from_hex("ab0103");  // nine bits, and nine from the second bit of byte 2 on
  Bytes value;
  const PixelData apart = uncompressed(info, {from_hex("ab01"), from_hex("8001")}, value);
  EXPECT_EQ(pix1(apart), pix1(native(info, packed)));
}

TEST(Pix1, OfTwelveBitSamplesInAFragmentIsThatOfThePackedOnes) {
  ImageInfo info = image(1, 2, 12);
  info.bits_allocated = 12;
  Bytes value;
  const PixelData apart = uncompressed(info, {from_hex("21436500")}, value);
  EXPECT_EQ(pix1(apart), pix1(native(info, from_hex("21436500"))));
}

TEST(Pix1, ChangesWithEachSampleBitAndWithTheHeader) {
  const ImageInfo info = image(2, 2, 12);
  const Bytes value = from_hex("0100020003000400");
  const std::string base = pix1(native(info, value));
  for (std::size_t i = 0; i < value.size(); i += 2) {
    Bytes other = value;
    other[i] ^= std::byte{0x10};
    EXPECT_NE(pix1(native(info, other)), base);
  }
  EXPECT_NE(pix1(native(image(1, 4, 12), value)), base);
  EXPECT_NE(pix1(native(image(2, 2, 13), value)), base);
  EXPECT_NE(pix1(native(image(2, 2, 12, true), value)), base);
}

TEST(Pix1, TellsInformationInUnusedBitsAndEmptyImages) {
  const ImageInfo info = image(2, 2, 12);
  std::vector<Finding> findings;
  const Bytes set = from_hex("0180020003000400");
  EXPECT_TRUE(digest_pixels(native(info, set), findings)->unused_bits);
  const Bytes flat = from_hex("0102010201020102");
  const auto same = digest_pixels(native(info, flat), findings);
  EXPECT_FALSE(same->unused_bits);
  EXPECT_TRUE(same->constant);
  const Bytes varied = from_hex("0102010201020202");
  EXPECT_FALSE(digest_pixels(native(info, varied), findings)->constant);
  ImageInfo two = image(1, 1, 8);
  two.frames = 2;
  const Bytes each_flat = from_hex("0005");
  EXPECT_FALSE(digest_pixels(native(two, each_flat), findings)->constant);
}

TEST(Pix1, ReadsOneBitFramesThatShareAByte) {
  ImageInfo info = image(1, 3, 8);
  info.bits_allocated = info.bits_stored = 1;
  info.high_bit = 0;
  info.frames = 2;
  const Bytes value = from_hex("2d");  // 101101 from the lowest bit: frames 101 and 101
  std::vector<Finding> findings;
  const PixelData data = native(info, value);
  const auto reader = FrameReader::open(data, findings);
  ASSERT_TRUE(reader);
  for (std::uint32_t i = 0; i < 2; ++i) {
    const auto frame = reader->read(i);
    ASSERT_TRUE(frame);
    EXPECT_EQ(to_hex(frame->data), "010001");
  }
}

TEST(Pix1, OfBitsAndPackedSamplesInColourIsTheSameByPixelAndByPlane) {
  ImageInfo bits = image(1, 2, 1, false, 3);
  bits.bits_allocated = 1;
  bits.high_bit = 0;
  const Bytes by_pixel = from_hex("15");  // 101 010 from the lowest bit
  const std::string expected = pix1(native(bits, by_pixel));
  bits.planar = true;
  const Bytes by_plane = from_hex("19");  // 10 01 10
  EXPECT_EQ(pix1(native(bits, by_plane)), expected);
  Bytes value;
  EXPECT_EQ(pix1(uncompressed(bits, {from_hex("1900")}, value)), expected);
  const Bytes deflated = from_hex("010100feff19");  // one stored block
  const auto frame = decode_frame("1.2.840.10008.1.2.8.1", bits, deflated);
  ASSERT_TRUE(frame) << frame.error().what;
  EXPECT_EQ(to_hex(frame->data), "010001000100");
  ImageInfo packed = image(1, 2, 12, false, 3);
  packed.bits_allocated = 12;
  const Bytes pixels = from_hex("01200003400005600000");  // 001 002 003 004 005 006
  const std::string wide = pix1(native(packed, pixels));
  packed.planar = true;
  const Bytes planes = from_hex("01400002500003600000");  // 001 004 002 005 003 006
  EXPECT_EQ(pix1(native(packed, planes)), wide);
}

TEST(Pix1, OfShortNativeDataIsAFailure) {
  const Bytes value = from_hex("01000200");
  std::vector<Finding> findings;
  const auto digests = digest_pixels(native(image(2, 2, 12), value), findings);
  ASSERT_FALSE(digests);
  EXPECT_EQ(digests.error().fault, Fault::truncated);
}

Bytes without_delimiter(const std::vector<Bytes>& frames) {
  Bytes out;
  write_encapsulated(frames, out);
  out.erase(out.end() - 8, out.end());
  return out;
}

TEST(Pix1, IsTheSameAfterEveryLosslessEncoder) {
  for (const unsigned samples : {1U, 3U}) {
    for (const bool is_signed : {false, true}) {
      ImageInfo info = image(11, 19, 12, is_signed, samples);
      const Frame frame = picture(info);
      info.frames = 2;
      Bytes both = frame.data;
      put_bytes(both, frame.data);
      const std::string expected = pix1(native(info, both));
      for (const std::string& syntax : {kRle, kJpeg, kJpegLs}) {
        const auto stream = encode_frame(syntax, info, frame);
        ASSERT_TRUE(stream) << stream.error().what;
        const Bytes value = without_delimiter({*stream, *stream});
        for (const Decoder which : {Decoder::primary, Decoder::independent}) {
          std::vector<Finding> findings;
          const auto digests = digest_pixels({info, syntax, value, true, false}, findings, which);
          ASSERT_TRUE(digests) << digests.error().what;
          EXPECT_EQ(digests->pixel.hex(), expected) << syntax << ' ' << decoder_name(syntax, which);
          EXPECT_EQ(digests->frames, 2U);
          EXPECT_TRUE(findings.empty());
        }
      }
    }
  }
}

const Bytes kA = from_hex("ffd8aabbccddffd9");
const Bytes kB = from_hex("ffd811223344ffd9");

void item(Bytes& out, ByteView bytes) {
  put_u32(out, 0xE000FFFE);
  put_u32(out, static_cast<std::uint32_t>(bytes.size()));
  put_bytes(out, bytes);
}

Bytes items(const std::vector<Bytes>& all) {
  Bytes out;
  for (const Bytes& b : all) item(out, b);
  return out;
}

struct Indexed {
  Result<FrameIndex> index;
  std::vector<Finding> findings;
};

Indexed index(const Bytes& value, std::uint32_t frames, const std::string& syntax = kJpeg) {
  Indexed out{FrameIndex{}, {}};
  out.index = index_frames(value, frames, syntax, out.findings);
  return out;
}

TEST(Encapsulated, FollowsARightOffsetTable) {
  const Bytes value = items({from_hex("0000000010000000"), kA, kB});
  const Indexed got = index(value, 2);
  ASSERT_TRUE(got.index);
  EXPECT_EQ(join(got.index->frames[1]), kB);
  EXPECT_TRUE(got.findings.empty());
}

TEST(Encapsulated, RebuildsAWrongOffsetTable) {
  const Bytes value = items({from_hex("0000000099000000"), kA, kB});
  const Indexed got = index(value, 2);
  ASSERT_TRUE(got.index);
  EXPECT_EQ(join(got.index->frames[0]), kA);
  EXPECT_TRUE(has(got.findings, "PIX-BOTBAD"));
}

TEST(Encapsulated, JoinsFragmentsByMarkersThoughAFragmentLooksLikeAStart) {
  const Bytes value = items({{}, from_hex("ffd8aabb"), from_hex("ffd8ccdd"), from_hex("eeeeffd9"), kB});
  const Indexed got = index(value, 2);
  ASSERT_TRUE(got.index) << got.index.error().what;
  EXPECT_EQ(to_hex(join(got.index->frames[0])), "ffd8aabbffd8ccddeeeeffd9");
  EXPECT_EQ(join(got.index->frames[1]), kB);
}

TEST(Encapsulated, JoinsFragmentsThoughTheirBorderCutsAnEndMarkerInTwo) {
  const Bytes value =
      items({{}, from_hex("ffd8aaff"), from_hex("d900"), from_hex("ffd8bbcc"), from_hex("ddddffd9"), kB});
  const Indexed got = index(value, 3);
  ASSERT_TRUE(got.index) << got.index.error().what;
  EXPECT_EQ(to_hex(join(got.index->frames[0])), "ffd8aaffd900");
  EXPECT_EQ(to_hex(join(got.index->frames[1])), "ffd8bbccddddffd9");
}

TEST(Encapsulated, ReadsAValueWithoutItsOffsetTable) {
  const Bytes value = items({kA, kB});
  const Indexed got = index(value, 2);
  ASSERT_TRUE(got.index);
  EXPECT_EQ(got.index->frames.size(), 2U);
  EXPECT_TRUE(has(got.findings, "PIX-NOBOT"));
  const ImageInfo info = image(4, 4, 8);
  const auto rle = encode_frame(kRle, info, picture(info));
  const Bytes bare = items({*rle});
  const Indexed own = index(bare, 1, kRle);
  ASSERT_TRUE(own.index);
  EXPECT_TRUE(has(own.findings, "PIX-NOBOT"));
}

TEST(Encapsulated, JoinsFragmentsOfRleByItsHeadersOrTheOffsetTable) {
  const ImageInfo info = image(8, 8, 16);
  const Bytes frame = *encode_frame(kRle, info, picture(info));
  const auto piece = [&](std::size_t from, std::size_t to) {
    return Bytes(frame.begin() + static_cast<std::ptrdiff_t>(from), frame.begin() + static_cast<std::ptrdiff_t>(to));
  };
  ASSERT_GT(frame.size(), 80U);
  const Bytes one = items({{}, piece(0, 66), piece(66, frame.size())});
  const Bytes two = items({{}, piece(0, 66), piece(66, 80), piece(80, frame.size()), frame});
  Bytes table(8);
  table[4] = static_cast<std::byte>(frame.size() + 16);
  const Bytes told = items({table, piece(0, 66), piece(66, frame.size()), frame});
  for (const auto& [value, frames] : {std::pair(&one, 1U), {&two, 2U}, {&told, 2U}}) {
    const Indexed got = index(*value, frames, kRle);
    ASSERT_TRUE(got.index) << got.index.error().what;
    ASSERT_EQ(got.index->frames.size(), frames);
    for (const auto& fragments : got.index->frames) EXPECT_EQ(join(fragments), frame);
    ASSERT_EQ(got.findings.size(), 1U);
    EXPECT_EQ(got.findings[0].code, "PIX-FRAMES");
    EXPECT_EQ(got.findings[0].severity, manifest::Severity::s1);
  }
  const Indexed wrong = index(two, 3, kRle);
  EXPECT_FALSE(wrong.index);
}

TEST(Encapsulated, NamesOddAndEmptyFragments) {
  const Bytes value = items({{}, from_hex("ffd8aaffd9"), {}});
  const Indexed got = index(value, 1);
  ASSERT_TRUE(got.index);
  EXPECT_TRUE(has(got.findings, "PIX-ODDFRAG"));
  EXPECT_TRUE(has(got.findings, "PIX-ZEROFRAG"));
}

TEST(Encapsulated, RefusesFramesItCannotTellApart) {
  const Bytes value = items({{}, from_hex("ffd8aabb"), from_hex("ccdd"), from_hex("eeeeffd9")});
  const Indexed got = index(value, 2);
  ASSERT_FALSE(got.index);
  EXPECT_TRUE(has(got.findings, "PIX-FRAMES"));
}

TEST(Encapsulated, RefusesTruncationAtEveryByteOfALastItem) {
  const Bytes value = items({{}, kA, kB});
  for (std::size_t n = value.size() - 15; n < value.size(); ++n) {
    const Bytes cut(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(n));
    const Indexed got = index(cut, 2);
    ASSERT_FALSE(got.index) << n;
    EXPECT_EQ(got.index.error().fault, Fault::truncated) << n;
  }
}

TEST(Encapsulated, WritesWhatItReads) {
  const Bytes odd = from_hex("ffd8aaffd9");
  const Bytes value = without_delimiter({odd, kA});
  const Indexed got = index(value, 2);
  ASSERT_TRUE(got.index);
  EXPECT_TRUE(got.findings.empty());
  EXPECT_EQ(to_hex(trim_codestream(got.index->frames[0][0])), to_hex(odd));
  EXPECT_EQ(join(got.index->frames[1]), kA);
}

TEST(Cstr, IsOfTheStreamsWithoutPaddingWhateverTheFragments) {
  const Digest expected = Sha256::of(from_hex("ffd8aabbccddffd9ffd811223344ffd9"));
  const ImageInfo info = [] {
    ImageInfo i = image(2, 2, 8);
    i.frames = 2;
    return i;
  }();
  for (const Bytes& value : {items({{}, kA, kB}), items({{}, from_hex("ffd8aabb"), from_hex("ccddffd90000"), kB})}) {
    std::vector<Finding> findings;
    const auto digest = digest_codestreams({info, "1.2.840.10008.1.2.4.50", value, true, false}, findings);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->hex(), expected.hex());
  }
}

TEST(Cstr, KeepsZerosThatNoEndMarkerPrecedes) { EXPECT_EQ(trim_codestream(from_hex("aabb0000")).size(), 4U); }

TEST(NativeLength, PacksBitsAndSubsampledColourAndRefusesOverflow) {
  ImageInfo info = image(3, 3, 8);
  info.bits_allocated = info.bits_stored = 1;
  info.frames = 3;
  EXPECT_EQ(native_length(info), 4U);
  ImageInfo colour = image(2, 4, 8, false, 3);
  colour.photometric = "YBR_FULL_422";
  EXPECT_EQ(native_length(colour), 16U);
  ImageInfo bomb = image(0xFFFFFFFFU, 0xFFFFFFFFU, 16);
  bomb.frames = 0xFFFFFFFFU;
  EXPECT_FALSE(native_length(bomb));
}

}  // namespace
}  // namespace waybill::pixel::test
