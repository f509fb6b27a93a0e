// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waybill::pixel {

/// Registers and unregisters DCMTK's codecs process-wide; called once each by dicom::Toolkit before and after all
/// threads.
void register_codecs();
void unregister_codecs();

}  // namespace waybill::pixel
