// SPDX-License-Identifier: Apache-2.0
#include "dicom/vr.hpp"

#include <cstdio>

namespace waybill::dicom {

std::string to_string(Tag t) {
  char text[16];
  std::snprintf(text, sizeof text, "%04X,%04X", t >> 16U, t & 0xFFFFU);
  return text;
}

bool has_long_length(Vr v) noexcept {
  static constexpr std::array kLong = {vr("OB"), vr("OD"), vr("OF"), vr("OL"), vr("OV"), vr("OW"), vr("SQ"),
                                       vr("SV"), vr("UC"), vr("UN"), vr("UR"), vr("UT"), vr("UV")};
  return std::find(kLong.begin(), kLong.end(), v) != kLong.end();
}

bool is_known_vr(Vr v) noexcept {
  static constexpr std::array kShort = {vr("AE"), vr("AS"), vr("AT"), vr("CS"), vr("DA"), vr("DS"), vr("DT"),
                                        vr("FD"), vr("FL"), vr("IS"), vr("LO"), vr("LT"), vr("PN"), vr("SH"),
                                        vr("SL"), vr("SS"), vr("ST"), vr("TM"), vr("UI"), vr("UL"), vr("US")};
  return has_long_length(v) || std::find(kShort.begin(), kShort.end(), v) != kShort.end();
}

}  // namespace waybill::dicom
