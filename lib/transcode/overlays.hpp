// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/changes.hpp"
#include "pixel/digest.hpp"

#include <optional>
#include <vector>

namespace waybill::transcode {

/// Overlays taken out of the pixels: what becomes of their attributes, and the pixels with those bits empty.
struct Extracted {
  std::vector<dicom::Change> changes;
  Bytes pixels;
};

/// Retired overlays that stand in unused bits of native pixels (PIX-OVLBITS), as Overlay Data (60xx,3000), which codecs
/// leave alone. nullopt when there are none; a Failure when they cannot be taken out without loss.
[[nodiscard]] Result<std::optional<Extracted>> extract_overlays(const dicom::File& file, const pixel::PixelData& data);

}  // namespace waybill::transcode
