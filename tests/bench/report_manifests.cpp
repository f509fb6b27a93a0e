// SPDX-License-Identifier: Apache-2.0
// report_manifests FOLDER OBJECTS [STAGES]: scan.wb, transcode.wb, load.wb and verify.wb (or the first of them) of a
// made project, each with a record of about 1.3 kB for every object, as a report reads them. One object in a hundred is
// an exception, one in ten has a finding of no weight; a study has 500 objects.
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/sha256.hpp"
#include "core/version.hpp"
#include "manifest/writer.hpp"

#include <algorithm>
#include <iostream>
#include <string>

namespace {

using namespace waybill;
using manifest::Bucket;

manifest::Object object(std::uint64_t n) {
  manifest::Object o;
  const std::uint64_t study = n / 500;
  const std::string digest = Sha256::of(std::to_string(n)).hex();
  o.source = {"/archive/" + std::to_string(2005 + study % 18) + "/" + std::to_string(study) + "/IM" + std::to_string(n),
              std::nullopt,
              0,
              400'000 + n % 200'000,
              "2019-05-02T08:11:00.000000000Z",
              100 + n};
  o.id = digest.substr(0, 16);
  o.file_sha256 = digest;
  o.dataset_sha256 = Sha256::of(digest).hex();
  o.pixel_sha256 = Sha256::of(*o.dataset_sha256).hex();
  o.sop_class = "1.2.840.10008.5.1.4.1.1.2";
  o.sop_instance = "2.25.1" + std::to_string(10'000'000'000 + n * 7919);
  o.study = "2.25.2" + std::to_string(10'000'000'000 + study * 7919);
  o.series = "2.25.3" + std::to_string(10'000'000'000 + n / 100 * 7919);
  o.transfer_syntax = "1.2.840.10008.1.2.1";
  o.patient_id = "P" + std::to_string(study / 3);
  o.issuer = study % 4 == 0 ? "NORTH" : "SOUTH";
  o.patient_name = "Bench^" + std::to_string(study / 3);
  o.birth_date = "19560417";
  o.accession = "A" + std::to_string(study);
  o.study_date = std::to_string(2005 + study % 18) + "0502";
  static constexpr const char* kModalities[] = {"CT", "MR", "CR", "US", "MG", "XA"};
  o.modality = kModalities[study % 6];
  o.rows = o.columns = 512;
  o.bits_stored = 12;
  o.photometric = "MONOCHROME2";
  if (n % 10 == 3) o.findings.push_back({"ENC-NOMETA", manifest::Severity::s2, "", "no file meta information"});
  if (n % 100 == 7) {
    o.bucket = Bucket::quarantined;
    o.findings.push_back({"UID-STUDY2PAT", manifest::Severity::s3, "0020,000D", "two patients have this study"});
  }
  return o;
}

void stage_on(manifest::Object& o, int stage) {
  if (o.bucket != Bucket::instance) return;
  const std::uint64_t n = o.source.inode;
  o.transcode = manifest::Transcode{
      "1.2.840.10008.1.2.4.80",   "charls 2.4.1", "transcoded",      "",     o.source.size, o.source.size / 2,
      "/staged/" + o.id + ".dcm", *o.file_sha256, *o.dataset_sha256, "dcmtk"};
  if (stage < 2) return;
  o.bucket = Bucket::loaded;
  o.load = manifest::Load{"0000", "", 1, "1", utc_from(static_cast<std::int64_t>(1'772'000'000 + n / 50), 0), "sent"};
  if (stage < 3) return;
  o.bucket = Bucket::verified;
  o.verify = manifest::Verify{"E4", "EQUIVALENT", {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::cerr << "usage: report_manifests FOLDER OBJECTS [STAGES]\n";
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    const std::uint64_t objects = std::stoull(argv[2]);
    const int stages = argc > 3 ? std::clamp(std::stoi(argv[3]), 1, 4) : 4;
    std::filesystem::path before;
    static constexpr const char* kStages[] = {"scan", "transcode", "load", "verify"};
    for (int stage = 0; stage < stages; ++stage) {
      manifest::Header header;
      header.stage = kStages[stage];
      header.run = random_uuid();
      header.tool = kToolName;
      header.created = utc_now();
      if (stage > 0) header.inputs.push_back(manifest::input_of(before));
      before = folder / (header.stage + ".wb");
      manifest::Writer writer(before, header, manifest::Restart::yes);
      for (std::uint64_t n = 0; n < objects; ++n) {
        manifest::Object o = object(n);
        if (stage > 0) stage_on(o, stage);
        writer.append_record(o);
      }
      writer.finish("{\"objects\":" + std::to_string(objects) + "}");
    }
  } catch (const RunError& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.exit());
  }
  return 0;
}
