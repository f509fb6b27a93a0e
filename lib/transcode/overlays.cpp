// SPDX-License-Identifier: Apache-2.0
#include "transcode/overlays.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace waybill::transcode {
namespace {

using dicom::tag;

struct Plane {
  std::uint16_t group = 0;
  unsigned bit = 0;
};

std::vector<Plane> planes_in_pixels(const dicom::Dataset& set) {
  std::vector<Plane> out;
  for (std::uint16_t group = 0x6000; group <= 0x601E; group = static_cast<std::uint16_t>(group + 2)) {
    const auto bit = set.integer(tag(group, 0x0102)).value_or(0);
    const auto bits = set.integer(tag(group, 0x0100));
    const bool apart = bits ? *bits == 1 : set.find(tag(group, 0x3000)) != nullptr;
    if (bit > 0 && !apart) out.push_back({group, static_cast<unsigned>(bit)});
  }
  return out;
}

/// The plane covers exactly the image, so that each of its bits is a pixel's.
bool covers(const dicom::Dataset& set, const Plane& plane, const pixel::ImageInfo& info) {
  const auto rows = set.integer(tag(plane.group, 0x0010)).value_or(info.rows);
  const auto columns = set.integer(tag(plane.group, 0x0011)).value_or(info.columns);
  return rows == info.rows && columns == info.columns && set.find(tag(plane.group, 0x3000)) == nullptr &&
         plane.bit < info.bits_allocated &&
         (plane.bit > info.high_bit || plane.bit + info.bits_stored <= info.high_bit);
}

std::uint32_t sample_at(const pixel::PixelData& data, std::size_t i, std::size_t width) {
  return width == 2 ? load_u16(data.value.data() + 2 * i, data.big_endian)
                    : std::to_integer<std::uint32_t>(data.value[i]);
}

Bytes bits_of(const pixel::PixelData& data, std::size_t count, std::size_t width, unsigned bit) {
  Bytes out((count + 15) / 16 * 2, std::byte{0});
  for (std::size_t i = 0; i < count; ++i) {
    if (((sample_at(data, i, width) >> bit) & 1U) != 0) out[i / 8] |= std::byte{1} << (i % 8);
  }
  return out;
}

Bytes number(std::uint16_t value) {
  Bytes out;
  put_u16(out, value);
  return out;
}

/// Takes the bits of `cleared` out of every sample, which is little endian then; where nothing else stands above the
/// stored bits, the sign is extended again.
Bytes without_bits(const pixel::PixelData& data, std::uint32_t cleared) {
  const pixel::ImageInfo& info = data.info;
  Bytes out(data.value.begin(), data.value.end());
  const std::size_t width = info.bits_allocated / 8U;
  const std::uint32_t stored = (1U << info.bits_stored) - 1;
  for (std::size_t i = 0; (i + 1) * width <= out.size(); ++i) {
    std::uint32_t v = sample_at(data, i, width) & ~cleared;
    const bool negative =
        info.is_signed && info.high_bit + 1U == info.bits_stored && ((v >> (info.bits_stored - 1)) & 1U) != 0;
    if (negative && (v & ~stored) == 0) v |= ~stored;
    out[i * width] = static_cast<std::byte>(v & 0xFFU);
    if (width == 2) out[i * 2 + 1] = static_cast<std::byte>((v >> 8U) & 0xFFU);
  }
  return out;
}

}  // namespace

Result<std::optional<Extracted>> extract_overlays(const dicom::File& file, const pixel::PixelData& data) {
  const auto planes = planes_in_pixels(file.dataset);
  if (planes.empty()) return std::optional<Extracted>{};
  const pixel::ImageInfo& info = data.info;
  if (data.encapsulated || info.pixel_words || info.samples != 1 || info.high_bit + 1U < info.bits_stored ||
      (info.bits_allocated != 8 && info.bits_allocated != 16))
    return Failure{Fault::unsupported, "an overlay stands in bits of pixels that it cannot be taken out of"};
  const std::size_t width = info.bits_allocated / 8U;
  const std::size_t count = std::size_t{info.rows} * info.columns * info.frames;
  if (data.value.size() < count * width) return Failure{Fault::truncated, "the pixel data ends before its last frame"};
  Extracted out;
  std::uint32_t cleared = 0;
  for (const Plane& plane : planes) {
    if (!covers(file.dataset, plane, info))
      return Failure{Fault::unsupported, "an overlay in the pixels' bits does not cover exactly the image"};
    const auto change = [&](std::uint16_t element, const char(&vr)[3], Bytes value) {
      out.changes.push_back({tag(plane.group, element), dicom::vr(vr), std::move(value)});
    };
    const auto frames = std::to_string(info.frames);
    const bool lacks_frames = info.frames > 1 && file.dataset.find(tag(plane.group, 0x0015)) == nullptr;
    if (lacks_frames) change(0x0015, "IS", Bytes(as_bytes(frames).begin(), as_bytes(frames).end()));
    change(0x0100, "US", number(1));
    change(0x0102, "US", number(0));
    change(0x3000, "OW", bits_of(data, count, width, plane.bit));
    cleared |= 1U << plane.bit;
  }
  out.pixels = without_bits(data, cleared);
  return std::optional(std::move(out));
}

}  // namespace waybill::transcode
