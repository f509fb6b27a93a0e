// SPDX-License-Identifier: Apache-2.0
// Two SHA-256 at once with the SHA instructions of x86. One stream keeps these units half idle, since each step waits
// for the one before it (4 cycles, while one can begin every 2); a second, independent stream fills the gaps. OpenSSL
// does the work where the instructions are missing.
#include "core/sha256.hpp"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace waybill {

namespace {

Digest of_pieces(const Sha256::Pieces& message) {
  Sha256 sha;
  sha.update(message.first);
  sha.update(message.second);
  return sha.finish();
}

}  // namespace

#if defined(__x86_64__)
namespace {

constexpr std::size_t kBlock = 64;
using Words = std::array<std::uint32_t, 8>;

constexpr Words kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};  // FIPS 180-4 5.3.3

alignas(16) constexpr std::array<std::uint32_t, 64> kRound = {  // FIPS 180-4 4.2.2
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

bool has_sha_instructions() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & (1U << 29U)) == 0) return false;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & (1U << 19U)) != 0;  // SSE4.1
}

const __m128i* at(const std::byte* p) noexcept { return reinterpret_cast<const __m128i*>(p); }

/// Takes `blocks` blocks from each of `kLanes` streams into their states.
template <std::size_t kLanes>
__attribute__((target("sha,sse4.1"))) void absorb(std::array<Words, kLanes>& states,
                                                  const std::array<const std::byte*, kLanes>& streams,
                                                  std::size_t blocks) noexcept {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  __m128i abef[kLanes];
  __m128i cdgh[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l) {
    const auto* words = reinterpret_cast<const __m128i*>(states[l].data());
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1B);
    abef[l] = _mm_alignr_epi8(cdab, efgh, 8);
    cdgh[l] = _mm_blend_epi16(efgh, cdab, 0xF0);
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    __m128i abef_before[kLanes];
    __m128i cdgh_before[kLanes];
    __m128i w[kLanes][4];
    for (std::size_t l = 0; l < kLanes; ++l) {
      abef_before[l] = abef[l];
      cdgh_before[l] = cdgh[l];
      for (std::size_t i = 0; i < 4; ++i)
        w[l][i] = _mm_shuffle_epi8(_mm_loadu_si128(at(streams[l] + block * kBlock) + i), swap);
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < 16; ++r) {  // four rounds each
      const __m128i k = _mm_load_si128(reinterpret_cast<const __m128i*>(kRound.data()) + r);
#pragma GCC unroll 2
      for (std::size_t l = 0; l < kLanes; ++l) {
        const __m128i now = w[l][r % 4];
        const __m128i sum = _mm_add_epi32(now, k);
        cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], sum);
        abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], _mm_shuffle_epi32(sum, 0x0E));
        if (r < 12) {  // the words four rounds on
          const __m128i mixed = _mm_add_epi32(_mm_sha256msg1_epu32(now, w[l][(r + 1) % 4]),
                                              _mm_alignr_epi8(w[l][(r + 3) % 4], w[l][(r + 2) % 4], 4));
          w[l][r % 4] = _mm_sha256msg2_epu32(mixed, w[l][(r + 3) % 4]);
        }
      }
    }
    for (std::size_t l = 0; l < kLanes; ++l) {
      abef[l] = _mm_add_epi32(abef[l], abef_before[l]);
      cdgh[l] = _mm_add_epi32(cdgh[l], cdgh_before[l]);
    }
  }
  for (std::size_t l = 0; l < kLanes; ++l) {
    auto* words = reinterpret_cast<__m128i*>(states[l].data());
    const __m128i feba = _mm_shuffle_epi32(abef[l], 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(cdgh[l], 0xB1);
    _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
  }
}

/// Takes the first piece and what of the second completes its last block; the rest is left in `second`. Nothing when
/// the second is too short for that.
bool begin(Words& state, const Sha256::Pieces& message, ByteView& second) noexcept {
  std::array<Words, 1> states{kInitial};
  second = message.second;
  const std::size_t blocks = message.first.size() / kBlock;
  absorb<1>(states, {message.first.data()}, blocks);
  if (const ByteView rest = message.first.subspan(blocks * kBlock); !rest.empty()) {
    const std::size_t missing = kBlock - rest.size();
    if (second.size() < missing) return false;
    std::array<std::byte, kBlock> block{};
    std::memcpy(block.data(), rest.data(), rest.size());
    std::memcpy(block.data() + rest.size(), second.data(), missing);
    absorb<1>(states, {block.data()}, 1);
    second = second.subspan(missing);
  }
  state = states[0];
  return true;
}

/// Takes what is left of a message of `size` bytes and its padding (FIPS 180-4 5.1.1).
Digest conclude(Words state, ByteView left, std::size_t size) noexcept {
  std::array<Words, 1> states{state};
  const std::size_t blocks = left.size() / kBlock;
  absorb<1>(states, {left.data()}, blocks);
  left = left.subspan(blocks * kBlock);
  const std::size_t rest = left.size();
  std::array<std::byte, 2 * kBlock> last{};
  if (rest > 0) std::memcpy(last.data(), left.data(), rest);
  last[rest] = std::byte{0x80};
  const std::size_t padded = rest + 9 <= kBlock ? kBlock : 2 * kBlock;
  const std::uint64_t bits = static_cast<std::uint64_t>(size) * 8;
  for (std::size_t i = 0; i < 8; ++i) last[padded - 1 - i] = static_cast<std::byte>(bits >> (8 * i) & 0xFFU);
  absorb<1>(states, {last.data()}, padded / kBlock);
  Digest digest;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i)
    digest.bytes[i] = static_cast<std::byte>(states[0][i / 4] >> (24 - 8 * (i % 4)) & 0xFFU);
  return digest;
}

}  // namespace

std::array<Digest, 2> Sha256::of_two(const Pieces& a, const Pieces& b) {
  static const bool kFast = has_sha_instructions();
  std::array<Words, 2> states{};
  ByteView left, right;
  if (!kFast || !begin(states[0], a, left) || !begin(states[1], b, right)) return {of_pieces(a), of_pieces(b)};
  const std::size_t blocks = std::min(left.size(), right.size()) / kBlock;
  absorb<2>(states, {left.data(), right.data()}, blocks);
  return {conclude(states[0], left.subspan(blocks * kBlock), a.first.size() + a.second.size()),
          conclude(states[1], right.subspan(blocks * kBlock), b.first.size() + b.second.size())};
}

#else

std::array<Digest, 2> Sha256::of_two(const Pieces& a, const Pieces& b) { return {of_pieces(a), of_pieces(b)}; }

#endif

}  // namespace waybill
