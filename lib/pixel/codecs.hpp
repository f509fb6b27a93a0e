// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/codec.hpp"

#include <functional>

/// The implementations behind pixel/codec.hpp; each lives in its own file and library. All are thread-safe and bounded.
namespace waybill::pixel {

inline constexpr std::uint64_t kMaxFrameBytes = std::uint64_t{1} << 31U;

/// Bytes one decoded frame has; Failure when the header's numbers make no sense or exceed kMaxFrameBytes.
[[nodiscard]] Result<std::uint64_t> frame_bytes(const ImageInfo& info);

/// How a decoder that goes through an image from the top down hands it over: in bands of whole rows, each a Frame of
/// its own, so that nobody has to hold the frame.
struct Bands {
  static constexpr std::uint64_t kWhole = ~std::uint64_t{0};
  std::uint64_t samples = kWhole;    ///< about how many in a band
  std::function<bool(Frame&)> take;  ///< may keep what is in it; false ends the decoding
};

/// RLE (PS3.5 Annex G), our own.
[[nodiscard]] Result<Frame> decode_rle(const ImageInfo& info, ByteView stream);
/// Whether the segments of an RLE frame go on for more than padding behind the image that `info` describes: the
/// codestream has no size of its own, so Rows and Columns are all there is, and a decoder stops where they end.
[[nodiscard]] bool rle_goes_on(const ImageInfo& info, ByteView stream) noexcept;
[[nodiscard]] Result<Bytes> encode_rle(const ImageInfo& info, const Frame& frame);

/// JPEG lossless, process 14 (ITU-T T.81 Annex H), our own: any predictor is decoded, predictor 1 is encoded.
[[nodiscard]] Result<Frame> decode_jpeg_lossless(const ImageInfo& info, ByteView stream);
[[nodiscard]] Result<Bytes> encode_jpeg_lossless(const ImageInfo& info, const Frame& frame);

/// JPEG-LS (ITU-T T.87): CharLS decodes, our own code encodes, without loss.
[[nodiscard]] Result<Frame> decode_charls(const ImageInfo& info, ByteView stream);
[[nodiscard]] Result<Bytes> encode_jpeg_ls(const ImageInfo& info, const Frame& frame);

/// Whether the encoders of JPEG 2000 and HTJ2K take a frame through the reversible colour transform.
[[nodiscard]] inline bool has_colour_transform(const Frame& frame) {
  return frame.samples == 3 && frame.photometric == "RGB";
}

/// JPEG 2000 (ITU-T T.800): OpenJPEG decodes, HTJ2K as well; our own code encodes, without loss. More than one
/// band there is only of JPEG 2000 in one tile without subsampling.
[[nodiscard]] Result<Done> decode_openjpeg(const ImageInfo& info, ByteView stream, const Bands& bands);
[[nodiscard]] Result<Bytes> encode_jpeg_2000(const ImageInfo& info, const Frame& frame);

/// HTJ2K (ITU-T T.814): OpenJPH decodes, our own code encodes, without loss. RPCL asks for what PS3.5 10.18 adds for
/// .202: a smallest resolution of 64 pixels at most and TLM.
[[nodiscard]] Result<Done> decode_openjph(const ImageInfo& info, ByteView stream, const Bands& bands);
[[nodiscard]] Result<Bytes> encode_htj2k(const ImageInfo& info, const Frame& frame);
[[nodiscard]] Result<Bytes> encode_htj2k_rpcl(const ImageInfo& info, const Frame& frame);

/// JPEG XL by libjxl. A stream that holds a recompressed JPEG gives that JPEG, which is decoded as such.
[[nodiscard]] Result<Frame> decode_jxl(const ImageInfo& info, ByteView stream);
[[nodiscard]] Result<Bytes> encode_jxl(const ImageInfo& info, const Frame& frame);

/// One deflated frame (PS3.5 A.4.12) by zlib.
[[nodiscard]] Result<Frame> decode_deflated(const ImageInfo& info, ByteView stream);

/// Any codec DCMTK has, one frame through a dataset in memory.
[[nodiscard]] Result<Frame> decode_dcmtk(std::string_view transfer_syntax, const ImageInfo& info, ByteView stream);
[[nodiscard]] std::string dcmtk_version();
[[nodiscard]] std::string charls_version();
[[nodiscard]] std::string openjpeg_version();
[[nodiscard]] std::string openjph_version();
[[nodiscard]] std::string jxl_version();

}  // namespace waybill::pixel
