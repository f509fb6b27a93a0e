// SPDX-License-Identifier: Apache-2.0
// The block coder of HTJ2K (ITU-T T.814) for streams without loss: one cleanup pass that holds all bits. Samples come
// in quads of two by two, two quads at a time; which are significant and how large they may be goes into VLC, growing
// from the end of the block's bytes, and into MEL; their bits go into MagSgn, from the beginning.
#include "pixel/j2k_block.hpp"
#include "pixel/j2k_ht_tables.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace waybill::pixel::j2k {
namespace {

constexpr std::size_t kSignRoom = std::size_t{kBlockSide} * kBlockSide * 4;  // 24 bits a sample, and what FF adds
constexpr std::size_t kCodeRoom = 3072;                                      // 30 bits two quads, and what FF adds

/// By context, significant samples and those with the largest exponent where that exceeds the prediction: code << 8 |
/// length << 4 | samples whose largest bit the code tells.
using Codes = std::array<std::uint16_t, 2048>;

template <std::size_t N>
constexpr Codes codes_of(const std::array<std::uint32_t, N>& table) {
  Codes out{};
  std::array<int, 2048> told{};
  for (const std::uint32_t row : table) {
    const std::uint32_t length = row & 7U, code = row >> 3U & 127U, ones = row >> 10U & 15U, known = row >> 14U & 15U,
                        significant = row >> 19U & 15U, context = row >> 23U;
    const bool exceeds = (row >> 18U & 1U) != 0;
    for (std::uint32_t largest = 0; largest < 16; ++largest) {
      if ((largest & ~significant) != 0 || (largest != 0) != exceeds || (exceeds && (largest & known) != ones))
        continue;
      const std::size_t at = context << 8U | significant << 4U | largest;
      if (std::popcount(known) < told[at]) continue;  // the code that tells most
      told[at] = std::popcount(known);
      out[at] = static_cast<std::uint16_t>(code << 8U | length << 4U | known);
    }
  }
  return out;
}
constexpr Codes kFirst = codes_of(kFirstRowCodes), kOthers = codes_of(kOtherRowCodes);

/// How far an exponent exceeds the prediction (T.814 table 3): prefix and suffix.
struct Excess {
  std::uint8_t prefix, prefix_length, suffix, suffix_length;
};
constexpr std::array<Excess, 33> kExcess = [] {
  std::array<Excess, 33> out{{{0, 0, 0, 0}, {1, 1, 0, 0}, {2, 2, 0, 0}, {4, 3, 0, 1}, {4, 3, 1, 1}}};
  for (std::size_t u = 5; u < out.size(); ++u) out[u] = {0, 3, static_cast<std::uint8_t>(u - 5), 5};
  return out;
}();

/// Bits from the least significant on; behind a byte FF comes one of seven.
class MagSgn {
 public:
  explicit MagSgn(std::uint8_t* to) : at_(to) {}
  /// At most 32 bits, with none above them.
  void put(std::uint64_t bits, unsigned count) {
    held_ |= bits << filled_;
    filled_ += count;
    const bool has_ff = ((~held_ - 0x0101010101010101U) & held_ & 0x8080808080808080U) != 0;
    if (has_ff || after_ff_) [[unlikely]] {
      while (filled_ >= 8) byte();
      return;
    }
    std::memcpy(at_, &held_, sizeof held_);
    at_ += filled_ / 8;
    held_ >>= filled_ & ~7U;
    filled_ &= 7U;
  }
  /// Fills up with ones, which a decoder finds behind the end as well. Returns the end.
  std::uint8_t* finish() {
    while (filled_ >= (after_ff_ ? 7U : 8U)) byte();
    if (filled_ > 0) {
      held_ |= ~std::uint64_t{0} << filled_;
      byte();
    }
    return after_ff_ ? at_ - 1 : at_;
  }

