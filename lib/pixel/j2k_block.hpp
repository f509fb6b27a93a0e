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

/// A code-block as its packet takes it.
struct CodeBlock {
  Bytes data;
  std::uint8_t planes = 0;  ///< bits of the largest coefficient's size; 0: all are zero, and nothing is coded
  std::uint8_t passes = 0;  ///< three for each bit-plane, less two; one for a block of HTJ2K
};

/// Coefficients of a block of up to 64 x 64, rows `stride` apart, below 2^23 in size.
struct Coefficients {
  const std::int32_t* first;
  std::size_t stride;
  unsigned width, height;
};

/// Bits of the largest coefficient's size.
[[nodiscard]] std::uint8_t bit_planes(const Coefficients& block);

/// Writes all symbols of the coding passes (T.800 D.4) of a block of so many bit-planes at `out`, which has room for
/// kMostSymbols. Returns their end.
[[nodiscard]] Symbol* block_symbols(const Coefficients& block, Subband band, std::uint8_t planes, Symbol* out);

/// No bit-plane has more than a run, two uniform and three further symbols in four samples; each sample has one sign.
inline constexpr std::size_t kMostPlanes = 23;
inline constexpr std::size_t kMostSymbols = (kMostPlanes * 6 + 4) * (kBlockSide * kBlockSide / 4) + 64;

/// What makes code-blocks of coefficients. One thread.
class BlockCoder {
 public:
  BlockCoder() = default;
  BlockCoder(const BlockCoder&) = delete;
  BlockCoder& operator=(const BlockCoder&) = delete;
  virtual ~BlockCoder() = default;
  /// Codes a block, now or with one of the next, into `out`, which stays where it is until flush().
  virtual void code(const Coefficients& block, Subband band, CodeBlock& out) = 0;
  /// Ends what is under way.
  virtual void flush() = 0;
};

/// The coding passes of T.800, two blocks at a time where there are two.
class PassCoder : public BlockCoder {
 public:
  PassCoder();
  void code(const Coefficients& block, Subband band, CodeBlock& out) override;
  void flush() override;

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

/// The cleanup pass of HTJ2K (ITU-T T.814) over all bits.
class HtCoder : public BlockCoder {
 public:
  HtCoder();
  void code(const Coefficients& block, Subband band, CodeBlock& out) override;
  void flush() override {}

 private:
  std::unique_ptr<std::uint8_t[]> signs_, codes_;  ///< MagSgn, and VLC from its end on
};

}  // namespace waybill::pixel::j2k
