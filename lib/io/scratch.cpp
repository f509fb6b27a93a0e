// SPDX-License-Identifier: Apache-2.0
#include "io/scratch.hpp"

#include <sys/mman.h>
#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace waybill::io {

/// What is not in use. It never grows beyond the number of files that were open at once.
struct Pool {
  std::mutex mutex;
  std::vector<std::pair<std::unique_ptr<std::byte[]>, std::size_t>> free;  // guarded by mutex

  static Pool& instance() {
    static Pool pool;
    return pool;
  }
};

namespace {

/// Megabytes come in pages of 2 MiB where the system has them (madvise(2), MADV_HUGEPAGE): one interruption instead of
/// five hundred, each of which takes longer than to clear its page.
void ask_for_large_pages(std::span<std::byte> memory) {
  constexpr std::size_t kPage = std::size_t{2} << 20U;
  void* at = memory.data();
  std::size_t space = memory.size();
  if (std::align(kPage, kPage, at, space) != nullptr) ::madvise(at, space / kPage * kPage, MADV_HUGEPAGE);
}

}  // namespace

Scratch::~Scratch() { give_back(); }

Scratch::Scratch(Scratch&& other) noexcept
    : memory_(std::move(other.memory_)), size_(std::exchange(other.size_, std::size_t{0})) {}

Scratch& Scratch::operator=(Scratch&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(size_, other.size_);
  return *this;
}

void Scratch::give_back() noexcept {
  if (memory_ == nullptr || size_ > kKept) return;
  Pool& pool = Pool::instance();
  const std::lock_guard lock(pool.mutex);
  try {
    pool.free.emplace_back(std::move(memory_), size_);
  } catch (const std::bad_alloc&) {  // then it is freed
  }
}

std::span<std::byte> Scratch::room(std::size_t size, std::size_t used) {
  if (memory_ == nullptr) {
    Pool& pool = Pool::instance();
    const std::lock_guard lock(pool.mutex);
    if (!pool.free.empty()) {
      memory_ = std::move(pool.free.back().first);
      size_ = pool.free.back().second;
      pool.free.pop_back();
    }
  }
  if (size_ < size) {
    auto larger = std::make_unique_for_overwrite<std::byte[]>(std::max(size, size_ + size_ / 2));
    ask_for_large_pages({larger.get(), std::max(size, size_ + size_ / 2)});
    if (used > 0) std::memcpy(larger.get(), memory_.get(), used);
    memory_ = std::move(larger);
    size_ = std::max(size, size_ + size_ / 2);
  }
  return {memory_.get(), size};
}

}  // namespace waybill::io
