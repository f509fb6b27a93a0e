// SPDX-License-Identifier: Apache-2.0
// What becomes of objects whose pixel data has a finding: mended where that is certain, else carried as it is.
#include "inspect/streams.hpp"
#include "inspect/support.hpp"
#include "transcode/convert.hpp"

namespace waybill::test {
namespace {

using dicom::tag;

struct Written {
  transcode::Converted converted;
  std::vector<std::string> findings;
  bool proved = false;
};

Written written(const ImageObject& image, const std::string& to) {
  const std::string bytes = image.file();
  const auto source = dicom::parse_file(as_bytes(bytes));
  transcode::CodecsHere codecs;
  const transcode::Converter converter(codecs);
  auto converted = converter.convert(as_bytes(bytes), *source, {transcode::syntax_of(to)}, {});
  if (!converted) {
    ADD_FAILURE() << converted.error().what;
    return {};
  }
  Written out{*std::move(converted), {}, false};
  const auto file = dicom::parse_file(out.converted.file);
  manifest::Object object;
  inspect::inspect(*file, inspect::Depth::pixels, object);
  for (const manifest::Finding& f : object.findings) out.findings.push_back(f.code);
  out.proved = static_cast<bool>(converter.prove(*source, out.converted.file, out.converted));
  return out;
}

TEST(DamagedPixels, OfDefinedLengthGetTheItemsTheyLack) {
  for (const std::string& value : {rle(1), DicomBuilder::items_of({"", rle(1)})}) {
    ImageObject image;
    image.raw(tag(0x7FE0, 0x0010), "OB", value).syntax(kRleSyntax);
    for (const char* to : {"keep", "explicit-le"}) {
      const Written got = written(image, to);
      EXPECT_TRUE(got.proved);
      EXPECT_EQ(got.findings, std::vector<std::string>{});
    }
  }
}

TEST(DamagedPixels, WithBytesBehindThemAreReencodedOnlyWhenThoseAreConstant) {
  std::string pixels(256, '\x40');
  const Written padded = written(ImageObject().native(pixels + std::string(10, '\0')), "rle");
  EXPECT_EQ(padded.converted.outcome, "transcoded");
  EXPECT_TRUE(padded.proved);
  const Written content = written(ImageObject().native(pixels + "ABCDEFGHIJ"), "rle");
  EXPECT_EQ(content.converted.outcome, "kept-source");
  EXPECT_NE(content.converted.reason.find("would be lost"), std::string::npos);
  EXPECT_TRUE(content.proved);
}

TEST(DamagedPixels, WithRoomForAnotherFrameBehindThemStayNativeEvenIfThatFrameWouldBeBlack) {
  const std::string frames(512, '\x40');
  const Written black = written(ImageObject().frames("2").native(frames + std::string(256, '\0')), "rle");
  EXPECT_EQ(black.converted.outcome, "kept-source");
  EXPECT_NE(black.converted.reason.find("would be lost"), std::string::npos);
  EXPECT_TRUE(black.proved);
  EXPECT_EQ(written(ImageObject().frames("2").native(frames + std::string(254, '\0')), "rle").converted.outcome,
            "transcoded");
}

TEST(DamagedPixels, WithoutAWholeDescriptionStayNativeBecauseOtherDecodersWouldNotReadThem) {
  for (const unsigned element : {0x0002U, 0x0004U, 0x0101U, 0x0102U, 0x0103U}) {
    const Written got = written(ImageObject().erase(tag(0x0028, static_cast<std::uint16_t>(element))), "jpeg-ls");
    EXPECT_EQ(got.converted.outcome, "kept-source") << element;
    EXPECT_NE(got.converted.reason.find("not whole"), std::string::npos) << got.converted.reason;
  }
}

}  // namespace
}  // namespace waybill::test
