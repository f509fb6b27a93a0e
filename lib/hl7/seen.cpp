// SPDX-License-Identifier: Apache-2.0
#include "hl7/seen.hpp"

namespace waybill::hl7 {
Seen::Seen() : slots_(1024), secret_(random_hash_key()) {}

bool Seen::place(const Key& key) {
  std::size_t at = key.first & (slots_.size() - 1);
  while (slots_[at] != Key{}) {
    if (slots_[at] == key) return false;
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = key;
  return true;
}

Seen::Key Seen::key(std::string_view text) const {
  Key key = hash_text(text, secret_);
  if (key == Key{}) key.second = 1;  // the empty slot's
  return key;
}

bool Seen::insert(const Key& key) {
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

}  // namespace waybill::hl7
