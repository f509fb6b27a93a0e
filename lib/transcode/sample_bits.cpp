// SPDX-License-Identifier: Apache-2.0
#include "transcode/sample_bits.hpp"

#include "pixel/codec.hpp"

#include <cstring>

namespace waybill::transcode {
namespace {

using dicom::tag;

dicom::Change number(dicom::Tag t, std::uint16_t value) {
  Bytes out;
  put_u16(out, value);
  return {t, dicom::vr("US"), std::move(out)};
}

/// Shifts little-endian samples of type T down, extending the sign of signed ones. False when a bit outside is in use.
template <typename T>
bool shift_down(Bytes& samples, const pixel::ImageInfo& info, unsigned shift) {
  const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << info.bits_stored) - 1);
  const std::uint32_t sign = info.is_signed ? 1U << (info.bits_stored - 1U) : 0U;
  for (std::size_t at = 0; at + sizeof(T) <= samples.size(); at += sizeof(T)) {
    T v;
    std::memcpy(&v, samples.data() + at, sizeof(T));
    const std::uint32_t kept = (std::uint32_t{v} >> shift) & mask;
    const std::uint32_t wide = (kept ^ sign) - sign;
    const bool extended = static_cast<T>(wide << shift) == v;
    if (static_cast<T>(kept << shift) != v && !extended) return false;
    const auto out = static_cast<T>(wide);
    std::memcpy(samples.data() + at, &out, sizeof(T));
  }
  return true;
}

bool has_padding(const dicom::Dataset& set) {
  const dicom::Node* node = set.find(tag(0x0028, 0x0120));
  return node != nullptr && node->length == 2 && load_u16(set.value(*node).data(), set.encoding().big_endian) != 0;
}

/// High Bit leaves room below the samples.
bool lies_high(const pixel::ImageInfo& info) {
  return info.high_bit + 1U > info.bits_stored && info.high_bit < info.bits_allocated;
}

}  // namespace

HighSamples high_samples(const pixel::PixelData& data) {
  if (!data.encapsulated || data.info.bits_stored == 0 || !lies_high(data.info)) return HighSamples::none;
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  if (!reader) return HighSamples::none;
  const pixel::Sniffed seen = pixel::sniff(reader->codestream(0));
  if (seen.kind == "jxl") return HighSamples::none;
  return seen.precision == 0 || seen.precision > data.info.high_bit ? HighSamples::in_place : HighSamples::at_zero;
}

dicom::Change lowered_high_bit(const pixel::ImageInfo& info) {
  return number(tag(0x0028, 0x0102), static_cast<std::uint16_t>(info.bits_stored - 1U));
}

Result<std::optional<Aligned>> align_samples(const dicom::Dataset& set, const pixel::PixelData& data) {
  const pixel::ImageInfo& info = data.info;
  const bool packed = info.bits_allocated == 12;
  const bool shifted = lies_high(info);
  const bool sized = packed || info.bits_allocated == 8 || info.bits_allocated == 16;
  if (data.encapsulated || info.float_bits != 0 || info.bits_stored == 0 || !sized || (!packed && !shifted))
    return std::optional<Aligned>{};
  if (shifted && has_padding(set)) {
    return Failure{Fault::unsupported,
                   "High Bit is not Bits Stored - 1 and it is open whether Pixel Padding Value goes "
                   "by the bits before or after a shift"};
  }
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  if (!reader) return reader.error();
  Aligned out{info, {}, {}};
  for (std::uint32_t i = 0; i < reader->count(); ++i) {
    const auto frame = reader->read(i);
    if (!frame) return frame.error();
    put_bytes(out.pixels, frame->data);
  }
  out.info.planar = out.info.pixel_words = false;
  if (packed) {
    out.info.bits_allocated = 16;
    out.changes.push_back(number(tag(0x0028, 0x0100), 16));
  }
  if (shifted || info.is_signed) {  // packed samples have no bits for their sign to extend to
    const unsigned shift = shifted ? info.high_bit + 1U - info.bits_stored : 0;
    const bool done = out.info.bits_allocated == 16 ? shift_down<std::uint16_t>(out.pixels, info, shift)
                                                    : shift_down<std::uint8_t>(out.pixels, info, shift);
    if (!done) return Failure{Fault::unsupported, "bits outside Bits Stored are in use and a shift would lose them"};
  }
  if (shifted) {
    out.info.high_bit = static_cast<std::uint16_t>(info.bits_stored - 1U);
    out.changes.push_back(lowered_high_bit(info));
  }
  return std::optional(std::move(out));
}

}  // namespace waybill::transcode
