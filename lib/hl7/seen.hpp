// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hash.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace waybill::hl7 {

/// Remembers texts by `Key`, bits of a hash that is keyed anew in every process, so that nobody can make two texts
/// collide: 128 where a collision would lose a message, 64 where it would only be told of (one in a hundred thousand
/// for ten million texts). A key takes one and a third to two and two thirds of its size, whatever the text's length.
template <typename Key_>
class SeenBy {
 public:
  using Key = Key_;
  SeenBy() : slots_(1024), secret_(random_hash_key()) {}

  /// Whether the text is new; it is remembered.
  bool insert(std::string_view text) { return insert(key(text)); }

  /// The same in two steps, of which the first may run on any thread.
  [[nodiscard]] Key key(std::string_view text) const {
    Key key = cut(hash_text(text, secret_), Key{});
    if (key == Key{}) last_word(key) = 1;  // the empty slot's
    return key;
  }
  bool insert(const Key& key) {
    if ((used_ + 1) * 4 > slots_.size() * 3) {
      std::vector<Key> old(slots_.size() * 2);
      old.swap(slots_);
      for (const Key& k : old)
        if (k != Key{}) place(k);
    }
    const bool fresh = place(key);
    used_ += fresh ? 1 : 0;
    return fresh;
  }

 private:
  static Hash128 cut(const Hash128& hash, const Hash128& /*like*/) { return hash; }
  static std::uint64_t cut(const Hash128& hash, std::uint64_t /*like*/) { return hash.first; }
  static std::uint64_t& last_word(Hash128& key) { return key.second; }
  static std::uint64_t& last_word(std::uint64_t& key) { return key; }
  static std::uint64_t first_word(const Hash128& key) { return key.first; }
  static std::uint64_t first_word(std::uint64_t key) { return key; }

  bool place(const Key& key) {
    std::size_t at = first_word(key) & (slots_.size() - 1);
    while (slots_[at] != Key{}) {
      if (slots_[at] == key) return false;
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = key;
    return true;
  }

  std::vector<Key> slots_;
  std::size_t used_ = 0;
  Hash128 secret_;
};

/// Of contents.
using Seen = SeenBy<Hash128>;
/// Of identifiers.
using SeenIds = SeenBy<std::uint64_t>;

}  // namespace waybill::hl7
