// SPDX-License-Identifier: Apache-2.0
// Our encoder of JPEG-LS against CharLS: what T.87 leaves no choice in must be the same, bit for bit.
#include "pixel/by_library.hpp"
#include "pixel/codecs.hpp"
#include "pixel/support.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace waybill::pixel::test {
namespace {

/// From the start of scan on.
std::string scan_of(const Bytes& stream) {
  const std::string_view text = as_text(stream);
  const std::size_t at = text.find("\xFF\xDA");
  return at == std::string_view::npos ? std::string() : std::string(text.substr(at));
}

std::uint32_t any(std::mt19937& random) { return static_cast<std::uint32_t>(random()); }

using Draw = std::uint32_t (*)(std::mt19937& random, std::uint32_t most, std::uint32_t before, std::size_t at);

/// Pictures that reach every part of the coder: long and short runs, errors of every size, codes at their limit.
constexpr std::array<Draw, 6> kPictures = {
    [](std::mt19937& random, std::uint32_t most, std::uint32_t, std::size_t) -> std::uint32_t {
      return any(random) % (most + 1);
    },
    [](std::mt19937&, std::uint32_t most, std::uint32_t, std::size_t at) -> std::uint32_t {
      return at % 2 == 0 ? 0 : most;
    },
    [](std::mt19937& random, std::uint32_t most, std::uint32_t before, std::size_t) -> std::uint32_t {
      return any(random) % 40 == 0 ? any(random) % (most + 1) : before;
    },
    [](std::mt19937& random, std::uint32_t most, std::uint32_t before, std::size_t) -> std::uint32_t {
      return std::min(most, before + any(random) % 3 - (before > 0 ? 1 : 0));
    },
    [](std::mt19937& random, std::uint32_t most, std::uint32_t, std::size_t) -> std::uint32_t {
      return any(random) % 3000 == 0 ? most : 0;
    },
    [](std::mt19937& random, std::uint32_t most, std::uint32_t, std::size_t at) -> std::uint32_t {
      return (static_cast<std::uint32_t>(at * 7 / 5) + any(random) % 5) & most;
    }};

struct Shape {
  std::uint32_t rows, columns;
  std::uint16_t samples;
};

Bytes picture(const Shape& shape, unsigned bits, Draw draw, std::uint32_t seed) {
  std::mt19937 random(seed);
  Bytes out;
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < std::size_t{shape.rows} * shape.columns * shape.samples; ++i) {
    before = draw(random, (1U << bits) - 1, before, i);
    out.push_back(static_cast<std::byte>(before & 0xFFU));
    if (bits > 8) out.push_back(static_cast<std::byte>(before >> 8U));
  }
  return out;
}

TEST(JpegLs, IsBitForBitWhatCharlsWrites) {
  std::size_t compared = 0;
  for (std::uint16_t bits = 2; bits <= 16; ++bits) {
    for (const Shape shape : {Shape{1, 1, 1}, {1, 70, 1}, {70, 1, 1}, {37, 300, 1}, {29, 131, 3}, {2, 35000, 1}}) {
      for (std::size_t p = 0; p < kPictures.size(); ++p) {
        ImageInfo info = image(shape.rows, shape.columns, bits, false, shape.samples);
        Frame frame;
        frame.rows = shape.rows;
        frame.columns = shape.columns;
        frame.samples = shape.samples;
        frame.bytes_per_sample = bits > 8 ? 2 : 1;
        frame.photometric = info.photometric;
        frame.data = picture(shape, bits, kPictures[p], bits * 100U + static_cast<std::uint32_t>(p));
        const auto ours = encode_jpeg_ls(info, frame);
        ASSERT_TRUE(ours) << ours.error().what;
        const Bytes theirs = by_charls(info, frame.data);
        if (theirs.empty()) continue;  // CharLS had too little room for noise
        ++compared;
        ASSERT_TRUE(scan_of(*ours) == scan_of(theirs))
            << bits << " bits, " << shape.rows << " x " << shape.columns << " x " << shape.samples << ", picture " << p;
      }
    }
  }
  EXPECT_GT(compared, 500U);
}

}  // namespace
}  // namespace waybill::pixel::test
