// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/j2k_mq.hpp"

#include "core/bytes.hpp"

#include <array>
#include <cstdint>
#include <memory>

namespace waybill::pixel::j2k {

inline constexpr unsigned kBlockSide = 64;

/// Which way a subband is high-pass: horizontally first.
enum class Subband : std::uint8_t { ll, hl, lh, hh };

/// A code-block as its packet takes it; no passes when all coefficients are zero.
struct CodeBlock {
  Bytes data;
  std::uint8_t planes = 0;  ///< bit-planes that are coded, from the most significant with a one
  [[nodiscard]] unsigned passes() const noexcept { return planes == 0 ? 0 : 3U * planes - 2; }
};

/// Coefficients of a block of up to 64 x 64, rows `stride` apart, below 2^23 in size.
struct Coefficients {
  const std::int32_t* first;
  std::size_t stride;
  unsigned width, height;
};

/// Writes all symbols of a block's coding passes (T.800 D.4) at `out`, which has room for kMostSymbols. Returns their
/// end; `planes` becomes the number of bit-planes, 0 for a block of zeros.
[[nodiscard]] Symbol* block_symbols(const Coefficients& block, Subband band, Symbol* out, std::uint8_t& planes);

/// No bit-plane has more than a run, two uniform and three further symbols in four samples; each sample one sign.
inline constexpr std::size_t kMostPlanes = 23;
inline constexpr std::size_t kMostSymbols = (kMostPlanes * 3 / 2 + 1) * kBlockSide * kBlockSide + 64;

/// Codes blocks, two at a time where there are two. One thread.
class BlockCoder {
 public:
  BlockCoder();
  /// Codes a block, now or with one of the next, into `out`, which stays where it is until flush().
  void code(const Coefficients& block, Subband band, CodeBlock& out);
  /// Ends what is under way.
  void flush();

 private:
  struct Lane {
    MqEncoder coder;
    CodeBlock* block = nullptr;  ///< null: free
    std::unique_ptr<Symbol[]> symbols;
    std::unique_ptr<std::uint8_t[]> bytes;
  };
  static void finish(Lane& lane);
  std::array<Lane, 2> lanes_;
};

}  // namespace waybill::pixel::j2k
