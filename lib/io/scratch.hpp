// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace waybill::io {

/// Memory for the bytes of one file. It comes from a pool and goes back to it, so that reading millions of files
/// neither asks the system for fresh pages nor clears them, each of which costs as much as copying the file. Any
/// thread; one object belongs to one thread at a time.
class Scratch {
 public:
  /// More than this is given back to the system instead of being kept for the next file.
  static constexpr std::size_t kKept = std::size_t{64} << 20U;

  Scratch() = default;
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&& other) noexcept;

  /// At least `size` bytes; the first `used` of them hold what stood there before, the others anything. Spans given
  /// before are void. Throws std::bad_alloc.
  [[nodiscard]] std::span<std::byte> room(std::size_t size, std::size_t used = 0);

 private:
  friend struct Pool;
  void give_back() noexcept;

  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_ = 0;
};

}  // namespace waybill::io
