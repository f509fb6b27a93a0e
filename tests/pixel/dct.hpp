// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <cstdlib>
#include <vector>

namespace waybill::pixel::test {

/// A JPEG of blocks of 8 x 8 equal samples, written by hand (ITU-T T.81 B.2): quantised by 1 and with DC coefficients
/// alone, so that every decoder must give back exactly these values.
struct FlatBlocks {
  unsigned sof = 0xC0;  ///< 0xC0 baseline, 0xC1 extended
  unsigned precision = 8;
  unsigned columns = 2, rows = 2, components = 1;  ///< in blocks
  std::vector<int> values;                         ///< by block, then by component
};

inline Bytes write_jpeg(const FlatBlocks& image) {
  Bytes out;
  const auto byte = [&](unsigned v) { out.push_back(static_cast<std::byte>(v)); };
  const auto word = [&](unsigned v) {
    byte(v >> 8U);
    byte(v & 0xFFU);
  };
  word(0xFFD8);
  word(0xFFDB);
  word(67);
  byte(0);
  for (unsigned i = 0; i < 64; ++i) byte(1);
  word(0xFF00 | image.sof);
  word(8 + 3 * image.components);
  byte(image.precision);
  word(image.rows * 8);
  word(image.columns * 8);
  byte(image.components);
  for (unsigned c = 0; c < image.components; ++c) {
    byte(c + 1);
    byte(0x11);
    byte(0);
  }
  const unsigned categories = image.precision + 4;
  word(0xFFC4);  // DC: the categories of this precision with five bits each
  word(19 + categories);
  byte(0);
  for (unsigned length = 1; length <= 16; ++length) byte(length == 5 ? categories : 0);
  for (unsigned category = 0; category < categories; ++category) byte(category);
  word(0xFFC4);  // AC: end of block alone, one bit
  word(19 + 1);
  byte(0x10);
  for (unsigned length = 1; length <= 16; ++length) byte(length == 1 ? 1 : 0);
  byte(0);
  word(0xFFDA);
  word(6 + 2 * image.components);
  byte(image.components);
  for (unsigned c = 0; c < image.components; ++c) {
    byte(c + 1);
    byte(0);
  }
  byte(0);
  byte(63);
  byte(0);
  unsigned buffer = 0, filled = 0;
  const auto bits = [&](unsigned v, unsigned n) {
    for (unsigned i = n; i-- > 0;) {
      buffer = buffer << 1U | (v >> i & 1U);
      if (++filled < 8) continue;
      byte(buffer & 0xFFU);
      if ((buffer & 0xFFU) == 0xFF) byte(0);
      filled = 0;
    }
  };
  std::vector<int> last(image.components, 0);
  for (std::size_t i = 0; i < image.values.size(); ++i) {
    const int dc = 8 * (image.values[i] - (1 << (image.precision - 1)));
    const int difference = dc - last[i % image.components];
    last[i % image.components] = dc;
    unsigned category = 0;
    while (std::abs(difference) >> category != 0) ++category;
    bits(category, 5);
    bits(static_cast<unsigned>(difference < 0 ? difference - 1 : difference), category);
    bits(0, 1);
  }
  while (filled != 0) bits(1, 1);
  word(0xFFD9);
  return out;
}

/// The sample at a place of the image that was written.
inline int value_at(const FlatBlocks& image, std::size_t row, std::size_t column, std::size_t component) {
  return image.values[(row / 8 * image.columns + column / 8) * image.components + component];
}

}  // namespace waybill::pixel::test