 private:
  void byte() {
    const unsigned bits = after_ff_ ? 7 : 8;
    *at_ = static_cast<std::uint8_t>(held_ & ((1U << bits) - 1));
    after_ff_ = *at_++ == 0xFF;
    held_ >>= bits;
    filled_ -= std::min(filled_, bits);
  }
  std::uint8_t* at_;
  std::uint64_t held_ = 0;
  unsigned filled_ = 0;
  bool after_ff_ = false;
};

/// Runs of quads without a significant sample in places where that is likely (T.814 7.3.3).
class Mel {
 public:
  void put(bool event) {
    static constexpr std::array<std::uint8_t, 13> kExponents = {0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5};
    const unsigned exponent = kExponents[state_];
    if (event) {
      bit(0);
      for (unsigned i = exponent; i-- > 0;) bit(run_ >> i & 1U);
      run_ = 0;
      if (state_ > 0) --state_;
    } else if (++run_ == 1U << exponent) {
      bit(1);
      run_ = 0;
      if (state_ < 12) ++state_;
    }
  }

 private:
  friend struct Tail;
  void bit(unsigned v) {
    held_ = held_ << 1U | v;
    if (--room_ > 0) return;
    bytes_[size_++] = static_cast<std::uint8_t>(held_);
    room_ = held_ == 0xFF ? 7 : 8;
    held_ = 0;
  }
  std::array<std::uint8_t, 1024> bytes_;  // no more than a bit and a half an event
  std::size_t size_ = 0;
  unsigned state_ = 0, run_ = 0, held_ = 0, room_ = 8;
};

/// Codes from the least significant bit on, in bytes from the end backwards: behind one above 8F no seven ones.
class Vlc {
 public:
  explicit Vlc(std::uint8_t* end) : end_(end), at_(end - 1) { *at_ = 0xFF; }
  void put(std::uint32_t bits, unsigned count) {
    held_ |= std::uint64_t{bits} << filled_;
    filled_ += count;
    const bool has_ones = (((held_ & 0x7F7F7F7F7F7F7F7FU) + 0x0101010101010101U) & 0x8080808080808080U) != 0;
    if (has_ones) [[unlikely]] {
      while (filled_ >= 8) byte();
      return;
    }
    const std::uint64_t swapped = __builtin_bswap64(held_);
    std::memcpy(at_ - sizeof swapped, &swapped, sizeof swapped);
    at_ -= filled_ / 8;
    held_ >>= filled_ & ~7U;
    filled_ &= 7U;
  }

 private:
  friend struct Tail;
  [[nodiscard]] bool seven_ones() const { return *at_ > 0x8F && (held_ & 0x7FU) == 0x7F; }
  void byte() {
    const unsigned bits = seven_ones() ? 7 : 8;
    *--at_ = static_cast<std::uint8_t>(held_ & ((1U << bits) - 1));
    held_ >>= bits;
    filled_ -= bits;
  }
  std::uint8_t *end_, *at_;
  std::uint64_t held_ = 0xF;  // the place of the length, with the byte at the end
  unsigned filled_ = 4;
};

/// A block's bytes: MagSgn, then MEL and VLC together, with the length of these two.
struct Tail {
  static void put(ByteView signs, Mel& mel, Vlc& vlc, Bytes& out) {
    if (mel.run_ > 0) mel.bit(1);
    if (vlc.filled_ == 7 && vlc.seven_ones()) vlc.byte();
    const unsigned of_mel = mel.held_ << mel.room_, of_vlc = static_cast<unsigned>(vlc.held_);
    const unsigned mel_bits = 0xFF << mel.room_ & 0xFFU, vlc_bits = (1U << vlc.filled_) - 1;
    if ((mel_bits | vlc_bits) != 0) {
      const unsigned both = of_mel | of_vlc;
      const bool agree = ((both ^ of_mel) & mel_bits) == 0 && ((both ^ of_vlc) & vlc_bits) == 0;
      mel.bytes_[mel.size_++] = static_cast<std::uint8_t>(of_mel);
      if (agree && both != 0xFF && vlc.end_ - vlc.at_ > 1)
        mel.bytes_[mel.size_ - 1] = static_cast<std::uint8_t>(both);
      else
        *--vlc.at_ = static_cast<std::uint8_t>(of_vlc);
    }
    const std::size_t size = mel.size_ + static_cast<std::size_t>(vlc.end_ - vlc.at_);
    out.reserve(signs.size() + size);
    put_bytes(out, signs);
    put_bytes(out, std::as_bytes(std::span(mel.bytes_.data(), mel.size_)));
    put_bytes(out, std::as_bytes(std::span(vlc.at_, vlc.end_)));
    out.back() = static_cast<std::byte>(size >> 4U);
    out[out.size() - 2] = (out[out.size() - 2] & std::byte{0xF0}) | static_cast<std::byte>(size & 15U);
  }
};

/// A row of samples: how many bits 2 m - 1 of a magnitude m has, and 2 (m - 1) plus the sign; zeros beyond the block.
struct Row {
  std::array<std::int32_t, kBlockSide + 8> exponents{};  // from [2] on
  std::array<std::uint32_t, kBlockSide + 8> bits{};

