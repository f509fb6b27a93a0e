// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/container.hpp"
#include "core/bytes.hpp"
#include "core/result.hpp"
#include "io/descriptor.hpp"
#include "io/scratch.hpp"

#include <cstdint>
#include <string>

namespace waybill::archive {

/// The largest container that is read into memory at once; larger ones are streamed.
inline constexpr std::uint64_t kInMemory = std::uint64_t{256} << 20U;
/// The largest file or member that is read at all; it has to fit into memory.
inline constexpr std::uint64_t kLargest = std::uint64_t{16} << 30U;

/// What a file's metadata said when its bytes were read.
struct FileState {
  std::uint64_t size = 0;
  std::uint64_t allocated = 0;  ///< bytes of the blocks the file has on disk
  std::uint64_t inode = 0;
  std::string mtime;  ///< RFC 3339 UTC
  bool operator==(const FileState&) const = default;
};

/// A file of the archive as it was read: all its bytes, or for a large container a descriptor at its start.
struct OpenFile {
  FileState state;
  ByteView bytes;  ///< in `memory`
  io::Scratch memory;
  io::Descriptor stream;  ///< open only for a container larger than kInMemory; `bytes` is empty then
  bool changed = false;   ///< size or times changed while it was read, the second time as well
};

/// Opens and reads a regular file, once more when it changed meanwhile. Fault::unreadable when it cannot be opened or
/// read to its end, Fault::limit when it is larger than kLargest and no container.
[[nodiscard]] Result<OpenFile> open_file(const std::string& path);

/// The first bytes of a regular file, and more of them when asked. For looking at headers without reading the rest.
class Window {
 public:
  /// Fault::unreadable when it cannot be opened or read.
  [[nodiscard]] static Result<Window> open(const std::string& path);
  [[nodiscard]] const FileState& state() const noexcept { return state_; }
  [[nodiscard]] ByteView bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool whole() const noexcept { return bytes_.size() >= state_.size; }
  /// Reads on until there are eight times as many bytes, or all.
  [[nodiscard]] Result<Done> grow();

 private:
  io::Descriptor fd_;
  FileState state_;
  io::Scratch memory_;
  ByteView bytes_;
};

/// The metadata of an open file now.
[[nodiscard]] Result<FileState> state_of(int fd);

/// Whether the file is a stub: far fewer bytes on disk than its size, and zeros (a hole) where the rest should be.
/// Storage managers leave such files behind for what they moved to tape and cannot recall.
[[nodiscard]] bool is_sparse_stub(const OpenFile& file) noexcept;

}  // namespace waybill::archive
