// SPDX-License-Identifier: Apache-2.0
// The coding passes of a code-block (T.800 Annex D) for a coder that knows all its samples: what each pass takes, with
// which contexts, is computed for 64 samples at a time, a bit each, and one loop then writes down the symbols. A word
// holds 16 columns of a stripe in the order of the scan: sample (row r, column c) is bit 4c + r.
#include "pixel/j2k_block.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace waybill::pixel::j2k {
namespace {

using Word = std::uint64_t;

constexpr Word kTop = 0x1111111111111111U, kBottom = kTop << 3U;  // the first and the last row of a stripe
constexpr std::size_t kStripes = kBlockSide / 4, kWords = kBlockSide / 16;
constexpr std::size_t kPitch = kWords + 2;  // a margin of zeros all around

/// A bit for every sample of a block.
using Bits = std::array<Word, (kStripes + 2) * kPitch>;
constexpr std::size_t at(std::size_t stripe, std::size_t word) { return (stripe + 1) * kPitch + word + 1; }

/// A byte for every bit of the index.
constexpr std::array<std::uint64_t, 256> kSpread = [] {
  std::array<std::uint64_t, 256> out{};
  for (std::size_t i = 0; i < 256; ++i)
    for (std::size_t b = 0; b < 8; ++b) out[i] |= std::uint64_t{i >> b & 1U} << 8 * b;
  return out;
}();
std::uint64_t spread(Word word, unsigned group) { return kSpread[word >> (8 * group) & 0xFFU]; }

/// Where the eight neighbours of each sample of a word are significant.
struct Neighbours {
  Word w, e, n, s, nw, ne, sw, se;
  [[nodiscard]] Word any() const { return w | e | n | s | nw | ne | sw | se; }
};

Word from_left(const Bits& bits, std::size_t i) { return bits[i] << 4U | bits[i - 1] >> 60U; }
Word from_right(const Bits& bits, std::size_t i) { return bits[i] >> 4U | bits[i + 1] << 60U; }

/// Neighbours that the scan has passed are taken from `passed`, the others from `ahead`.
Neighbours neighbours(const Bits& ahead, const Bits& passed, std::size_t i) {
  const auto above = [&](std::size_t j) { return passed[j - kPitch] >> 3U & kTop; };
  const auto below = [&](std::size_t j) { return ahead[j + kPitch] << 3U & kBottom; };
  const Word up = above(i), down = below(i);
  Neighbours out{};
  out.w = from_left(passed, i);
  out.e = from_right(ahead, i);
  out.n = (passed[i] << 1U & ~kTop) | up;
  out.s = (ahead[i] >> 1U & ~kBottom) | down;
  out.nw = (out.w << 1U & ~kTop) | up << 4U | above(i - 1) >> 60U;
  out.sw = (out.w >> 1U & ~kBottom) | down << 4U | below(i - 1) >> 60U;
  out.ne = (out.e << 1U & ~kTop) | up >> 4U | above(i + 1) << 60U;
  out.se = (out.e >> 1U & ~kBottom) | down >> 4U | below(i + 1) << 60U;
  return out;
}

/// Context labels, a word for each of their bits.
using Labels = std::array<Word, 4>;

/// T.800 table D.1 for LL and LH, where `h` are the neighbours at the sides.
Labels labels_by_direction(Word h_a, Word h_b, Word v_a, Word v_b, const Neighbours& n) {
  const Word h1 = h_a ^ h_b, h2 = h_a & h_b, h0 = ~(h_a | h_b), v = v_a | v_b;
  const Word d1 = n.nw | n.ne | n.sw | n.se;
  const Word d2 = (n.nw & n.ne) | (n.sw & n.se) | ((n.nw ^ n.ne) & (n.sw ^ n.se));
  const Word c7 = h1 & v, c6 = h1 & ~v & d1, c5 = h1 & ~v & ~d1;
  const Word c4 = h0 & v_a & v_b, c3 = h0 & (v_a ^ v_b), c2 = h0 & ~v & d2, c1 = h0 & ~v & d1 & ~d2;
  return {c1 | c3 | c5 | c7, c2 | c3 | c6 | c7, c4 | c5 | c6 | c7, h2};
}

Labels labels_of_hh(const Neighbours& n) {
  const Word pair_a = n.nw & n.ne, pair_b = n.sw & n.se, one_a = n.nw ^ n.ne, one_b = n.sw ^ n.se;
  const Word d1 = n.nw | n.ne | n.sw | n.se, d2 = pair_a | pair_b | (one_a & one_b);
  const Word d3 = (pair_a & (n.sw | n.se)) | (pair_b & (n.nw | n.ne));
  const Word s1 = n.w | n.e | n.n | n.s, s2 = (n.w & n.e) | (n.n & n.s) | ((n.w ^ n.e) & (n.n ^ n.s));
  const Word only2 = d2 & ~d3, only1 = d1 & ~d2, none = ~d1;
  const Word c7 = only2 & s1, c6 = only2 & ~s1;
  const Word c5 = only1 & s2, c4 = only1 & s1 & ~s2, c3 = only1 & ~s1;
  const Word c2 = none & s2, c1 = none & s1 & ~s2;
  return {c1 | c3 | c5 | c7, c2 | c3 | c6 | c7, c4 | c5 | c6 | c7, d3};
}

template <Subband B>
Labels labels(const Neighbours& n) {
  if constexpr (B == Subband::hh) return labels_of_hh(n);
  if constexpr (B == Subband::hl) return labels_by_direction(n.n, n.s, n.w, n.e, n);
  return labels_by_direction(n.w, n.e, n.n, n.s, n);
}

/// The bit-planes of a block, and what is known of its samples between two passes.
class Model {
 public:
  Model(const Coefficients& block, std::uint8_t planes, Symbol* out)
      : out_(out),
        words_((block.width + 15) / 16),
        stripes_((block.height + 3) / 4),
        whole_stripes_(block.height / 4),
        planes_(planes) {
    for (std::size_t stripe = 0; stripe < stripes_; ++stripe) unpack_stripe(block, stripe);
  }

