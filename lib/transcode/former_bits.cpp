// SPDX-License-Identifier: Apache-2.0
#include "transcode/former_bits.hpp"

#include "inspect/pixels.hpp"
#include "transcode/overlays.hpp"

#include <algorithm>
#include <optional>

namespace waybill::transcode {
namespace {

using dicom::Former;
using dicom::tag;
using dicom::Tag;

constexpr Tag kBitsAllocated = tag(0x0028, 0x0100);
constexpr Tag kHighBit = tag(0x0028, 0x0102);

std::optional<unsigned> number_in(const std::vector<Former>& former, Tag t) {
  const auto at = std::ranges::find(former, t, &Former::tag);
  if (at == former.end() || !at->value || at->value->size() < 2) return std::nullopt;
  return load_u16(at->value->data());
}

struct Plane {
  unsigned bit = 0;
  ByteView data;  ///< Overlay Data of the staged file, a bit for each sample
};

std::vector<Plane> planes_of(const dicom::Dataset& staged, const std::vector<Former>& former) {
  std::vector<Plane> out;
  for (std::uint16_t group = 0x6000; group <= 0x601E; group = static_cast<std::uint16_t>(group + 2)) {
    const auto bit = number_in(former, tag(group, 0x0102));
    const dicom::Node* node = staged.find(tag(group, 0x3000));
    if (bit && *bit > 0 && node != nullptr) out.push_back({*bit, staged.value(*node)});
  }
  return out;
}

Bytes packed(const std::vector<std::uint16_t>& samples) {
  Bytes out((samples.size() * 12 + 7) / 8, std::byte{0});
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::size_t bit = i * 12;
    const unsigned word = bit % 8 == 0 ? samples[i] : unsigned{samples[i]} << 4U;
    out[bit / 8] |= static_cast<std::byte>(word & 0xFFU);
    out[bit / 8 + 1] |= static_cast<std::byte>(word >> 8U);
  }
  return out;
}

}  // namespace

bool moves_bits(const dicom::File& staged, const std::vector<Former>& former) {
  for (const Tag t : {kBitsAllocated, kHighBit}) {
    const auto was = number_in(former, t);
    if (was && staged.dataset.integer(t) != *was) return true;
  }
  return !planes_of(staged.dataset, former).empty();
}

Result<Bytes> bits_as_before(const dicom::File& native, const std::vector<Former>& former) {
  const auto data = inspect::pixel_data_of(native);
  if (!data || data->encapsulated || (data->info.bits_allocated != 8 && data->info.bits_allocated != 16))
    return Failure{Fault::unsupported, "there are no native samples to move back to their bits"};
  const pixel::ImageInfo& info = data->info;
  const std::size_t width = info.bits_allocated / 8U;
  const unsigned high_bit = number_in(former, kHighBit).value_or(info.high_bit);
  const unsigned allocated = number_in(former, kBitsAllocated).value_or(info.bits_allocated);
  const auto planes = planes_of(native.dataset, former);
  const auto length = pixel::native_length(info);
  if (!length || *length > data->value.size() || high_bit + 1U < info.bits_stored || high_bit >= allocated ||
      info.high_bit + 1U < info.bits_stored || (allocated != info.bits_allocated && allocated != 12))
    return Failure{Fault::malformed, "the undo information does not fit the pixels"};
  const unsigned now = info.high_bit + 1U - info.bits_stored;  // RLE keeps the samples where they are
  const unsigned shift = high_bit + 1U - info.bits_stored;
  const std::uint32_t stored = (1U << info.bits_stored) - 1;
  const std::uint32_t sign = info.is_signed && planes.empty() ? 1U << (info.bits_stored - 1U) : 0;
  const std::size_t count = *length / width;
  std::vector<std::uint16_t> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* from = data->value.data() + i * width;
    const std::uint32_t whole = width == 2 ? load_u16(from) : std::to_integer<std::uint32_t>(*from);
    const std::uint32_t kept = (whole >> now) & stored;
    std::uint32_t v = ((kept ^ sign) - sign) << shift;
    if (allocated == 12) v &= 0xFFFU;
    for (const Plane& plane : planes) {
      if (i / 8 < plane.data.size() && ((plane.data[i / 8] >> (i % 8)) & std::byte{1}) != std::byte{0})
        v |= 1U << plane.bit;
    }
    samples[i] = static_cast<std::uint16_t>(v);
  }
  if (allocated == 12) return packed(samples);
  Bytes out;
  out.reserve(count * width);
  for (const std::uint16_t v : samples) {
    if (width == 2)
      put_u16(out, v);
    else
      out.push_back(static_cast<std::byte>(v));
  }
  return out;
}

Result<Done> same_bits(const dicom::File& native, const dicom::File& restored) {
  const auto left = inspect::pixel_data_of(native);
  const auto right = inspect::pixel_data_of(restored);
  if (!left || !right) return Failure{Fault::mismatch, "pixel data is there only once"};
  std::vector<manifest::Finding> findings;
  const auto a = pixel::digest_pixels(*left, findings);
  const auto b = pixel::digest_pixels(*right, findings);
  if (!a) return a.error();
  if (!b) return b.error();
  if (a->pixel != b->pixel) return Failure{Fault::mismatch, "the restored file has other pixels"};
  const auto overlays = extract_overlays(restored, *right);
  if (!overlays) return overlays.error();
  if (!*overlays) return Done{};
  for (const dicom::Change& change : (*overlays)->changes) {
    const dicom::Node* node = native.dataset.find(change.tag);
    if ((change.tag & 0xFFFFU) == 0x3000 &&
        (node == nullptr || !change.value || !std::ranges::equal(native.dataset.value(*node), *change.value)))
      return Failure{Fault::mismatch, "the restored file has other overlays"};
  }
  return Done{};
}

}  // namespace waybill::transcode
