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

/// A transfer syntax of PS3.6 A, in force or retired.
[[nodiscard]] constexpr bool is_standard(std::string_view syntax) noexcept {
  constexpr std::string_view kRoot = "1.2.840.10008.1.2";
  constexpr std::string_view kBehindRoot[] = {
      "",         ".1",     ".1.98",    ".1.99",    ".2",       ".5",       ".6.1",     ".6.2",     ".7.1",
      ".7.2",     ".7.3",   ".8.1",     ".4.50",    ".4.51",    ".4.52",    ".4.53",    ".4.54",    ".4.55",
      ".4.56",    ".4.57",  ".4.58",    ".4.59",    ".4.60",    ".4.61",    ".4.62",    ".4.63",    ".4.64",
      ".4.65",    ".4.66",  ".4.70",    ".4.80",    ".4.81",    ".4.90",    ".4.91",    ".4.92",    ".4.93",
      ".4.94",    ".4.95",  ".4.100",   ".4.100.1", ".4.101",   ".4.101.1", ".4.102",   ".4.102.1", ".4.103",
      ".4.103.1", ".4.104", ".4.104.1", ".4.105",   ".4.105.1", ".4.106",   ".4.106.1", ".4.107",   ".4.108",
      ".4.110",   ".4.111", ".4.112",   ".4.201",   ".4.202",   ".4.203",   ".4.204",   ".4.205"};
  if (!syntax.starts_with(kRoot)) return false;
  for (const std::string_view known : kBehindRoot) {
    if (syntax.substr(kRoot.size()) == known) return true;
  }
  return false;
}

/// Standard syntaxes whose pixel data stands in fragments (PS3.5 A.4).
[[nodiscard]] constexpr bool is_encapsulated(std::string_view syntax) noexcept {
  return !is_native(syntax) && (syntax.starts_with("1.2.840.10008.1.2.4.") || syntax == kRle ||
                                syntax == kEncapsulatedUncompressed || syntax == "1.2.840.10008.1.2.8.1");
}

}  // namespace waybill::dicom::uid
