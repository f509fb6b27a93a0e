// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "io/descriptor.hpp"

#include <cstddef>
#include <span>

namespace waybill::transcode {

/// A file in memory that two processes map. It grows, never shrinks (sealed), so that no access can fail.
class Region {
 public:
  enum class Access { write, read };

  /// A new one. Throws RunError when the system has none to give.
  static Region create(const char* name);
  /// The one behind a descriptor that came from another process.
  explicit Region(io::Descriptor fd, Access access = Access::write) noexcept : fd_(std::move(fd)), access_(access) {}
  ~Region();
  Region(Region&& other) noexcept;
  Region& operator=(Region&&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// At least `size` bytes, mapped; empty when there is no memory for them. What stood there is lost.
  [[nodiscard]] std::span<std::byte> room(std::size_t size);
  /// The first `size` bytes as the other side wrote them; empty when it did not make them.
  [[nodiscard]] ByteView view(std::size_t size);
  [[nodiscard]] ByteView mapped() const noexcept { return {data_, mapped_}; }
  /// Gives back the memory behind the first `kept` bytes.
  void release(std::size_t kept) noexcept;

 private:
  [[nodiscard]] bool map(std::size_t size);
  io::Descriptor fd_;
  Access access_ = Access::write;
  std::byte* data_ = nullptr;
  std::size_t mapped_ = 0;
};

}  // namespace waybill::transcode
