// SPDX-License-Identifier: Apache-2.0
#include "dicom/toolkit.hpp"

#include "pixel/register.hpp"

namespace waybill::dicom {

Toolkit::Toolkit() { pixel::register_codecs(); }

Toolkit::~Toolkit() { pixel::unregister_codecs(); }

}  // namespace waybill::dicom
