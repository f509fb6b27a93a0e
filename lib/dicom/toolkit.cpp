// SPDX-License-Identifier: Apache-2.0
#include "dicom/toolkit.hpp"

#include "dicom/dictionary.hpp"
#include "pixel/register.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/oflog/oflog.h>

namespace waybill::dicom {

Toolkit::Toolkit() {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);  // DCMTK's lines may hold patient values
  (void)dictionary_vr(0x00080016);            // builds the table before the first thread
  pixel::register_codecs();
}

Toolkit::~Toolkit() { pixel::unregister_codecs(); }

}  // namespace waybill::dicom
