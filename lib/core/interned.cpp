// SPDX-License-Identifier: Apache-2.0
// Texts lie in blocks of a mebibyte, each behind its length, and are known by their place in units of four bytes. The
// index is cut into shards by hash, each with a lock, blocks and a table of its own, so that threads seldom meet.
// Readers take no lock: who has a number got it from add(), and blocks neither move nor go.
#include "core/interned.hpp"

#include "core/hash.hpp"
#include "core/huge.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace waybill {
namespace {

constexpr std::size_t kUnit = 4, kBlockBits = 18, kBlocks = std::size_t{1} << (32U - kBlockBits);
constexpr std::size_t kBlock = kUnit << kBlockBits;
constexpr unsigned char kLong = 255;  // then four bytes of length follow

std::array<std::atomic<char*>, kBlocks> blocks;
std::atomic<std::uint32_t> next_block = 0;

/// Blocks are cut from regions of large pages: texts are looked at in any order.
char* new_block() {
  static std::mutex lock;
  static char* next = nullptr;
  static std::size_t left = 0;
  const std::lock_guard guard(lock);
  if (left == 0) {
    constexpr std::size_t kRegion = std::size_t{16} << 20U;
    next = HugePages<char>().allocate(kRegion);  // for ever
    left = kRegion / kBlock;
  }
  --left;
  return std::exchange(next, next + kBlock);
}

struct Shard {
  struct Slot {
    std::uint32_t number = 0, tag = 0;
  };
  std::mutex lock;
  using Slots = std::vector<Slot, HugePages<Slot>>;
  Slots slots = Slots(256);
  std::size_t used = 0;
  std::uint32_t at = 0, left = 0;  // the next unit, units left in its block

  std::uint32_t take(std::size_t bytes) {
    const auto units = static_cast<std::uint32_t>((bytes + kUnit - 1) / kUnit);
    if (units > left) {
      const std::uint32_t n = next_block++;
      if (n >= kBlocks) throw std::bad_alloc();
      const std::size_t size = (units + 1) * kUnit;
      char* const block = size > kBlock ? std::make_unique<char[]>(size).release() : new_block();
      blocks[n].store(block, std::memory_order_release);                     // for ever
      const std::uint32_t first = n == 0 ? 1 : 0;                            // 0 is the empty text
      if (units + first > kBlock / kUnit) return (n << kBlockBits) + first;  // a block of its own
      at = (n << kBlockBits) + first;
      left = (1U << kBlockBits) - first;
    }
    at += units;
    left -= units;
    return at - units;
  }

  std::uint32_t keep(std::string_view text) {
    const bool is_long = text.size() >= kLong;
    const std::size_t head = is_long ? 5 : 1;
    const std::uint32_t number = take(head + text.size());
    char* p =
        blocks[number >> kBlockBits].load(std::memory_order_acquire) + (number & ((1U << kBlockBits) - 1)) * kUnit;
    *p = static_cast<char>(is_long ? kLong : text.size());
    const auto size = static_cast<std::uint32_t>(text.size());
    if (is_long) std::memcpy(p + 1, &size, sizeof size);
    std::memcpy(p + head, text.data(), text.size());
    return number;
  }

  void grow() {
    Slots old(slots.size() * 2);
    old.swap(slots);
    for (const Slot& slot : old) {
      if (slot.number == 0) continue;
      std::size_t place = slot.tag & (slots.size() - 1);
      while (slots[place].number != 0) place = (place + 1) & (slots.size() - 1);
      slots[place] = slot;
    }
  }
};

std::array<Shard, 16>& shards() {
  static auto* all = new std::array<Shard, 16>;  // outlives every static that holds a text
  return *all;
}

}  // namespace

std::string_view Interned::view() const noexcept {
  if (n_ == 0) return {};
  const char* p = blocks[n_ >> kBlockBits].load(std::memory_order_acquire) + (n_ & ((1U << kBlockBits) - 1)) * kUnit;
  const auto size = static_cast<unsigned char>(*p);
  if (size != kLong) return {p + 1, size};
  std::uint32_t n = 0;
  std::memcpy(&n, p + 1, sizeof n);
  return {p + 5, n};
}

std::uint64_t Interned::leading(std::size_t at) const noexcept {
  const std::string_view text = view();
  if (at >= text.size()) return 0;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text.data() + at, std::min<std::size_t>(text.size() - at, sizeof bytes));
  return __builtin_bswap64(bytes);
}

std::uint32_t Interned::add(std::string_view text) {
  static const Hash128 key = random_hash_key();
  const std::uint64_t hash = hash_text(text, key).first;
  const auto tag = static_cast<std::uint32_t>(hash >> 32U);
  // Most texts are among the last thousands that the thread met: found without the lock and the walk to a far table.
  thread_local std::array<std::uint32_t, 16384> recent{};
  std::uint32_t& last = recent[(hash >> 4U) % recent.size()];
  if (last != 0 && of(last).view() == text) return last;
  Shard& shard = shards()[hash & 15U];
  const std::lock_guard guard(shard.lock);
  std::size_t place = tag & (shard.slots.size() - 1);
  for (; shard.slots[place].number != 0; place = (place + 1) & (shard.slots.size() - 1))
    if (shard.slots[place].tag == tag && of(shard.slots[place].number).view() == text)
      return last = shard.slots[place].number;
  const std::uint32_t number = shard.keep(text);
  last = number;
  shard.slots[place] = {number, tag};
  if (++shard.used * 10 > shard.slots.size() * 7) shard.grow();
  return number;
}

InternedList::InternedList(const std::vector<Interned>& texts) {
  std::string bytes(texts.size() * 4, '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::uint32_t n = texts[i].number();
    std::memcpy(bytes.data() + i * 4, &n, sizeof n);
  }
  bytes_ = bytes;
}

InternedList::InternedList(const std::vector<std::string>& texts)
    : InternedList(std::vector<Interned>(texts.begin(), texts.end())) {}

std::strong_ordering operator<=>(InternedList a, InternedList b) noexcept {
  if (a == b) return std::strong_ordering::equal;
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace waybill
