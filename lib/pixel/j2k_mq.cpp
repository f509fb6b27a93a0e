// SPDX-License-Identifier: Apache-2.0
#include "pixel/j2k_mq.hpp"

#include <algorithm>
#include <bit>

namespace waybill::pixel::j2k {
namespace {

/// Probability of the less probable symbol, where to go on behind one and behind a more probable one that renormalises,
/// and whether the more probable symbol changes (T.800 table C.2).
struct Row {
  std::uint16_t qe;
  std::uint8_t more, less;
  bool turns;
};
constexpr std::array<Row, 47> kRows = {{
    {0x5601, 1, 1, true},    {0x3401, 2, 6, false},   {0x1801, 3, 9, false},   {0x0AC1, 4, 12, false},
    {0x0521, 5, 29, false},  {0x0221, 38, 33, false}, {0x5601, 7, 6, true},    {0x5401, 8, 14, false},
    {0x4801, 9, 14, false},  {0x3801, 10, 14, false}, {0x3001, 11, 17, false}, {0x2401, 12, 18, false},
    {0x1C01, 13, 20, false}, {0x1601, 29, 21, false}, {0x5601, 15, 14, true},  {0x5401, 16, 14, false},
    {0x5101, 17, 15, false}, {0x4801, 18, 16, false}, {0x3801, 19, 17, false}, {0x3401, 20, 18, false},
    {0x3001, 21, 19, false}, {0x2801, 22, 19, false}, {0x2401, 23, 20, false}, {0x2201, 24, 21, false},
    {0x1C01, 25, 22, false}, {0x1801, 26, 23, false}, {0x1601, 27, 24, false}, {0x1401, 28, 25, false},
    {0x1201, 29, 26, false}, {0x1101, 30, 27, false}, {0x0AC1, 31, 28, false}, {0x09C1, 32, 29, false},
    {0x08A1, 33, 30, false}, {0x0521, 34, 31, false}, {0x0441, 35, 32, false}, {0x02A1, 36, 33, false},
    {0x0221, 37, 34, false}, {0x0141, 38, 35, false}, {0x0111, 39, 36, false}, {0x0085, 40, 37, false},
    {0x0049, 41, 38, false}, {0x0025, 42, 39, false}, {0x0015, 43, 40, false}, {0x0009, 44, 41, false},
    {0x0005, 45, 42, false}, {0x0001, 45, 43, false}, {0x5601, 46, 46, false},
}};

/// A state is a row times two plus the symbol that is more probable. In a word: bits 0-15 Qe, 16-24 the state times
/// four, 31 whether the more probable symbol is 0.
constexpr std::uint32_t word_of(std::uint32_t state) {
  return kRows[state / 2].qe | state << 18U | (1 - state % 2) << 31U;
}
/// The words behind a symbol, at state * 4 + symbol * 2 + whether the interval is still large enough.
constexpr std::array<std::uint32_t, 376> kNext = [] {
  std::array<std::uint32_t, 376> out{};
  for (std::uint32_t state = 0; state < 94; ++state) {
    const Row& row = kRows[state / 2];
    const std::uint32_t probable = state % 2, turned = row.turns ? 1 - probable : probable;
    for (std::uint32_t symbol = 0; symbol < 2; ++symbol) {
      out[state * 4 + symbol * 2] = word_of(symbol == probable ? row.more * 2U + probable : row.less * 2U + turned);
      out[state * 4 + symbol * 2 + 1] = word_of(state);
    }
  }
  return out;
}();

constexpr std::int32_t kFull = 24;  // bits that are ready before they leave

}  // namespace

/// What the loop of a coder keeps in registers.
struct MqRegisters {
  explicit MqRegisters(const MqEncoder& from)
      : code(from.code_), interval(from.interval_), ready(from.ready_), at(from.at_) {}
  void to(MqEncoder& coder) const {
    coder.code_ = code;
    coder.interval_ = interval;
    coder.ready_ = ready;
    coder.at_ = at;
  }
  /// One symbol without a branch on what it is: in noise that cannot be foretold.
  [[gnu::always_inline]] void step(MqEncoder& coder) {
    const std::uint32_t symbol = *at++;
    std::uint32_t& slot = coder.states_[symbol >> 1U];
    const std::uint32_t state = slot, qe = state & 0xFFFFU, rest = interval - qe;
    // All ones when the symbol is the more probable one; and, as that takes the larger part, when it takes the upper.
    const auto probable = static_cast<std::int32_t>(symbol << 31U ^ state) >> 31;
    const auto upper = static_cast<std::uint32_t>(probable ^ static_cast<std::int32_t>(rest - qe) >> 31);
    interval = qe ^ ((rest ^ qe) & upper);
    code += qe & upper;
    slot = kNext[(state >> 16U & 0x1FFU) + (symbol & 1U) * 2 + (interval >> 15U)];
    const int shift = __builtin_clz(interval) - 16;
    interval <<= shift;
    code <<= shift;
    ready += shift;
    if (__builtin_expect(ready >= kFull, 0)) {
      coder.code_ = code;
      coder.ready_ = ready;
      coder.emit();
      code = coder.code_;
      ready = coder.ready_;
    }
  }

