// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/descriptor.hpp"
#include "transcode/codecs.hpp"

#include <cstddef>
#include <span>

/// What a codec process and its owner say to each other. Both map two memory files, one a direction; over a socket goes
/// only how many bytes of it are a message. One machine, one build: integers are as they are in memory.
namespace waybill::transcode {

/// A file in memory that two processes map. It grows, never shrinks (sealed), so that no access can fail.
class Region {
 public:
  /// A new one. Throws RunError when the system has none to give.
  static Region create(const char* name);
  /// The one behind a descriptor that was inherited.
  explicit Region(io::Descriptor fd) noexcept : fd_(std::move(fd)) {}
  ~Region();
  Region(Region&& other) noexcept;
  Region& operator=(Region&&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// At least `size` bytes, mapped; empty when there is no memory for them.
  [[nodiscard]] std::span<std::byte> room(std::size_t size);
  /// The first `size` bytes as the other side wrote them; empty when it did not make them.
  [[nodiscard]] ByteView view(std::size_t size);
  /// Gives back the memory of a large message.
  void release() noexcept;

 private:
  [[nodiscard]] bool map(std::size_t size);
  io::Descriptor fd_;
  std::byte* data_ = nullptr;
  std::size_t mapped_ = 0;
};

/// encode() with `syntax`, or compare() when there is `written`.
struct Request {
  pixel::PixelData source;
  std::optional<pixel::PixelData> written;
  std::string syntax;
  std::uint64_t memory = 0;   ///< bytes of address space beyond what the process has
  std::uint64_t seconds = 0;  ///< of processor time
};

/// Puts a message into the region and gives its size; 0 when there is no memory for it.
[[nodiscard]] std::size_t put(Region& region, const Request& request);
[[nodiscard]] std::size_t put(Region& region, const Result<Encoded>& answer);
[[nodiscard]] std::size_t put(Region& region, const Result<std::string>& answer);

/// Reads a message. Views of a request point into the region. What makes no sense is a Failure.
[[nodiscard]] Result<Request> get_request(ByteView message);
[[nodiscard]] Result<Encoded> get_encoded(ByteView message);
[[nodiscard]] Result<std::string> get_name(ByteView message);

}  // namespace waybill::transcode
