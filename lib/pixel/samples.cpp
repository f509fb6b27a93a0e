// SPDX-License-Identifier: Apache-2.0
#include "pixel/samples.hpp"

namespace waybill::pixel {

Bytes interleave(ByteView planes, std::size_t samples, std::size_t width) {
  Bytes out(planes.size());
  const std::size_t pixels = planes.size() / samples / width;
  for (std::size_t s = 0; s < samples; ++s) {
    for (std::size_t i = 0; i < pixels; ++i) {
      for (std::size_t b = 0; b < width; ++b) out[(i * samples + s) * width + b] = planes[(s * pixels + i) * width + b];
    }
  }
  return out;
}

void widen(Frame& frame, std::uint16_t bits_allocated) {
  if (frame.bytes_per_sample != 1 || bits_allocated <= 8 || bits_allocated > 16) return;
  Bytes wide(frame.data.size() * 2);
  for (std::size_t i = 0; i < frame.data.size(); ++i) wide[2 * i] = frame.data[i];
  frame.data = std::move(wide);
  frame.bytes_per_sample = 2;
}

void extend_sign(const ImageInfo& info, Frame& frame) {
  const unsigned bits = info.bits_stored;
  const unsigned width = frame.bytes_per_sample;
  if (!info.is_signed || frame.precision != bits || bits == 0 || width > 2 || bits >= 8 * width) return;
  for (std::size_t i = 0; i + width <= frame.data.size(); i += width) {
    std::byte* const p = frame.data.data() + i;
    const std::uint32_t v = width == 2 ? load_u16(p) : std::to_integer<std::uint32_t>(*p);
    if (((v >> (bits - 1)) & 1U) == 0) continue;
    const std::uint32_t wide = v | ~((1U << bits) - 1);
    p[0] = static_cast<std::byte>(wide & 0xFFU);
    if (width == 2) p[1] = static_cast<std::byte>((wide >> 8U) & 0xFFU);
  }
}

Result<Bytes> masked_samples(const ImageInfo& info, const Frame& frame) {
  const unsigned bits = info.bits_stored;
  if (bits < 2 || bits > 16 || info.high_bit + 1U != bits || frame.bytes_per_sample > 2 ||
      bits > frame.bytes_per_sample * 8U) {
    return Failure{Fault::unsupported, "Bits Stored and High Bit do not suit the codec"};
  }
  const std::uint32_t mask = (1U << bits) - 1;
  const std::uint32_t full = frame.bytes_per_sample == 2 ? 0xFFFFU : 0xFFU;
  const std::size_t count = frame.data.size() / frame.bytes_per_sample;
  const std::size_t width = bits > 8 ? 2 : 1;
  Bytes out(count * width);
  std::uint32_t lost = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* p = frame.data.data() + i * frame.bytes_per_sample;
    const std::uint32_t v = frame.bytes_per_sample == 2 ? load_u16(p) : std::to_integer<std::uint32_t>(*p);
    const std::uint32_t kept = v & mask;
    const bool negative = info.is_signed && (kept >> (bits - 1)) != 0;
    lost |= v ^ (negative ? (kept | (full & ~mask)) : kept);
    out[i * width] = static_cast<std::byte>(kept & 0xFFU);
    if (width == 2) out[i * 2 + 1] = static_cast<std::byte>(kept >> 8U);
  }
  if (lost != 0) return Failure{Fault::unsupported, "bits outside Bits Stored are in use and a codec would lose them"};
  return out;
}

}  // namespace waybill::pixel
