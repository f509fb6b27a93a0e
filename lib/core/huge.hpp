// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <cstddef>
#include <cstdint>
#include <new>

namespace waybill {

/// Allocates large tables in pages of 2 MiB where the system has them. Tables of hundreds of megabytes that are looked
/// up at random cost a walk of the page tables a look with pages of 4 KiB, in a virtual machine two; with large pages
/// the processor remembers where they all are. Small ones come from the heap as ever.
template <typename T>
struct HugePages {
  using value_type = T;
  static constexpr std::size_t kPage = std::size_t{2} << 20U;

  HugePages() = default;
  template <typename U>
  HugePages(const HugePages<U>& /*other*/) noexcept {}  // NOLINT(google-explicit-constructor): as allocators convert

  [[nodiscard]] T* allocate(std::size_t n) {
    const std::size_t bytes = n * sizeof(T);
    if (bytes < kPage) return static_cast<T*>(::operator new(bytes));
    const std::size_t size = whole(bytes);
    void* const mapped = ::mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();  // NOLINT: the system's constant
    // Only what begins at a page of its own can be one; what lies around it goes back.
    char* const begin = static_cast<char*>(mapped);
    const std::size_t before = (kPage - reinterpret_cast<std::uintptr_t>(begin) % kPage) % kPage;
    if (before > 0) (void)::munmap(begin, before);
    if (before < kPage) (void)::munmap(begin + before + size, kPage - before);
    (void)::madvise(begin + before, size, MADV_HUGEPAGE);  // a wish: without it the pages are small
    return reinterpret_cast<T*>(begin + before);
  }
  void deallocate(T* memory, std::size_t n) noexcept {
    if (n * sizeof(T) < kPage)
      ::operator delete(memory);
    else
      (void)::munmap(memory, whole(n * sizeof(T)));
  }

  friend bool operator==(const HugePages& /*a*/, const HugePages& /*b*/) noexcept { return true; }

 private:
  static std::size_t whole(std::size_t bytes) noexcept { return (bytes + kPage - 1) / kPage * kPage; }
};

}  // namespace waybill
