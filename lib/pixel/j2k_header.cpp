// SPDX-License-Identifier: Apache-2.0
// JPEG 2000 and HTJ2K headers before a library sees them: marker segments of the main header and of all tile-parts.
#include "pixel/codec.hpp"
#include "pixel/limits.hpp"

#include <algorithm>
#include <cstring>

namespace waybill::pixel {
namespace {

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

struct Siz {
  std::uint64_t width = 0, height = 0, tile_width = 0, tile_height = 0, tiles = 0, components = 0;
  unsigned precision = 0;
};

/// The SIZ parameters (T.800 A.5.1); no tiles when they make no sense.
Siz read_siz(ByteView s) {
  if (s.size() < 39) return {};
  const auto at = [&](std::size_t i) { return std::uint64_t{load_u32(s.data() + i, true)}; };
  const std::uint64_t x = at(2), y = at(6), x0 = at(10), y0 = at(14), tw = at(18), th = at(22), tx = at(26),
                      ty = at(30);
  Siz out;
  out.components = load_u16(s.data() + 34, true);
  if (x <= x0 || y <= y0 || tw == 0 || th == 0 || tx > x0 || ty > y0 || tx + tw <= x0 || ty + th <= y0 ||
      out.components == 0 || out.components > 4 || s.size() < 36 + 3 * out.components)
    return {};
  for (std::size_t c = 0; c < out.components; ++c) {
    out.precision = std::max(out.precision, (std::to_integer<unsigned>(s[36 + 3 * c]) & 0x7FU) + 1);
    if (s[37 + 3 * c] == std::byte{0} || s[38 + 3 * c] == std::byte{0}) return {};
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

/// Whether packets hold a value that only markers have (T.800 B.10.1: above FF8F). OpenJPEG 2.5.0 stops the process by
/// an assertion when one stands in an HT code-block.
bool holds_marker(ByteView packets) {
  while (packets.size() > 1) {
    const auto* at = static_cast<const std::byte*>(std::memchr(packets.data(), 0xFF, packets.size() - 1));
    if (at == nullptr) return false;
    if (at[1] > std::byte{0x8F}) return true;
    packets = packets.subspan(static_cast<std::size_t>(at - packets.data()) + 1);
  }
  return false;
}

/// What the marker segments ask for, over the main header and all tile-parts.
class Headers {
 public:
  explicit Headers(ByteView codestream) : b_(codestream) {}

  /// Walks from SOC to the last tile-part; why it cannot be, or nullopt.
  std::optional<Failure> read() {
    if (b_.size() < 4 || load_u16(b_.data(), true) != 0xFF4F) return bad("no SOC");
    std::size_t at = 2;
    std::size_t tile_part = 0;  // where the tile-part begins whose header is being read, 0 outside
    while (at + 4 <= b_.size()) {
      const unsigned marker = load_u16(b_.data() + at, true);
      if (marker == 0xFFD9 || (marker < 0xFF00 && tile_parts_ > 0)) break;
      if (marker == 0xFF93 && tile_part != 0) {
        const auto next = behind_packets(tile_part, at + 2);
        if (!next) return bad("a tile-part without an end, or a marker among its packets");
        at = *next;
        tile_part = 0;
        continue;
      }
      const std::size_t length = load_u16(b_.data() + at + 2, true);
      if (marker < 0xFF00 || length < 2 || length > b_.size() - at - 2) return bad("a marker segment is not valid");
      if (marker == 0xFF90 && (length != 10 || tile_part != 0)) return bad("SOT is not valid");
      if (marker == 0xFF90) tile_part = at;
      if (!segment(marker, b_.subspan(at + 4, length - 2))) return bad("SIZ is not valid");
      at += 2 + length;
    }
    if (tile_parts_ == 0) return bad("no image");
    if (high_throughput_ && packet_markers_)
      return Failure{Fault::unsupported, "HTJ2K with SOP or EPH markers is not decoded"};
    return std::nullopt;
  }

  const Siz& siz() const { return siz_; }
  std::uint64_t packets() const { return precincts_ * siz_.tiles * siz_.components * layers_; }

 private:
  static Failure bad(const char* why) { return {Fault::malformed, std::string("JPEG 2000: ") + why}; }

  bool segment(unsigned marker, ByteView s) {
    if (marker == 0xFF51 && siz_.tiles == 0) siz_ = read_siz(s);
    if (siz_.tiles == 0) return false;  // it is the first segment
    if (marker == 0xFF50) high_throughput_ = true;
    if (marker == 0xFF52 && s.size() >= 10) {
      packet_markers_ = packet_markers_ || (s[0] & std::byte{6}) != std::byte{0};
      layers_ = std::max<std::uint64_t>(layers_, load_u16(s.data() + 2, true));
      coding_style(s.subspan(5), (s[0] & std::byte{1}) != std::byte{0});
    }
    if (marker == 0xFF53 && s.size() >= 7) coding_style(s.subspan(2), (s[1] & std::byte{1}) != std::byte{0});
    return true;
  }

  void coding_style(ByteView sp, bool user_sizes) {
    high_throughput_ = high_throughput_ || (sp[3] & std::byte{0x40}) != std::byte{0};
    precincts_ = std::max(precincts_, precincts(siz_, sp, user_sizes));
  }

  /// Where the next tile-part is due; the packets of this one begin at `packets`.
  std::optional<std::size_t> behind_packets(std::size_t tile_part, std::size_t packets) {
    ++tile_parts_;
    std::uint64_t length = load_u32(b_.data() + tile_part + 6, true);
    if (length == 0) length = b_.size() - tile_part - (up_to_end_marker(b_) ? 2 : 0);  // the last one, up to EOC
    const bool whole = tile_part + length >= packets && length <= b_.size() - tile_part;
    if (!high_throughput_) return whole ? tile_part + length : b_.size();
    if (!whole || holds_marker(b_.subspan(packets, tile_part + length - packets))) return std::nullopt;
    return tile_part + length;
  }

  ByteView b_;
  Siz siz_;  ///< tiles is 0 before it is read
  std::uint64_t layers_ = 1, precincts_ = 0;
  unsigned tile_parts_ = 0;
  bool high_throughput_ = false, packet_markers_ = false;
};

}  // namespace

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

std::optional<Failure> j2k_out_of_proportion(const ImageInfo& declared, ByteView codestream) {
  Headers headers(codestream);
  if (auto why = headers.read()) return why;
  const Siz& siz = headers.siz();
  if (siz.precision > 31) return Failure{Fault::unsupported, "JPEG 2000: samples of more than 31 bits"};
  const std::uint64_t width = siz.precision > 16 ? 4 : siz.precision > 8 ? 2 : 1;
  if (auto why = out_of_proportion(declared, {siz.height, siz.width, siz.components, width}, codestream.size()))
    return why;
  if (siz.tiles > 0xFFFFU || siz.tiles > codestream.size() / 14 + 1)
    return Failure{Fault::limit, "JPEG 2000: more tiles than the bytes can hold"};
  // COC may concern one component only, so four times what the bytes hold is still in proportion.
  if (headers.packets() / 4 > codestream.size() + 1024)
    return Failure{Fault::limit, "JPEG 2000: more packets than the bytes can hold"};
  return std::nullopt;
}

}  // namespace waybill::pixel
