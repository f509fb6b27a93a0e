// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/image.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::pixel {

/// Which of two implementations decodes: what wrote a file must not be what proves it (domain rule 3.5).
enum class Decoder { primary, independent };

/// What the samples of a transfer syntax may have lost (domain rule 3.1).
enum class Fidelity { native, lossless, lossy, video, reference, unknown };
[[nodiscard]] Fidelity fidelity_of(std::string_view transfer_syntax) noexcept;
/// Whether pixel data of this syntax stands in fragments (PS3.5 A.4).
[[nodiscard]] bool is_encapsulated(std::string_view transfer_syntax) noexcept;

[[nodiscard]] bool can_decode(std::string_view transfer_syntax, Decoder which) noexcept;
[[nodiscard]] bool can_encode(std::string_view transfer_syntax) noexcept;

/// The decoder that shares no code with what `encode_frame` runs for this syntax: it proves what was written.
[[nodiscard]] Decoder verifier_of(std::string_view transfer_syntax) noexcept;

/// Name and version of the library that `decode_frame` / `encode_frame` would run, e.g. "charls 2.4.1".
[[nodiscard]] std::string decoder_name(std::string_view transfer_syntax, Decoder which);
[[nodiscard]] std::string encoder_name(std::string_view transfer_syntax);

/// Decodes the codestream of one frame (fragments joined). Rows, columns, components and precision come from the
/// codestream where it has them; `info` gives what it lacks (PS3.5 8.2). Never more than 2^31 bytes out.
[[nodiscard]] Result<Frame> decode_frame(std::string_view transfer_syntax, const ImageInfo& info, ByteView codestream,
                                         Decoder which = Decoder::primary);

/// Takes some rows of a frame, as a Frame; false ends the decoding.
using TakeRows = std::function<bool(const Frame&)>;
/// decode_frame() for who needs no more than some rows at a time: all of them, from the top down, a few megabytes at a
/// time where the decoder can do that (OpenJPEG with JPEG 2000, OpenJPH), else at once. Rows that were given before a
/// Failure or an early end say nothing about the others.
[[nodiscard]] Result<Done> decode_rows(std::string_view transfer_syntax, const ImageInfo& info, ByteView codestream,
                                       Decoder which, const TakeRows& take);

/// Encodes one frame (interleaved samples as in Frame::data) losslessly. Result has an even number of bytes is not
/// promised; padding belongs to the fragment writer.
[[nodiscard]] Result<Bytes> encode_frame(std::string_view transfer_syntax, const ImageInfo& info, const Frame& frame);

/// The Photometric Interpretation to write beside what encode_frame makes of a frame: RGB becomes YBR_RCT in JPEG 2000
/// and HTJ2K, whose encoders here use that reversible transform; others stay.
[[nodiscard]] std::string stored_photometric(std::string_view transfer_syntax, const Frame& frame);

/// What the header of a codestream says it is, whatever the label (ENC-TSCODESTREAM). Only marker segments before the
/// first scan or tile are read, so the first fragment of a frame is enough.
struct Sniffed {
  std::string kind;    ///< "jpeg-baseline", "jpeg-extended", "jpeg-progressive", "jpeg-lossless", "jpeg-other",
                       ///< "jpeg-ls", "jpeg-2000", "htj2k", "jxl", "rle", "unknown"
  bool boxed = false;  ///< JPEG 2000 in JP2 boxes
  bool lossy = false;  ///< certain to be lossy (DCT, 9-7, NEAR > 0)
  int predictor = 0;   ///< JPEG lossless: selection value
  int near = 0;        ///< JPEG-LS: NEAR
  std::uint32_t rows = 0, columns = 0;
  int components = 0, precision = 0;
  bool jfif = false;             ///< JPEG: APP0 of JFIF
  bool adobe = false;            ///< JPEG: APP14 of Adobe
  int adobe_transform = -1;      ///< JPEG: 0 no colour transform (RGB), 1 YCbCr, as the APP14 segment says
  bool subsampled = false;       ///< JPEG: components have different sampling factors
  bool presets = false;          ///< JPEG-LS: an LSE segment with preset parameters
  bool is_signed = false;        ///< JPEG 2000: samples are signed
  bool multi_component = false;  ///< JPEG 2000: a multiple component transform (RCT or ICT) is used
  int progression = -1;          ///< JPEG 2000: progression order, 2 is RPCL
  std::size_t header = 0;        ///< offset of the frame header (SOF, SIZ), 0 when there is none
  bool ended = false;            ///< the end marker (EOI / EOC) is there
};
[[nodiscard]] Sniffed sniff(ByteView codestream) noexcept;

/// The transfer syntax this codestream may stand under, "" when it is not known. A JPEG 2000 stream that is not lossy
/// for certain counts as lossless.
[[nodiscard]] std::string true_syntax(const Sniffed& seen);

/// The codestream up to and with its end marker FFD9, when one stands in the last 64 bytes; else nullopt. The marker
/// cannot occur inside the entropy-coded bytes of the JPEG family.
[[nodiscard]] std::optional<ByteView> up_to_end_marker(ByteView codestream) noexcept;

}  // namespace waybill::pixel
