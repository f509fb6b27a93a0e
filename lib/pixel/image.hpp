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
};

}  // namespace waybill::pixel
