// SPDX-License-Identifier: Apache-2.0
// Reads what a DICOMweb service may answer: bodies of STOW-RS and QIDO-RS in JSON and XML, multipart bodies of WADO-RS.
// What is understood does not depend on how the bytes arrive.
#include "fuzz/seeds.hpp"
#include "web/answer.hpp"
#include "web/model.hpp"
#include "web/multipart.hpp"

#include <cstdlib>
#include <iostream>

namespace waybill::test {

std::vector<std::string> web_seeds() {
  return {
      R"({"00081198":{"vr":"SQ"},"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]},)"
      R"("00081196":{"vr":"US","Value":[45056]}},{"00081155":{"vr":"UI","Value":["1.3"]}}]}})",
      R"([{"00080018":{"vr":"UI","Value":["1.2.3"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B"}]}},{}])",
      R"(<?xml version="1.0"?><NativeDicomModel xmlns="x"><DicomAttribute tag="00081198" vr="SQ"><Item number="1">)"
      R"(<DicomAttribute tag="00081155" vr="UI"><Value number="1">1.2</Value></DicomAttribute><DicomAttribute tag="00081197")"
      R"( vr="US"><Value number="1">272</Value></DicomAttribute></Item></DicomAttribute></NativeDicomModel>)",
      "--b\r\nContent-Type: application/dicom\r\n\r\none\r\n--b \r\n\r\nt\r\n--wo\r\n--b--\r\n"};
}

}  // namespace waybill::test

namespace {

using namespace waybill;

void check(bool good, const char* what) {
  if (good) return;
  std::cerr << "fuzz_web: " << what << "\n";
  std::abort();
}

std::string parts_of(std::string_view body, std::size_t chunk) {
  std::string out;
  web::MultipartReader reader("b", 1 << 20U,
                              [&](const io::Scratch&, ByteView part) { out += std::to_string(part.size()) + " "; });
  for (std::size_t at = 0; at < body.size(); at += chunk) {
    if (!reader.take(as_bytes(body.substr(at, chunk)))) return "";
  }
  return out + (reader.ended() ? "." : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto answer = web::parse_store_answer({}, body);
  check(answer.readable || answer.instances.empty(), "an answer that is none names instances");
  check(!answer.instances.contains(""), "an instance without a UID is named");
  (void)web::parse_json(body);
  (void)web::parse_xml(body);
  (void)web::boundary_of(body);
  check(parts_of(body, size + 1) == parts_of(body, 1 + size % 13), "the parts depend on the chunks");
  return 0;
}
