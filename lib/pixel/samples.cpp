// SPDX-License-Identifier: Apache-2.0
#include "pixel/samples.hpp"

#include <cstring>

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

namespace {

/// v cut to Bits Stored with its sign extended to 32 bits; what else the bits outside held is added to `lost`.
template <typename T>
std::int32_t integer(T v, std::uint32_t mask, std::uint32_t sign, std::uint32_t& lost) {
  const std::uint32_t kept = v & mask;
  const std::uint32_t value = (kept ^ sign) - sign;  // sign is 0 for unsigned samples
  lost |= static_cast<T>(value) ^ v;
  return static_cast<std::int32_t>(value);
}

template <typename T>
std::uint32_t integers_of(const ImageInfo& info, const Frame& frame, unsigned component, std::size_t first,
                          std::size_t count, std::int32_t* out) {
  const std::uint32_t mask = (1U << info.bits_stored) - 1;
  const std::uint32_t sign = info.is_signed ? 1U << (info.bits_stored - 1U) : 0U;
  const std::size_t step = frame.samples;
  const std::byte* from = frame.bytes().data() + (first * step + component) * sizeof(T);
  std::uint32_t lost = 0;
  for (std::size_t i = 0; i < count; ++i) {
    T v;
    std::memcpy(&v, from + i * step * sizeof(T), sizeof(T));
    out[i] = integer(v, mask, sign, lost);
  }
  return lost;
}

/// Whether any sample has a bit above Bits Stored; eight bytes at a time.
bool has_bits_above(const ImageInfo& info, ByteView in, unsigned width) {
  const std::uint64_t one =
      width == 2 ? 0xFFFFU & ~((1U << info.bits_stored) - 1) : 0xFFU & ~((1U << info.bits_stored) - 1);
  const std::uint64_t mask = one * (width == 2 ? 0x0001000100010001U : 0x0101010101010101U);
  std::uint64_t any = 0;
  std::size_t i = 0;
  for (; i + 8 <= in.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, in.data() + i, 8);
    any |= word;
  }
  if (i < in.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, in.data() + i, in.size() - i);
    any |= word;
  }
  return (any & mask) != 0;
}

template <typename From, typename To>
std::uint32_t mask_all(const ImageInfo& info, ByteView in, Bytes& out) {
  const std::uint32_t mask = (1U << info.bits_stored) - 1;
  const std::uint32_t sign = info.is_signed ? 1U << (info.bits_stored - 1U) : 0U;
  const std::size_t count = in.size() / sizeof(From);
  out.resize(count * sizeof(To));
  std::uint32_t lost = 0;
  for (std::size_t i = 0; i < count; ++i) {
    From v;
    std::memcpy(&v, in.data() + i * sizeof(From), sizeof(From));
    const auto kept = static_cast<To>(static_cast<std::uint32_t>(integer(v, mask, sign, lost)) & mask);
    std::memcpy(out.data() + i * sizeof(To), &kept, sizeof(To));
  }
  return lost;
}

}  // namespace

std::uint32_t integers(const ImageInfo& info, const Frame& frame, unsigned component, std::size_t first,
                       std::size_t count, std::int32_t* out) {
  return frame.bytes_per_sample == 2 ? integers_of<std::uint16_t>(info, frame, component, first, count, out)
                                     : integers_of<std::uint8_t>(info, frame, component, first, count, out);
}

Failure bits_would_be_lost() {
  return {Fault::unsupported, "bits outside Bits Stored are in use and a codec would lose them"};
}

std::optional<Failure> unsuited(const ImageInfo& info, const Frame& frame, unsigned least_bits) {
  const unsigned bits = info.bits_stored;
  if (bits >= least_bits && bits <= 16 && info.high_bit + 1U == bits && frame.bytes_per_sample <= 2 &&
      bits <= frame.bytes_per_sample * 8U)
    return std::nullopt;
  return Failure{Fault::unsupported, "Bits Stored and High Bit do not suit the codec"};
}

Result<MaskedSamples> masked_samples(const ImageInfo& info, const Frame& frame) {
  if (auto why = unsuited(info, frame, 2)) return *std::move(why);
  MaskedSamples out;
  if (!info.is_signed && frame.bytes_per_sample == (info.bits_stored > 8 ? 2 : 1)) {
    if (has_bits_above(info, frame.bytes(), frame.bytes_per_sample)) return bits_would_be_lost();
    out.view = frame.bytes();
    return out;
  }
  const std::uint32_t lost =
      frame.bytes_per_sample == 1 ? mask_all<std::uint8_t, std::uint8_t>(info, frame.bytes(), out.own)
      : info.bits_stored > 8      ? mask_all<std::uint16_t, std::uint16_t>(info, frame.bytes(), out.own)
                                  : mask_all<std::uint16_t, std::uint8_t>(info, frame.bytes(), out.own);
  if (lost != 0) return bits_would_be_lost();
  out.view = out.own;
  return out;
}

}  // namespace waybill::pixel
