// SPDX-License-Identifier: Apache-2.0
#include "archive/file.hpp"

#include "core/clock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <system_error>

namespace waybill::archive {
namespace {

Failure unreadable(const std::string& what) { return {Fault::unreadable, what}; }
std::string reason(int error) { return std::generic_category().message(error); }

/// Reads from `at` until `into` is full or the file ends; the number of bytes, or -1 with errno.
ssize_t fill(int fd, std::span<std::byte> into, std::uint64_t at) noexcept {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

bool is_large_container(int fd, std::uint64_t size) {
  if (size <= kInMemory) return false;
  std::array<std::byte, kSniff> head{};
  const ssize_t n = fill(fd, head, 0);
  return n > 0 && container_of(ByteView(head).first(static_cast<std::size_t>(n))) != Container::none;
}

/// All bytes, and one more to see growth.
Result<ByteView> read_all(int fd, std::uint64_t size, io::Scratch& memory) {
  std::span<std::byte> room;
  try {
    room = memory.room(size + 1);
  } catch (const std::bad_alloc&) {
    return Failure{Fault::limit, "has " + std::to_string(size) + " bytes, more than there is memory for"};
  }
  const ssize_t n = fill(fd, room, 0);
  if (n < 0) return unreadable("cannot be read: " + reason(errno));
  return ByteView(room.first(static_cast<std::size_t>(n)));
}

}  // namespace

Result<FileState> state_of(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return unreadable("cannot be examined: " + reason(errno));
  if (!S_ISREG(info.st_mode)) return unreadable("is no regular file");
  FileState state;
  state.size = static_cast<std::uint64_t>(info.st_size);
  state.allocated = static_cast<std::uint64_t>(info.st_blocks) * 512U;
  state.inode = info.st_ino;
  state.mtime = utc_from(info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  return state;
}

Result<OpenFile> open_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer; regular files ignore it.
  io::Descriptor fd = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return unreadable("cannot be opened: " + reason(errno));
  OpenFile file;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto before = state_of(fd.get());
    if (!before) return before.error();
    file.state = *before;
    if (is_large_container(fd.get(), before->size)) {
      file.stream = std::move(fd);
      return file;
    }
    if (before->size > kLargest) {
      return Failure{Fault::limit, "has " + std::to_string(before->size) + " bytes, more than the limit of " +
                                       std::to_string(kLargest)};
    }
    const auto bytes = read_all(fd.get(), before->size, file.memory);
    if (!bytes) return bytes.error();
    const auto after = state_of(fd.get());
    if (!after) return after.error();
    const bool same = after->size == before->size && after->mtime == before->mtime;
    if (same && bytes->size() < before->size)
      return unreadable("ends after " + std::to_string(bytes->size()) + " of " + std::to_string(before->size) +
                        " bytes");
    file.changed = !same || bytes->size() != before->size;
    file.bytes = *bytes;
    if (!file.changed) break;
    file.state = *after;
    file.state.size = file.bytes.size();
  }
  return file;
}

Result<Window> Window::open(const std::string& path) {
  Window window;
  window.fd_ = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!window.fd_) return unreadable("cannot be opened: " + reason(errno));
  const auto state = state_of(window.fd_.get());
  if (!state) return state.error();
  window.state_ = *state;
  const auto read = window.grow();
  if (!read) return read.error();
  return window;
}

Result<Done> Window::grow() {
  constexpr std::uint64_t kFirst = std::uint64_t{16} * 1024;
  const std::uint64_t have = bytes_.size();
  const std::uint64_t want = std::min(state_.size, have == 0 ? kFirst : have * 8);
  if (want > kLargest) return Failure{Fault::limit, "has a header larger than " + std::to_string(kLargest) + " bytes"};
  const std::span<std::byte> room = memory_.room(want, have);
  const ssize_t n = fill(fd_.get(), room.subspan(have), have);
  if (n < 0) return unreadable("cannot be read: " + reason(errno));
  if (static_cast<std::uint64_t>(n) < want - have)
    return unreadable("ends after " + std::to_string(have + static_cast<std::uint64_t>(n)) + " of " +
                      std::to_string(state_.size) + " bytes");
  bytes_ = room;
  return Done{};
}

bool is_sparse_stub(const OpenFile& file) noexcept {
  const std::uint64_t size = file.bytes.size();
  if (size < 4096 || file.state.allocated >= size / 2) return false;
  const std::size_t needed = file.bytes.size() / 2;
  return std::all_of(file.bytes.end() - static_cast<std::ptrdiff_t>(needed), file.bytes.end(),
                     [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace waybill::archive
