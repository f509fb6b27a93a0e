// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/changes.hpp"
#include "dicom/file.hpp"
#include "pixel/digest.hpp"

#include <optional>
#include <vector>

namespace waybill::transcode {

/// Native samples moved to where codecs take them: little endian, by pixel, in whole bytes from bit 0 on. `info` says
/// how they lie now, `changes` what becomes of High Bit and Bits Allocated.
struct Aligned {
  pixel::ImageInfo info;
  Bytes pixels;
  std::vector<dicom::Change> changes;
};

/// Samples whose High Bit is above Bits Stored - 1, or packed 12 to 16 bits (PIX-HIGHBIT; allowed before DICOM 2014c),
/// shifted and unpacked. nullopt when they lie right already; a Failure when bits outside Bits Stored or the padding
/// value would lose their meaning.
[[nodiscard]] Result<std::optional<Aligned>> align_samples(const dicom::Dataset& set, const pixel::PixelData& data);

/// Where the samples of a compressed image lie whose High Bit is above Bits Stored - 1.
enum class HighSamples {
  none,      ///< High Bit is Bits Stored - 1, the pixels are native, or nobody can tell
  in_place,  ///< the codestream has the bits below them, too, as DCMTK writes it
  at_zero,   ///< the codestream is of fewer bits: High Bit is wrong about what a decoder gives
};
[[nodiscard]] HighSamples high_samples(const pixel::PixelData& data);

/// The change that makes High Bit Bits Stored - 1.
[[nodiscard]] dicom::Change lowered_high_bit(const pixel::ImageInfo& info);

}  // namespace waybill::transcode
