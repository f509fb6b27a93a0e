// SPDX-License-Identifier: Apache-2.0
// Prints the table of dictionary.cpp, made of DCMTK's data dictionary, which would take each tool and each codec
// process longer to read than most of the rest of its start. Runs while the tools are built.
#include "dicom/dataset.hpp"
#include "dicom/dictionary_slot.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdicent.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcvr.h>
#include <bit>
#include <cstdio>
#include <string_view>
#include <vector>

namespace {

using namespace waybill::dicom;

Vr vr_of(DcmEVR evr) {
  switch (evr) {
    case EVR_xs: return vr("xs");
    case EVR_lt: return vr("OW");  // LUT Data: US or OW, both are 16-bit words
    case EVR_ox:
    case EVR_px:
    case EVR_pixelSQ: return vr("ox");
    case EVR_na:
    case EVR_up: return 0;
    default: break;
  }
  const char* name = DcmVR(evr).getValidVRName();
  return name[0] != '\0' && name[1] != '\0' ? vr(name[0], name[1]) : Vr{0};
}

bool retired(const DcmDictEntry& entry) { return std::string_view(entry.getTagName()).starts_with("RETIRED_"); }

/// Public tags; those of repeating groups one by one.
std::vector<DictionarySlot> entries() {
  std::vector<DictionarySlot> out;
  DcmDataDictionary& dictionary = dcmDataDict.wrlock();
  for (auto it = dictionary.normalBegin(); it != dictionary.normalEnd(); ++it) {
    const DcmDictEntry* entry = *it;
    if (entry->getPrivateCreator() != nullptr) continue;
    out.push_back({tag(entry->getGroup(), entry->getElement()), vr_of(entry->getEVR()), retired(*entry)});
  }
  for (auto it = dictionary.repeatingBegin(); it != dictionary.repeatingEnd(); ++it) {
    const DcmDictEntry* entry = *it;
    if (entry->getPrivateCreator() != nullptr || (entry->getGroup() != 0x5000 && entry->getGroup() != 0x6000)) continue;
    if (entry->getElement() != entry->getUpperElement()) continue;
    for (std::uint16_t step = 0; step <= 0x1E; step = static_cast<std::uint16_t>(step + 2)) {
      out.push_back({tag(static_cast<std::uint16_t>(entry->getGroup() + step), entry->getElement()),
                     vr_of(entry->getEVR()), entry->getGroup() == 0x5000 || retired(*entry)});
    }
  }
  dcmDataDict.wrunlock();
  return out;
}

}  // namespace

int main() {
  const auto all = entries();
  if (all.size() < 4000) {  // PS3.6 has more
    std::fputs("make_dictionary: DCMTK finds no dictionary; install dcmtk's data files or unset DCMDICTPATH\n", stderr);
    return 1;
  }
  std::vector<DictionarySlot> slots(std::bit_ceil(all.size() * 2));
  for (const DictionarySlot& entry : all) {  // of two entries for a tag the first counts
    DictionarySlot& slot = slots[slot_of(slots.data(), slots.size() - 1, entry.tag)];
    if (slot.tag == 0) slot = entry;
  }
  for (const DictionarySlot& slot : slots)
    std::printf("{0x%08XU, 0x%04X, %s},\n", slot.tag, static_cast<unsigned>(slot.vr), slot.retired ? "true" : "false");
  return 0;
}