  void read(const std::int32_t* from, unsigned width) {
    for (unsigned x = 0; x < width; ++x) {
      const std::int32_t v = from[x], size = v < 0 ? -v : v;
      const auto exponent =
          static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(static_cast<float>(2 * size - 1)) >> 23U);
      exponents[x + 2] = size == 0 ? 0 : exponent - 126;  // exact: below 2^24 a float holds every number
      bits[x + 2] = static_cast<std::uint32_t>(2 * size - 2 + (v < 0 ? 1 : 0));
    }
  }
};

class Block {
 public:
  Block(std::uint8_t* signs, std::uint8_t* codes) : signs_(signs), vlc_(codes) {}

  void code(const Coefficients& block) {
    std::array<Row, 3> rows;
    Row *above = &rows[0], *top = &rows[1], *bottom = &rows[2];
    for (unsigned y = 0; y < block.height; y += 2) {
      top->read(block.first + y * block.stride, block.width);
      if (y + 1 < block.height)
        bottom->read(block.first + (y + 1) * block.stride, block.width);
      else
        *bottom = {};
      if (y == 0)
        code_row<true>(*above, *top, *bottom, block.width);
      else
        code_row<false>(*above, *top, *bottom, block.width);
      std::swap(above, bottom);
    }
  }
  void finish(std::uint8_t* signs, Bytes& out) {
    const std::uint8_t* const end = signs_.finish();
    Tail::put(std::as_bytes(std::span<const std::uint8_t>(signs, end)), mel_, vlc_, out);
  }

 private:
  /// A quad's significant samples, and by how much its largest exponent exceeds the prediction.
  struct Quad {
    unsigned significant = 0, excess = 0;
  };

  template <bool First>
  Quad code_quad(const Row& above, const Row& top, const Row& bottom, unsigned x, unsigned context);
  template <bool First>
  void code_row(const Row& above, const Row& top, const Row& bottom, unsigned width);
  template <bool First>
  void code_excess(unsigned a, unsigned b);

  void hold(std::uint32_t bits, unsigned count) {
    held_ |= bits << filled_;
    filled_ += count;
  }

  MagSgn signs_;
  Mel mel_;
  Vlc vlc_;
  std::uint32_t held_ = 0;  ///< codes of the two quads at hand
  unsigned filled_ = 0;
};

