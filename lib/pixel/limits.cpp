// SPDX-License-Identifier: Apache-2.0
#include "pixel/limits.hpp"

#include "pixel/codecs.hpp"

#include <string>

namespace waybill::pixel {
namespace {

constexpr std::uint64_t kFreePixels = 32U << 20U;  // an image of 32 Mpx may be empty and take a hundred bytes
constexpr std::uint64_t kOtherPixels = 1U << 20U;  // the same where the dataset tells of another size
constexpr std::uint64_t kPixelsAByte = 16384;      // beyond that, the best that codecs reach on near-empty images
constexpr std::uint64_t kOtherPixelsAByte = 1024;

Failure disproportion() { return {Fault::limit, "the codestream's dimensions are out of proportion to its length"}; }

}  // namespace

std::optional<Failure> out_of_proportion(const ImageInfo& declared, const FrameShape& shape, std::size_t stream) {
  if (shape.rows == 0 || shape.columns == 0 || shape.samples == 0)
    return Failure{Fault::malformed, "the codestream's image is empty"};
  if (shape.rows > 0xFFFFU || shape.columns > 0xFFFFU || shape.samples > 4) return disproportion();
  const std::uint64_t pixels = shape.rows * shape.columns;
  if (pixels * shape.samples * shape.bytes_per_sample > kMaxFrameBytes)
    return Failure{Fault::limit, "a frame beyond 2 GiB"};
  const bool expected = shape.rows == declared.rows && shape.columns == declared.columns;
  const std::uint64_t free = expected ? kFreePixels : kOtherPixels;
  const std::uint64_t a_byte = expected ? kPixelsAByte : kOtherPixelsAByte;
  if (pixels > free && pixels / a_byte > stream) return disproportion();
  return std::nullopt;
}

std::optional<Failure> jpeg_header_unsound(ByteView b) {
  const auto bad = [](const char* why) { return Failure{Fault::malformed, std::string("JPEG: ") + why}; };
  if (b.size() < 4 || load_u16(b.data(), true) != 0xFFD8) return bad("no SOI");
  unsigned components = 0;
  std::size_t at = 2;
  while (at + 4 <= b.size()) {
    if (b[at] != std::byte{0xFF}) return bad("no marker where one is due");
    const auto marker = std::to_integer<unsigned>(b[at + 1]);
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD9)) return bad("a marker that cannot stand in a header");
    const std::size_t length = load_u16(b.data() + at + 2, true);
    if (length < 2 || at + 2 + length > b.size()) return bad("a marker segment runs past the end");
    const ByteView s = b.subspan(at + 4, length - 2);
    const bool frame =
        (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) || marker == 0xF7;
    if (frame) {
      if (components != 0) return bad("two frame headers");
      if (s.size() < 6 || load_u16(s.data() + 1, true) == 0 || load_u16(s.data() + 3, true) == 0)
        return bad("a frame header without a size");
      components = std::to_integer<unsigned>(s[5]);
      if (components == 0 || components > 4 || s.size() < 6 + std::size_t{3} * components)
        return bad("the frame header's components are not valid");
    }
    if (marker == 0xDA) {
      const unsigned in_scan = s.empty() ? 0 : std::to_integer<unsigned>(s[0]);
      if (components == 0 || in_scan == 0 || in_scan > components || s.size() < 4 + std::size_t{2} * in_scan)
        return bad("the scan header is not valid");
      return std::nullopt;
    }
    at += 2 + length;
  }
  return bad("no scan");
}

}  // namespace waybill::pixel
