// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hash.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace waybill::hl7 {

/// Remembers texts by 128 bits of a hash that is keyed anew in every process, so that nobody can make two texts
/// collide. 32 to 64 bytes a text, whatever their length.
class Seen {
 public:
  using Key = Hash128;
  Seen();
  /// Whether the text is new; it is remembered.
  bool insert(std::string_view text) { return insert(key(text)); }
  /// The same in two steps, of which the first may run on any thread.
  [[nodiscard]] Key key(std::string_view text) const;
  bool insert(const Key& key);

 private:
  bool place(const Key& key);

  std::vector<Key> slots_;
  std::size_t used_ = 0;
  Key secret_;
};

}  // namespace waybill::hl7
