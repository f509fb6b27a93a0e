// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "manifest/writer.hpp"
#include "report/report.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace waybill::test {

using manifest::Bucket;
using manifest::Object;

/// A folder with the manifests of a small project, written by the real writer; gone with the object.
class Project {
 public:
  Project() : folder_(std::filesystem::temp_directory_path() / ("waybill-report-" + random_uuid())) {
    std::filesystem::create_directories(folder_);
  }
  ~Project() { std::filesystem::remove_all(folder_); }
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;

  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  /// Writes a manifest made from `inputs` and finishes it unless `interrupted`.
  std::filesystem::path write(const std::string& name, const std::string& stage,
                              const std::vector<std::filesystem::path>& inputs,
                              const std::function<void(manifest::Writer&)>& fill, bool interrupted = false) {
    manifest::Header header;
    header.stage = stage;
    header.run = random_uuid();
    header.tool = "waybill test";
    header.created = utc_now();
    for (const auto& input : inputs) header.inputs.push_back(manifest::input_of(input));
    manifest::Writer writer(path(name), header);
    fill(writer);
    if (!interrupted) writer.finish("{}");
    return path(name);
  }

  std::filesystem::path write(const std::string& name, const std::string& stage,
                              const std::vector<std::filesystem::path>& inputs, const std::vector<Object>& objects) {
    return write(name, stage, inputs, [&](manifest::Writer& w) {
      for (const auto& object : objects) w.append_record(object);
    });
  }

 private:
  std::filesystem::path folder_;
};

inline Object object(int n) {
  Object o;
  o.source.path = "/archive/" + std::to_string(n) + ".dcm";
  o.source.size = 1000;
  o.source.mtime = "2026-01-01T00:00:00Z";
  o.id = manifest::object_id(o.source);
  o.sop_instance = "1.2.3." + std::to_string(n);
  o.study = "1.2." + std::to_string(n / 2);
  o.modality = n % 2 == 0 ? "CT" : "MR";
  o.study_date = "20240131";
  o.patient_id = "MRN-" + std::to_string(n / 2);
  o.patient_name = "DOE^JANE";
  o.birth_date = "19700229";
  return o;
}

inline std::vector<Object> objects(int count) {
  std::vector<Object> out;
  for (int n = 0; n < count; ++n) out.push_back(object(n));
  return out;
}

inline std::vector<Object> loaded(std::vector<Object> all) {
  for (auto& o : all) {
    if (o.bucket != Bucket::instance) continue;
    o.bucket = Bucket::loaded;
    o.load = manifest::Load{"0000", "", 1, "1", "2026-01-01T00:00:00Z", "sent"};
  }
  return all;
}

inline std::vector<Object> verified(std::vector<Object> all) {
  for (auto& o : all) {
    if (o.bucket != Bucket::loaded) continue;
    o.bucket = Bucket::verified;
    o.verify = manifest::Verify{"E4", "IDENTICAL", {}};
  }
  return all;
}

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace waybill::test
