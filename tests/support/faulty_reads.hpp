// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

/// Reads that fail or come at a bad moment. This header defines read() and pread() for the whole program, before those
/// of the C library, so it belongs into one source of a test.
namespace waybill::test {

struct Read {
  std::string path;      ///< of the file, as the system has it
  std::uint64_t at = 0;  ///< 0 for read()
  std::size_t count = 0;
};

/// Called before a read of a regular file of more than one byte (a byte is read-ahead's); an errno other than 0 is the
/// outcome instead of bytes. Set while nobody reads; it must not read files itself.
inline std::function<int(const Read&)> before_read;
inline std::mutex before_read_mutex;

inline int fault_of(int fd, std::uint64_t at, std::size_t count) {
  if (!before_read || count <= 1) return 0;
  char path[4096];
  const ssize_t n = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  if (n <= 0 || path[0] != '/') return 0;
  const std::lock_guard lock(before_read_mutex);
  return before_read({std::string(path, static_cast<std::size_t>(n)), at, count});
}

/// Sets before_read for as long as it lives.
class OnRead {
 public:
  explicit OnRead(std::function<int(const Read&)> call) { before_read = std::move(call); }
  ~OnRead() { before_read = nullptr; }
  OnRead(const OnRead&) = delete;
  OnRead& operator=(const OnRead&) = delete;
};

}  // namespace waybill::test

extern "C" {

inline __attribute__((used)) ssize_t read(int fd, void* buffer, size_t count) {
  if (const int fault = waybill::test::fault_of(fd, 0, count); fault != 0) {
    errno = fault;
    return -1;
  }
  return ::syscall(SYS_read, fd, buffer, count);
}

inline __attribute__((used)) ssize_t pread(int fd, void* buffer, size_t count, off_t at) {
  if (const int fault = waybill::test::fault_of(fd, static_cast<std::uint64_t>(at), count); fault != 0) {
    errno = fault;
    return -1;
  }
  return ::syscall(SYS_pread64, fd, buffer, count, at);
}
}
