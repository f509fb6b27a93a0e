// SPDX-License-Identifier: Apache-2.0
#include "dicom/toolkit.hpp"

#include "dicom/dictionary.hpp"
#include "pixel/register.hpp"

namespace waybill::dicom {

Toolkit::Toolkit() {
  pixel::register_codecs();
  (void)dictionary_vr(0x00080016);  // builds the table before the first thread
}

Toolkit::~Toolkit() { pixel::unregister_codecs(); }

}  // namespace waybill::dicom
