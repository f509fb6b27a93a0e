// SPDX-License-Identifier: Apache-2.0
#include "transcode/region.hpp"

#include "core/result.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace waybill::transcode {
Region Region::create(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  // Low numbers are where a child gets its own.
  io::Descriptor high(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 16));
  if (fd >= 0) ::close(fd);
  if (!high || ::fcntl(high.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0)
    throw RunError(Exit::input, "cannot create shared memory for the codecs; raise the limit of open files");
  return Region(std::move(high));
}

Region::~Region() {
  if (data_ != nullptr) ::munmap(data_, mapped_);
}

Region::Region(Region&& other) noexcept
    : fd_(std::move(other.fd_)),
      access_(other.access_),
      data_(std::exchange(other.data_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)) {}

bool Region::map(std::size_t size) {
  if (size <= mapped_) return true;
  if (data_ != nullptr) ::munmap(data_, mapped_);
  data_ = nullptr;
  mapped_ = 0;
  const int protection = access_ == Access::write ? PROT_READ | PROT_WRITE : PROT_READ;
  // All pages at once: one by one, each costs an interruption.
  void* at = ::mmap(nullptr, size, protection, MAP_SHARED | MAP_POPULATE, fd_.get(), 0);
  if (at == MAP_FAILED) return false;
  data_ = static_cast<std::byte*>(at);
  mapped_ = size;
  return true;
}

std::span<std::byte> Region::room(std::size_t size) {
  if (size > mapped_) {
    const std::size_t rounded = (size + 0xFFFFFU) & ~std::size_t{0xFFFFFU};
    struct stat now {};
    if (::fstat(fd_.get(), &now) != 0) return {};
    if (static_cast<std::size_t>(now.st_size) < rounded && ::ftruncate(fd_.get(), static_cast<off_t>(rounded)) != 0)
      return {};
    if (!map(rounded)) return {};
  }
  return {data_, size};
}

ByteView Region::view(std::size_t size) {
  struct stat now {};
  if (size == 0 || ::fstat(fd_.get(), &now) != 0 || static_cast<std::size_t>(now.st_size) < size) return {};
  if (!map(static_cast<std::size_t>(now.st_size))) return {};
  return {data_, size};
}

void Region::release(std::size_t kept) noexcept {
  if (data_ != nullptr && mapped_ > kept) ::madvise(data_ + kept, mapped_ - kept, MADV_REMOVE);
}

}  // namespace waybill::transcode
