// SPDX-License-Identifier: Apache-2.0
#include "fuzz/seeds.hpp"

#include "pixel/codec.hpp"
#include "support/deflate.hpp"
#include "support/dicom_builder.hpp"

#include <array>

namespace waybill::test {
namespace {

using dicom::tag;

constexpr std::uint16_t kSide = 16;

std::string pixels() {
  std::string out;
  for (int i = 0; i < kSide * kSide; ++i) {
    const int v = (i * 7 + (i / kSide) * 31) % 4096;
    out += static_cast<char>(v & 0xFF);
    out += static_cast<char>(v >> 8);
  }
  return out;
}

DicomBuilder head(dicom::Encoding encoding, std::uint16_t frames) {
  DicomBuilder b(encoding);
  b.text(tag(0x0008, 0x0005), "CS", "ISO_IR 192").text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7");
  b.text(tag(0x0008, 0x0018), "UI", "1.2.3.4").text(tag(0x0008, 0x0020), "DA", "20190502");
  DicomBuilder inner(encoding);
  inner.text(tag(0x0008, 0x1150), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x1155), "UI", "1.2.3.5");
  DicomBuilder outer(encoding);
  outer.sequence(tag(0x0008, 0x1199), {inner.str(), inner.str()}, true);
  b.sequence(tag(0x0008, 0x1115), {outer.str()}, true);
  b.sequence(tag(0x0008, 0x1140), {inner.str()}, false);
  b.text(tag(0x0010, 0x0010), "PN", "M\xC3\xBCller^Eva=\xE6\x9D\x8E").text(tag(0x0010, 0x0020), "LO", "P-42");
  b.text(tag(0x0019, 0x0010), "LO", "VENDOR").raw(tag(0x0019, 0x1001), "UN", "abcd");
  b.text(tag(0x0020, 0x000D), "UI", "1.2.3").text(tag(0x0020, 0x000E), "UI", "1.2.3.1");
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  b.text(tag(0x0028, 0x0008), "IS", std::to_string(frames));
  b.u16(tag(0x0028, 0x0010), kSide).u16(tag(0x0028, 0x0011), kSide).u16(tag(0x0028, 0x0100), 16);
  b.u16(tag(0x0028, 0x0101), 12).u16(tag(0x0028, 0x0102), 11).u16(tag(0x0028, 0x0103), 0);
  return b;
}

std::string le32(std::size_t n) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>((n >> (8 * i)) & 0xFFU);
  return out;
}

std::string item(const std::string& content) {
  return std::string("\xFE\xFF\x00\xE0", 4) + le32(content.size()) + content;
}

/// Two frames of one codec with a basic offset table.
std::string encapsulated(const char* syntax) {
  pixel::ImageInfo info;
  info.rows = info.columns = kSide;
  info.bits_allocated = 16;
  info.bits_stored = 12;
  info.high_bit = 11;
  info.photometric = "MONOCHROME2";
  pixel::Frame frame;
  frame.rows = frame.columns = kSide;
  frame.bytes_per_sample = 2;
  frame.photometric = info.photometric;
  const std::string raw = pixels();
  frame.data.assign(as_bytes(raw).begin(), as_bytes(raw).end());
  const auto stream = pixel::encode_frame(syntax, info, frame);
  if (!stream) return {};
  std::string code(as_text(*stream));
  if (code.size() % 2 != 0) code += '\0';
  DicomBuilder b = head({true, false}, 2);
  const std::string value = item(le32(0) + le32(code.size() + 8)) + item(code) + item(code);
  const std::string element =
      std::string("\xE0\x7F\x10\x00OB\0\0\xFF\xFF\xFF\xFF", 12) + value + std::string("\xFE\xFF\xDD\xE0\0\0\0\0", 8);
  return DicomBuilder::part10(b.str() + element, syntax);
}

}  // namespace

std::vector<std::string> object_seeds() {
  std::vector<std::string> seeds;
  constexpr std::array kPlain = {std::pair{dicom::Encoding{true, false}, "1.2.840.10008.1.2.1"},
                                 std::pair{dicom::Encoding{false, false}, "1.2.840.10008.1.2"},
                                 std::pair{dicom::Encoding{true, true}, "1.2.840.10008.1.2.2"}};
  for (const auto& [encoding, syntax] : kPlain) {
    DicomBuilder b = head(encoding, 1);
    b.raw(tag(0x7FE0, 0x0010), "OW", pixels());
    seeds.push_back(DicomBuilder::part10(b.str(), syntax));
    seeds.push_back(b.str());
    if (encoding == kPlain[0].first) {
      seeds.push_back(DicomBuilder::part10(deflated(b.str(), -15), "1.2.840.10008.1.2.1.99"));
      seeds.push_back(seeds.front() + seeds.front());
    }
  }
  for (const char* syntax :
       {"1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"}) {
    const std::string seed = encapsulated(syntax);
    if (!seed.empty()) seeds.push_back(seed);
  }
  return seeds;
}

}  // namespace waybill::test
