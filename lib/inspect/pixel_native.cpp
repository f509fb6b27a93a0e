// SPDX-License-Identifier: Apache-2.0
// Native pixel data: does the length fit the attributes, and do the samples lie the way Planar Configuration says?
#include "inspect/pixel_parts.hpp"
#include "inspect/pixels.hpp"

#include <algorithm>
#include <cstdlib>

namespace waybill::inspect {

using dicom::tag;
using manifest::Severity;

namespace {

/// How many frames more than Number of Frames the bytes hold exactly (with or without a pad byte); 0 when none.
std::uint64_t surplus_frames(pixel::ImageInfo info, std::uint64_t have) {
  const std::uint64_t declared = info.frames;
  info.frames = 1;
  const auto one = pixel::native_length(info);
  if (!one || *one == 0 || have / *one > 0xFFFFFFFFU) return 0;
  const std::uint64_t about = have * info.frames / *one;
  for (std::uint64_t frames = std::max(declared + 1, about > 1 ? about - 1 : 1); frames <= about + 8; ++frames) {
    info.frames = static_cast<std::uint32_t>(frames);
    const auto need = pixel::native_length(info);
    if (!need || *need > have) return 0;
    if (*need == have || *need + *need % 2 == have) return frames - declared;
  }
  return 0;
}

bool is_constant(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [&](std::byte b) { return b == bytes.front(); });
}

}  // namespace

void native_length(const dicom::File& file, const pixel::PixelData& data, std::vector<manifest::Finding>& findings) {
  const auto expected = pixel::native_length(data.info);
  const dicom::Node& node = *pixel_node(file.dataset);
  if (!expected) {
    note(findings, "PIX-DIMS", Severity::s3, file.dataset, node, "rows, columns and frames give a size beyond 64 bits",
         Evidence::header);
    return;
  }
  if (data.full_size_422) {
    note(findings, "PIX-422NATIVE", Severity::s2, file.dataset, node,
         "labelled YBR_FULL_422 but the chroma of every pixel is there: " + std::to_string(data.value.size()) +
             " bytes, read as YBR_FULL",
         Evidence::header);
  }
  const std::uint64_t have = data.value.size();
  const std::string sizes = std::to_string(have) + " bytes of pixel data, " + std::to_string(*expected) + " expected";
  if (have == *expected) return;
  if (have < *expected) {
    note(findings, "PIX-SHORT", Severity::s3, file.dataset, node, sizes, Evidence::header);
    return;
  }
  const ByteView excess = data.value.subspan(*expected);
  const std::uint64_t offset = node.value + *expected;
  if (excess.size() == 1) {
    note(findings, "PIX-LONG1", Severity::s0, node.tag, sizes + ": a pad byte", offset, excess);
  } else if (const std::uint64_t more = surplus_frames(data.info, have); more > 0) {
    note(findings, "PIX-FRAMES", Severity::s3, node.tag,
         sizes + ": room for exactly " + std::to_string(more) + " more frames", offset, excess);
  } else if (is_constant(excess)) {
    note(findings, "PIX-LONG", Severity::s1, node.tag, sizes + "; the excess is constant, it can be trimmed", offset,
         excess);
  } else {
    note(findings, "PIX-LONG", Severity::s1, node.tag, sizes + "; the excess is not constant, it is kept", offset,
         excess);
  }
}

bool contradicts_planar(const pixel::PixelData& data) noexcept {
  const pixel::ImageInfo& info = data.info;
  const bool plain = info.samples == 3 && info.bits_allocated == 8 && !data.big_endian && info.float_bits == 0 &&
                     info.photometric != "YBR_FULL_422" && info.rows >= 16 && info.columns >= 16;
  const std::uint64_t pixels = std::uint64_t{info.rows} * info.columns;
  if (!plain || pixels * 3 > data.value.size()) return false;
  const std::byte* const a = data.value.data();
  const std::uint64_t columns = info.columns;
  // Mean difference of bytes `step` apart, over at most a million of them spread over the first frame.
  const auto mean = [&](std::uint64_t step, std::uint64_t stride, std::uint64_t limit) {
    const std::uint64_t every = std::max<std::uint64_t>(1, limit / 1'000'000) * stride;
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i + step < limit; i += every, ++count)
      sum += static_cast<std::uint64_t>(std::abs(std::to_integer<int>(a[i]) - std::to_integer<int>(a[i + step])));
    return count == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(count);
  };
  const double next_sample = mean(1, 3, pixels * 3);      // of one pixel, if by pixel
  const double next_plane = mean(pixels, 1, pixels * 2);  // of one pixel, if by plane
  const double row_by_plane = mean(columns, 1, pixels * 3);
  const double row_by_pixel = mean(3 * columns, 1, pixels * 3);
  const double beside_by_plane = mean(1, 1, pixels * 3);
  const double beside_by_pixel = mean(3, 1, pixels * 3);
  if (row_by_pixel < 1 && row_by_plane < 1) return false;  // next to no content
  if (!info.planar)
    return next_plane * 2 < next_sample && row_by_plane * 1.25 < row_by_pixel &&
           beside_by_plane * 1.25 < beside_by_pixel;
  return next_sample * 2 < next_plane && row_by_pixel * 1.25 < row_by_plane;
}

}  // namespace waybill::inspect
