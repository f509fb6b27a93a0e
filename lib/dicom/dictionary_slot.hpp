// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/vr.hpp"

#include <cstddef>
#include <cstdint>

namespace waybill::dicom {

/// A place in the table of standard tags, open addressing: each element of each object is looked up. make_dictionary
/// fills the table while the tools are built, dictionary.cpp reads it.
struct DictionarySlot {
  std::uint32_t tag = 0;  ///< 0 when free: (0000,0000) is no dataset element
  Vr vr = 0;
  bool retired = false;
};

/// The slot of a tag, or the free one where it belongs, in a table whose size is mask + 1, a power of two.
[[nodiscard]] constexpr std::size_t slot_of(const DictionarySlot* slots, std::size_t mask, std::uint32_t tag) noexcept {
  std::size_t at = (tag * 0x9E3779B1U >> 7U) & mask;
  while (slots[at].tag != 0 && slots[at].tag != tag) at = (at + 1) & mask;
  return at;
}

}  // namespace waybill::dicom
