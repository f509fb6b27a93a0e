// SPDX-License-Identifier: Apache-2.0
#include "dicom/dictionary.hpp"

#include "dicom/dictionary_slot.hpp"

#include <iterator>

namespace waybill::dicom {
namespace {

constexpr DictionarySlot kSlots[] = {
#include "dictionary_table.inc"
};

const DictionarySlot* lookup(Tag t) {
  const DictionarySlot& slot = kSlots[slot_of(kSlots, std::size(kSlots) - 1, t)];
  return slot.tag != 0 ? &slot : nullptr;
}

}  // namespace

Vr dictionary_vr(Tag t) {
  if ((t & 0xFFFFU) == 0) return vr("UL");
  if ((t & 0x10000U) != 0) return (t & 0xFF00U) == 0 && (t & 0xFFU) >= 0x10 ? vr("LO") : Vr{0};
  const DictionarySlot* slot = lookup(t);
  return slot == nullptr ? Vr{0} : slot->vr;
}

bool is_retired(Tag t) {
  const DictionarySlot* slot = lookup(t);
  return slot != nullptr && slot->retired;
}

}  // namespace waybill::dicom
