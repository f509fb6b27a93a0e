// SPDX-License-Identifier: Apache-2.0
// The encoders of the libraries, which ours are compared with: what they write and how long they take.
#pragma once

#include "pixel/codec.hpp"
#include "pixel/image.hpp"

#include <string_view>

namespace waybill::pixel::test {

/// While it lives, DCMTK's encoders are registered. One at a time.
class DcmtkEncoders {
 public:
  DcmtkEncoders();
  ~DcmtkEncoders();
  DcmtkEncoders(const DcmtkEncoders&) = delete;
  DcmtkEncoders& operator=(const DcmtkEncoders&) = delete;
};

/// CharLS: `samples` as in Frame::data, colour by line. Empty when it fails.
Bytes by_charls(const ImageInfo& info, ByteView samples);
/// DCMTK's JPEG lossless; `predictor` other than 1 is .57. Empty when it fails.
Bytes jpeg_by_dcmtk(const ImageInfo& info, ByteView samples, int predictor);
/// DCMTK's RLE. Empty when it fails.
Bytes rle_by_dcmtk(const ImageInfo& info, ByteView samples);
/// OpenJPEG: reversible, five decompositions, RCT for colour. Unsigned samples to 16 bits. Empty when it fails.
Bytes by_openjpeg(const ImageInfo& info, ByteView samples);
/// OpenJPH, likewise.
Bytes by_openjph(const ImageInfo& info, ByteView samples);

/// By the library for the transfer syntax, in any thread. Empty when there is none or it fails.
Bytes by_library(std::string_view transfer_syntax, const ImageInfo& info, ByteView samples);

/// The decoder of what by_library() writes that is of another library, where there is one.
Decoder beside_library(std::string_view transfer_syntax);

}  // namespace waybill::pixel::test
