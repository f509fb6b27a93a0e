// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/sha256.hpp"
#include "io/scratch.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The bytes of a manifest: zstd frames, the seal and the frame table behind them. docs/manifest.md is the grammar.
namespace waybill::manifest {

inline constexpr std::size_t kFlushBytes = 8U << 20U;   ///< a frame is written at this many bytes of lines …
inline constexpr std::uint64_t kFlushRecords = 10000;   ///< … or this many records
inline constexpr std::size_t kMaxLine = 32U << 20U;     ///< no line is longer
inline constexpr std::size_t kMaxContent = 64U << 20U;  ///< no frame holds more; a reader allocates no more

struct FrameSize {
  std::uint32_t compressed = 0;
  std::uint32_t content = 0;
};

/// One zstd frame with content size and checksum, in `memory`.
[[nodiscard]] ByteView encode_frame(std::string_view content, io::Scratch& memory);

/// What the bytes at a frame's start turned out to be.
enum class Shape { frame, incomplete, skippable, invalid };
struct Extent {
  Shape shape = Shape::invalid;
  std::size_t compressed = 0;  ///< bytes of a complete frame
};
/// Looks at the start of `bytes`; `incomplete` means that all bytes fit a frame that goes on behind them.
[[nodiscard]] Extent measure_frame(ByteView bytes) noexcept;

/// The content of one complete frame; nullopt when a checksum or the content size is wrong or it is too large.
[[nodiscard]] std::optional<std::string> decode_frame(ByteView frame);

/// Seal and frame table for frames of these sizes, byte for byte: a reader renders it again and compares.
[[nodiscard]] Bytes render_trailer(const std::vector<FrameSize>& frames, const Digest& last);
/// Size of render_trailer's result.
[[nodiscard]] std::size_t trailer_size(std::size_t frames) noexcept;

/// The first line of frame `n`, without line feed.
[[nodiscard]] std::string block_line(std::uint64_t n, const Digest& prev);

/// The kind of a line that starts with {"kind":"…", as all lines do; empty otherwise.
[[nodiscard]] std::string_view kind_of(std::string_view line) noexcept;

}  // namespace waybill::manifest
