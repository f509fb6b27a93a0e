// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/file.hpp"
#include "manifest/record.hpp"

namespace waybill::inspect {

/// How much of an object is looked at.
enum class Depth {
  headers,   ///< attributes only
  datasets,  ///< and DS1, structure of the pixel data
  pixels,    ///< and every frame decoded: PIX1, CSTR
};

/// Attributes, digests and findings of one parsed object, written into `object` (findings are appended, the bucket is
/// not touched). Needs dicom::Toolkit alive. Any thread, one object each.
void inspect(const dicom::File& file, Depth depth, manifest::Object& object);

}  // namespace waybill::inspect
