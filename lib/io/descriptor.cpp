// SPDX-License-Identifier: Apache-2.0
#include "io/descriptor.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <string>
#include <system_error>

namespace waybill::io {
namespace {

const char* next_step(int error) noexcept {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return "free space there, then run the same command again";
    case EFBIG: return "raise the file size limit (ulimit -f), then run the same command again";
    case EROFS:
    case EACCES:
    case EPERM: return "check owner and rights of the file and its folder";
    case ENOENT:
    case ENOTDIR: return "check the path";
    case EISDIR: return "it is a folder, name a file";
    case EPIPE: return "the reading side of the pipe has ended, see its message";
    default: return "check the device and its mount, then run the same command again";
  }
}

}  // namespace

void Descriptor::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

void throw_errno(std::string_view action, const std::filesystem::path& path, int error) {
  throw RunError(Exit::input, "cannot " + std::string(action) + " " + path_to_text(path.native()) + ": " +
                                  std::generic_category().message(error) + "; " + next_step(error));
}

Descriptor open_file(const std::filesystem::path& path, int flags, unsigned mode) noexcept {
  for (;;) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
    if (fd >= 0 || errno != EINTR) return Descriptor(fd);
  }
}

void write_all(int fd, ByteView bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      throw_errno("write", path, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

std::size_t read_some(int fd, std::span<std::byte> into, const std::filesystem::path& path) {
  for (;;) {
    const ssize_t n = ::read(fd, into.data(), into.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) throw_errno("read", path, errno);
  }
}

void sync_all(int fd, const std::filesystem::path& path) {
  if (::fsync(fd) != 0) throw_errno("sync", path, errno);
}

void sync_data(int fd, const std::filesystem::path& path) {
  if (::fdatasync(fd) != 0) throw_errno("sync", path, errno);
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (!fd) throw_errno("open folder", folder, errno);
  // Some network file systems cannot sync a folder; their renames are durable by protocol.
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP) throw_errno("sync folder", folder, errno);
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  auto folder = file.parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

}  // namespace waybill::io
