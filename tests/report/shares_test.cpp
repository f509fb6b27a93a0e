// SPDX-License-Identifier: Apache-2.0
// Merges and parts of splits in the ledger: they stand against what they were made from, and change no number.
#include "manifest/merge.hpp"
#include "manifest/split.hpp"
#include "report/project.hpp"

#include <gtest/gtest.h>

namespace waybill::report {
namespace {

using namespace waybill::test;
namespace fs = std::filesystem;

class Shares : public ::testing::Test {
 protected:
  Report built(const std::vector<fs::path>& manifests) const {
    Options options;
    options.manifests = manifests;
    return build(options);
  }
  std::vector<fs::path> split(const fs::path& whole, std::uint64_t parts) const {
    std::vector<fs::path> out;
    for (const auto& part :
         manifest::split(whole, parts, project_.path(whole.stem().string() + "-%d.wb"), manifest::Restart::no))
      out.push_back(part.path);
    return out;
  }
  fs::path merge(const std::string& name, const std::vector<fs::path>& inputs) const {
    (void)manifest::merge(inputs, project_.path(name), manifest::Restart::no,
                          [](const auto&, bool, const auto&) { return nullptr; });
    return project_.path(name);
  }
  /// What load makes of a manifest.
  fs::path load(const std::string& name, const fs::path& input) {
    return project_.write(name, "load", {input}, [&](manifest::Writer& w) {
      manifest::Reader reader(input);
      while (auto record = reader.next()) {
        auto* object = std::get_if<Object>(&*record);
        if (object == nullptr) continue;
        object->bucket = Bucket::loaded;
        object->load.emplace().outcome = "sent";
        object->load->at = "2026-03-01T12:00:00Z";
        w.append_record(*object);
      }
    });
  }
  static std::string sentences(const Report& report) {
    std::string out;
    for (const auto& u : report.unexplained) out += u.sentence + "\n";
    return out;
  }
  static void expect_same_numbers(const Report& a, const Report& b) {
    EXPECT_EQ(a.exit, b.exit) << sentences(b);
    EXPECT_EQ(a.unexplained_total, b.unexplained_total) << sentences(b);
    EXPECT_EQ(a.scanned, b.scanned);
    EXPECT_EQ(a.sheet, b.sheet);
    EXPECT_EQ(a.grades, b.grades);
    EXPECT_EQ(a.exceptions.size(), b.exceptions.size());
    std::uint64_t in_a = 0, in_b = 0;  // objects of the timeline
    for (const auto& one : a.activities)
      for (const auto& [minute, tally] : one.minutes) in_a += tally.objects;
    for (const auto& one : b.activities)
      for (const auto& [minute, tally] : one.minutes) in_b += tally.objects;
    EXPECT_EQ(in_a, in_b);
  }

