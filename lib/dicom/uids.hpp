// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// Transfer syntax UIDs this code treats by name (PS3.6 A), and what they say of the encoding around the pixel data.
namespace waybill::dicom::uid {

inline constexpr std::string_view kImplicitLittleEndian = "1.2.840.10008.1.2";
inline constexpr std::string_view kExplicitLittleEndian = "1.2.840.10008.1.2.1";
inline constexpr std::string_view kEncapsulatedUncompressed = "1.2.840.10008.1.2.1.98";
inline constexpr std::string_view kDeflated = "1.2.840.10008.1.2.1.99";
inline constexpr std::string_view kExplicitBigEndian = "1.2.840.10008.1.2.2";
inline constexpr std::string_view kGePrivate = "1.2.840.113619.5.2";
inline constexpr std::string_view kJpegLosslessSv1 = "1.2.840.10008.1.2.4.70";
inline constexpr std::string_view kJpegLs = "1.2.840.10008.1.2.4.80";
inline constexpr std::string_view kRle = "1.2.840.10008.1.2.5";
inline constexpr std::string_view kMediaStorageDirectory = "1.2.840.10008.1.3.10";
inline constexpr std::string_view kKeyObjectSelection = "1.2.840.10008.5.1.4.1.1.88.59";  // a SOP Class

/// Native pixel data: implicit, explicit (either byte order), deflated dataset, and GE's private big-endian pixels.
[[nodiscard]] constexpr bool is_native(std::string_view syntax) noexcept {
  return syntax == kImplicitLittleEndian || syntax == kExplicitLittleEndian || syntax == kExplicitBigEndian ||
         syntax == kDeflated || syntax == kGePrivate || syntax == "1.2.840.10008.1.2.4.95" ||
         syntax == "1.2.840.10008.1.2.4.205" || syntax == "1.2.840.10008.1.2.4.94" ||
         syntax == "1.2.840.10008.1.2.4.204";
}

/// The whole dataset is deflated (PS3.5 A.5; JPIP referenced deflate).
[[nodiscard]] constexpr bool is_deflated(std::string_view syntax) noexcept {
  return syntax == kDeflated || syntax == "1.2.840.10008.1.2.4.95" || syntax == "1.2.840.10008.1.2.4.205";
}

/// Standard syntaxes whose pixel data stands in fragments (PS3.5 A.4).
[[nodiscard]] constexpr bool is_encapsulated(std::string_view syntax) noexcept {
  return !is_native(syntax) && (syntax.starts_with("1.2.840.10008.1.2.4.") || syntax == kRle ||
                                syntax == kEncapsulatedUncompressed || syntax == "1.2.840.10008.1.2.8.1");
}

}  // namespace waybill::dicom::uid
