// SPDX-License-Identifier: Apache-2.0
// Our encoder of JPEG 2000 and HTJ2K without loss (ITU-T T.800, T.814): one tile, one layer, the reversible wavelet and
// colour transform, code-blocks of 64 x 64. Rows go through the wavelet as they are read, and a code-block is coded as
// soon as its rows are there, so what is held are 64 rows of each subband and the bytes that are coded. Shares no line
// with the decoders; what it writes is proved by one of them.
#include "pixel/codecs.hpp"
#include "pixel/j2k_packet.hpp"
#include "pixel/j2k_wavelet.hpp"
#include "pixel/samples.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace waybill::pixel {
namespace {

using namespace j2k;

constexpr unsigned kPrecinct = 1U << 15U;  // the side of a precinct where none is given

/// What is written.
struct Style {
  bool high_throughput = false;  ///< HTJ2K
  bool rpcl = false;             ///< by resolution and position; else by resolution and component
  bool thumbnail = false;  ///< what PS3.5 10.18 adds for .202: a smallest resolution of 64 pixels at most, and TLM
};

/// As often as the shorter side can be halved, up to five times; or as the longer one must be for a thumbnail.
unsigned levels_of(const Frame& frame, const Style& style) {
  unsigned levels = 0;
  for (std::uint32_t side = std::min(frame.rows, frame.columns); side > 1 && levels < 5; side /= 2) ++levels;
  const std::uint32_t longer = std::max(frame.rows, frame.columns);
  while (style.thumbnail && ((longer - 1) >> levels) + 1 > 64) ++levels;
  return levels;
}

using Components = std::vector<std::unique_ptr<Component>>;

/// The bits that a subband's coefficients are told to have (epsilon of T.800 E.1), without the guard bits.
unsigned exponent(const ImageInfo& info, Subband band) {
  return info.bits_stored + (band == Subband::ll ? 0U : band == Subband::hh ? 2U : 1U);
}

/// What headers say about all code-blocks.
struct Summary {
  unsigned guard = 2;     ///< guard bits: more where colour differences, or rounding in images of few bits, ask for it
  std::size_t bytes = 0;  ///< of all blocks
};
Summary summary_of(const ImageInfo& info, Components& components) {
  Summary out;
  const auto add = [&](Band& band) {
    for (const CodeBlock& block : band.blocks()) {
      while (exponent(info, band.kind()) + out.guard - 1 < block.planes) ++out.guard;
      out.bytes += block.data.size();
    }
  };
  for (const auto& component : components) {
    add(component->lowest());
    for (Level& level : component->levels()) {
      for (Band* band : {&level.hl, &level.lh, &level.hh}) add(*band);
    }
  }
  return out;
}

class Headers {
 public:
  Headers(const ImageInfo& info, const Frame& frame, const Style& style) : info_(info), frame_(frame), style_(style) {}

  /// From SOC to SOD; lengths that are not known yet are 0.
  Bytes make(unsigned guard) {
    word(0xFF4F);  // SOC
    size();
    if (style_.high_throughput) capabilities(guard);
    coding();
    quantisation(guard);
    if (style_.thumbnail) {
      word(0xFF55);  // TLM
      word(8);
      byte(0);
      byte(0x40);    // no tile index, lengths of 32 bits
      long_word(0);  // that of the tile-part
    }
    word(0xFF90);  // SOT
    word(10);
    word(0);
    long_word(0);  // its length
    byte(0);
    byte(1);
    word(0xFF93);  // SOD
    return std::move(out_);
  }
  /// Bytes from SOT to behind SOD, which end the headers; its length stands at 6, and that of TLM 4 bytes before.
  static constexpr std::size_t kTilePart = 14;