template <bool First>
Block::Quad Block::code_quad(const Row& above, const Row& top, const Row& bottom, unsigned x, unsigned context) {
  const std::array<std::int32_t, 4> e = {top.exponents[x], bottom.exponents[x], top.exponents[x + 1],
                                         bottom.exponents[x + 1]};
  const std::array<std::uint32_t, 4> bits = {top.bits[x], bottom.bits[x], top.bits[x + 1], bottom.bits[x + 1]};
  const std::int32_t largest = std::max(std::max(e[0], e[1]), std::max(e[2], e[3]));
  Quad quad;
  unsigned at_largest = 0;
  for (unsigned i = 0; i < 4; ++i) {
    quad.significant |= static_cast<unsigned>(e[i] != 0) << i;
    at_largest |= static_cast<unsigned>(e[i] == largest) << i;
  }
  if (context == 0) mel_.put(quad.significant != 0);
  std::int32_t predicted = 1;
  if (!First && (quad.significant & (quad.significant - 1)) != 0) {
    const std::int32_t* const a = &above.exponents[x - 1];
    predicted = std::max(1, std::max(std::max(a[0], a[1]), std::max(a[2], a[3])) - 1);
  }
  const std::int32_t most = std::max(largest, predicted);
  quad.excess = static_cast<unsigned>(most - predicted);
  at_largest &= static_cast<unsigned>(-static_cast<std::int32_t>(quad.excess) >> 31);  // none where nothing exceeds
  const unsigned code = (First ? kFirst : kOthers)[context << 8U | quad.significant << 4U | at_largest];
  hold(code >> 8U, code >> 4U & 7U);
  if (quad.significant == 0) return quad;
  // As many bits of a significant sample as the bound has, less one where the code tells it.
  std::array<unsigned, 4> counts{};
  std::array<std::uint64_t, 4> kept{};
  for (unsigned i = 0; i < 4; ++i) {
    counts[i] = (static_cast<unsigned>(most) - (code >> i & 1U)) & (0U - (quad.significant >> i & 1U));
    kept[i] = bits[i] & ((1U << counts[i]) - 1);
  }
  if (most <= 8) {
    const unsigned ab = counts[0] + counts[1];
    signs_.put(kept[0] | kept[1] << counts[0] | (kept[2] | kept[3] << counts[2]) << ab, ab + counts[2] + counts[3]);
  } else {
    for (unsigned i = 0; i < 4; ++i) signs_.put(kept[i], counts[i]);
  }
  return quad;
}

template <bool First>
void Block::code_excess(unsigned a, unsigned b) {
  if (First && a > 0 && b > 0) {
    mel_.put(std::min(a, b) > 2);
    if (a > 2 && b > 2) {
      a -= 2;
      b -= 2;
    } else if (a > 2) {
      const Excess& of_a = kExcess[a];
      hold(of_a.prefix, of_a.prefix_length);
      hold(b - 1, 1);
      hold(of_a.suffix, of_a.suffix_length);
      return;
    }
  }
  const Excess &of_a = kExcess[a], &of_b = kExcess[b];
  hold(of_a.prefix, of_a.prefix_length);
  hold(of_b.prefix, of_b.prefix_length);
  hold(of_a.suffix, of_a.suffix_length);
  hold(of_b.suffix, of_b.suffix_length);
}

template <bool First>
void Block::code_row(const Row& above, const Row& top, const Row& bottom, unsigned width) {
  unsigned before = 0;  // the significant samples of the quad at the left
  const auto context = [&](unsigned x) -> unsigned {
    if (First) return before >> 1U | (before & 1U);
    const std::int32_t* const a = &above.exponents[x - 1];
    return ((a[0] | a[1]) != 0 ? 1U : 0U) | ((before & 12U) != 0 ? 2U : 0U) | ((a[2] | a[3]) != 0 ? 4U : 0U);
  };
  for (unsigned x = 2; x < width + 2; x += 4) {
    held_ = filled_ = 0;
    const Quad a = code_quad<First>(above, top, bottom, x, context(x));
    before = a.significant;
    Quad b;
    if (x + 2 < width + 2) {
      b = code_quad<First>(above, top, bottom, x + 2, context(x + 2));
      before = b.significant;
    }
    code_excess<First>(a.excess, b.excess);
    vlc_.put(held_, filled_);
  }
}

}  // namespace

HtCoder::HtCoder()
    : signs_(std::make_unique_for_overwrite<std::uint8_t[]>(kSignRoom)),
      codes_(std::make_unique_for_overwrite<std::uint8_t[]>(kCodeRoom)) {}

void HtCoder::code(const Coefficients& block, Subband, CodeBlock& out) {
  out.planes = bit_planes(block);
  if (out.planes == 0) return;
  out.passes = 1;
  Block coder(signs_.get(), codes_.get() + kCodeRoom);
  coder.code(block);
  coder.finish(signs_.get(), out.data);
}

}  // namespace waybill::pixel::j2k
