// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sha256.hpp"
#include "pixel/codec.hpp"
#include "pixel/encapsulated.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::pixel {

/// Pixel data as it stands in a dataset.
struct PixelData {
  ImageInfo info;
  std::string transfer_syntax;
  ByteView value;  ///< native bytes, or the encapsulated items (see index_frames)
  bool encapsulated = false;
  bool big_endian = false;     ///< native words are big endian
  bool full_size_422 = false;  ///< labelled YBR_FULL_422 but not subsampled (PIX-422NATIVE); info says YBR_FULL
};

struct PixelDigests {
  Digest pixel;                   ///< PIX1
  Digest codestream;              ///< CSTR; only meaningful when encapsulated
  std::uint32_t frames = 0;       ///< decoded frames
  bool constant = true;           ///< all samples equal (an empty image)
  bool unused_bits = false;       ///< bits outside BitsStored were set and not sign extension (PIX-UNUSEDBITS)
  Quirk quirk = Quirk::none;      ///< of the first frame that had one
  std::uint32_t quirk_frame = 0;  ///< its number, from 1
  bool neutral_chroma = false;    ///< three 8-bit samples: the last two hardly leave 128, as Cb and Cr of grey do
};

/// Frame `i` of native or encapsulated pixel data, decoded. Bounds are checked against `value`.
class FrameReader {
 public:
  /// Findings of the offset table are appended. Fails when no frames can be found.
  static Result<FrameReader> open(const PixelData& data, std::vector<manifest::Finding>& findings);
  [[nodiscard]] std::uint32_t count() const noexcept;
  [[nodiscard]] Result<Frame> read(std::uint32_t i, Decoder which = Decoder::primary) const;
  /// The same, but samples that stand in `value` as a Frame has them are borrowed from there.
  [[nodiscard]] Result<Frame> borrow(std::uint32_t i, Decoder which = Decoder::primary) const;
  /// The same, some rows at a time (decode_rows).
  [[nodiscard]] Result<Done> rows(std::uint32_t i, Decoder which, const TakeRows& take) const;
  /// The codestream of frame `i` (joined fragments); only when encapsulated.
  [[nodiscard]] Bytes codestream(std::uint32_t i) const;

 private:
  const PixelData* data_ = nullptr;
  FrameIndex index_;
};

/// PIX1 and CSTR (docs/digests.md) over all frames, one decoded frame in memory at a time. `each` gets the SHA-256 of
/// every frame's samples as they go into PIX1; after a failure, of the frames before it.
[[nodiscard]] Result<PixelDigests> digest_pixels(const PixelData& data, std::vector<manifest::Finding>& findings,
                                                 Decoder which = Decoder::primary, std::vector<Digest>* each = nullptr);

/// CSTR alone: per frame the codestream bytes, NULs behind an end marker trimmed; for syntaxes that are not decoded
/// (video, unknown).
[[nodiscard]] Result<Digest> digest_codestreams(const PixelData& data, std::vector<manifest::Finding>& findings);

/// Bytes native pixel data must have (PS3.5 8.1.1), before padding to even; 64-bit checked, nullopt on overflow.
[[nodiscard]] std::optional<std::uint64_t> native_length(const ImageInfo& info) noexcept;

}  // namespace waybill::pixel
