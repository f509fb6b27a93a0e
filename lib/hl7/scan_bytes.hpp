// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Walks over bytes sixteen at a time; what every pass over a message has in common.
namespace waybill::hl7 {

/// Calls `found(position)` for each byte of `text` from `from` on that is `a`, `b`, `c` or `d`, in order, until it
/// gives false.
template <typename F>
void for_each_of(std::string_view text, std::size_t from, char a, char b, char c, char d, const F& found) {
  std::size_t i = from;
#if defined(__SSE2__)
  const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b), vc = _mm_set1_epi8(c), vd = _mm_set1_epi8(d);
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, va), _mm_cmpeq_epi8(block, vb)),
                                     _mm_or_si128(_mm_cmpeq_epi8(block, vc), _mm_cmpeq_epi8(block, vd)));
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
    for (; mask != 0; mask &= mask - 1)
      if (!found(i + static_cast<std::size_t>(std::countr_zero(mask)))) return;
  }
#endif
  for (; i < text.size(); ++i) {
    const char x = text[i];
    if ((x == a || x == b || x == c || x == d) && !found(i)) return;
  }
}

/// What kinds of bytes a text holds.
struct ByteKinds {
  bool high = false;    ///< 0x80 and above
  bool shift = false;   ///< ESC, which switches character sets in ISO 2022
  bool escape = false;  ///< the message's own escape character
};

[[nodiscard]] inline ByteKinds kinds_of(std::string_view text, char escape) noexcept {
  ByteKinds kinds;
  std::size_t i = 0;
#if defined(__SSE2__)
  __m128i high = _mm_setzero_si128(), shift = high, own = high;
  const __m128i esc = _mm_set1_epi8(0x1B), mark = _mm_set1_epi8(escape);
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    high = _mm_or_si128(high, block);
    shift = _mm_or_si128(shift, _mm_cmpeq_epi8(block, esc));
    own = _mm_or_si128(own, _mm_cmpeq_epi8(block, mark));
  }
  kinds.high = _mm_movemask_epi8(high) != 0;
  kinds.shift = _mm_movemask_epi8(shift) != 0;
  kinds.escape = _mm_movemask_epi8(own) != 0;
#endif
  for (; i < text.size(); ++i) {
    kinds.high |= (static_cast<unsigned char>(text[i]) & 0x80U) != 0;
    kinds.shift |= text[i] == 0x1B;
    kinds.escape |= text[i] == escape;
  }
  return kinds;
}

}  // namespace waybill::hl7