 private:
  void size() {
    word(0xFF51);  // SIZ
    word(38 + 3U * frame_.samples);
    word(style_.high_throughput ? 0x4000 : 0);
    for (int i = 0; i < 2; ++i) {  // the image, and the tile
      long_word(frame_.columns);
      long_word(frame_.rows);
      long_word(0);
      long_word(0);
    }
    word(frame_.samples);
    for (unsigned c = 0; c < frame_.samples; ++c) {
      byte((info_.bits_stored - 1U) | (info_.is_signed ? 0x80U : 0U));
      byte(1);
      byte(1);
    }
  }
  /// That T.814 is needed, and bits enough for the largest magnitudes (T.814 A.3.2 and table A.4).
  void capabilities(unsigned guard) {
    const unsigned levels = levels_of(frame_, style_);
    const unsigned bits = exponent(info_, levels == 0 ? Subband::ll : Subband::hh) + guard - 1;
    word(0xFF50);  // CAP
    word(8);
    long_word(0x00020000);
    word(bits <= 8 ? 0 : bits < 28 ? bits - 8 : 13 + bits / 4);
  }
  void coding() {
    word(0xFF52);  // COD
    word(12);
    byte(0);  // no precinct sizes, no SOP, no EPH
    byte(style_.rpcl ? 2 : 0);
    word(1);  // one layer
    byte(has_colour_transform(frame_) ? 1 : 0);
    byte(levels_of(frame_, style_));
    byte(4);  // blocks of 2^(4 + 2) columns
    byte(4);  // and rows
    byte(style_.high_throughput ? 0x40 : 0);
    byte(1);  // 5-3
  }
  void quantisation(unsigned guard) {
    const unsigned levels = levels_of(frame_, style_);
    word(0xFF5C);  // QCD
    word(4 + 3 * levels);
    byte(guard << 5U);
    byte(exponent(info_, Subband::ll) << 3U);
    for (unsigned i = 0; i < levels; ++i) {
      for (const Subband band : {Subband::hl, Subband::lh, Subband::hh}) byte(exponent(info_, band) << 3U);
    }
  }
  void byte(std::uint32_t v) { out_.push_back(static_cast<std::byte>(v)); }
  void word(std::uint32_t v) {
    byte(v >> 8U);
    byte(v & 0xFFU);
  }
  void long_word(std::uint32_t v) {
    word(v >> 16U);
    word(v & 0xFFFFU);
  }
  const ImageInfo& info_;
  const Frame& frame_;
  const Style& style_;
  Bytes out_;
};

/// The reversible transform of red, green and blue to a luminance and two differences (T.800 G.2).
void transform_colour(std::array<std::vector<std::int32_t>, 4>& rows) {
  std::int32_t *const r = rows[0].data(), *const g = rows[1].data(), *const b = rows[2].data();
  for (std::size_t i = 0; i < rows[0].size(); ++i) {
    const std::int32_t red = r[i], green = g[i], blue = b[i];
    r[i] = (red + 2 * green + blue) >> 2;
    g[i] = blue - green;
    b[i] = red - green;
  }
}

/// Puts all samples through the components' wavelets; what bits outside Bits Stored held.
std::uint32_t push_samples(const ImageInfo& info, const Frame& frame, Components& to) {
  const std::int32_t middle = info.is_signed ? 0 : std::int32_t{1} << (info.bits_stored - 1U);
  std::array<std::vector<std::int32_t>, 4> rows;
  for (unsigned c = 0; c < frame.samples; ++c) rows[c].resize(frame.columns);
  std::uint32_t lost = 0;
  for (std::size_t y = 0; y < frame.rows; ++y) {
    for (unsigned c = 0; c < frame.samples; ++c) {
      lost |= integers(info, frame, c, y * frame.columns, frame.columns, rows[c].data());
      for (std::int32_t& v : rows[c]) v -= middle;
    }
    if (has_colour_transform(frame)) transform_colour(rows);
    for (unsigned c = 0; c < frame.samples; ++c) to[c]->push(rows[c].data());
  }
  return lost;
}

/// Puts packets one after the other.
class Packets {
 public:
  Packets(const ImageInfo& info, const Frame& frame, unsigned guard, Bytes& out)
      : info_(info), frame_(frame), guard_(guard), out_(out) {}

