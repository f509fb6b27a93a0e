// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/toolkit.hpp"
#include "scan/examine.hpp"
#include "scan/run.hpp"
#include "support/archive.hpp"

namespace waybill::test {

struct Scanned {
  std::vector<manifest::Object> objects;  ///< in the order of the manifest
  scan::Tally tally;

  [[nodiscard]] std::vector<const manifest::Object*> of(const fs::path& path) const {
    std::vector<const manifest::Object*> out;
    for (const auto& object : objects) {
      if (object.source.path == path_to_text(path.string())) out.push_back(&object);
    }
    return out;
  }
};

inline const manifest::Finding* finding(const manifest::Object& object, const std::string& code) {
  const auto at = std::find_if(object.findings.begin(), object.findings.end(),
                               [&](const manifest::Finding& f) { return f.code == code; });
  return at == object.findings.end() ? nullptr : &*at;
}

/// What a deep scan says of these bytes, met as a file.
inline std::vector<manifest::Object> examined(const std::string& bytes) {
  static const dicom::Toolkit toolkit;
  scan::Options options;
  options.deep = true;
  manifest::Object self;
  self.source.path = "/archive/file";
  self.id = manifest::object_id(self.source);
  return scan::examine_bytes(as_bytes(bytes), std::move(self), options).objects;
}

/// Scans `options.sources`; checks that the ledger closes and that no id occurs twice.
inline Scanned scan_all(scan::Options options) {
  static const dicom::Toolkit toolkit;
  const TempFolder folder;
  Scanned out;
  {
    manifest::Writer writer(folder / "scan.wb", scan::header_of(options), manifest::Restart::no);
    out.tally = scan::run(options, writer, [](auto, auto, auto) {});
  }
  EXPECT_TRUE(out.tally.closes());
  std::map<std::string, int> ids;
  manifest::Reader reader(folder / "scan.wb");
  while (auto record = reader.next()) {
    if (auto* object = std::get_if<manifest::Object>(&*record)) {
      EXPECT_EQ(++ids[object->id], 1) << object->source.path << " " << object->source.member.value_or("");
      out.objects.push_back(std::move(*object));
    }
  }
  EXPECT_EQ(out.objects.size(), out.tally.entries);
  return out;
}

inline Scanned scan_folder(const fs::path& folder, unsigned threads = 2) {
  scan::Options options;
  options.sources = {folder.string()};
  options.threads = threads;
  return scan_all(options);
}

}  // namespace waybill::test
