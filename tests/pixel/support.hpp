// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/codec.hpp"
#include "pixel/pictures.hpp"
#include "pixel/register.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/oflog/oflog.h>
#include <gtest/gtest.h>
#include <cstdint>
#include <string>
#include <vector>

namespace waybill::pixel::test {

inline const std::string kRle = "1.2.840.10008.1.2.5";
inline const std::string kJpeg = "1.2.840.10008.1.2.4.70";
inline const std::string kJpegLs = "1.2.840.10008.1.2.4.80";
inline const std::string kJpeg2000 = "1.2.840.10008.1.2.4.90";
inline const std::string kHtj2k = "1.2.840.10008.1.2.4.201";
inline const std::string kHtj2kRpcl = "1.2.840.10008.1.2.4.202";
inline const std::string kJpegXl = "1.2.840.10008.1.2.4.110";

/// Every transfer syntax that is encoded, and those without a sign or bit depth below two in their streams.
inline const std::vector<std::string> kEncoded = {kRle, kJpeg, kJpegLs, kJpeg2000, kHtj2k, kHtj2kRpcl, kJpegXl};
inline const std::vector<std::string> kUnsignedCodecs = {kJpeg, kJpegLs, kJpegXl};

/// The decoders there are for a transfer syntax.
inline std::vector<Decoder> decoders_of(const std::string& syntax) {
  std::vector<Decoder> out;
  for (const Decoder which : {Decoder::primary, Decoder::independent}) {
    if (can_decode(syntax, which)) out.push_back(which);
  }
  return out;
}

/// Registers the codecs once for a test program, as dicom::Toolkit does.
class Codecs : public ::testing::Environment {
 public:
  void SetUp() override {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    register_codecs();
  }
  void TearDown() override { unregister_codecs(); }
};
inline const auto* const kCodecs = ::testing::AddGlobalTestEnvironment(new Codecs);

/// The frame with each sample cut to Bits Stored: what every lossless decoder must agree on.
inline Bytes stored_bits(const ImageInfo& info, const Frame& frame) {
  Bytes out = frame.data;
  const std::uint32_t mask = (1U << info.bits_stored) - 1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned byte = frame.bytes_per_sample == 2 ? static_cast<unsigned>(i % 2) : 0;
    out[i] &= static_cast<std::byte>((mask >> (8 * byte)) & 0xFFU);
  }
  return out;
}

inline Decoder other(Decoder which) { return which == Decoder::primary ? Decoder::independent : Decoder::primary; }

}  // namespace waybill::pixel::test
