// SPDX-License-Identifier: Apache-2.0
// Shards of a scan, merged, are the scan of the whole: what only the whole shows is found out again.
#include "scan/merge.hpp"

#include "manifest/check.hpp"
#include "manifest/split.hpp"
#include "support/exits.hpp"
#include "support/scanning.hpp"

namespace waybill::test {
namespace {

constexpr unsigned kShards = 3;

std::string get(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
std::vector<std::string> lines_of(const fs::path& path) {
  manifest::Reader reader(path);
  std::vector<std::string> lines;
  while (const auto line = reader.next_line()) lines.emplace_back(*line);
  return lines;
}

/// An archive whose copies and collisions lie in different shards.
class MergedScan : public ::testing::Test {
 protected:
  MergedScan() {
    make_objects(folder_ / "archive", 24);
    const std::string bytes = get(file(0));
    for (int copy = 0; copy < 6; ++copy) put(folder_ / ("archive/copies/" + std::to_string(copy) + "/x.dcm"), bytes);
    std::string other = get(file(1));
    other[other.size() - 1] = static_cast<char>(other.back() ^ 1);
    for (int n = 0; n < 4; ++n) put(folder_ / ("archive/other/" + std::to_string(n) + ".dcm"), other);
    put(folder_ / "archive/readme.txt", "no DICOM");
  }
  [[nodiscard]] fs::path file(std::size_t n) const {
    std::vector<fs::path> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "archive")) {
      if (entry.is_regular_file()) all.push_back(entry.path());
    }
    std::sort(all.begin(), all.end());
    return all[n];
  }
  fs::path scan_to(const std::string& name, unsigned shard = 1, unsigned of = 1, const fs::path& since = {}) const {
    static const dicom::Toolkit toolkit;
    scan::Options options;
    options.sources = {(folder_ / "archive").string()};
    options.threads = 2;
    options.deep = true;
    options.selection.shard = {shard, of};
    options.since = since;
    manifest::Writer writer(folder_ / name, scan::header_of(options));
    (void)scan::run(options, writer, [](auto, auto, auto) {});
    return folder_ / name;
  }
  std::vector<fs::path> shards() const {
    std::vector<fs::path> out;
    for (unsigned n = 1; n <= kShards; ++n) out.push_back(scan_to("shard" + std::to_string(n) + ".wb", n, kShards));
    return out;
  }
  static std::map<std::string, std::size_t> buckets(const std::vector<fs::path>& manifests) {
    std::map<std::string, std::size_t> out;
    for (const auto& path : manifests) {
      manifest::Reader reader(path);
      while (const auto record = reader.next()) {
        if (const auto* object = std::get_if<manifest::Object>(&*record)) ++out[std::string(to_string(object->bucket))];
      }
    }
    return out;
  }

  TempFolder folder_;
};

TEST_F(MergedScan, OfAllShardsHasTheLinesOfTheScanOfTheWhole) {
  const fs::path whole = scan_to("whole.wb"), merged = folder_ / "merged.wb";
  const auto parts = shards();
  (void)manifest::merge({parts[2], parts[0], parts[1]}, merged, manifest::Restart::no, scan::whole_of);
  EXPECT_EQ(lines_of(merged), lines_of(whole));
  EXPECT_NE(buckets(parts), buckets({whole})) << "the shards alone must not know, or nothing is tested";
  EXPECT_EQ(manifest::check(merged).exit(), Exit::ok);
  EXPECT_EQ(manifest::merge_difference(merged, parts, scan::whole_of), "");
  EXPECT_FALSE(fs::exists(merged.string() + ".index"));
}

TEST_F(MergedScan, IsAScanThatTheNextOneCanContinue) {
  const fs::path merged = folder_ / "merged.wb";
  (void)manifest::merge(shards(), merged, manifest::Restart::no, scan::whole_of);
  put(folder_ / "archive/new.txt", "came later");
  const fs::path now = scan_to("now.wb", 1, 1, merged);
  std::map<std::string, int> since;
  manifest::Reader reader(now);
  while (const auto record = reader.next()) {
    if (const auto* object = std::get_if<manifest::Object>(&*record)) ++since[object->since.value_or("")];
    EXPECT_FALSE(std::holds_alternative<manifest::Gone>(*record));
  }
  EXPECT_EQ(since.size(), 2U);
  EXPECT_EQ(since["new"], 1);
}

TEST_F(MergedScan, OfSomeShardsIsNoScanThatTheNextOneContinues) {
  const auto parts = shards();
  const fs::path merged = folder_ / "merged.wb";
  const auto some = manifest::merge({parts[0], parts[2]}, merged, manifest::Restart::no, scan::whole_of);
  EXPECT_EQ(some.missing, "shard 2 of 3");
  EXPECT_EQ(exit_of([&] { (void)scan_to("now.wb", 1, 1, merged); }), Exit::usage);
}

TEST_F(MergedScan, OfScansThatOverlapHoldsEachObjectOnce) {
  const fs::path whole = scan_to("whole.wb"), merged = folder_ / "merged.wb";
  const fs::path shard = scan_to("shard.wb", 1, 2);
  const auto out = manifest::merge({whole, shard}, merged, manifest::Restart::no, scan::whole_of);
  EXPECT_GT(out.repeated, 0U);
  EXPECT_EQ(lines_of(merged), lines_of(whole));
}

TEST_F(MergedScan, OfAFileThatChangedBetweenTwoScansIsRefused) {
  const fs::path before = scan_to("before.wb");
  put(file(2), "something else");
  const fs::path after = scan_to("after.wb");
  std::string text;
  EXPECT_EQ(exit_of(
                [&] {
                  (void)manifest::merge({before, after}, folder_ / "x.wb", manifest::Restart::no, scan::whole_of);
                },
                &text),
            Exit::usage);
  EXPECT_NE(text.find("contradict"), std::string::npos) << text;
  EXPECT_NE(text.find("before.wb and in after.wb"), std::string::npos) << text;
}

TEST_F(MergedScan, OfThePartsOfASplitHasTheLinesOfTheWhole) {
  const fs::path whole = scan_to("whole.wb"), merged = folder_ / "merged.wb";
  const auto parts = manifest::split(whole, 4, (folder_ / "part-%d.wb").string(), manifest::Restart::no);
  std::vector<fs::path> paths;
  for (const auto& part : parts) paths.push_back(part.path);
  (void)manifest::merge(paths, merged, manifest::Restart::no, scan::whole_of);
  EXPECT_EQ(lines_of(merged), lines_of(whole));
}

}  // namespace
}  // namespace waybill::test
