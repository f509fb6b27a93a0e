// SPDX-License-Identifier: Apache-2.0
#include "inspect/pixels.hpp"

#include "dicom/uids.hpp"

#include <algorithm>
#include <limits>

namespace waybill::inspect {

using dicom::tag;

namespace {
template <typename T>
T number(const dicom::Dataset& data, dicom::Tag t, std::int64_t fallback) {
  const std::int64_t value = data.integer(t).value_or(fallback);
  const auto most = static_cast<std::int64_t>(std::numeric_limits<T>::max());
  return static_cast<T>(std::clamp<std::int64_t>(value, 0, most));
}

/// Native data labelled YBR_FULL_422 that is as long as if no chroma had been left out (PIX-422NATIVE).
bool has_all_chroma(const pixel::PixelData& data) {
  if (data.encapsulated || data.info.photometric != "YBR_FULL_422" || data.info.samples != 3) return false;
  const auto subsampled = pixel::native_length(data.info);
  pixel::ImageInfo full = data.info;
  full.photometric = "YBR_FULL";
  const auto whole = pixel::native_length(full);
  return whole && subsampled && *whole > *subsampled && *whole > 0 &&
         (data.value.size() == *whole || data.value.size() == *whole + *whole % 2);
}
}  // namespace

const dicom::Node* pixel_node(const dicom::Dataset& data) noexcept {
  for (const dicom::Tag t : {tag(0x7FE0, 0x0010), tag(0x7FE0, 0x0008), tag(0x7FE0, 0x0009)}) {
    if (const dicom::Node* node = data.find(t)) return node;
  }
  return nullptr;
}

std::optional<pixel::PixelData> pixel_data_of(const dicom::File& file) {
  const dicom::Dataset& data = file.dataset;
  pixel::PixelData out;
  const dicom::Node* node = pixel_node(data);
  if (node == nullptr) return std::nullopt;
  if (node->tag == tag(0x7FE0, 0x0008)) out.info.float_bits = 32;
  if (node->tag == tag(0x7FE0, 0x0009)) out.info.float_bits = 64;
  pixel::ImageInfo& info = out.info;
  info.rows = number<std::uint32_t>(data, tag(0x0028, 0x0010), 0);
  info.columns = number<std::uint32_t>(data, tag(0x0028, 0x0011), 0);
  info.frames = std::max<std::uint32_t>(1, number<std::uint32_t>(data, tag(0x0028, 0x0008), 1));
  info.samples = number<std::uint16_t>(data, tag(0x0028, 0x0002), 1);
  info.bits_allocated = number<std::uint16_t>(data, tag(0x0028, 0x0100), info.float_bits);
  info.bits_stored = number<std::uint16_t>(data, tag(0x0028, 0x0101), info.bits_allocated);
  info.high_bit = number<std::uint16_t>(data, tag(0x0028, 0x0102), info.bits_stored == 0 ? 0 : info.bits_stored - 1);
  info.is_signed = number<std::uint16_t>(data, tag(0x0028, 0x0103), 0) == 1;
  info.planar = number<std::uint16_t>(data, tag(0x0028, 0x0006), 0) == 1;
  info.photometric = std::string(data.raw_text(tag(0x0028, 0x0004)).value_or(""));
  out.transfer_syntax = file.transfer_syntax;
  out.encapsulated = node->kind == dicom::NodeKind::fragments || file.has("PIX-EXPLLENENC");
  out.value = data.value(*node);
  const bool words = node->vr != dicom::vr("OB");
  out.big_endian = (data.encoding().big_endian && words) || file.transfer_syntax == dicom::uid::kGePrivate;
  info.pixel_words = out.big_endian && info.bits_allocated <= 8;
  out.full_size_422 = has_all_chroma(out);
  if (out.full_size_422) info.photometric = "YBR_FULL";
  return out;
}

}  // namespace waybill::inspect
