// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "manifest/check.hpp"
#include "manifest/reader.hpp"
#include "manifest/writer.hpp"
#include "support/folder.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace waybill::manifest {

namespace fs = std::filesystem;

class Folder : public test::InFolder {
 protected:
  fs::path file_ = folder_ / "a.wb";
};

inline Header header(std::string options = R"({"deep":true})") {
  return {"scan", "00000000-0000-4000-8000-000000000000", "waybill 0.1.0", "2026-03-01T12:00:00Z", std::move(options),
          {}};
}

inline Object object(int number, Bucket bucket = Bucket::instance) {
  Object o;
  o.source = {"/archive/" + std::to_string(number) + ".dcm", std::nullopt, 0, 1000, "2020-01-01T00:00:00Z"};
  o.id = object_id(o.source);
  o.bucket = bucket;
  return o;
}

inline std::string line(int number) { return R"({"kind":"test","n":)" + std::to_string(number) + "}"; }

/// All lines of a manifest, read to its end.
struct Content {
  std::vector<std::string> lines;
  bool complete = false;
  bool torn = false;
  std::string head;
};
inline Content content(const fs::path& path) {
  Reader reader(path);
  Content c;
  while (const auto l = reader.next_line()) c.lines.emplace_back(*l);
  c.complete = reader.end().has_value();
  c.torn = reader.torn();
  c.head = reader.head();
  return c;
}

using test::exit_of;

inline const std::string kTool = "$B/waybill-manifest ";

/// A complete manifest of three small frames.
inline void write_small(const fs::path& path) {
  Writer writer(path, header());
  writer.append_record(object(1));
  writer.append_record(object(2, Bucket::non_dicom));
  writer.commit();
  writer.append(line(3));
  writer.finish(R"({"buckets":{"instance":1,"non-dicom":1}})");
}

}  // namespace waybill::manifest
