// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/toolkit.hpp"
#include "inspect/inspect.hpp"
#include "support/dicom_builder.hpp"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::test {

inline const std::string kNative = "1.2.840.10008.1.2.1";
inline const std::string kJpegPrefix = "1.2.840.10008.1.2.4.";
inline const std::string kRleSyntax = "1.2.840.10008.1.2.5";

inline const auto* const kToolkit = new dicom::Toolkit;

inline std::string le16(std::initializer_list<unsigned> values) {
  std::string out;
  for (const unsigned v : values) {
    out += static_cast<char>(v & 0xFFU);
    out += static_cast<char>((v >> 8U) & 0xFFU);
  }
  return out;
}
inline std::string le32(std::initializer_list<std::uint64_t> values) {
  std::string out;
  for (const std::uint64_t v : values)
    out += le16({static_cast<unsigned>(v & 0xFFFFU), static_cast<unsigned>(v >> 16U)});
  return out;
}
inline std::string hex(std::string_view digits) {
  const Bytes bytes = from_hex(digits);
  return std::string(as_text(bytes));
}

/// A Secondary Capture image without any finding, 16 x 16 in 8 bits, native, until something is changed.
class ImageObject {
 public:
  ImageObject() {
    text(dicom::tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7");
    text(dicom::tag(0x0008, 0x0018), "UI", "1.2.3.4");
    text(dicom::tag(0x0008, 0x0020), "DA", "20200102");
    text(dicom::tag(0x0010, 0x0020), "LO", "P1");
    text(dicom::tag(0x0020, 0x000D), "UI", "1.2.3.5");
    text(dicom::tag(0x0020, 0x000E), "UI", "1.2.3.6");
    size(16, 16);
    samples(1, "MONOCHROME2");
    bits(8, 8, 7);
    text(dicom::tag(0x0028, 0x1050), "DS", "40");
    text(dicom::tag(0x0028, 0x1051), "DS", "400");
    native(std::string(256, '\x40'));
  }
  ImageObject& text(dicom::Tag t, const char (&vr)[3], const std::string& value) {
    elements_[t] = DicomBuilder().text(t, vr, value).str();
    return *this;
  }
  ImageObject& raw(dicom::Tag t, const char (&vr)[3], std::string_view value) {
    elements_[t] = DicomBuilder().raw(t, vr, value).str();
    return *this;
  }
  ImageObject& u16(dicom::Tag t, std::uint16_t value) {
    elements_[t] = DicomBuilder().u16(t, value).str();
    return *this;
  }
  ImageObject& sop_class(const std::string& uid) {
    sop_class_ = uid;
    return text(dicom::tag(0x0008, 0x0016), "UI", uid);
  }
  ImageObject& erase(dicom::Tag t) {
    elements_.erase(t);
    return *this;
  }
  ImageObject& size(std::uint16_t rows, std::uint16_t columns) {
    return u16(dicom::tag(0x0028, 0x0010), rows).u16(dicom::tag(0x0028, 0x0011), columns);
  }
  ImageObject& frames(const std::string& n) { return text(dicom::tag(0x0028, 0x0008), "IS", n); }
  ImageObject& samples(std::uint16_t n, const std::string& photometric) {
    if (n > 1) u16(dicom::tag(0x0028, 0x0006), 0);
    return u16(dicom::tag(0x0028, 0x0002), n).text(dicom::tag(0x0028, 0x0004), "CS", photometric);
  }
  ImageObject& bits(std::uint16_t allocated, std::uint16_t stored, std::uint16_t high, std::uint16_t is_signed = 0) {
    return u16(dicom::tag(0x0028, 0x0100), allocated)
        .u16(dicom::tag(0x0028, 0x0101), stored)
        .u16(dicom::tag(0x0028, 0x0102), high)
        .u16(dicom::tag(0x0028, 0x0103), is_signed);
  }
  ImageObject& lossy() { return text(dicom::tag(0x0028, 0x2110), "CS", "01"); }
  ImageObject& native(std::string_view value) {
    const bool words = bits_allocated() > 8;
    return words ? raw(dicom::tag(0x7FE0, 0x0010), "OW", value) : raw(dicom::tag(0x7FE0, 0x0010), "OB", value);
  }
  ImageObject& syntax(const std::string& uid) {
    syntax_ = uid;
    return *this;
  }
  ImageObject& fragments(const std::string& uid, const std::vector<std::string>& items, bool delimiter = true) {
    elements_[dicom::tag(0x7FE0, 0x0010)] = DicomBuilder().fragments(items, delimiter).str();
    return syntax(uid);
  }

  [[nodiscard]] std::string file() const {
    std::string dataset;
    for (const auto& [t, element] : elements_) dataset += element;
    return DicomBuilder::part10(dataset, syntax_, sop_class_);
  }

 private:
  [[nodiscard]] unsigned bits_allocated() const {
    const auto at = elements_.find(dicom::tag(0x0028, 0x0100));
    return at == elements_.end() ? 8 : static_cast<unsigned char>(at->second[8]);
  }
  /// Patient, study and series elements that are required but may be empty (type 2): the object is sound but for what a
  /// test changes.
  static std::map<dicom::Tag, std::string> required() {
    std::map<dicom::Tag, std::string> out;
    const auto put = [&](dicom::Tag t, const char(&vr)[3], const char* value) {
      out[t] = DicomBuilder().text(t, vr, value).str();
    };
    put(dicom::tag(0x0008, 0x0020), "DA", "20190502"), put(dicom::tag(0x0008, 0x0030), "TM", "101500");
    put(dicom::tag(0x0008, 0x0050), "SH", ""), put(dicom::tag(0x0008, 0x0090), "PN", "");
    put(dicom::tag(0x0010, 0x0010), "PN", "TEST^ONE"), put(dicom::tag(0x0010, 0x0020), "LO", "T1");
    put(dicom::tag(0x0010, 0x0030), "DA", ""), put(dicom::tag(0x0010, 0x0040), "CS", "");
    put(dicom::tag(0x0020, 0x0010), "SH", "1"), put(dicom::tag(0x0020, 0x0011), "IS", "1");
    return out;
  }
  std::map<dicom::Tag, std::string> elements_ = required();
  std::string syntax_ = kNative;
  std::string sop_class_ = "1.2.840.10008.5.1.4.1.1.7";
};

inline manifest::Object inspected(const ImageObject& image, inspect::Depth depth) {
  manifest::Object object;
  const std::string bytes = image.file();
  const auto file = dicom::parse_file(as_bytes(bytes));
  if (!file) {
    ADD_FAILURE() << file.error().what;
    return object;
  }
  inspect::inspect(*file, depth, object);
  for (const manifest::Finding& f : object.findings) {  // evidence is what stands there
    if (!f.offset) continue;
    const std::string here = to_hex(file->dataset.bytes().subspan(*f.offset));
    EXPECT_TRUE(std::string_view(here).starts_with(f.raw)) << f.code << " at " << *f.offset << ": " << f.raw;
  }
  return object;
}

/// All findings as "CODE S2", in order.
inline std::vector<std::string> findings(const ImageObject& image, inspect::Depth depth = inspect::Depth::datasets) {
  std::vector<std::string> out;
  for (const manifest::Finding& f : inspected(image, depth).findings)
    out.push_back(f.code + " " + std::string(manifest::to_string(f.severity)));
  return out;
}

/// One defect, what must be found, and the same object without it.
struct Case {
  std::string name;
  std::vector<std::string> expected;
  ImageObject bad;
  ImageObject clean;
  inspect::Depth depth = inspect::Depth::datasets;
};

inline void expect_found_only_in_the_bad_twin(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(findings(c.bad, c.depth), c.expected) << c.name;
    EXPECT_EQ(findings(c.clean, c.depth), std::vector<std::string>{}) << c.name;
  }
}

}  // namespace waybill::test
