// SPDX-License-Identifier: Apache-2.0
#include "pixel/dct.hpp"

#include "pixel/support.hpp"

namespace waybill::pixel::test {
namespace {

const std::string kBaseline = "1.2.840.10008.1.2.4.50";
const std::string kExtended = "1.2.840.10008.1.2.4.51";

void expect_exact(const std::string& syntax, const FlatBlocks& blocks, const std::string& photometric) {
  const Bytes stream = write_jpeg(blocks);
  ImageInfo info = image(blocks.rows * 8, blocks.columns * 8, blocks.precision, false, blocks.components);
  info.photometric = photometric;
  EXPECT_EQ(sniff(stream).precision, static_cast<int>(blocks.precision));
  const auto decoded = decode_frame(syntax, info, stream);
  ASSERT_TRUE(decoded) << syntax << ' ' << decoded.error().what;
  EXPECT_EQ(decoded->photometric, photometric) << "no colour is converted";
  ASSERT_EQ(decoded->data.size(), std::size_t{info.rows} * info.columns * info.samples * (info.bits_allocated / 8U));
  std::size_t at = 0;
  for (std::size_t row = 0; row < info.rows; ++row) {
    for (std::size_t column = 0; column < info.columns; ++column) {
      for (std::size_t c = 0; c < info.samples; ++c, ++at) {
        const int v = info.bits_allocated == 16 ? load_u16(decoded->data.data() + 2 * at)
                                                : std::to_integer<int>(decoded->data[at]);
        ASSERT_EQ(v, value_at(blocks, row, column, c)) << syntax << ' ' << row << ' ' << column;
      }
    }
  }
}

TEST(Dct, OfEightBitsIsExactWhereTheCodeIs) {
  expect_exact(kBaseline, {0xC0, 8, 2, 2, 1, {0, 255, 128, 77}}, "MONOCHROME2");
  expect_exact(kBaseline, {0xC0, 8, 2, 1, 3, {10, 20, 30, 200, 100, 50}}, "YBR_FULL");
  expect_exact(kBaseline, {0xC0, 8, 1, 2, 3, {10, 20, 30, 200, 100, 50}}, "RGB");
  expect_exact(kExtended, {0xC1, 8, 2, 2, 1, {0, 255, 128, 77}}, "MONOCHROME2");
}

TEST(Dct, OfTwelveBitsIsExactWhereTheCodeIs) {
  expect_exact(kExtended, {0xC1, 12, 2, 2, 1, {0, 4095, 2048, 1234}}, "MONOCHROME2");
  expect_exact(kExtended, {0xC1, 12, 3, 1, 1, {4000, 1, 2049}}, "MONOCHROME1");
}

TEST(Dct, UnderTheWrongOneOfItsTwoLabelsIsDecodedAllTheSame) {
  expect_exact(kExtended, {0xC0, 8, 2, 2, 1, {0, 255, 128, 77}}, "MONOCHROME2");
}

}  // namespace
}  // namespace waybill::pixel::test
