// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <string>

namespace waybill::pixel {

/// The Image Pixel Module attributes (PS3.3 C.7.6.3) that say how to read pixel bytes.
struct ImageInfo {
  std::uint32_t rows = 0, columns = 0;
  std::uint32_t frames = 1;
  std::uint16_t samples = 1;  ///< Samples per Pixel
  std::uint16_t bits_allocated = 0, bits_stored = 0, high_bit = 0;
  bool is_signed = false;       ///< Pixel Representation 1
  bool planar = false;          ///< Planar Configuration 1: colour by plane
  std::uint8_t float_bits = 0;  ///< 32 or 64 for Float / Double Float Pixel Data, else 0
  bool pixel_words = false;     ///< native 8-bit data stored in OW big endian: bytes swapped in pairs
  std::string photometric;      ///< Photometric Interpretation, trimmed
};

/// A known fault of an encoder that a decoder had to undo; without it the samples would be wrong.
enum class Quirk : std::uint8_t {
  none,
  jai_thresholds,      ///< JPEG-LS beyond 12 bits with the thresholds of the JAI codec and no LSE segment (PIX-JLSJAI)
  cornell_overflow,    ///< JPEG lossless: 16 superfluous bits behind a difference of 32768 (PIX-JPLCORNELL)
  predictor_overflow,  ///< JPEG lossless: predictors computed in signed 16-bit words (PIX-PRED6)
  idle_runs,           ///< RLE with control bytes 80, which ask for nothing (PS3.5 G.3.1) and DCMTK takes for runs
  padded_end,          ///< JPEG-LS with zero bytes in front of the end marker, where only FF may fill (PIX-ODDFRAG)
  packed_bits,         ///< RLE of 1-bit pixels, eight to a byte instead of one (PS3.5 G.2)
};

/// One frame as decoded: samples interleaved by pixel, each in `bytes_per_sample` little-endian bytes,
/// rows from top to bottom without padding. 1-bit data: one byte 0/1 a sample.
struct Frame {
  std::uint32_t rows = 0, columns = 0;
  std::uint16_t samples = 1;
  std::uint16_t bytes_per_sample = 1;
  std::uint16_t precision = 0;  ///< bits a sample has in the codestream (0: native, ask ImageInfo)
  bool stream_signed = false;   ///< the codestream says its samples are signed
  std::string photometric;      ///< of `data`: "RGB" after an inverse RCT of YBR_RCT, else as declared
  Bytes data;
  Quirk quirk = Quirk::none;
  ByteView borrowed{};  ///< the samples, where they stand elsewhere as they are and `data` is empty

  [[nodiscard]] ByteView bytes() const noexcept { return borrowed.empty() ? ByteView(data) : borrowed; }
};

}  // namespace waybill::pixel
