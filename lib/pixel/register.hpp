// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waybill::pixel {

/// Registers and unregisters DCMTK's codecs process-wide, and has malloc keep the memory of frames for the next ones;
/// called once each by dicom::Toolkit before and after all threads.
void register_codecs();
void unregister_codecs();

}  // namespace waybill::pixel
