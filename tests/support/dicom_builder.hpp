// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "dicom/dataset.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace waybill::test {

/// Writes datasets for tests in any encoding, by its own few lines and not by the code under test.
class DicomBuilder {
 public:
  explicit DicomBuilder(dicom::Encoding encoding = {true, false}) : encoding_(encoding) {}

  DicomBuilder& text(dicom::Tag t, const char (&vr)[3], std::string value) {
    if (value.size() % 2 != 0) value += std::string_view(vr) == "UI" ? '\0' : ' ';
    return raw(t, vr, value);
  }
  DicomBuilder& u16(dicom::Tag t, std::uint16_t value) {
    std::string bytes;
    add16(bytes, value);
    return raw(t, "US", bytes);
  }
  DicomBuilder& words(dicom::Tag t, const std::vector<std::uint16_t>& values) {
    std::string bytes;
    for (const std::uint16_t v : values) add16(bytes, v);
    return raw(t, "OW", bytes);
  }
  DicomBuilder& raw(dicom::Tag t, const char (&vr)[3], std::string_view value) {
    header(t, vr, static_cast<std::uint32_t>(value.size()));
    out_ += value;
    return *this;
  }
  /// A sequence of items that were built in the same encoding.
  DicomBuilder& sequence(dicom::Tag t, const std::vector<std::string>& items, bool undefined_length) {
    std::string content;
    for (const std::string& item : items) {
      tag_into(content, dicom::tag(0xFFFE, 0xE000));
      add32(content, undefined_length ? 0xFFFFFFFFU : static_cast<std::uint32_t>(item.size()));
      content += item;
      if (undefined_length) {
        tag_into(content, dicom::tag(0xFFFE, 0xE00D));
        add32(content, 0);
      }
    }
    header(t, "SQ", undefined_length ? 0xFFFFFFFFU : static_cast<std::uint32_t>(content.size()));
    out_ += content;
    if (undefined_length) {
      tag_into(out_, dicom::tag(0xFFFE, 0xE0DD));
      add32(out_, 0);
    }
    return *this;
  }

  /// Encapsulated Pixel Data: the first item is the offset table.
  DicomBuilder& fragments(const std::vector<std::string>& items, bool delimiter = true) {
    header(dicom::tag(0x7FE0, 0x0010), "OB", 0xFFFFFFFFU);
    out_ += items_of(items);
    if (delimiter) {
      tag_into(out_, dicom::tag(0xFFFE, 0xE0DD));
      add32(out_, 0);
    }
    return *this;
  }
  /// Items of an encapsulated value without a delimiter.
  [[nodiscard]] static std::string items_of(const std::vector<std::string>& items) {
    const DicomBuilder little;
    std::string out;
    for (const std::string& item : items) {
      little.tag_into(out, dicom::tag(0xFFFE, 0xE000));
      little.add32(out, static_cast<std::uint32_t>(item.size()));
      out += item;
    }
    return out;
  }

  [[nodiscard]] const std::string& str() const { return out_; }

  /// A Part 10 file around `dataset` (PS3.10 7.1).
  [[nodiscard]] static std::string part10(std::string_view dataset, std::string_view transfer_syntax,
                                          std::string_view sop_class = "1.2.840.10008.5.1.4.1.1.7",
                                          std::string_view sop_instance = "1.2.3.4") {
    DicomBuilder group;
    group.raw(dicom::tag(0x0002, 0x0001), "OB", std::string_view("\0\1", 2));
    group.text(dicom::tag(0x0002, 0x0002), "UI", std::string(sop_class));
    group.text(dicom::tag(0x0002, 0x0003), "UI", std::string(sop_instance));
    group.text(dicom::tag(0x0002, 0x0010), "UI", std::string(transfer_syntax));
    DicomBuilder length;
    std::string four;
    length.add32(four, static_cast<std::uint32_t>(group.out_.size()));
    length.raw(dicom::tag(0x0002, 0x0000), "UL", four);
    return std::string(128, '\0') + "DICM" + length.out_ + group.out_ + std::string(dataset);
  }

 private:
  void add16(std::string& to, std::uint16_t v) const {
    const char low = static_cast<char>(v & 0xFFU);
    const char high = static_cast<char>(v >> 8U);
    to += encoding_.big_endian ? high : low;
    to += encoding_.big_endian ? low : high;
  }
  void add32(std::string& to, std::uint32_t v) const {
    const auto low = static_cast<std::uint16_t>(v & 0xFFFFU);
    const auto high = static_cast<std::uint16_t>(v >> 16U);
    add16(to, encoding_.big_endian ? high : low);
    add16(to, encoding_.big_endian ? low : high);
  }
  void tag_into(std::string& to, dicom::Tag t) const {
    add16(to, static_cast<std::uint16_t>(t >> 16U));
    add16(to, static_cast<std::uint16_t>(t & 0xFFFFU));
  }
  void header(dicom::Tag t, std::string_view vr, std::uint32_t length) {
    tag_into(out_, t);
    if (!encoding_.explicit_vr) {
      add32(out_, length);
      return;
    }
    out_ += vr;
    static constexpr std::string_view kLong = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";  // PS3.5 7.1.2
    if (kLong.find(vr) != std::string_view::npos) {
      out_ += std::string(2, '\0');
      add32(out_, length);
    } else {
      add16(out_, static_cast<std::uint16_t>(length));
    }
  }

  dicom::Encoding encoding_;
  std::string out_;
};

}  // namespace waybill::test
