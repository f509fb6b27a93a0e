// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// Tables of tens of millions of small values. std::vector holds the old and the new copy while it grows; these two
/// decide whether ten million objects fit into half a gigabyte.
namespace waybill::report {

/// A growing array of plain values. It grows by realloc, which moves pages of large blocks instead of copying them.
template <typename T>
class Column {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Column() = default;
  ~Column() { std::free(data_); }
  Column(Column&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        room_(std::exchange(other.room_, 0)) {}
  Column& operator=(Column&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
    return *this;
  }

  void push_back(const T& value) {
    if (size_ == room_) grow();
    data_[size_++] = value;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T* begin() noexcept { return data_; }
  [[nodiscard]] T* end() noexcept { return data_ + size_; }
  [[nodiscard]] const T* begin() const noexcept { return data_; }
  [[nodiscard]] const T* end() const noexcept { return data_ + size_; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return data_[i]; }

 private:
  // Blocks beyond 32 MiB are always mapped on their own (the largest M_MMAP_THRESHOLD), and pages that nobody has
  // touched cost nothing: so from a megabyte on the next step is there.
  static constexpr std::size_t kMapped = std::size_t{40} << 20U, kSmall = std::size_t{1} << 20U;

  void grow() {
    std::size_t room = room_ == 0 ? 1024 : room_ + room_ / 2;
    if (room * sizeof(T) > kSmall) room = std::max(room, kMapped / sizeof(T));
    void* const bigger = std::realloc(static_cast<void*>(data_), room * sizeof(T));
    if (bigger == nullptr) throw std::bad_alloc();
    data_ = static_cast<T*>(bigger);
    room_ = room;
  }

  T* data_ = nullptr;
  std::size_t size_ = 0, room_ = 0;
};

/// A set of 64-bit hashes, 11 to 16 bytes each.
class HashSet {
 public:
  /// Whether `hash` was not there yet.
  bool insert(std::uint64_t hash) {
    if (hash == 0) hash = 1;  // 0 marks a free place
    if ((used_ + 1) * 4 > slots_.size() * 3) grow();
    std::uint64_t& slot = place(slots_, hash);
    if (slot == hash) return false;
    slot = hash;
    ++used_;
    return true;
  }

 private:
  static std::uint64_t& place(std::vector<std::uint64_t>& slots, std::uint64_t hash) noexcept {
    std::size_t at = (hash * 0x9E3779B97F4A7C15ULL >> 20U) & (slots.size() - 1);
    while (slots[at] != 0 && slots[at] != hash) at = (at + 1) & (slots.size() - 1);
    return slots[at];
  }
  void grow() {
    std::vector<std::uint64_t> bigger(slots_.size() * 2);
    for (const std::uint64_t hash : slots_) {
      if (hash != 0) place(bigger, hash) = hash;
    }
    slots_.swap(bigger);
  }

  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(64);
  std::size_t used_ = 0;
};

}  // namespace waybill::report