  std::uint64_t code;
  std::uint32_t interval;
  std::int32_t ready;
  const Symbol* at;
};

void MqEncoder::begin(const Symbol* from, const Symbol* end, std::uint8_t* to) noexcept {
  code_ = 0;
  interval_ = 0x8000;
  ready_ = -4;  // the first byte is full 12 shifts on
  at_ = from;
  end_ = end;
  *to = 0;  // stands before the first byte, which no carry leaves
  begin_ = to + 1;
  out_ = begin_;
  states_.fill(word_of(0));
  states_[0] = word_of(4 * 2);
  states_[kRunContext] = word_of(3 * 2);
  states_[kUniformContext] = word_of(46 * 2);
}

/// Lets one byte go: seven bits behind FF, whose eighth takes a carry.
void MqEncoder::put_byte() noexcept {
  const auto shift = static_cast<unsigned>(ready_ + 19);  // of the carry
  if (out_[-1] != 0xFF && (code_ >> shift) != 0) {
    ++out_[-1];
    code_ &= (std::uint64_t{1} << shift) - 1;
  }
  const unsigned bits = out_[-1] == 0xFF ? 7 : 8;
  *out_++ = static_cast<std::uint8_t>(code_ >> (shift - bits));
  code_ &= (std::uint64_t{1} << (shift - bits)) - 1;
  ready_ -= static_cast<std::int32_t>(bits);
}

[[gnu::noinline]] void MqEncoder::emit() noexcept {
  put_byte();
  put_byte();
  put_byte();
}

void MqEncoder::code(std::size_t count) noexcept {
  MqRegisters registers(*this);
  for (; count > 0; --count) registers.step(*this);
  registers.to(*this);
}

void MqEncoder::code_both(MqEncoder& a, MqEncoder& b, std::size_t count) noexcept {
  MqRegisters of_a(a), of_b(b);
  for (; count > 0; --count) {
    of_a.step(a);
    of_b.step(b);
  }
  of_a.to(a);
  of_b.to(b);
}

std::size_t MqEncoder::finish() noexcept {
  const std::uint64_t top = code_ + interval_;
  code_ |= 0xFFFF;
  if (code_ >= top) code_ -= 0x8000;
  // As many bits as tell the interval: those that are ready, the three of room and the first of the fraction.
  code_ <<= 12U;
  ready_ += 12;
  while (ready_ >= 8) put_byte();
  if (out_ > begin_ && out_[-1] == 0xFF) --out_;
  return static_cast<std::size_t>(out_ - begin_);
}

}  // namespace waybill::pixel::j2k
