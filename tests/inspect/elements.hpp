// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/file.hpp"
#include "dicom/toolkit.hpp"
#include "inspect/inspect.hpp"
#include "support/dicom_builder.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace waybill::test {

using dicom::tag;
using dicom::Tag;

constexpr const char* kExplicit = "1.2.840.10008.1.2.1";
constexpr const char* kImplicit = "1.2.840.10008.1.2";
constexpr const char* kCapture = "1.2.840.10008.5.1.4.1.1.7";

struct Value {
  std::string vr;
  std::string bytes;
};

/// Top-level elements by tag, written in order in any encoding; a test changes one and writes the rest as it was.
class Elements {
 public:
  Elements& set(Tag t, std::string vr, std::string bytes) {
    if (bytes.size() % 2 != 0) bytes += vr == "UI" ? '\0' : ' ';
    return exact(t, std::move(vr), std::move(bytes));
  }
  /// Without padding to even length.
  Elements& exact(Tag t, std::string vr, std::string bytes) {
    all_[t] = {std::move(vr), std::move(bytes)};
    return *this;
  }
  Elements& without(Tag t) {
    all_.erase(t);
    return *this;
  }
  [[nodiscard]] std::string write(dicom::Encoding encoding = {true, false}) const {
    DicomBuilder b(encoding);
    for (const auto& [t, value] : all_) {
      const char vr[3] = {value.vr[0], value.vr[1], '\0'};
      std::string bytes = value.bytes;
      if (encoding.big_endian && (value.vr == "US" || value.vr == "OW")) {
        for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) std::swap(bytes[i], bytes[i + 1]);
      }
      b.raw(t, vr, bytes);
    }
    return b.str();
  }
  [[nodiscard]] std::string file(const char* syntax = kExplicit, dicom::Encoding encoding = {true, false}) const {
    return DicomBuilder::part10(write(encoding), syntax, uid(tag(0x0008, 0x0016)), uid(tag(0x0008, 0x0018)));
  }

 private:
  [[nodiscard]] std::string uid(Tag t) const {
    const auto at = all_.find(t);
    return at == all_.end() ? ""
                            : at->second.bytes.substr(0, at->second.bytes.find_last_not_of(std::string(" \0", 2)) + 1);
  }
  std::map<Tag, Value> all_;
};

/// A sound object of two by two pixels: no finding at all.
inline Elements sound() {
  Elements e;
  e.set(tag(0x0008, 0x0016), "UI", kCapture).set(tag(0x0008, 0x0018), "UI", "1.2.3.4");
  e.set(tag(0x0008, 0x0020), "DA", "20190502").set(tag(0x0008, 0x0030), "TM", "101500");
  e.set(tag(0x0008, 0x0050), "SH", "A17").set(tag(0x0008, 0x0060), "CS", "OT").set(tag(0x0008, 0x0090), "PN", "");
  e.set(tag(0x0010, 0x0010), "PN", "Muster^Eva").set(tag(0x0010, 0x0020), "LO", "P-42");
  e.set(tag(0x0010, 0x0030), "DA", "19560417").set(tag(0x0010, 0x0040), "CS", "F");
  e.set(tag(0x0020, 0x000D), "UI", "1.2.3").set(tag(0x0020, 0x000E), "UI", "1.2.3.1");
  e.set(tag(0x0020, 0x0010), "SH", "1").set(tag(0x0020, 0x0011), "IS", "1");
  const auto us = [&](std::uint16_t element, char value) { e.exact(tag(0x0028, element), "US", {value, '\0'}); };
  us(0x0002, 1), us(0x0010, 2), us(0x0011, 2), us(0x0100, 16), us(0x0101, 12), us(0x0102, 11), us(0x0103, 0);
  e.set(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  e.set(tag(0x0028, 0x1050), "DS", "2048").set(tag(0x0028, 0x1051), "DS", "4096");
  e.exact(tag(0x7FE0, 0x0010), "OW", std::string("\1\0\2\0\3\0\4\0", 8));
  return e;
}

inline manifest::Object look(const std::string& bytes, inspect::Depth depth = inspect::Depth::datasets) {
  static const dicom::Toolkit toolkit;
  manifest::Object object;
  const auto file = dicom::parse_file(as_bytes(bytes));
  EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().what);
  if (file) inspect::inspect(*file, depth, object);
  return object;
}

/// "CODE S2 CODE S1", sorted; what an object's findings are compared by.
inline std::string codes(const manifest::Object& object) {
  std::vector<std::string> all;
  for (const auto& f : object.findings) all.push_back(f.code + " " + std::string(to_string(f.severity)));
  std::sort(all.begin(), all.end());
  std::string out;
  for (const auto& one : all) out += (out.empty() ? "" : ", ") + one;
  return out;
}

}  // namespace waybill::test
