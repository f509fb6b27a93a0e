// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/container.hpp"
#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/sha256.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace waybill::archive {

/// The bytes of a container: in memory, or a file that is read block by block and digested on the way.
class Input {
 public:
  static constexpr std::size_t kBlock = std::size_t{1} << 20U;

  explicit Input(ByteView memory) : memory_(memory), size_(memory.size()) {}
  Input(int fd, std::uint64_t size) : fd_(fd), size_(size) {}

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] ByteView memory() const noexcept { return memory_; }
  [[nodiscard]] int fd() const noexcept { return fd_; }  ///< -1 when in memory

  /// Any bytes, shorter at the end of the file.
  [[nodiscard]] Result<Bytes> range(std::uint64_t at, std::size_t length) const;
  /// The next block of a file, valid until the next call; empty at its end.
  [[nodiscard]] Result<ByteView> next_block();
  /// SHA-256 of all; reads what next_block() did not give yet.
  [[nodiscard]] Result<std::string> digest();

 private:
  ByteView memory_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t given_ = 0;
  Bytes block_;
  Sha256 sha_;
};

/// The content of a gzip, bzip2, xz or zstd file as a stream. Single-threaded.
class Inflater {
 public:
  /// `input` must outlive the object.
  [[nodiscard]] static Result<Inflater> of(Input& input, Container container);
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;

  /// The next bytes, valid until the next call; empty at the end. Fault::limit once more than the limit came out,
  /// Fault::unreadable where the stream is damaged.
  [[nodiscard]] Result<ByteView> next();
  void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }
  [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
  /// Compressed bytes used up so far.
  [[nodiscard]] std::uint64_t consumed() const noexcept;
  /// Whether the end of the compressed data was met.
  [[nodiscard]] bool ended() const noexcept { return ended_; }

 private:
  struct State;
  Inflater();
  std::unique_ptr<State> state_;
  std::uint64_t total_ = 0;
  std::uint64_t limit_ = UINT64_MAX;
  bool ended_ = false;
};

}  // namespace waybill::archive