  template <Subband B>
  Symbol* run() {
    for (unsigned plane = planes_; plane-- > 0;) {
      bits_ = &planes_of_[plane];
      reached_ = significant_;
      if (plane + 1U < planes_) {
        propagate<B>();
        refine();
      } else {
        visited_ = {};
      }
      clean_up<B>();
    }
    return out_;
  }

 private:
  void unpack_stripe(const Coefficients& block, std::size_t stripe);

  [[nodiscard]] Word bits(std::size_t stripe, std::size_t word) const { return (*bits_)[stripe * kWords + word]; }

  template <Subband B>
  void propagate();
  void refine();
  template <Subband B>
  void clean_up();

  /// Prepares the symbols of zero coding, and those of signs, of a word's samples.
  template <Subband B>
  void draw(const Neighbours& n, Word coded, Word ones);
  void draw_signs(const Bits& ahead, const Bits& passed, std::size_t i, Word becoming);

  /// A symbol of zero coding, and its sign's behind a one.
  void put(unsigned i) {
    *out_ = zero_[i];
    out_[1] = sign_[i];
    out_ += 1 + (zero_[i] & 1U);
  }

  Symbol* out_;
  std::size_t words_, stripes_, whole_stripes_;
  std::uint8_t planes_;
  std::array<std::array<Word, kStripes * kWords>, kMostPlanes> planes_of_;
  const std::array<Word, kStripes* kWords>* bits_ = nullptr;
  Bits valid_{}, negative_{}, significant_{}, reached_{}, visited_{}, refined_{};
  std::array<Symbol, 64> zero_{}, sign_{};
};

/// Bit p of each of eight bytes.
std::uint64_t gather(std::uint64_t bytes, unsigned p) {
  return ((bytes >> p & 0x0101010101010101U) * 0x0102040810204080U) >> 56U;
}

void Model::unpack_stripe(const Coefficients& block, std::size_t stripe) {
  static constexpr std::array<std::int32_t, kBlockSide> kNothing{};
  const unsigned rows = std::min(4U, block.height - static_cast<unsigned>(stripe) * 4);
  std::array<const std::int32_t*, 4> row{};
  for (unsigned r = 0; r < 4; ++r) row[r] = r < rows ? block.first + (stripe * 4 + r) * block.stride : kNothing.data();
  // The magnitudes' bytes in the order of the scan, the sign above those of the third.
  std::array<std::array<std::uint32_t, kBlockSide>, 3> bytes{};
  const std::int32_t *const a = row[0], *const b = row[1], *const c = row[2], *const d = row[3];
  for (unsigned x = 0; x < block.width; ++x) {
    const auto size = [](std::int32_t v) { return static_cast<std::uint32_t>(v < 0 ? -v : v); };
    const auto sign = [](std::int32_t v) { return static_cast<std::uint32_t>(v) >> 31U << 7U; };
    const std::uint32_t ma = size(a[x]), mb = size(b[x]), mc = size(c[x]), md = size(d[x]);
    bytes[0][x] = (ma & 255U) | (mb & 255U) << 8U | (mc & 255U) << 16U | md << 24U;
    bytes[1][x] = (ma >> 8U & 255U) | (mb >> 8U & 255U) << 8U | (mc >> 8U & 255U) << 16U | md >> 8U << 24U;
    bytes[2][x] = (ma >> 16U | sign(a[x])) | (mb >> 16U | sign(b[x])) << 8U | (mc >> 16U | sign(c[x])) << 16U |
                  (md >> 16U | sign(d[x])) << 24U;
  }
  const auto plane_word = [&](unsigned byte, unsigned p, std::size_t word) {
    Word out = 0;
    for (unsigned g = 0; g < 8; ++g) {
      const std::uint32_t* pair = &bytes[byte][word * 16 + std::size_t{2} * g];
      out |= gather(pair[0] | Word{pair[1]} << 32U, p) << 8 * g;
    }
    return out;
  };
  const Word in_rows = kTop * ((1U << rows) - 1);
  for (std::size_t word = 0; word < words_; ++word) {
    for (unsigned p = 0; p < planes_; ++p) planes_of_[p][stripe * kWords + word] = plane_word(p / 8, p % 8, word);
    negative_[at(stripe, word)] = plane_word(2, 7, word);
    const std::size_t columns = std::min<std::size_t>(16, block.width - word * 16);
    valid_[at(stripe, word)] = in_rows & (columns == 16 ? ~Word{0} : (Word{1} << 4 * columns) - 1);
  }
}

void Model::draw_signs(const Bits& ahead, const Bits& passed, std::size_t i, Word becoming) {
  // Where the neighbours at the sides, above and below are significant and negative, or positive (T.800 table D.2).
  const auto minus = [&](const Bits& bits, std::size_t j) { return bits[j] & negative_[j]; };
  const auto plus = [&](const Bits& bits, std::size_t j) { return bits[j] & ~negative_[j]; };
  const auto sides = [&](const auto& kind, Word& w, Word& e, Word& n, Word& s) {
    w = kind(passed, i) << 4U | kind(passed, i - 1) >> 60U;
    e = kind(ahead, i) >> 4U | kind(ahead, i + 1) << 60U;
    n = (kind(passed, i) << 1U & ~kTop) | (kind(passed, i - kPitch) >> 3U & kTop);
    s = (kind(ahead, i) >> 1U & ~kBottom) | (kind(ahead, i + kPitch) << 3U & kBottom);
  };
  Word wm = 0, em = 0, nm = 0, sm = 0, wp = 0, ep = 0, np = 0, sp = 0;
  sides(minus, wm, em, nm, sm);
  sides(plus, wp, ep, np, sp);
  const Word hp = (wp & ~em) | (ep & ~wm), hm = (wm & ~ep) | (em & ~wp);
  const Word vp = (np & ~sm) | (sp & ~nm), vm = (nm & ~sp) | (sm & ~np);
  const Word h0 = ~(hp | hm), v0 = ~(vp | vm);
  const Word equal = (hp & vp) | (hm & vm), opposed = (hp & vm) | (hm & vp);
  const Word turned = hm | (h0 & vm);
  // Labels: 13 equal, 12 only at the sides, 11 opposed, 10 only above or below, 9 none.
  const Word bit0 = ~(h0 ^ v0), bit1 = (h0 & ~v0) | opposed, bit2 = equal | (~h0 & v0);
  const Word decision = negative_[i] ^ turned;
  static_assert(kSignContext == 9);
  for (unsigned g = 0; g < 8; ++g) {
    if ((becoming >> 8 * g & 0xFFU) == 0) continue;
    const std::uint64_t bytes = 0x1010101010101010U | spread(decision, g) | spread(bit0, g) << 1U |
                                spread(bit1, g) << 2U | spread(bit2, g) << 3U;
    std::memcpy(&sign_[std::size_t{8} * g], &bytes, 8);
  }
}

template <Subband B>
void Model::draw(const Neighbours& n, Word coded, Word ones) {
  const Labels label = labels<B>(n);
  for (unsigned g = 0; g < 8; ++g) {
    if ((coded >> 8 * g & 0xFFU) == 0) continue;
    const std::uint64_t bytes = spread(ones, g) | spread(label[0], g) << 1U | spread(label[1], g) << 2U |
                                spread(label[2], g) << 3U | spread(label[3], g) << 4U;
    std::memcpy(&zero_[std::size_t{8} * g], &bytes, 8);
  }
}

/// Significance propagation (D.3.1): samples that have a significant neighbour when the scan comes to them.
template <Subband B>
void Model::propagate() {
  for (std::size_t stripe = 0; stripe < stripes_; ++stripe) {
    for (std::size_t word = 0; word < words_; ++word) {
      const std::size_t i = at(stripe, word);
      const Word open = valid_[i] & ~significant_[i], ones = bits(stripe, word);
      Word coded = open & neighbours(significant_, reached_, i).any();
      Word fresh = coded & ones;
      while (fresh != 0) {  // what has become significant calls those behind it
        const Word right = fresh << 4U;
        const Word called = (fresh << 1U & ~kTop) | right | (right << 1U & ~kTop) | (right >> 1U & ~kBottom);
        const Word more = called & open & ~coded;
        coded |= more;
        fresh = more & ones;
      }
      visited_[i] = coded;
      if (coded == 0) continue;
      const Word becoming = coded & ones;
      reached_[i] |= becoming;
      draw<B>(neighbours(significant_, reached_, i), coded, ones);
      if (becoming != 0) draw_signs(significant_, reached_, i, becoming);
      for (; coded != 0; coded &= coded - 1) put(static_cast<unsigned>(std::countr_zero(coded)));
    }
  }
}

/// Magnitude refinement (D.3.3) of samples that were significant before this bit-plane.
void Model::refine() {
  for (std::size_t stripe = 0; stripe < stripes_; ++stripe) {
    for (std::size_t word = 0; word < words_; ++word) {
      const std::size_t i = at(stripe, word);
      Word coded = significant_[i];
      if (coded == 0) continue;
      const Word again = refined_[i], ones = bits(stripe, word);
      const Word with_others = ~again & neighbours(reached_, reached_, i).any();
      refined_[i] = coded;
      std::array<Symbol, 64> symbols;
      for (unsigned g = 0; g < 8; ++g) {
        static_assert(kRefinementContext * 2 == 0x1C);
        const std::uint64_t bytes =
            0x1C1C1C1C1C1C1C1CU + (spread(ones, g) | spread(with_others, g) << 1U) + (spread(again, g) << 2U);
        std::memcpy(&symbols[std::size_t{8} * g], &bytes, 8);
      }
      if (coded == ~Word{0}) {
        std::memcpy(out_, symbols.data(), 64);
        out_ += 64;
        continue;
      }
      for (; coded != 0; coded &= coded - 1) *out_++ = symbols[static_cast<unsigned>(std::countr_zero(coded))];
    }
  }
}

/// Cleanup (D.3.4): all that is left, columns of four without a significant neighbour by one symbol.
template <Subband B>
void Model::clean_up() {
  significant_ = reached_;
  for (std::size_t stripe = 0; stripe < stripes_; ++stripe) {
    for (std::size_t word = 0; word < words_; ++word) {
      const std::size_t i = at(stripe, word);
      const Word left = valid_[i] & ~reached_[i] & ~visited_[i];
      if (left == 0) continue;
      const Word ones = bits(stripe, word), becoming = left & ones;
      significant_[i] |= becoming;
      const Neighbours n = neighbours(reached_, significant_, i);
      Word runs = 0;  // the first row of columns that are coded as a run
      if (stripe < whole_stripes_) {
        const Word above = significant_[i - kPitch] >> 3U & kTop;
        Word met = ~left | n.w | n.nw | n.sw | n.e | n.ne | n.se | n.s | above;
        met |= met >> 1U;
        met |= met >> 2U;
        runs = ~met & kTop;
      }
      const Word in_runs = runs * 15, found = becoming & in_runs;
      Word behind = found << 1U & ~kTop;  // rows behind the first one of a run's column
      behind |= behind << 1U & ~kTop;
      behind |= behind << 1U & ~kTop;
      Word coded = left & (~in_runs | behind);
      if (coded == 0 && found == 0) {
        const int count = std::popcount(runs);
        std::memset(out_, kRunContext * 2, 16);
        out_ += count;
        continue;
      }
      draw<B>(n, coded, ones);
      if (becoming != 0) draw_signs(reached_, significant_, i, becoming);
      for (coded |= runs; coded != 0; coded &= coded - 1) {
        const auto bit = static_cast<unsigned>(std::countr_zero(coded));
        if ((runs >> bit & 1U) == 0) {
          put(bit);
          continue;
        }
        const auto column = static_cast<unsigned>(found >> bit & 15U);
        *out_++ = static_cast<Symbol>(kRunContext * 2 + (column != 0 ? 1 : 0));
        if (column == 0) continue;
        const auto row = static_cast<unsigned>(std::countr_zero(column));
        *out_++ = static_cast<Symbol>(kUniformContext * 2 + (row >> 1U));
        *out_++ = static_cast<Symbol>(kUniformContext * 2 + (row & 1U));
        *out_++ = sign_[bit + row];
      }
    }
  }
}

}  // namespace

