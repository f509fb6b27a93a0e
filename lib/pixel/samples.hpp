// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/image.hpp"

namespace waybill::pixel {

/// Colour planes one after the other to samples side by side; `width` bytes a sample.
[[nodiscard]] Bytes interleave(ByteView planes, std::size_t samples, std::size_t width);

/// Makes 1-byte samples 2-byte ones when Bits Allocated asks for more than 8 bits.
void widen(Frame& frame, std::uint16_t bits_allocated);

/// Extends the sign of signed samples whose codestream has exactly Bits Stored bits, as native samples are stored.
void extend_sign(const ImageInfo& info, Frame& frame);

/// The samples cut to Bits Stored, in 1 byte (up to 8 bits) or 2 bytes each, as codecs without a sign take them.
/// Refused (Fault::unsupported) when bits outside hold more than the sign's extension: a codec would lose them.
[[nodiscard]] Result<Bytes> masked_samples(const ImageInfo& info, const Frame& frame);

}  // namespace waybill::pixel
