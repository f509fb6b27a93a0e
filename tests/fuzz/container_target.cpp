// SPDX-License-Identifier: Apache-2.0
// A whole file as scan takes it apart: container, DICOMDIR, several objects, vendor package or anything else. No crash,
// no hang, bounded memory, and for each record one of scan's buckets, with a code wherever it is no sound instance.
#include "archive/container.hpp"
#include "core/text.hpp"
#include "dicom/toolkit.hpp"
#include "scan/examine.hpp"
#include "support/verdict.hpp"

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <set>

namespace {

using namespace waybill;

void demand(bool holds, const char* what, const manifest::Object& object) {
  if (holds) return;
  std::cerr << what << ": " << manifest::to_json(object) << std::endl;
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dicom::Toolkit toolkit;
  const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  scan::Options options;
  options.deep = true;
  manifest::Object self;
  self.source.path = "/archive/file";
  self.source.size = size;
  self.id = manifest::object_id(self.source);
  std::vector<manifest::Object> objects;
  if (archive::container_of(bytes.first(std::min(size, archive::kSniff))) == archive::Container::none) {
    objects = scan::examine_bytes(bytes, self, options).objects;
  } else {
    archive::OpenFile file;
    file.bytes = bytes;
    file.state.size = size;
    objects = scan::unpack(file, self, options);
  }
  if (objects.empty()) std::abort();
  std::set<std::string> ids;
  for (const manifest::Object& object : objects) {
    demand(ids.insert(object.id).second, "two records with one id", object);
    demand(test::says_why(object), "a record that does not say why", object);
    for (const manifest::Finding& finding : object.findings)
      demand(!finding.code.empty() && !finding.detail.empty() && finding.raw.size() <= 128, "a bad finding", object);
    demand(is_utf8(manifest::to_json(object)), "a record that is not UTF-8", object);
  }
  return 0;
}
