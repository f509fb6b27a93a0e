// SPDX-License-Identifier: Apache-2.0
// JPEG XL has one implementation in Debian. Here its own programs, in processes of their own, are the referees: djxl of
// what we encode, cjxl of a JPEG that we have to find again behind .111.
#include "pixel/dct.hpp"
#include "pixel/support.hpp"
#include "support/folder.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace waybill::pixel::test {
namespace {

using waybill::test::get;
using waybill::test::put;

class JpegXl : public waybill::test::InFolder {
 protected:
  /// Whether a program of libjxl-tools is installed.
  static bool have(const std::string& program) {
    return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
  }
  static int run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
};

Bytes bytes_of(const std::string& path) {
  const std::string text = get(path);
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// Samples of a binary PGM or PPM, little endian, and its greatest value.
std::pair<Bytes, unsigned> read_pnm(const std::string& path) {
  const Bytes file = bytes_of(path);
  std::istringstream in{std::string(as_text(file))};
  std::string magic;
  unsigned columns = 0, rows = 0, most = 0;
  in >> magic >> columns >> rows >> most;
  const std::size_t size = std::size_t{columns} * rows * (magic == "P6" ? 3 : 1) * (most > 255 ? 2 : 1);
  if (file.size() < size || size == 0) return {{}, 0};
  Bytes out(file.end() - static_cast<std::ptrdiff_t>(size), file.end());
  for (std::size_t i = 0; most > 255 && i + 1 < size; i += 2) std::swap(out[i], out[i + 1]);
  return {out, most};
}

TEST_F(JpegXl, IsReadTheSameByItsOwnDecoderInAnotherProcess) {
  if (!have("djxl")) GTEST_SKIP() << "djxl is not installed";
  for (const unsigned samples : {1U, 3U}) {
    for (const unsigned bits : {2U, 7U, 8U, 9U, 10U, 12U, 15U, 16U}) {
      const ImageInfo info = image(61, 45, bits, false, samples);
      const Frame source = picture(info);
      const auto stream = encode_frame(kJpegXl, info, source);
      ASSERT_TRUE(stream) << stream.error().what;
      const std::string in = path("frame.jxl");
      const std::string out = path(samples == 1 ? "frame.pgm" : "frame.ppm");
      put(in, as_text(*stream));
      ASSERT_EQ(run("djxl --quiet " + in + ' ' + out), 0) << bits;
      auto [samples_of_djxl, most] = read_pnm(out);
      EXPECT_EQ(most, (1U << bits) - 1) << "the codestream's depth";
      // djxl 0.7 scales samples to whole bytes though its header says otherwise.
      for (std::size_t i = 0; i<samples_of_djxl.size(); i += bits> 8 ? 2 : 1) {
        const unsigned full = bits > 8 ? 0xFFFFU : 0xFFU;
        const unsigned v = bits > 8 ? load_u16(&samples_of_djxl[i]) : std::to_integer<unsigned>(samples_of_djxl[i]);
        const unsigned back = (v * most + full / 2) / full;
        samples_of_djxl[i] = static_cast<std::byte>(back & 0xFFU);
        if (bits > 8) samples_of_djxl[i + 1] = static_cast<std::byte>(back >> 8U);
      }
      EXPECT_TRUE(samples_of_djxl == source.data) << bits << " bits";
    }
  }
}

TEST_F(JpegXl, OfARecompressedJpegGivesThePixelsOfThatJpeg) {
  if (!have("cjxl")) GTEST_SKIP() << "cjxl is not installed";
  for (const unsigned samples : {1U, 3U}) {
    FlatBlocks blocks{0xC0, 8, 5, 4, samples, {}};
    for (unsigned i = 0; i < 5 * 4 * samples; ++i) blocks.values.push_back(static_cast<int>(i * 37 % 256));
    ImageInfo info = image(32, 40, 8, false, samples);
    if (samples == 3) info.photometric = "YBR_FULL";
    const Bytes jpeg = write_jpeg(blocks);
    put(path("frame.jpg"), as_text(jpeg));
    ASSERT_EQ(run("cjxl --quiet --lossless_jpeg=1 " + path("frame.jpg") + ' ' + path("frame.jxl")), 0);
    const Bytes stream = bytes_of(path("frame.jxl"));
    const auto expected = decode_frame("1.2.840.10008.1.2.4.50", info, jpeg);
    const auto decoded = decode_frame("1.2.840.10008.1.2.4.111", info, stream);
    ASSERT_TRUE(expected) << expected.error().what;
    ASSERT_TRUE(decoded) << decoded.error().what;
    EXPECT_EQ(decoded->data, expected->data);
    EXPECT_EQ(decoded->photometric, expected->photometric);
    EXPECT_NE(stream, jpeg);
  }
}

TEST_F(JpegXl, WithLossIsReadUnderItsGeneralSyntax) {
  if (!have("cjxl")) GTEST_SKIP() << "cjxl is not installed";
  std::string pgm = "P5\n64 64\n255\n";
  for (unsigned i = 0; i < 64 * 64; ++i) pgm.push_back(static_cast<char>(i % 64 + i / 64));
  put(path("frame.pgm"), pgm);
  ASSERT_EQ(run("cjxl --quiet -d 1 " + path("frame.pgm") + ' ' + path("frame.jxl")), 0);
  const Bytes stream = bytes_of(path("frame.jxl"));
  const auto decoded = decode_frame("1.2.840.10008.1.2.4.112", image(64, 64, 8), stream);
  ASSERT_TRUE(decoded) << decoded.error().what;
  int most = 0;
  for (std::size_t i = 0; i < decoded->data.size(); ++i)
    most = std::max(most, std::abs(std::to_integer<int>(decoded->data[i]) - static_cast<int>(i % 64 + i / 64)));
  EXPECT_LT(most, 16);
}

}  // namespace
}  // namespace waybill::pixel::test
