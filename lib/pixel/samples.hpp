// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/image.hpp"

#include <optional>

namespace waybill::pixel {

/// Colour planes one after the other to samples side by side; `width` bytes a sample.
[[nodiscard]] Bytes interleave(ByteView planes, std::size_t samples, std::size_t width);

/// Makes 1-byte samples 2-byte ones when Bits Allocated asks for more than 8 bits.
void widen(Frame& frame, std::uint16_t bits_allocated);

/// Extends the sign of signed samples whose codestream has exactly Bits Stored bits, as native samples are stored.
void extend_sign(const ImageInfo& info, Frame& frame);

/// `count` samples of one component from pixel `first` on, as integers by Bits Stored and Pixel Representation, for
/// codecs that take integers. Returns the bits outside Bits Stored that hold more than the sign's extension: not 0
/// means that a codec would lose them.
[[nodiscard]] std::uint32_t integers(const ImageInfo& info, const Frame& frame, unsigned component, std::size_t first,
                                     std::size_t count, std::int32_t* out);

/// Why these samples do not suit a codec of integers of Bits Stored bits; nullopt when they do.
[[nodiscard]] std::optional<Failure> unsuited(const ImageInfo& info, const Frame& frame, unsigned least_bits);

/// The failure for bits that integers() or masked_samples() found outside Bits Stored.
[[nodiscard]] Failure bits_would_be_lost();

/// The samples cut to Bits Stored, in 1 byte (up to 8 bits) or 2 bytes each, as codecs without a sign take them. `view`
/// is of the frame itself where nothing has to be cut, else of `own`.
struct MaskedSamples {
  Bytes own;
  ByteView view;
};
/// Refused (Fault::unsupported) when bits outside hold more than the sign's extension: a codec would lose them.
[[nodiscard]] Result<MaskedSamples> masked_samples(const ImageInfo& info, const Frame& frame);

}  // namespace waybill::pixel
