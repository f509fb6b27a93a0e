// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sha256.hpp"
#include "dicom/dataset.hpp"

#include <string>
#include <vector>

namespace waybill::dicom {

enum class Profile { strict, lenient };

/// DS1 (docs/digests.md): SHA-256 over the canonical dataset without pixel bytes. The same for implicit, explicit, big
/// endian and deflated encodings and any way of writing lengths.
[[nodiscard]] Digest dataset_digest(const Dataset& dataset, Profile profile = Profile::strict);

/// One canonical line of DS1: where, VR and value as they enter the digest.
struct CanonicalElement {
  std::string path;  ///< "00100010" or "00081115[0].0020000E"
  std::string vr;
  std::string value;  ///< canonical bytes; text is UTF-8
  ByteView stored;    ///< the value as the dataset holds it; none for sequences
};
[[nodiscard]] std::vector<CanonicalElement> canonical_elements(const Dataset& dataset, Profile profile);

/// Element-wise comparison; kind is "changed", "missing" or "added" (seen from `expected`), "num-eq" for numbers that
/// mean the same, "vr-known" for the same bytes of a private element whose VR only one side knows (PS3.5 6.2.2).
/// Details carry lengths and digests of values, never the values (PHI).
[[nodiscard]] std::vector<manifest::Difference> compare(const Dataset& expected, const Dataset& actual,
                                                        Profile profile);

}  // namespace waybill::dicom
