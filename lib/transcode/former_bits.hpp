// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/changes.hpp"
#include "dicom/file.hpp"

#include <vector>

namespace waybill::transcode {

/// Whether taking `former` back says that the samples lie elsewhere than in the staged file, or that overlays stand in
/// their unused bits: what sample_bits.hpp and overlays.hpp did has to be done backwards then.
[[nodiscard]] bool moves_bits(const dicom::File& staged, const std::vector<dicom::Former>& former);

/// The pixel data of `native`, a staged file in explicit VR little endian, as the attributes in `former` say that they
/// lay in the source: shifted up, packed, with the overlays in their bits again. The value of (7FE0,0010), OW.
[[nodiscard]] Result<Bytes> bits_as_before(const dicom::File& native, const std::vector<dicom::Former>& former);

/// Whether overlays.hpp and the pixel digest find in `restored` what stands in `native`.
[[nodiscard]] Result<Done> same_bits(const dicom::File& native, const dicom::File& restored);

}  // namespace waybill::transcode
