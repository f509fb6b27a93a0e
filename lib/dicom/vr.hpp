// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/dataset.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace waybill::dicom {

/// Bytes of one number, for swapping big endian values; 1 for what has no byte order. UN is always little endian (PS3.5
/// 6.2.2). Digests and the writer must agree on it, so both ask here.
[[nodiscard]] constexpr std::size_t word_size(Vr stored) noexcept {
  switch (stored) {
    case vr("US"):
    case vr("SS"):
    case vr("OW"):
    case vr("AT"):
    case vr("xs"):
    case vr("ox"): return 2;
    case vr("UL"):
    case vr("SL"):
    case vr("FL"):
    case vr("OF"):
    case vr("OL"): return 4;
    case vr("FD"):
    case vr("OD"):
    case vr("SV"):
    case vr("UV"):
    case vr("OV"): return 8;
    default: return 1;
  }
}

/// Whether values of this VR are in the Specific Character Set (PS3.5 6.1.2.2).
[[nodiscard]] inline bool is_charset_vr(Vr v) noexcept {
  static constexpr std::array kSet = {vr("LO"), vr("LT"), vr("PN"), vr("SH"), vr("ST"), vr("UC"), vr("UT")};
  return std::find(kSet.begin(), kSet.end(), v) != kSet.end();
}

}  // namespace waybill::dicom
