// SPDX-License-Identifier: Apache-2.0
#include "dicom/dictionary.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdicent.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcvr.h>
#include <bit>
#include <string_view>
#include <vector>

namespace waybill::dicom {
namespace {

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

struct Entry {
  Tag tag = 0;
  Vr vr = 0;
  bool retired = false;
};

/// Open addressing: each element of each object is looked up.
struct Table {
  std::vector<Entry> slots;

  Table() {
    std::vector<Entry> exact;
    DcmDataDictionary& dictionary = dcmDataDict.wrlock();
    for (auto it = dictionary.normalBegin(); it != dictionary.normalEnd(); ++it) {
      const DcmDictEntry* entry = *it;
      if (entry->getPrivateCreator() != nullptr) continue;
      exact.push_back({tag(entry->getGroup(), entry->getElement()), vr_of(entry->getEVR()), retired(*entry)});
    }
    for (auto it = dictionary.repeatingBegin(); it != dictionary.repeatingEnd(); ++it) {
      const DcmDictEntry* entry = *it;
      if (entry->getPrivateCreator() != nullptr || (entry->getGroup() != 0x5000 && entry->getGroup() != 0x6000))
        continue;
      if (entry->getElement() != entry->getUpperElement()) continue;
      for (std::uint16_t step = 0; step <= 0x1E; step = static_cast<std::uint16_t>(step + 2)) {
        exact.push_back({tag(static_cast<std::uint16_t>(entry->getGroup() + step), entry->getElement()),
                         vr_of(entry->getEVR()), entry->getGroup() == 0x5000 || retired(*entry)});
      }
    }
    dcmDataDict.wrunlock();
    slots.assign(std::bit_ceil(exact.size() * 2), Entry{});
    for (const Entry& entry : exact) {  // of two entries for a tag the first counts
      Entry& slot = slots[place(entry.tag)];
      if (slot.tag == 0) slot = entry;
    }
  }

  /// The slot of a tag, or the free one where it belongs. Tags are not 0 here: (0000,0000) is no dataset element.
  [[nodiscard]] std::size_t place(Tag t) const noexcept {
    const std::size_t mask = slots.size() - 1;
    std::size_t at = (t * 0x9E3779B1U >> 7U) & mask;
    while (slots[at].tag != 0 && slots[at].tag != t) at = (at + 1) & mask;
    return at;
  }

  static bool retired(const DcmDictEntry& entry) {
    return std::string_view(entry.getTagName()).starts_with("RETIRED_");
  }
};

const Entry* lookup(Tag t) {
  static const Table table;
  const Entry& entry = table.slots[table.place(t)];
  return entry.tag != 0 ? &entry : nullptr;
}

}  // namespace

Vr dictionary_vr(Tag t) {
  if ((t & 0xFFFFU) == 0) return vr("UL");
  if ((t & 0x10000U) != 0) return (t & 0xFF00U) == 0 && (t & 0xFFU) >= 0x10 ? vr("LO") : Vr{0};
  const Entry* entry = lookup(t);
  return entry == nullptr ? Vr{0} : entry->vr;
}

bool is_retired(Tag t) {
  const Entry* entry = lookup(t);
  return entry != nullptr && entry->retired;
}

}  // namespace waybill::dicom
