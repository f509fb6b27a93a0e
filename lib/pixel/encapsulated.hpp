// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "manifest/record.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace waybill::pixel {

/// Frames of encapsulated Pixel Data (PS3.5 A.4): for each frame the fragments' value bytes, in order. Views into the
/// value.
struct FrameIndex {
  std::vector<std::vector<ByteView>> frames;
};

/// Finds the frames in `value` (from the Basic Offset Table item up to, not including, the sequence delimiter; the
/// items' tags are little endian). `frames` is Number of Frames (at least 1). A wrong offset table is rebuilt from
/// fragments and codestream markers and gives finding PIX-BOTBAD; odd, empty or missing items give their PIX-… finding.
[[nodiscard]] Result<FrameIndex> index_frames(ByteView value, std::uint32_t frames, std::string_view transfer_syntax,
                                              std::vector<manifest::Finding>& findings);

/// Whether an extended offset table (7FE0,0001) with its lengths (7FE0,0002), both 64-bit little endian, names exactly
/// the fragments in `value`, a frame each, with their padding.
[[nodiscard]] bool extended_table_fits(ByteView value, ByteView offsets, ByteView lengths) noexcept;

/// The fragments of one frame joined; copies only when there is more than one.
[[nodiscard]] Bytes join(const std::vector<ByteView>& fragments);

/// The codestream without trailing NUL padding after its end marker, for CSTR (domain rule 4).
[[nodiscard]] ByteView trim_codestream(ByteView codestream) noexcept;

/// Basic Offset Table, one padded fragment a frame and the sequence delimiter, as the value of (7FE0,0010) in Explicit
/// VR Little Endian, into `out`, which has encapsulated_size() bytes. The table is filled when all offsets fit in 32
/// bits, else empty.
void write_encapsulated(std::span<const ByteView> frames, std::span<std::byte> out);
[[nodiscard]] std::uint64_t encapsulated_size(std::span<const ByteView> frames);
/// The same, appended.
void write_encapsulated(const std::vector<Bytes>& frames, Bytes& out);

}  // namespace waybill::pixel
