// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/dicom_builder.hpp"

#include <cstdint>
#include <string>

/// Whole DICOM images made by code.
namespace waybill::test {

inline constexpr const char* kSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";

struct Image {
  std::string sop_instance = "1.2.3.4.1";
  std::string study = "1.2.3.1";
  std::string series = "1.2.3.2";
  std::string patient_id = "P-1";
  std::string patient_name = "DOE^JANE";
  unsigned bits = 12;  ///< Bits Stored; 8 or less is one byte a sample
  unsigned samples = 1;
  unsigned frames = 1;
  bool is_signed = false;
  unsigned seed = 1;  ///< of the pixels
  unsigned rows = 33, columns = 47;
};

/// Slopes, noise and flat areas over the whole range of the stored bits, little endian.
inline std::string pixels_of(const Image& image) {
  std::string out;
  const std::uint32_t mask = (1U << image.bits) - 1;
  std::uint32_t noise = 12345 + image.seed;
  const unsigned count = image.rows * image.columns * image.frames;
  for (unsigned i = 0; i < count; ++i) {
    for (unsigned s = 0; s < image.samples; ++s) {
      noise = noise * 1664525U + 1013904223U;
      std::uint32_t v = i % 11 == 0 ? noise >> 8U : i % 97 == 0 ? mask : i / 3 + s * 40 + image.seed;
      if (i % image.rows > image.rows / 2) v = 3 + s;
      v &= mask;
      if (image.is_signed && (v >> (image.bits - 1)) != 0) v |= ~mask;
      out += static_cast<char>(v & 0xFFU);
      if (image.bits > 8) out += static_cast<char>((v >> 8U) & 0xFFU);
    }
  }
  if (out.size() % 2 != 0) out += '\0';
  return out;
}

/// A Part 10 file, Explicit VR Little Endian.
inline std::string file_of(const Image& image) {
  using dicom::tag;
  DicomBuilder b;
  b.text(tag(0x0008, 0x0016), "UI", kSecondaryCapture).text(tag(0x0008, 0x0018), "UI", image.sop_instance);
  b.text(tag(0x0008, 0x0020), "DA", "20240131").text(tag(0x0008, 0x0060), "CS", "OT");
  b.text(tag(0x0010, 0x0010), "PN", image.patient_name).text(tag(0x0010, 0x0020), "LO", image.patient_id);
  b.text(tag(0x0020, 0x000D), "UI", image.study).text(tag(0x0020, 0x000E), "UI", image.series);
  b.u16(tag(0x0028, 0x0002), static_cast<std::uint16_t>(image.samples));
  b.text(tag(0x0028, 0x0004), "CS", image.samples == 3 ? "RGB" : "MONOCHROME2");
  if (image.samples > 1) b.u16(tag(0x0028, 0x0006), 0);
  if (image.frames > 1) b.text(tag(0x0028, 0x0008), "IS", std::to_string(image.frames));
  b.u16(tag(0x0028, 0x0010), static_cast<std::uint16_t>(image.rows));
  b.u16(tag(0x0028, 0x0011), static_cast<std::uint16_t>(image.columns));
  b.u16(tag(0x0028, 0x0100), image.bits > 8 ? 16 : 8).u16(tag(0x0028, 0x0101), static_cast<std::uint16_t>(image.bits));
  b.u16(tag(0x0028, 0x0102), static_cast<std::uint16_t>(image.bits - 1));
  b.u16(tag(0x0028, 0x0103), image.is_signed ? 1 : 0);
  b.raw(tag(0x7FE0, 0x0010), image.bits > 8 ? "OW" : "OB", pixels_of(image));
  return DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", kSecondaryCapture, image.sop_instance);
}

}  // namespace waybill::test
