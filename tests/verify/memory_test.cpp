// SPDX-License-Identifier: Apache-2.0
#include "manifest/writer.hpp"
#include "support/peer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace waybill {
namespace {

namespace fs = std::filesystem;

/// The manifest of a scan of `objects` files that are gone, forty to a study, as one of each study after the other.
void write_scan(const fs::path& path, unsigned objects) {
  manifest::Header header;
  header.stage = "scan";
  manifest::Writer writer(path, header, manifest::Restart::yes);
  manifest::Object object;
  object.bucket = manifest::Bucket::instance;
  object.sop_class = "1.2.840.10008.5.1.4.1.1.2";
  object.transfer_syntax = "1.2.840.10008.1.2.1";
  object.file_sha256 = std::string(64, 'a');
  object.findings.push_back({"VAL-TYPE2MISSING", manifest::Severity::s1, "", std::string(200, 'x')});
  const unsigned studies = objects / 40;
  for (unsigned i = 0; i < objects; ++i) {
    object.id = Sha256::of(std::to_string(i)).hex().substr(0, 16);
    object.source.path = "/nowhere/" + std::to_string(i);
    object.study = "2.25.1" + std::to_string(i % studies);
    object.series = *object.study + ".1";
    object.sop_instance = "2.25.2" + std::to_string(i);
    writer.append_record(object);
  }
  writer.finish("{}");
}

/// Peak resident memory in MiB of a verification of the files.
long peak_memory(const test::TempFolder& folder) {
  const pid_t child = test::spawn({test::tool("verify"), (folder / "scan.wb").string(), "-o",
                                   (folder / "verify.wb").string(), "--quiet", "--restart"},
                                  folder / "log");
  int status = 0;
  rusage usage{};
  EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5) << test::slurp(folder / "log");
  return usage.ru_maxrss / 1024;
}

TEST(Verification, HoldsStudiesInMemoryAndNotTheManifest) {
  const test::TempFolder folder;
  write_scan(folder / "scan.wb", 4000);
  const long few = peak_memory(folder);
  write_scan(folder / "scan.wb", 80000);
  const long many = peak_memory(folder);
  EXPECT_LT(many, few + 200) << "76,000 more records in memory are some 300 MiB, as JSON lines 60 MiB";
}

}  // namespace
}  // namespace waybill
