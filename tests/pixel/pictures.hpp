// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/image.hpp"

#include <cstdint>

namespace waybill::pixel::test {

inline ImageInfo image(std::uint32_t rows, std::uint32_t columns, unsigned bits, bool is_signed = false,
                       unsigned samples = 1) {
  ImageInfo info;
  info.rows = rows;
  info.columns = columns;
  info.samples = static_cast<std::uint16_t>(samples);
  info.bits_allocated = bits > 8 ? 16 : 8;
  info.bits_stored = static_cast<std::uint16_t>(bits);
  info.high_bit = static_cast<std::uint16_t>(bits - 1);
  info.is_signed = is_signed;
  info.photometric = samples == 3 ? "RGB" : "MONOCHROME2";
  return info;
}

/// Smooth slopes, noise and flat areas, over the whole range of the stored bits.
inline Frame picture(const ImageInfo& info) {
  Frame frame;
  frame.rows = info.rows;
  frame.columns = info.columns;
  frame.samples = info.samples;
  frame.bytes_per_sample = static_cast<std::uint16_t>(info.bits_allocated / 8);
  frame.photometric = info.photometric;
  const std::uint32_t mask = (1U << info.bits_stored) - 1;
  std::uint32_t noise = 12345;
  for (std::uint32_t i = 0; i < info.rows * info.columns; ++i) {
    for (std::uint32_t s = 0; s < info.samples; ++s) {
      noise = noise * 1664525U + 1013904223U;
      std::uint32_t v = i % 5 == 0 ? noise >> 8U : i % 7 == 0 ? mask : i * 3 + s * 40;
      if (i > info.rows * info.columns / 2) v = 3 + s;
      v &= mask;
      if (info.is_signed && (v >> (info.bits_stored - 1)) != 0) v |= ~mask;
      frame.data.push_back(static_cast<std::byte>(v & 0xFFU));
      if (frame.bytes_per_sample == 2) frame.data.push_back(static_cast<std::byte>((v >> 8U) & 0xFFU));
    }
  }
  return frame;
}

}  // namespace waybill::pixel::test
