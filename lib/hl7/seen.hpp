// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::hl7 {

/// Remembers texts by 128 bits of a hash that is keyed anew in every process, so that nobody can make two texts
/// collide. 32 to 64 bytes a text, whatever their length.
class Seen {
 public:
  Seen();
  /// Whether the text is new; it is remembered.
  bool insert(std::string_view text);

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  bool place(const Key& key);

  std::vector<Key> slots_;
  std::size_t used_ = 0;
  Key secret_;
};

}  // namespace waybill::hl7
