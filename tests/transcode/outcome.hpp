// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inspect/support.hpp"
#include "transcode/convert.hpp"

/// One object, converted by the library without processes of its own, and the proof of it.
namespace waybill::test {

/// A source and what became of it, proved.
struct Outcome {
  std::string source;
  transcode::Converted converted;
  std::string verified_by;
  std::string failure;

  [[nodiscard]] dicom::File file() const { return *dicom::parse_file(converted.file); }
  [[nodiscard]] bool same_bytes() const { return as_text(converted.file) == source; }
};

inline Outcome outcome_of_bytes(std::string file, const std::string& to, transcode::Order order = {},
                                const dicom::Changes& changes = {}) {
  Outcome out;
  out.source = std::move(file);
  order.syntax = transcode::syntax_of(to);
  const auto source = dicom::parse_file(as_bytes(out.source));
  transcode::CodecsHere codecs;
  const transcode::Converter converter(codecs, {"waybill test", "20260301120000.000000+0000"});
  auto converted = converter.convert(as_bytes(out.source), *source, order, changes);
  if (!converted) {
    out.failure = converted.error().what;
    return out;
  }
  out.converted = *std::move(converted);
  const auto proof = converter.prove(*source, out.converted.file, out.converted);
  if (proof) {
    out.verified_by = proof->verified_by;
  } else {
    out.failure = proof.error().what;
  }
  return out;
}

inline Outcome outcome_of(const ImageObject& image, const std::string& to, transcode::Order order = {},
                          const dicom::Changes& changes = {}) {
  return outcome_of_bytes(image.file(), to, std::move(order), changes);
}

inline void expect_kept(const ImageObject& image, const std::string& to, const std::string& reason) {
  const Outcome got = outcome_of(image, to);
  EXPECT_EQ(got.failure, "");
  EXPECT_EQ(got.converted.outcome, "kept-source") << reason;
  EXPECT_NE(got.converted.reason.find(reason), std::string::npos) << got.converted.reason;
  EXPECT_TRUE(got.same_bytes()) << reason;
}

}  // namespace waybill::test
