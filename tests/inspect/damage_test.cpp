// SPDX-License-Identifier: Apache-2.0
// Damaged pixel data of every kind: no crash, no endless loop, and the same findings each time.
#include "inspect/faulty_encoders.hpp"
#include "inspect/support.hpp"

#include <random>

namespace waybill::test {
namespace {

std::vector<ImageObject> objects() {
  const std::string jpeg = Jpeg{.sampling = {0x21, 0x11, 0x11}}.jfif().adobe(1).bytes();
  const std::vector<std::uint16_t> samples(64, 40000);
  return {
      ImageObject(),
      ImageObject().bits(12, 12, 11).native(std::string(384, '\x5A')),
      ImageObject().samples(3, "YBR_FULL_422").native(std::string(768, '\x5A')),
      ImageObject().lossy().frames("2").fragments(kJpegPrefix + "50", {le32({0, jpeg.size() + 8}), jpeg, jpeg}),
      ImageObject().fragments(kJpegPrefix + "90", {"", J2k{.components = 3, .multi_component = true}.boxed()}),
      ImageObject()
          .size(8, 8)
          .bits(16, 16, 15)
          .fragments(kJpegPrefix + "57", {"", jpeg_lossless(samples, 8, 8, 6, LosslessFault::cornell)}),
      ImageObject().size(8, 8).bits(16, 16, 15).fragments(kJpegPrefix + "80", {"", jai_jpeg_ls(samples, 8, 8, false)}),
      ImageObject().bits(1, 1, 0).fragments(kRleSyntax, {"", rle(1)})};
}

void inspect_twice(const std::string& bytes) {
  const auto file = dicom::parse_file(as_bytes(bytes));
  if (!file) return;
  manifest::Object a;
  manifest::Object b;
  inspect::inspect(*file, inspect::Depth::pixels, a);
  inspect::inspect(*file, inspect::Depth::pixels, b);
  EXPECT_EQ(manifest::to_json(a), manifest::to_json(b));
}

TEST(DamagedPixelData, CutAtAnyByteIsInspectedWithoutHarm) {
  for (const ImageObject& object : objects()) {
    const std::string whole = object.file();
    for (std::size_t n = 300; n < whole.size(); ++n) inspect_twice(whole.substr(0, n));
  }
}

TEST(DamagedPixelData, WithBytesChangedAnywhereIsInspectedWithoutHarm) {
  std::mt19937 random(11);
  for (const ImageObject& object : objects()) {
    const std::string whole = object.file();
    for (int round = 0; round < 1500; ++round) {
      std::string damaged = whole;
      for (int k = 0; k < 1 + round % 4; ++k)
        damaged[400 + random() % (damaged.size() - 400)] = static_cast<char>(random());
      inspect_twice(damaged);
    }
  }
}

}  // namespace
}  // namespace waybill::test