std::uint8_t bit_planes(const Coefficients& block) {
  std::uint32_t any = 0;
  for (unsigned y = 0; y < block.height; ++y) {
    const std::int32_t* const row = block.first + y * block.stride;
    for (unsigned x = 0; x < block.width; ++x) any |= static_cast<std::uint32_t>(row[x] < 0 ? -row[x] : row[x]);
  }
  return static_cast<std::uint8_t>(std::bit_width(any));
}

Symbol* block_symbols(const Coefficients& block, Subband band, std::uint8_t planes, Symbol* out) {
  Model model(block, planes, out);
  switch (band) {
    case Subband::hl: return model.run<Subband::hl>();
    case Subband::hh: return model.run<Subband::hh>();
    default: return model.run<Subband::ll>();
  }
}

PassCoder::PassCoder() {
  for (Lane& lane : lanes_) {
    lane.symbols = std::make_unique_for_overwrite<Symbol[]>(kMostSymbols);
    lane.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(MqEncoder::room_for(kMostSymbols));
  }
}

void PassCoder::finish(Lane& lane) {
  const std::size_t size = lane.coder.finish();
  const auto* data = reinterpret_cast<const std::byte*>(lane.bytes.get()) + 1;
  lane.block->data.assign(data, data + size);
  lane.block = nullptr;
}

void PassCoder::code(const Coefficients& block, Subband band, CodeBlock& out) {
  Lane& lane = lanes_[0].block == nullptr ? lanes_[0] : lanes_[1];
  out.planes = bit_planes(block);
  if (out.planes == 0) return;
  const Symbol* const end = block_symbols(block, band, out.planes, lane.symbols.get());
  out.passes = static_cast<std::uint8_t>(3 * out.planes - 2);
  lane.block = &out;
  lane.coder.begin(lane.symbols.get(), end, lane.bytes.get());
  auto& [a, b] = lanes_;
  if (a.block == nullptr || b.block == nullptr) return;
  MqEncoder::code_both(a.coder, b.coder, std::min(a.coder.left(), b.coder.left()));
  for (Lane& done : lanes_) {
    if (done.coder.left() == 0) finish(done);
  }
}

void PassCoder::flush() {
  for (Lane& lane : lanes_) {
    if (lane.block == nullptr) continue;
    lane.coder.code(lane.coder.left());
    finish(lane);
  }
}

}  // namespace waybill::pixel::j2k
