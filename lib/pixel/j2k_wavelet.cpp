// SPDX-License-Identifier: Apache-2.0
#include "pixel/j2k_wavelet.hpp"

#include <algorithm>
#include <cstring>

namespace waybill::pixel::j2k {
namespace {

std::uint32_t halved(std::uint32_t n, unsigned times) {
  for (; times > 0; --times) n = (n + 1) / 2;
  return n;
}

std::uint32_t blocks_in(std::uint32_t n) { return (n + kBlockSide - 1) / kBlockSide; }

}  // namespace

Band::Band(std::uint32_t width, std::uint32_t height, Subband kind, BlockCoder& coder)
    : width_(width),
      height_(height),
      across_(blocks_in(width)),
      down_(blocks_in(height)),
      kind_(kind),
      coder_(coder),
      stride_(width + 16),  // rows do not all begin in the same lines of the cache
      rows_(stride_ * std::min(height, kBlockSide)),
      blocks_(std::size_t{across_} * down_) {}

void Band::row_done() {
  ++filled_;
  if (filled_ < kBlockSide && done_ + filled_ < height_) return;
  CodeBlock* out = &blocks_[std::size_t{done_ / kBlockSide} * across_];
  for (std::uint32_t x = 0; x < width_; x += kBlockSide)
    coder_.code({&rows_[x], stride_, std::min(kBlockSide, width_ - x), filled_}, kind_, *out++);
  done_ += filled_;
  filled_ = 0;
}

Level::Level(std::uint32_t width, std::uint32_t height, BlockCoder& coder)
    : hl(width / 2, (height + 1) / 2, Subband::hl, coder),
      lh((width + 1) / 2, height / 2, Subband::lh, coder),
      hh(width / 2, height / 2, Subband::hh, coder),
      width_(width),
      height_(height),
      even_(width),
      odd_(width),
      before_(width),
      high_(width),
      low_(width) {}

/// Sample 2k + 1 less half the sum of its neighbours, and sample 2k with a quarter of that before and behind it.
void Level::push(const std::int32_t* row, const Low& low) {
  const std::uint32_t y = pushed_++;
  const bool last = pushed_ == height_;
  std::int32_t *const even = even_.data(), *const odd = odd_.data(), *const high = high_.data();
  if (y % 2 == 1) {
    std::memcpy(odd, row, width_ * sizeof *row);
    if (!last) return;
    row = even;  // mirrored
  } else if (y == 0) {
    std::memcpy(even, row, width_ * sizeof *row);
    if (last) put_low(even, low);
    return;
  }
  const std::int32_t* const before = y <= 2 ? high : before_.data();
  for (std::uint32_t x = 0; x < width_; ++x) high[x] = odd[x] - ((even[x] + row[x]) >> 1);
  for (std::uint32_t x = 0; x < width_; ++x) even[x] += (before[x] + high[x] + 2) >> 2;
  put_low(even, low);
  if (y % 2 == 0) {
    std::memcpy(even, row, width_ * sizeof *row);
    if (last) {
      for (std::uint32_t x = 0; x < width_; ++x) even[x] += (2 * high[x] + 2) >> 2;
    }
  }
  before_.swap(high_);
  put_high(before_.data());
  if (y % 2 == 0 && last) put_low(even, low);
}

void Level::put_low(std::int32_t* row, const Low& low) {
  split(row, low_.data(), hl.row());
  if (width_ > 1) hl.row_done();
  low(low_.data());
}

void Level::put_high(std::int32_t* row) {
  split(row, lh.row(), hh.row());
  lh.row_done();
  if (width_ > 1) hh.row_done();
}

/// The same within a row.
void Level::split(const std::int32_t* row, std::int32_t* low, std::int32_t* high) {
  const std::size_t lows = (width_ + 1) / 2, highs = width_ / 2;
  if (highs == 0) {
    low[0] = row[0];
    return;
  }
  for (std::size_t i = 0; i < highs; ++i) low[i] = row[2 * i];
  if (lows > highs) low[highs] = row[2 * highs];
  const std::size_t inner = lows - 1;  // samples of high that have a low one behind them
  for (std::size_t i = 0; i < inner; ++i) high[i] = row[2 * i + 1] - ((low[i] + low[i + 1]) >> 1);
  if (highs > inner) high[inner] = row[2 * inner + 1] - low[inner];
  low[0] += (2 * high[0] + 2) >> 2;
  for (std::size_t i = 1; i < highs; ++i) low[i] += (high[i - 1] + high[i] + 2) >> 2;
  if (lows > highs) low[highs] += (2 * high[highs - 1] + 2) >> 2;
}

Component::Component(std::uint32_t width, std::uint32_t height, unsigned levels, BlockCoder& coder)
    : lowest_width_(halved(width, levels)), lowest_(lowest_width_, halved(height, levels), Subband::ll, coder) {
  levels_.reserve(levels);
  for (unsigned i = 0; i < levels; ++i) levels_.emplace_back(halved(width, i), halved(height, i), coder);
}

void Component::push(const std::int32_t* row, std::size_t level) {
  if (level < levels_.size()) {
    levels_[level].push(row, [this, level](std::int32_t* low) { push(low, level + 1); });
    return;
  }
  std::memcpy(lowest_.row(), row, lowest_width_ * sizeof *row);
  lowest_.row_done();
}

}  // namespace waybill::pixel::j2k
