// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/changes.hpp"
#include "transcode/codecs.hpp"

#include <optional>

namespace waybill::transcode {

/// Icon Image Sequence (0088,0200) with its codestreams decoded to native samples, as a whole element in explicit VR
/// little endian: an icon may be encapsulated in the file's own transfer syntax only (PS3.5 A.4). nullopt when no icon
/// is encapsulated.
[[nodiscard]] Result<std::optional<Bytes>> native_icons(const dicom::File& file, Codecs& codecs);

/// The sequence as it was, for the undo information of an object whose icons were decoded, in the character set that
/// `rewrite` writes. nullopt when it is larger than a record should hold.
[[nodiscard]] std::optional<dicom::Former> former_icons(const dicom::File& file, const dicom::Rewrite& rewrite);

/// Whether an icon stands in a codestream: then the file has to be in the transfer syntax of that.
[[nodiscard]] bool has_encapsulated_icons(const dicom::File& file);

/// Whether the icons of a file written with native_icons() have the pixels of the source's.
[[nodiscard]] Result<Done> same_icons(const dicom::File& source, const dicom::File& written, Codecs& codecs);

}  // namespace waybill::transcode
