// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

namespace waybill::io {

/// Owns a file descriptor; -1 is none. Closing never reports, so sync what must not be lost first.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset(int fd = -1) noexcept;
  /// Gives the descriptor away without closing it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Throws RunError(Exit::input): "cannot <action> <path>: <errno text>; <next step>".
[[noreturn]] void throw_errno(std::string_view action, const std::filesystem::path& path, int error);

/// Opens `path` close-on-exec, repeating after EINTR; no descriptor (and errno) when it fails.
[[nodiscard]] Descriptor open_file(const std::filesystem::path& path, int flags, unsigned mode = 0600) noexcept;

/// Writes all bytes or throws; `path` is for the message.
void write_all(int fd, ByteView bytes, const std::filesystem::path& path);

/// Reads at most `into.size()` bytes, 0 at the end; throws on an error.
[[nodiscard]] std::size_t read_some(int fd, std::span<std::byte> into, const std::filesystem::path& path);

/// fsync / fdatasync, throwing on an error. After that the descriptor must not be used again.
void sync_all(int fd, const std::filesystem::path& path);
void sync_data(int fd, const std::filesystem::path& path);

/// Makes the names in a folder durable (created, renamed and removed files). Throws on an error.
void sync_folder(const std::filesystem::path& folder);

/// The folder a file lies in, "." for a bare name.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& file);

}  // namespace waybill::io
