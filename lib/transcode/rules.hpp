// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/file.hpp"
#include "pixel/digest.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace waybill::transcode {

/// Whether the pixels of `file` may be carried into another encoding at all (docs/transcoding.md); a Failure says why
/// they stay as they are. Looks at headers only.
[[nodiscard]] Result<Done> may_reencode(const dicom::File& file, const pixel::PixelData& data, std::string_view to);

/// Whether a mark of another person's on the dataset is void once it was changed: digital signatures and MACs.
[[nodiscard]] bool is_signed(const dicom::Dataset& set) noexcept;

/// Extended Offset Table (7FE0,0001) and its lengths (7FE0,0002) for one fragment a frame of these sizes, as values.
struct OffsetTables {
  Bytes offsets, lengths;
};
/// nullopt when the Basic Offset Table can name all frames (PS3.5 A.4).
[[nodiscard]] std::optional<OffsetTables> extended_tables(std::span<const std::uint64_t> sizes);

}  // namespace waybill::transcode
