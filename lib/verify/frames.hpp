// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/file.hpp"
#include "manifest/record.hpp"

#include <optional>

namespace waybill::verify {

/// Which frames of two objects with other pixels differ, as one entry of a record's differences (kind "frames", no
/// patient's data in it): the number of the first and how many there are. Compares decoded samples as PIX1 does, or
/// the codestreams where they must be the same (`codestreams`) or cannot be decoded. Says so where every sample is the
/// same and only its description differs, where pixels or frames that came cannot be read, and where the number of
/// frames is another one. nullopt when what was sent has no frames that can be read. Decodes both; one decoded frame in
/// memory at a time. Any thread.
[[nodiscard]] std::optional<manifest::Difference> frame_difference(const dicom::File& sent, const dicom::File& received,
                                                                   bool codestreams);

}  // namespace waybill::verify
