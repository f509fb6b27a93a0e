// SPDX-License-Identifier: Apache-2.0
#include "pixel/limits.hpp"

#include "pixel/codecs.hpp"

#include <algorithm>
#include <array>

namespace waybill::pixel {
namespace {

constexpr std::uint64_t kFreePixels = 32U << 20U;  // an image of 32 Mpx may be empty and take a hundred bytes
constexpr std::uint64_t kOtherPixels = 1U << 20U;  // the same where the dataset tells of another size
constexpr std::uint64_t kPixelsAByte = 16384;      // beyond that, the best that codecs reach on near-empty images
constexpr std::uint64_t kOtherPixelsAByte = 1024;

Failure disproportion() { return {Fault::limit, "the codestream's dimensions are out of proportion to its length"}; }

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

struct Siz {
  std::uint64_t width = 0, height = 0, tile_width = 0, tile_height = 0, tiles = 0, components = 0;
  unsigned precision = 0;
};

std::optional<Siz> read_siz(ByteView s) {
  if (s.size() < 39) return std::nullopt;
  const auto at = [&](std::size_t i) { return std::uint64_t{load_u32(s.data() + i, true)}; };
  const std::uint64_t x = at(2), y = at(6), x0 = at(10), y0 = at(14), tw = at(18), th = at(22), tx = at(26),
                      ty = at(30);
  Siz out;
  out.components = load_u16(s.data() + 34, true);
  if (x <= x0 || y <= y0 || tw == 0 || th == 0 || tx > x0 || ty > y0 || tx + tw <= x0 || ty + th <= y0 ||
      out.components == 0 || out.components > 4 || s.size() < 36 + 3 * out.components)
    return std::nullopt;
  for (std::size_t c = 0; c < out.components; ++c) {
    out.precision = std::max(out.precision, (std::to_integer<unsigned>(s[36 + 3 * c]) & 0x7FU) + 1);
    if (s[37 + 3 * c] == std::byte{0} || s[38 + 3 * c] == std::byte{0}) return std::nullopt;
  }
  out.width = x - x0;
  out.height = y - y0;
  out.tile_width = std::min(tw, out.width);
  out.tile_height = std::min(th, out.height);
  const std::uint64_t across = ceil_div(x - tx, tw), down = ceil_div(y - ty, th);
  out.tiles = across > 0xFFFFU || down > 0xFFFFU ? ~std::uint64_t{0} : across * down;
  return out;
}

/// Packets of one component of one tile and layer, by the SPcod or SPcoc parameters (T.800 table A.15).
std::uint64_t precincts(const Siz& siz, ByteView sp, bool user_sizes) {
  if (sp.size() < 5) return 0;
  const unsigned levels = std::min(32U, std::to_integer<unsigned>(sp[0]));
  std::uint64_t sum = 0;
  for (unsigned r = 0; r <= levels; ++r) {
    unsigned ppx = 15, ppy = 15;
    if (user_sizes) {
      if (5 + r >= sp.size()) break;
      ppx = std::to_integer<unsigned>(sp[5 + r]) & 15U;
      ppy = std::to_integer<unsigned>(sp[5 + r]) >> 4U;
    }
    const std::uint64_t scale = std::uint64_t{1} << (levels - r);
    const std::uint64_t w = ceil_div(siz.tile_width, scale), h = ceil_div(siz.tile_height, scale);
    sum += ceil_div(w, std::uint64_t{1} << ppx) * ceil_div(h, std::uint64_t{1} << ppy);
  }
  return sum;
}

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

ByteView j2k_codestream(ByteView b) noexcept {
  if (b.size() < 12 || as_text(b.subspan(4, 4)) != "jP  ") return b;
  std::size_t at = 0;
  while (at + 8 <= b.size()) {
    std::uint64_t length = load_u32(b.data() + at, true);
    std::size_t header = 8;
    if (length == 1 && at + 16 <= b.size()) {
      length = (std::uint64_t{load_u32(b.data() + at + 8, true)} << 32U) | load_u32(b.data() + at + 12, true);
      header = 16;
    }
    if (length == 0 || length > b.size() - at) length = b.size() - at;
    if (length < header) return {};
    if (as_text(b.subspan(at + 4, 4)) == "jp2c") return b.subspan(at + header, length - header);
    at += length;
  }
  return {};
}

std::optional<Failure> j2k_out_of_proportion(const ImageInfo& declared, ByteView b) {
  if (b.size() < 4 || load_u16(b.data(), true) != 0xFF4F) return Failure{Fault::malformed, "JPEG 2000: no SOC"};
  std::optional<Siz> siz;
  std::uint64_t layers = 1, most = 0;
  std::size_t at = 2;
  std::size_t tile_part = 0;  // where the tile-part begins whose header is being read
  while (at + 4 <= b.size()) {
    const unsigned marker = load_u16(b.data() + at, true);
    if (marker == 0xFFD9 || marker < 0xFF00) break;
    if (marker == 0xFF93) {  // SOD: on to the next tile-part
      const std::uint64_t length = load_u32(b.data() + tile_part + 6, true);
      if (tile_part == 0 || length < 14 || length > b.size() - tile_part) break;
      at = tile_part + length;
      tile_part = 0;
      continue;
    }
    const std::size_t length = load_u16(b.data() + at + 2, true);
    if (length < 2 || at + 2 + length > b.size()) break;
    const ByteView s = b.subspan(at + 4, length - 2);
    if (marker == 0xFF51 && !siz) {
      siz = read_siz(s);
      if (!siz) return Failure{Fault::malformed, "JPEG 2000: SIZ is not valid"};
    }
    if (marker == 0xFF90) {
      if (length != 10) break;
      tile_part = at;
    }
    if (siz && marker == 0xFF52 && s.size() >= 10) {
      layers = std::max<std::uint64_t>(layers, load_u16(s.data() + 2, true));
      most = std::max(most, precincts(*siz, s.subspan(5), (s[0] & std::byte{1}) != std::byte{0}));
    }
    if (siz && marker == 0xFF53 && s.size() >= 7)
      most = std::max(most, precincts(*siz, s.subspan(2), (s[1] & std::byte{1}) != std::byte{0}));
    at += 2 + length;
  }
  if (!siz) return Failure{Fault::malformed, "JPEG 2000: no SIZ"};
  if (siz->precision > 31) return Failure{Fault::unsupported, "JPEG 2000: samples of more than 31 bits"};
  const std::uint64_t width = siz->precision > 16 ? 4 : siz->precision > 8 ? 2 : 1;
  if (auto why = out_of_proportion(declared, {siz->height, siz->width, siz->components, width}, b.size())) return why;
  if (siz->tiles > 0xFFFFU || siz->tiles > b.size() / 14 + 1)
    return Failure{Fault::limit, "JPEG 2000: more tiles than the bytes can hold"};
  // COC may concern one component and POC repeats none, so four times what the bytes hold is still in proportion.
  std::uint64_t packets = 0;
  if (__builtin_mul_overflow(most * siz->tiles, siz->components * layers, &packets) || packets / 4 > b.size() + 1024)
    return Failure{Fault::limit, "JPEG 2000: more packets than the bytes can hold"};
  return std::nullopt;
}

}  // namespace waybill::pixel
