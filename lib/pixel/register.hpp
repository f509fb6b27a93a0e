// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waybill::pixel {

/// Registers and unregisters DCMTK's codecs process-wide and silences its log; called once each before and after all
/// threads, by dicom::Toolkit or by a process that only decodes: reading DCMTK's dictionary takes longer than a small
/// image, and is left until something asks for it.
void register_codecs();
void unregister_codecs();

}  // namespace waybill::pixel
