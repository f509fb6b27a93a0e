// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <cstddef>
#include <cstdlib>
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
    void* memory = std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage);
    if (memory == nullptr) throw std::bad_alloc();
    (void)::madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: without it the pages are small
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t n) noexcept {
    if (n * sizeof(T) < kPage)
      ::operator delete(memory);
    else
      std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): as aligned_alloc wants it
  }

  friend bool operator==(const HugePages& /*a*/, const HugePages& /*b*/) noexcept { return true; }
};

}  // namespace waybill
