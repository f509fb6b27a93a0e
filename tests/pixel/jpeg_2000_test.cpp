// SPDX-License-Identifier: Apache-2.0
// Our encoders of JPEG 2000 and HTJ2K: read back by OpenJPEG and OpenJPH, in this process and in others, and their
// parts against the standards.
#include "pixel/codecs.hpp"
#include "pixel/j2k_mq.hpp"
#include "pixel/samples.hpp"
#include "pixel/support.hpp"
#include "support/folder.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <sstream>
#include <thread>

namespace waybill::pixel::test {
namespace {

using waybill::test::get;
using waybill::test::put;

std::uint32_t any(std::mt19937& random) { return static_cast<std::uint32_t>(random()); }

using Draw = std::uint32_t (*)(std::mt19937& random, std::uint32_t most, std::uint32_t before, std::size_t at);

/// Pictures that reach every pass and context: noise, the largest coefficients there can be, spots, areas, slopes.
constexpr std::array<Draw, 7> kPictures = {
    [](std::mt19937& random, std::uint32_t most, std::uint32_t, std::size_t) -> std::uint32_t {
      return any(random) & most;
    },
    [](std::mt19937&, std::uint32_t most, std::uint32_t, std::size_t at) -> std::uint32_t {
      return at % 2 == 0 ? 0 : most;
    },
    [](std::mt19937& random, std::uint32_t most, std::uint32_t, std::size_t) -> std::uint32_t {
      return any(random) % 100 == 0 ? any(random) & most : 0;
    },
    [](std::mt19937& random, std::uint32_t most, std::uint32_t before, std::size_t) -> std::uint32_t {
      return any(random) % 40 == 0 ? any(random) & most : before;
    },
    [](std::mt19937& random, std::uint32_t most, std::uint32_t, std::size_t at) -> std::uint32_t {
      return (static_cast<std::uint32_t>(at * 7 / 5) + any(random) % 5) & most;
    },
    [](std::mt19937& random, std::uint32_t most, std::uint32_t, std::size_t) -> std::uint32_t {
      return most / 2 + any(random) % 2;
    },
    [](std::mt19937&, std::uint32_t most, std::uint32_t, std::size_t) -> std::uint32_t { return most; }};

Frame drawn(const ImageInfo& info, Draw draw, std::uint32_t seed) {
  std::mt19937 random(seed);
  Frame frame = picture(image(1, 1, info.bits_stored));
  frame.rows = info.rows;
  frame.columns = info.columns;
  frame.samples = info.samples;
  frame.photometric = info.photometric;
  frame.data.clear();
  const std::uint32_t most = (1U << info.bits_stored) - 1;
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < std::size_t{info.rows} * info.columns * info.samples; ++i) {
    before = draw(random, most, before, i) & most;
    std::uint32_t v = before;
    if (info.is_signed && (v >> (info.bits_stored - 1U)) != 0) v |= ~most;
    frame.data.push_back(static_cast<std::byte>(v & 0xFFU));
    if (frame.bytes_per_sample == 2) frame.data.push_back(static_cast<std::byte>(v >> 8U & 0xFFU));
  }
  return frame;
}

/// A frame put together from bands.
class Together {
 public:
  bool add(const Frame& rows) {
    frame.rows += rows.rows;
    put_bytes(frame.data, rows.bytes());
    ++parts;
    return true;
  }
  Frame frame;
  unsigned parts = 0;
};

/// The smallest bands of each decoder that has some give the frame.
void expect_bands(const std::string& syntax, const ImageInfo& info, const Bytes& stream, const Frame& frame,
                  const std::string& what) {
  using Decode = Result<Done> (*)(const ImageInfo&, ByteView, const Bands&);
  for (const Decode decode : syntax == kJpeg2000 ? std::vector<Decode>{decode_openjpeg}
                                                 : std::vector<Decode>{decode_openjpeg, decode_openjph}) {
    Together got;
    const auto done = decode(info, stream, {1, [&](Frame& rows) {
                                              extend_sign(info, rows);
                                              return got.add(rows);
                                            }});
    ASSERT_TRUE(done) << what << ": " << done.error().what;
    ASSERT_EQ(got.frame.rows, info.rows) << what;
    ASSERT_TRUE(got.frame.data == frame.data) << what << " in " << got.parts << " bands";
  }
}

void expect_read_back(const std::string& syntax, const ImageInfo& info, const Frame& frame, const std::string& what) {
  const auto stream = encode_frame(syntax, info, frame);
  ASSERT_TRUE(stream) << what << ": " << stream.error().what;
  for (const Decoder which : decoders_of(syntax)) {
    const auto decoded = decode_frame(syntax, info, *stream, which);
    ASSERT_TRUE(decoded) << what << ": " << decoder_name(syntax, which) << ": " << decoded.error().what;
    ASSERT_EQ(decoded->rows, info.rows);
    ASSERT_EQ(decoded->columns, info.columns);
    ASSERT_EQ(decoded->precision, info.bits_stored);
    ASSERT_EQ(decoded->stream_signed, info.is_signed);
    ASSERT_TRUE(decoded->data == frame.data) << what << " by " << decoder_name(syntax, which);
  }
  expect_bands(syntax, info, *stream, frame, what);
}

struct Shape {
  std::uint32_t rows, columns;
};

std::string text_of(const ImageInfo& info, std::size_t drawing) {
  std::ostringstream out;
  out << info.bits_stored << " bits, " << (info.is_signed ? "signed, " : "") << info.rows << " x " << info.columns
      << " x " << info.samples << ' ' << info.photometric << ", picture " << drawing;
  return out.str();
}

/// The transfer syntaxes that our encoders of wavelets write.
class Wavelet : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Jpeg2000AndHtj2k, Wavelet, ::testing::Values(kJpeg2000, kHtj2k, kHtj2kRpcl));

