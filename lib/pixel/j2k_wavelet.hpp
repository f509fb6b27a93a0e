// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/j2k_block.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace waybill::pixel::j2k {

/// The coefficients of a subband as they come, row by row; 64 rows make code-blocks, which are coded at once.
class Band {
 public:
  Band(std::uint32_t width, std::uint32_t height, Subband kind, BlockCoder& coder);

  /// Where the next row is to be written; row_done() when it is.
  [[nodiscard]] std::int32_t* row() { return rows_.data() + filled_ * stride_; }
  void row_done();

  [[nodiscard]] Subband kind() const { return kind_; }
  /// Code-blocks in a row, and rows of them.
  [[nodiscard]] std::uint32_t across() const { return across_; }
  [[nodiscard]] std::uint32_t down() const { return down_; }
  /// Row by row.
  [[nodiscard]] std::vector<CodeBlock>& blocks() { return blocks_; }

 private:
  std::uint32_t width_, height_, across_, down_;
  Subband kind_;
  BlockCoder& coder_;
  std::size_t stride_;
  std::uint32_t filled_ = 0, done_ = 0;  ///< rows in hand, and coded before them
  std::vector<std::int32_t> rows_;
  std::vector<CodeBlock> blocks_;
};

/// One level of the reversible 5-3 wavelet (T.800 F.4), from row to row: it holds three of them.
class Level {
 public:
  Level(std::uint32_t width, std::uint32_t height, BlockCoder& coder);

  /// Takes the next row of `width` samples; low-pass rows that are complete go to `low`, which may change them.
  using Low = std::function<void(std::int32_t*)>;
  void push(const std::int32_t* row, const Low& low);

  Band hl, lh, hh;

 private:
  void put_low(std::int32_t* row, const Low& low);
  void put_high(std::int32_t* row);
  void split(const std::int32_t* row, std::int32_t* low, std::int32_t* high);

  std::uint32_t width_, height_, pushed_ = 0;
  std::vector<std::int32_t> even_, odd_, before_, high_, low_;
};

/// A component's samples through `levels` levels of the wavelet into code-blocks.
class Component {
 public:
  Component(std::uint32_t width, std::uint32_t height, unsigned levels, BlockCoder& coder);
  /// Takes the next row.
  void push(const std::int32_t* row) { push(row, 0); }

  [[nodiscard]] Band& lowest() { return lowest_; }
  /// Levels from the largest on.
  [[nodiscard]] std::vector<Level>& levels() { return levels_; }

 private:
  void push(const std::int32_t* row, std::size_t level);

  std::uint32_t lowest_width_;
  std::vector<Level> levels_;
  Band lowest_;
};

}  // namespace waybill::pixel::j2k