  Project project_;
  fs::path scan_ = project_.write("scan.wb", "scan", {}, objects(40));
};

TEST_F(Shares, WorkInPartsGivesTheNumbersOfWorkOnTheWhole) {
  const Report whole = built({scan_, load("load.wb", scan_)});
  const auto parts = split(scan_, 3);
  std::vector<fs::path> loads;
  for (std::size_t n = 0; n < parts.size(); ++n) loads.push_back(load("l" + std::to_string(n) + ".wb", parts[n]));
  std::vector<fs::path> all = parts;
  all.insert(all.end(), loads.begin(), loads.end());
  expect_same_numbers(whole, built(all));

  all.push_back(merge("loads.wb", loads));
  expect_same_numbers(whole, built(all));

  all.insert(all.begin(), all.back());  // whatever the order they are named in
  all.pop_back();
  all.push_back(scan_);
  const Report report = built(all);
  expect_same_numbers(whole, report);
  EXPECT_EQ(report.balances.size(), 5U);
  for (const auto& balance : report.balances) EXPECT_TRUE(balance.closes()) << balance.output;
}

TEST_F(Shares, APartThatIsNotThereIsNamed) {
  const auto parts = split(scan_, 3);
  const Report report = built({scan_, parts[0], parts[2]});
  EXPECT_EQ(report.exit, Exit::integrity);
  EXPECT_NE(sentences(report).find("scan.wb was split in 3 and part 2 is not among"), std::string::npos);
  EXPECT_EQ(built({parts[0]}).exit, Exit::ok) << "a pilot on one part";
}

TEST_F(Shares, AnObjectThatAPartLostInventedOrSharesIsNamed) {
  const auto parts = split(scan_, 2);
  const auto forged = [&](const std::function<void(manifest::Writer&)>& fill) {
    const manifest::Header header = manifest::Reader(parts[0]).header();
    fs::remove(project_.path("forged.wb"));
    manifest::Writer writer(project_.path("forged.wb"), header);
    fill(writer);
    writer.finish("{}");
    return sentences(built({scan_, project_.path("forged.wb"), parts[1]}));
  };
  const auto copy = [&](manifest::Writer& w, std::size_t skip) {
    manifest::Reader reader(parts[0]);
    for (std::size_t n = 0; const auto line = reader.next_line(); ++n)
      if (n >= skip) w.append(*line);
  };
  const auto first = std::get<Object>(*manifest::Reader(parts[0]).next());
  const auto others = std::get<Object>(*manifest::Reader(parts[1]).next());
  EXPECT_NE(forged([&](auto& w) { copy(w, 1); }).find("object " + first.id), std::string::npos);
  EXPECT_NE(forged([&](auto& w) { copy(w, 0), w.append_record(object(99)); }).find("object " + object(99).id),
            std::string::npos);
  EXPECT_NE(forged([&](auto& w) { copy(w, 0), w.append_record(others); }).find("stands more than once"),
            std::string::npos);
  EXPECT_EQ(forged([&](auto& w) { copy(w, 0); }), "");
}

TEST_F(Shares, AMergeThatLostAnObjectOrWhoseInputIsNotThereIsNamed) {
  const auto parts = split(scan_, 3);
  std::vector<fs::path> loads;
  for (std::size_t n = 0; n < parts.size(); ++n) loads.push_back(load("l" + std::to_string(n) + ".wb", parts[n]));
  const fs::path merged = merge("loads.wb", loads);
  const Report report = built({parts[0], parts[1], parts[2], loads[0], loads[2], merged});
  EXPECT_NE(sentences(report).find("loads.wb does not link to l1.wb"), std::string::npos) << sentences(report);

  const manifest::Header header = manifest::Reader(merged).header();
  manifest::Reader reader(merged);
  manifest::Writer writer(project_.path("forged.wb"), header);
  const auto lost = std::get<Object>(*reader.next());
  while (const auto line = reader.next_line()) writer.append(*line);
  writer.finish("{}");
  const Report forged = built({parts[0], parts[1], parts[2], loads[0], loads[1], loads[2], project_.path("forged.wb")});
  EXPECT_NE(sentences(forged).find("object " + lost.id), std::string::npos) << sentences(forged);
}

TEST_F(Shares, AScanOfShardsStartsTheLedgerAtTheShards) {
  std::vector<Object> all = objects(10);
  Object copy = all[0];
  copy.source.path = "/archive/copy.dcm";
  copy.id = manifest::object_id(copy.source);
  const fs::path one = project_.write("s1.wb", "scan", {}, all), two = project_.write("s2.wb", "scan", {}, {copy});
  const Report report = built({merge("all.wb", {one, two}), one, two});
  EXPECT_EQ(report.unexplained_total, 0U) << sentences(report);
  EXPECT_EQ(report.scanned.objects, 11U);
  EXPECT_EQ(report.scanned.files, 11U);
  EXPECT_EQ(report.scanned.instances, 10U) << "the instance of two shards is one";
}

}  // namespace
}  // namespace waybill::report
