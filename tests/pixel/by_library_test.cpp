// SPDX-License-Identifier: Apache-2.0
// What the encoders of the libraries write, by every decoder there is for it.
#include "pixel/by_library.hpp"
#include "pixel/support.hpp"

#include <algorithm>

namespace waybill::pixel::test {
namespace {

TEST(WhatLibrariesEncode, IsDecodedToTheSource) {
  const DcmtkEncoders encoders;
  for (const std::string& syntax : {kRle, kJpeg, kJpegLs, kJpeg2000, kHtj2k}) {
    for (const unsigned bits : {8U, 12U, 16U}) {
      for (const unsigned samples : {1U, 3U}) {
        if (samples == 3 && bits != 8) continue;
        const ImageInfo info = image(61, 73, bits, false, samples);
        const Frame source = picture(info);
        const Bytes stream = by_library(syntax, info, source.data);
        ASSERT_FALSE(stream.empty()) << syntax << ' ' << bits << ' ' << samples;
        for (const Decoder by : decoders_of(syntax)) {
          const auto decoded = decode_frame(syntax, info, stream, by);
          ASSERT_TRUE(decoded) << syntax << ' ' << decoded.error().what;
          EXPECT_TRUE(std::ranges::equal(decoded->bytes(), source.data))
              << decoder_name(syntax, by) << ' ' << bits << ' ' << samples;
        }
      }
    }
  }
}

}  // namespace
}  // namespace waybill::pixel::test
