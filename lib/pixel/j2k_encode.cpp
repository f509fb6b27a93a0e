// SPDX-License-Identifier: Apache-2.0
// Our encoder of JPEG 2000 without loss (ITU-T T.800): one tile, one layer, the reversible wavelet and colour
// transform, code-blocks of 64 x 64, LRCP. Rows go through the wavelet as they are read, and a code-block is coded as
// soon as its rows are there, so what is held are 64 rows of each subband and the bytes that are coded. Shares no line
// with the decoders; what it writes is proved by OpenJPEG.
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

/// As often as the shorter side can be halved, up to five times.
unsigned levels_of(const Frame& frame) {
  unsigned levels = 0;
  for (std::uint32_t side = std::min(frame.rows, frame.columns); side > 1 && levels < 5; side /= 2) ++levels;
  return levels;
}

using Components = std::vector<std::unique_ptr<Component>>;

/// The bits that a subband's coefficients are told to have (epsilon of T.800 E.1), without the guard bits.
unsigned exponent(const ImageInfo& info, Subband band) {
  return info.bits_stored + (band == Subband::ll ? 0U : band == Subband::hh ? 2U : 1U);
}

/// Guard bits enough for every code-block: two, and more where colour differences, or rounding in images of few bits,
/// made larger coefficients.
unsigned guard_bits(const ImageInfo& info, Components& components) {
  unsigned out = 2;
  const auto count = [&](Band& band) {
    for (const CodeBlock& block : band.blocks()) {
      while (exponent(info, band.kind()) + out - 1 < block.planes) ++out;
    }
  };
  for (const auto& component : components) {
    count(component->lowest());
    for (Level& level : component->levels()) {
      for (Band* band : {&level.hl, &level.lh, &level.hh}) count(*band);
    }
  }
  return out;
}

class Headers {
 public:
  Bytes of(const ImageInfo& info, const Frame& frame, unsigned guard) {
    const unsigned levels = levels_of(frame);
    word(0xFF4F);  // SOC
    size(info, frame);
    word(0xFF52);  // COD
    word(12);
    byte(0);  // no precinct sizes, no SOP, no EPH
    byte(0);  // LRCP
    word(1);  // one layer
    byte(has_colour_transform(frame) ? 1 : 0);
    byte(levels);
    byte(4);       // blocks of 2^(4 + 2) columns
    byte(4);       // and rows
    byte(0);       // coding passes without options
    byte(1);       // 5-3
    word(0xFF5C);  // QCD
    word(4 + 3 * levels);
    byte(guard << 5U);
    byte(exponent(info, Subband::ll) << 3U);
    for (unsigned i = 0; i < levels; ++i) {
      for (const Subband band : {Subband::hl, Subband::lh, Subband::hh}) byte(exponent(info, band) << 3U);
    }
    word(0xFF90);  // SOT
    word(10);
    word(0);
    long_word(0);  // its length, when it is known
    byte(0);
    byte(1);
    word(0xFF93);  // SOD
    return std::move(out_);
  }
  /// Bytes from SOT to behind SOD, which end the headers.
  static constexpr std::size_t kTilePart = 14;

 private:
  void size(const ImageInfo& info, const Frame& frame) {
    word(0xFF51);  // SIZ
    word(38 + 3U * frame.samples);
    word(0);
    for (int i = 0; i < 2; ++i) {  // the image, and the tile
      long_word(frame.columns);
      long_word(frame.rows);
      long_word(0);
      long_word(0);
    }
    word(frame.samples);
    for (unsigned c = 0; c < frame.samples; ++c) {
      byte((info.bits_stored - 1U) | (info.is_signed ? 0x80U : 0U));
      byte(1);
      byte(1);
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

std::uint32_t divided(std::uint32_t n, std::uint32_t by) { return (n + by - 1) / by; }

/// The packets of a resolution of a component, precinct by precinct: 0 is the smallest.
void put_resolution(const ImageInfo& info, const Frame& frame, unsigned guard, Component& component, unsigned index,
                    Bytes& out) {
  const unsigned halvings = static_cast<unsigned>(component.levels().size()) - index;
  std::vector<Band*> bands = {&component.lowest()};
  if (index > 0) {
    Level& level = component.levels()[halvings];
    bands = {&level.hl, &level.lh, &level.hh};
  }
  const std::uint32_t side = kPrecinct / kBlockSide / (index == 0 ? 1 : 2);  // in blocks of a subband
  for (std::uint32_t y = 0; y < divided(divided(frame.rows, 1U << halvings), kPrecinct); ++y) {
    for (std::uint32_t x = 0; x < divided(divided(frame.columns, 1U << halvings), kPrecinct); ++x) {
      std::vector<PrecinctBand> parts;
      for (Band* band : bands) {
        const std::uint32_t left = std::min(x * side, band->across()), top = std::min(y * side, band->down());
        parts.push_back({&band->blocks(), band->across(), left, top, std::min(side, band->across() - left),
                         std::min(side, band->down() - top), exponent(info, band->kind()) + guard - 1});
      }
      put_packet(parts, out);
    }
  }
}

}  // namespace

Result<Bytes> encode_jpeg_2000(const ImageInfo& info, const Frame& frame) {
  if (auto why = unsuited(info, frame, 1)) return *std::move(why);
  const unsigned levels = levels_of(frame);
  BlockCoder coder;
  Components components;
  for (unsigned c = 0; c < frame.samples; ++c)
    components.push_back(std::make_unique<Component>(frame.columns, frame.rows, levels, coder));
  if (push_samples(info, frame, components) != 0) return bits_would_be_lost();
  coder.flush();
  const unsigned guard = guard_bits(info, components);
  Bytes out = Headers().of(info, frame, guard);
  const std::size_t tile_part = out.size() - Headers::kTilePart;
  for (unsigned r = 0; r <= levels; ++r) {
    for (const auto& component : components) put_resolution(info, frame, guard, *component, r, out);
  }
  const std::size_t length = out.size() - tile_part;
  if (length > 0xFFFFFFFFU) return Failure{Fault::limit, "JPEG 2000: a tile-part beyond 4 GiB"};
  for (unsigned i = 0; i < 4; ++i) out[tile_part + 6 + i] = static_cast<std::byte>(length >> (24 - 8 * i) & 0xFFU);
  out.push_back(std::byte{0xFF});  // EOC
  out.push_back(std::byte{0xD9});
  return out;
}

}  // namespace waybill::pixel
