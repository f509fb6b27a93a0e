// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "io/scratch.hpp"
#include "manifest/place.hpp"
#include "pack/sealed.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

/// The entries of a volume. Each content is one entry of a tar file (POSIX ustar), named by its SHA-256, and each entry
/// is a zstd frame of its own. So a volume is a plain .tar.zst to everybody, and any content of it is found by offset
/// and length alone. docs/backup.md is the format.
namespace waybill::pack {

inline constexpr std::size_t kTarBlock = 512;

/// "sha256/ab/ab12…": the name of a content in its volume.
[[nodiscard]] std::string entry_name(const std::string& sha256);

/// Compresses entries one after the other; the same bytes for the same input and level. One thread at a time.
class Encoder {
 public:
  explicit Encoder(int level);
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// Room for a content of `size` bytes, which encode() then takes; valid until the next call.
  [[nodiscard]] std::span<std::byte> room(std::size_t size);
  /// The content in room() as an entry of its name, in `memory`.
  [[nodiscard]] ByteView encode(std::size_t size, const std::string& sha256, io::Scratch& memory);
  /// The two empty blocks that end a tar file, as a frame.
  [[nodiscard]] ByteView encode_end(io::Scratch& memory);

  using Sink = std::function<void(ByteView)>;
  /// An entry of a content that is not held in memory: `next` gives its bytes piece by piece, an empty piece at the
  /// end, `size` in all. Compresses on `threads` threads; the result does not depend on their number. Returns false,
  /// having written a part of it, when `next` gave another number of bytes.
  [[nodiscard]] bool stream(std::uint64_t size, const std::string& sha256, unsigned threads,
                            const std::function<ByteView()>& next, const Sink& sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The most bytes an entry of so many bytes of content takes.
[[nodiscard]] std::uint64_t entry_bound(std::uint64_t size) noexcept;

/// Reads the frame at `place` of an open volume and hands the content out piece by piece; proves the frame's checksum,
/// the entry's head, the size and the SHA-256. What is wrong comes back as Fault::mismatch, a read error as
/// Fault::unreadable; then what was handed out before is worth nothing. Any thread. Memory: 1 MiB.
[[nodiscard]] Result<Done> read_entry(OpenVolume& volume, const manifest::Place& place,
                                      const std::function<Result<Done>(ByteView)>& sink);

}  // namespace waybill::pack
