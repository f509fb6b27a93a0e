// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/dataset.hpp"

namespace waybill::dicom {

/// VR of a standard tag in the data dictionary (PS3.6), 0 when the tag is private or unknown. Tags that may be one of
/// several VRs give "xs" (US or SS) or "ox" (OB or OW). Any thread.
[[nodiscard]] Vr dictionary_vr(Tag tag);

/// Whether the standard has retired the tag (PS3.6).
[[nodiscard]] bool is_retired(Tag tag);

}  // namespace waybill::dicom
