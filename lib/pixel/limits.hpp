// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/image.hpp"

#include <optional>

/// What is refused before a library sees a codestream: headers that ask for memory or time out of all proportion to the
/// bytes behind them.
namespace waybill::pixel {

/// Size of a frame as its codestream gives it.
struct FrameShape {
  std::uint64_t rows = 0, columns = 0, samples = 1, bytes_per_sample = 1;
};

/// Why a frame of this shape is not decoded from `stream` bytes; nullopt when it may be. A size that the dataset gives
/// as well may be coded in few bytes (an empty image takes a hundred), any other must be borne out by the stream's
/// length.
[[nodiscard]] std::optional<Failure> out_of_proportion(const ImageInfo& declared, const FrameShape& shape,
                                                       std::size_t stream);

/// Why the marker segments of a JPEG up to its first scan are not given to DCMTK, whose search for the frame header
/// runs for ever on a TEM marker (T.81 B.1.1.3) and trusts the numbers of components; nullopt when they are sound.
[[nodiscard]] std::optional<Failure> jpeg_header_unsound(ByteView stream);

/// The JPEG 2000 codestream itself, taken out of JP2 boxes if it stands in some; empty when there is none.
[[nodiscard]] ByteView j2k_codestream(ByteView stream) noexcept;

/// The same for SIZ, COD and COC of a JPEG 2000 or HTJ2K codestream (T.800 Annex A), tile-part headers included: tiles
/// and packets that the bytes cannot hold (a tile-part takes 14 bytes, a packet one) are refused.
[[nodiscard]] std::optional<Failure> j2k_out_of_proportion(const ImageInfo& declared, ByteView codestream);

}  // namespace waybill::pixel