TEST_P(Wavelet, IsReadBackInEveryDepthSizeAndColour) {
  for (unsigned bits = 1; bits <= 16; ++bits) {
    for (const Shape shape : {Shape{1, 1}, {1, 70}, {70, 1}, {2, 3}, {65, 64}, {67, 131}, {5, 700}}) {
      for (const unsigned samples : {1U, 3U}) {
        for (std::size_t p = 0; p < kPictures.size(); ++p) {
          ImageInfo info = image(shape.rows, shape.columns, bits, (bits + p) % 2 == 1, samples);
          if (samples == 3 && p % 3 == 2) info.photometric = "YBR_FULL";
          expect_read_back(GetParam(), info, drawn(info, kPictures[p], bits * 100 + static_cast<unsigned>(p)),
                           text_of(info, p));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(Wavelet, IsReadBackWhateverTheImage) {
  const char* const given = std::getenv("WAYBILL_SEED");
  std::mt19937 random(given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : 1);
  for (int i = 0; i < 400; ++i) {
    const std::uint32_t most = any(random) % 8 == 0 ? 400 : 90;
    ImageInfo info = image(1 + any(random) % most, 1 + any(random) % most, 1 + any(random) % 16, any(random) % 2 == 0,
                           any(random) % 3 == 0 ? 3 : 1);
    if (any(random) % 4 == 0) info.photometric = "MONOCHROME1";
    const std::size_t p = any(random) % kPictures.size();
    expect_read_back(GetParam(), info, drawn(info, kPictures[p], any(random)),
                     text_of(info, p) + " of round " + std::to_string(i));
    if (HasFatalFailure()) return;
  }
}

TEST_P(Wavelet, OfMoreThanOnePrecinctIsReadBack) {
  for (const Shape shape : {Shape{2, 65535}, {65535, 3}, {40, 33000}}) {
    const ImageInfo info = image(shape.rows, shape.columns, 8);
    expect_read_back(GetParam(), info, drawn(info, kPictures[4], 7), text_of(info, 4));
  }
}

TEST_P(Wavelet, OfMegabytesIsReadBackInParts) {
  for (const unsigned samples : {1U, 3U}) {
    const ImageInfo info = image(1031, 613, 12, samples == 1, samples);
    const Frame frame = drawn(info, kPictures[4], 5);
    const auto stream = encode_frame(GetParam(), info, frame);
    ASSERT_TRUE(stream);
    for (const Decoder which : decoders_of(GetParam())) {
      Together got;
      EXPECT_TRUE(decode_rows(GetParam(), info, *stream, which, [&](const Frame& rows) { return got.add(rows); }));
      if (which == verifier_of(GetParam())) {
        EXPECT_GT(got.parts, 1U) << decoder_name(GetParam(), which);
      }
      EXPECT_EQ(got.frame.rows, info.rows);
      EXPECT_TRUE(got.frame.data == frame.data) << decoder_name(GetParam(), which);
    }
  }
}

TEST_P(Wavelet, IsDecodedNoFurtherThanIsAskedFor) {
  const ImageInfo info = image(1031, 613, 12);
  const auto stream = encode_frame(GetParam(), info, drawn(info, kPictures[4], 5));
  for (const Decoder which : decoders_of(GetParam())) {
    unsigned parts = 0;
    EXPECT_TRUE(decode_rows(GetParam(), info, *stream, which, [&](const Frame&) { return ++parts > 1; }));
    EXPECT_EQ(parts, 1U);
  }
}

// Dark and bright in the pattern that the wavelet's filters answer most to, over all levels.
TEST_P(Wavelet, HoldsTheLargestCoefficientsThatTheWaveletCanGive) {
  for (const unsigned step : {1U, 2U, 4U, 8U, 16U, 32U}) {
    for (const unsigned samples : {1U, 3U}) {
      const ImageInfo info = image(200, 200, 16, false, samples);
      Frame frame = drawn(info, kPictures[6], 1);
      for (std::size_t i = 0; i < frame.data.size(); i += 2) {
        const std::size_t pixel = i / 2 / samples;
        const bool bright = (pixel % 200 / step + pixel / 200 / step + i / 2 % samples) % 2 == 0;
        frame.data[i] = frame.data[i + 1] = bright ? std::byte{0xFF} : std::byte{0};
      }
      expect_read_back(GetParam(), info, frame, "squares of " + std::to_string(step));
    }
  }
}

TEST_P(Wavelet, IsTheSameFromEveryThread) {
  const ImageInfo info = image(300, 500, 12);
  const Frame frame = drawn(info, kPictures[4], 3);
  std::array<Bytes, 4> streams;
  std::vector<std::thread> threads;
  threads.reserve(streams.size());
  for (Bytes& stream : streams) threads.emplace_back([&] { stream = *encode_frame(GetParam(), info, frame); });
  for (std::thread& t : threads) t.join();
  for (const Bytes& stream : streams) EXPECT_TRUE(stream == streams[0]);
}

// T.800 A.2, T.814 A.3: what the segments hold is what PS3.5 A.4.4 and A.4.10 allow without loss.
TEST_P(Wavelet, HasTheMarkersOfTheStandardAndNoneAmongItsPackets) {
  const ImageInfo info = image(300, 200, 12, true, 3);
  const bool ht = GetParam() != kJpeg2000;
  const auto stream = encode_frame(GetParam(), info, drawn(info, kPictures[0], 5));
  ASSERT_TRUE(stream);
  const std::byte* const b = stream->data();
  std::vector<unsigned> markers = {load_u16(b, true)};
  std::size_t at = 2;
  for (; load_u16(b + at, true) != 0xFF93; at += 2 + load_u16(b + at + 2, true)) {
    markers.push_back(load_u16(b + at, true));
    if (markers.back() == 0xFF51) {
      EXPECT_EQ(load_u16(b + at + 4, true), ht ? 0x4000U : 0U) << "Rsiz";
      EXPECT_EQ(load_u32(b + at + 6, true), 200U) << "Xsiz";
      EXPECT_EQ(load_u32(b + at + 10, true), 300U) << "Ysiz";
      EXPECT_EQ(b[at + 40], std::byte{0x80 | 11}) << "Ssiz: 12 bits with a sign";
    }
    if (markers.back() == 0xFF50) {
      EXPECT_EQ(load_u32(b + at + 4, true), 0x00020000U) << "Pcap: part 15";
      // 12 bits, two of HH, two guard bits less one: B is 15 and MAGB 7; above bit 4, only HT blocks, one set, no ROI.
      EXPECT_EQ(load_u16(b + at + 8, true), 7U) << "Ccap15";
    }
    if (markers.back() == 0xFF52) {
      EXPECT_EQ(b[at + 5], std::byte(ht ? 2 : 0)) << "progression";
      EXPECT_EQ(load_u16(b + at + 6, true), 1U) << "layers";
      EXPECT_EQ(b[at + 8], std::byte{1}) << "component transform";
      EXPECT_EQ(b[at + 12], std::byte(ht ? 0x40 : 0)) << "code-block style";
      EXPECT_EQ(b[at + 13], std::byte{1}) << "5-3 wavelet";
    }
    if (markers.back() == 0xFF5C) {
      EXPECT_EQ(b[at + 4] & std::byte{31}, std::byte{0}) << "no quantisation";
      EXPECT_EQ(load_u16(b + at + 2, true), 4U + 3 * 5) << "a byte for each subband";
    }
    if (markers.back() == 0xFF90) {
      EXPECT_EQ(load_u32(b + at + 6, true), stream->size() - at - 2) << "Psot reaches to EOC";
    }
  }
  std::vector<unsigned> expected = {0xFF4F, 0xFF51, 0xFF52, 0xFF5C, 0xFF90};
  if (ht) expected.insert(expected.begin() + 2, 0xFF50);
  if (GetParam() == kHtj2kRpcl) expected.insert(expected.end() - 1, 0xFF55);
  EXPECT_EQ(markers, expected);
  for (at += 2; at + 2 < stream->size(); ++at) {
    if (b[at] == std::byte{0xFF}) {
      ASSERT_LE(b[at + 1], std::byte{0x8F}) << at;
    }
  }
  EXPECT_EQ(load_u16(b + stream->size() - 2, true), 0xFFD9U);
}

class Elsewhere : public waybill::test::InFolder, public ::testing::WithParamInterface<std::string> {};
INSTANTIATE_TEST_SUITE_P(Jpeg2000AndHtj2k, Elsewhere, ::testing::Values(kJpeg2000, kHtj2k, kHtj2kRpcl));

TEST_P(Elsewhere, IsReadTheSameByAnotherProgram) {
  if (std::system("command -v opj_decompress >/dev/null 2>&1") != 0) GTEST_SKIP() << "opj_decompress is not installed";
  for (const unsigned samples : {1U, 3U}) {
    for (const unsigned bits : {8U, 12U, 16U}) {
      const ImageInfo info = image(123, 77, bits, false, samples);
      const Frame frame = drawn(info, kPictures[4], bits);
      const auto stream = encode_frame(GetParam(), info, frame);
      ASSERT_TRUE(stream);
      const std::string in = (folder_ / "frame.j2k").string(), out = (folder_ / "frame.rawl").string();
      put(in, as_text(*stream));
      ASSERT_EQ(std::system(("opj_decompress -i " + in + " -o " + out + " >/dev/null 2>&1").c_str()), 0);
      const std::string planes = get(out);
      EXPECT_EQ(interleave(as_bytes(planes), samples, frame.bytes_per_sample), frame.data) << bits << ' ' << samples;
    }
  }
}

// OpenJPEG decodes area after area only of an image of one tile.
class Tiled : public waybill::test::InFolder {};

TEST_F(Tiled, ImageIsReadAtOnce) {
  if (std::system("command -v opj_compress >/dev/null 2>&1") != 0) GTEST_SKIP() << "opj_compress is not installed";
  const ImageInfo info = image(1031, 613, 12);
  const Frame frame = drawn(info, kPictures[4], 5);
  const std::string in = (folder_ / "frame.rawl").string(), out = (folder_ / "frame.j2k").string();
  put(in, as_text(frame.data));
  const std::string command = "opj_compress -i " + in + " -F 613,1031,1,12,u -t 256,256 -o " + out + " >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string stream = get(out);
  Together got;
  EXPECT_TRUE(decode_openjpeg(info, as_bytes(stream), {1, [&](Frame& rows) { return got.add(rows); }}));
  EXPECT_EQ(got.parts, 1U);
  EXPECT_TRUE(got.frame.data == frame.data);
}

/// The bits of the number that a codeword tells: a byte behind FF begins with the last bit of that (T.800 C.2.5).
std::vector<unsigned> number_of(std::span<const std::uint8_t> bytes) {
  std::vector<unsigned> bits;
  std::size_t end = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0 && bytes[i - 1] == 0xFF) --end;
    bits.resize(end + 8);
    for (unsigned b = 0; b < 8; ++b) bits[end + b] += bytes[i] >> (7 - b) & 1U;
    end += 8;
  }
  for (std::size_t i = bits.size(); i-- > 1; bits[i] %= 2) bits[i - 1] += bits[i] / 2;
  return bits;
}

// The test sequence of ITU-T T.88 H.2, which T.800 J.1 repeats, in one context.
TEST(MqEncoder, TellsTheNumberOfTheStandardsExample) {
  constexpr std::array<std::uint8_t, 32> kIn = {0x00, 0x02, 0x00, 0x51, 0x00, 0x00, 0x00, 0xC0, 0x03, 0x52, 0x87,
                                                0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x82, 0xC0, 0x20, 0x00, 0xFC, 0xD7,
                                                0x9E, 0xF6, 0xBF, 0x7F, 0xED, 0x90, 0x4F, 0x46, 0xA3, 0xBF};
  constexpr std::array<std::uint8_t, 28> kOut = {0x84, 0xC7, 0x3B, 0xFC, 0xE1, 0xA1, 0x43, 0x04, 0x02, 0x20,
                                                 0x00, 0x00, 0x41, 0x0D, 0xBB, 0x86, 0xF4, 0x31, 0x7F, 0xFF,
                                                 0x88, 0xFF, 0x37, 0x47, 0x1A, 0xDB, 0x6A, 0xDF};
  std::vector<j2k::Symbol> symbols;
  for (const std::uint8_t byte : kIn) {
    for (unsigned b = 8; b-- > 0;) symbols.push_back(static_cast<j2k::Symbol>(2 + (byte >> b & 1U)));
  }
  std::vector<std::uint8_t> out(j2k::MqEncoder::room_for(symbols.size()));
  j2k::MqEncoder coder;
  coder.begin(symbols.data(), symbols.data() + symbols.size(), out.data());
  coder.code(symbols.size());
  const std::size_t size = coder.finish();
  auto ours = number_of({out.data() + 1, size}), standards = number_of(kOut);
  ASSERT_NEAR(static_cast<double>(ours.size()), static_cast<double>(standards.size()), 8)
      << "ends need not be the same";
  ours.resize(26 * 8);
  standards.resize(26 * 8);
  EXPECT_EQ(ours, standards);
}

TEST(MqEncoder, GivesTheSameBytesAloneAndInAPair) {
  std::mt19937 random(9);
  std::array<std::vector<j2k::Symbol>, 2> symbols;
  for (auto& list : symbols) {
    for (int i = 0; i < 20000; ++i) {
      const std::uint32_t context = any(random) % j2k::kContexts;
      list.push_back(static_cast<j2k::Symbol>(context * 2 + (any(random) % 20 < context ? 1 : 0)));
    }
  }
  std::array<std::array<std::vector<std::uint8_t>, 2>, 2> out;
  for (const bool paired : {false, true}) {
    std::array<j2k::MqEncoder, 2> coders;
    for (std::size_t i = 0; i < 2; ++i) {
      auto& bytes = out.at(paired ? 1 : 0).at(i);
      bytes.resize(j2k::MqEncoder::room_for(symbols.at(i).size()));
      coders.at(i).begin(symbols.at(i).data(), symbols.at(i).data() + symbols.at(i).size(), bytes.data());
    }
    if (paired) j2k::MqEncoder::code_both(coders[0], coders[1], 12345);
    for (std::size_t i = 0; i < 2; ++i) {
      coders.at(i).code(coders.at(i).left());
      auto& bytes = out.at(paired ? 1 : 0).at(i);
      bytes.resize(1 + coders.at(i).finish());
      EXPECT_NE(bytes.back(), 0xFF);
      EXPECT_GT(bytes.size(), 1000U);
    }
  }
  EXPECT_EQ(out[0], out[1]);
}

}  // namespace
}  // namespace waybill::pixel::test
