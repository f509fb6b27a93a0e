// SPDX-License-Identifier: Apache-2.0
// What every byte stream may be given to: recognise, parse, inspect, decode, digest. No crash, no hang, bounded memory,
// and always a verdict. Linked with libFuzzer or with our own driver (driver.cpp).
#include "dicom/file.hpp"
#include "dicom/toolkit.hpp"
#include "inspect/inspect.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waybill;
  static const dicom::Toolkit toolkit;
  const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto headers = dicom::parse_headers(bytes, size);
  const auto file = dicom::parse_file(bytes);
  if (!file) {
    if (file.error().what.empty()) std::abort();  // a refusal says why
    return 0;
  }
  if (headers && *headers && (*headers)->transfer_syntax.empty() != file->transfer_syntax.empty()) std::abort();
  manifest::Object object;
  inspect::inspect(*file, inspect::Depth::pixels, object);
  if (!object.dataset_sha256) std::abort();
  for (const manifest::Finding& finding : object.findings) {
    if (finding.code.empty() || finding.detail.empty() || finding.raw.size() > 128) std::abort();
  }
  (void)manifest::to_json(object);
  return 0;
}
