// SPDX-License-Identifier: Apache-2.0
#include "io/read_file.hpp"

#include "io/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>

namespace waybill::io {
namespace {

Failure unreadable(const std::string& what) { return {Fault::unreadable, what}; }
std::string reason(int error) { return std::generic_category().message(error); }

bool same_state(const struct stat& a, const struct stat& b) noexcept {
  const auto same_time = [](const timespec& x, const timespec& y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.st_size == b.st_size && same_time(a.st_mtim, b.st_mtim) && same_time(a.st_ctim, b.st_ctim);
}

/// Fills `into` as far as the file goes and one byte more, to see growth; the number of bytes or -1 with errno.
ssize_t fill(int fd, std::span<std::byte> into) noexcept {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::read(fd, into.data() + done, into.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t max_size) {
  Bytes bytes;
  const auto read = read_file(
      path,
      [&](std::size_t size) -> std::span<std::byte> {
        try {
          bytes.resize(size);
        } catch (const std::bad_alloc&) {
          return {};
        }
        return bytes;
      },
      max_size);
  if (!read) return read.error();
  bytes.resize(read->size());
  return bytes;
}

Result<ByteView> read_file(const std::filesystem::path& path, const Room& room, std::uint64_t max_size) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer; regular files ignore it.
  const Descriptor fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return unreadable("cannot be opened: " + reason(errno));
  struct stat before {};
  if (::fstat(fd.get(), &before) != 0) return unreadable("cannot be examined: " + reason(errno));
  if (!S_ISREG(before.st_mode)) return unreadable("is no regular file");
  const auto size = static_cast<std::uint64_t>(before.st_size);
  if (size > max_size) {
    return Failure{Fault::limit,
                   "has " + std::to_string(size) + " bytes, more than the limit of " + std::to_string(max_size)};
  }
  const auto into = room(size + 1);
  if (into.size() < size + 1)
    return Failure{Fault::limit, "has " + std::to_string(size) + " bytes, more than there is memory for"};
  const ssize_t n = fill(fd.get(), into.first(size + 1));
  if (n < 0) return unreadable("cannot be read: " + reason(errno));
  struct stat after {};
  if (::fstat(fd.get(), &after) != 0) return unreadable("cannot be examined: " + reason(errno));
  if (static_cast<std::uint64_t>(n) != size || !same_state(before, after))
    return unreadable("changed while being read");
  return ByteView(into).first(size);
}

}  // namespace waybill::io