  /// Those of resolution `index`, where 0 is the smallest, of all components.
  void put(Components& components, unsigned index, const Style& style) {
    const auto levels = static_cast<unsigned>(components[0]->levels().size());
    const std::uint32_t across = precincts(frame_.columns, levels - index),
                        down = precincts(frame_.rows, levels - index);
    const std::size_t outer = style.rpcl ? 1 : components.size();
    for (std::size_t c = 0; c < outer; ++c) {
      for (std::uint32_t p = 0; p < across * down; ++p) {
        for (std::size_t i = style.rpcl ? 0 : c; i < (style.rpcl ? components.size() : c + 1); ++i)
          put_one(*components[i], index, p % across, p / across);
      }
    }
  }

 private:
  static std::uint32_t divided(std::uint32_t n, std::uint32_t by) { return (n + by - 1) / by; }
  static std::uint32_t precincts(std::uint32_t side, unsigned halvings) {
    return divided(((side - 1) >> halvings) + 1, kPrecinct);
  }

  void put_one(Component& component, unsigned index, std::uint32_t x, std::uint32_t y) {
    std::vector<Band*> bands = {&component.lowest()};
    if (index > 0) {
      Level& level = component.levels()[component.levels().size() - index];
      bands = {&level.hl, &level.lh, &level.hh};
    }
    const std::uint32_t side = kPrecinct / kBlockSide / (index == 0 ? 1 : 2);  // in blocks of a subband
    std::vector<PrecinctBand> parts;
    for (Band* band : bands) {
      const std::uint32_t left = std::min(x * side, band->across()), top = std::min(y * side, band->down());
      parts.push_back({&band->blocks(), band->across(), left, top, std::min(side, band->across() - left),
                       std::min(side, band->down() - top), exponent(info_, band->kind()) + guard_ - 1});
    }
    put_packet(parts, out_);
  }

  const ImageInfo& info_;
  const Frame& frame_;
  unsigned guard_;
  Bytes& out_;
};

void put_length(Bytes& out, std::size_t at, std::size_t length) {
  for (unsigned i = 0; i < 4; ++i) out[at + i] = static_cast<std::byte>(length >> (24 - 8 * i) & 0xFFU);
}

Result<Bytes> encode(const ImageInfo& info, const Frame& frame, const Style& style, BlockCoder& coder) {
  if (auto why = unsuited(info, frame, 1)) return *std::move(why);
  const unsigned levels = levels_of(frame, style);
  Components components;
  for (unsigned c = 0; c < frame.samples; ++c)
    components.push_back(std::make_unique<Component>(frame.columns, frame.rows, levels, coder));
  if (push_samples(info, frame, components) != 0) return bits_would_be_lost();
  coder.flush();
  const auto [guard, bytes] = summary_of(info, components);
  Bytes out = Headers(info, frame, style).make(guard);
  out.reserve(bytes + bytes / 32 + 4096);  // packet headers are one byte in a hundred
  const std::size_t tile_part = out.size() - Headers::kTilePart;
  Packets packets(info, frame, guard, out);
  for (unsigned r = 0; r <= levels; ++r) packets.put(components, r, style);
  const std::size_t length = out.size() - tile_part;
  if (length > 0xFFFFFFFFU) return Failure{Fault::limit, "JPEG 2000: a tile-part beyond 4 GiB"};
  put_length(out, tile_part + 6, length);
  if (style.thumbnail) put_length(out, tile_part - 4, length);
  out.push_back(std::byte{0xFF});  // EOC
  out.push_back(std::byte{0xD9});
  return out;
}

}  // namespace

Result<Bytes> encode_jpeg_2000(const ImageInfo& info, const Frame& frame) {
  PassCoder coder;
  return encode(info, frame, {}, coder);
}

Result<Bytes> encode_htj2k(const ImageInfo& info, const Frame& frame) {
  HtCoder coder;
  return encode(info, frame, {.high_throughput = true, .rpcl = true}, coder);
}

Result<Bytes> encode_htj2k_rpcl(const ImageInfo& info, const Frame& frame) {
  HtCoder coder;
  return encode(info, frame, {.high_throughput = true, .rpcl = true, .thumbnail = true}, coder);
}

}  // namespace waybill::pixel
