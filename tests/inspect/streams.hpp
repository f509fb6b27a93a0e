// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

/// Codestreams with a true header and no image behind it: enough for checks that do not decode.
namespace waybill::test {

inline std::string be(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return out;
}
inline std::string segment(unsigned marker, const std::string& content) {
  return be(marker, 2) + be(content.size() + 2, 2) + content;
}

/// JPEG family (T.81 B.2, T.87 C.2).
struct Jpeg {
  unsigned sof = 0xFFC0;  // C0 baseline, C1 extended, C2 progressive, C3 lossless, F7 JPEG-LS
  unsigned precision = 8;
  unsigned rows = 16, columns = 16;
  std::vector<unsigned> sampling = {0x11};
  unsigned selector = 0;    // predictor, NEAR or start of spectrum
  std::string before = {};  // segments before the frame header
  bool ended = true;

  Jpeg& jfif() {
    before += segment(0xFFE0, std::string("JFIF\0\1\1\0\0\1\0\1\0\0", 14));
    return *this;
  }
  Jpeg& adobe(unsigned transform) {
    before += segment(0xFFEE, "Adobe" + be(100, 2) + be(0, 4) + be(transform, 1));
    return *this;
  }
  [[nodiscard]] std::string bytes() const {
    std::string frame = be(precision, 1) + be(rows, 2) + be(columns, 2) + be(sampling.size(), 1);
    std::string scan = be(sampling.size(), 1);
    for (std::size_t c = 0; c < sampling.size(); ++c) {
      frame += be(c + 1, 1) + be(sampling[c], 1) + be(0, 1);
      scan += be(c + 1, 1) + be(0, 1);
    }
    scan += be(selector, 1) + be(0, 2);
    std::string out = be(0xFFD8, 2) + before + segment(sof, frame) + segment(0xFFDA, scan) + "entropy";
    if (ended) out += be(0xFFD9, 2);
    return out.size() % 2 == 0 ? out : out + '\0';
  }
};

/// JPEG 2000 (T.800 Annex A).
struct J2k {
  unsigned rows = 16, columns = 16, components = 1, precision = 8;
  bool is_signed = false, multi_component = false, reversible = true, high_throughput = false, ended = true;
  unsigned progression = 0;

  [[nodiscard]] std::string bytes() const {
    std::string siz = be(0, 2) + be(columns, 4) + be(rows, 4) + be(0, 8) + be(columns, 4) + be(rows, 4) + be(0, 8) +
                      be(components, 2);
    for (unsigned c = 0; c < components; ++c) siz += be((precision - 1) | (is_signed ? 0x80U : 0U), 1) + be(0x0101, 2);
    std::string out = be(0xFF4F, 2) + segment(0xFF51, siz);
    if (high_throughput) out += segment(0xFF50, be(0x00020000, 4) + be(0, 2));
    out += segment(0xFF52, be(0, 1) + be(progression, 1) + be(1, 2) + be(multi_component ? 1 : 0, 1) + be(5, 1) +
                               be(0x040400, 3) + be(reversible ? 1 : 0, 1));
    out += segment(0xFF90, be(0, 2) + be(0, 4) + be(0x0001, 2)) + be(0xFF93, 2) + "tile";
    if (ended) out += be(0xFFD9, 2);
    return out.size() % 2 == 0 ? out : out + '\0';
  }
  /// The stream in the boxes of a JP2 file (T.800 Annex I).
  [[nodiscard]] std::string boxed() const {
    const std::string stream = bytes();
    return be(12, 4) + "jP  " + be(0x0D0A870A, 4) + be(20, 4) + "ftypjp2 " + be(0, 4) + "jp2 " +
           be(stream.size() + 8, 4) + "jp2c" + stream;
  }
};

/// An RLE header with one segment per byte of a sample, and runs that fill 256 pixels each.
inline std::string rle(unsigned segments) {
  std::string out(64, '\0');
  const auto set = [&](std::size_t at, std::size_t v) {
    for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>((v >> (8 * i)) & 0xFFU);
  };
  set(0, segments);
  for (unsigned s = 0; s < segments; ++s) {
    set(4 + 4 * s, out.size());
    out += std::string("\x81\x22\x81\x22", 4);
  }
  return out;
}

}  // namespace waybill::test
