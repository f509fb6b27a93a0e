// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/file.hpp"
#include "pixel/digest.hpp"

#include <optional>

namespace waybill::inspect {

/// The element that holds the pixels, nullptr when there is none at top level.
[[nodiscard]] const dicom::Node* pixel_node(const dicom::Dataset& data) noexcept;

/// The pixel data of a parsed object with the attributes that say how to read it; nullopt when it has none at top
/// level. Views live as long as the file.
[[nodiscard]] std::optional<pixel::PixelData> pixel_data_of(const dicom::File& file);

/// The transfer syntax of the codestreams: the label, unless the first of them is of another kind (ENC-TSCODESTREAM)
/// that a reader of the label could not decode. A loss that a lossless label hides leaves the label as it is.
[[nodiscard]] std::string syntax_of_codestreams(const pixel::PixelData& data);

}  // namespace waybill::inspect
