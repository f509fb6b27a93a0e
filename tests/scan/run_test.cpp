// SPDX-License-Identifier: Apache-2.0
#include "scan/run.hpp"

#include "dicom/toolkit.hpp"
#include "support/dicom_builder.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <cstdlib>
#include <fstream>

namespace waybill::scan {
namespace {

namespace fs = std::filesystem;
using dicom::tag;

class ScanRun : public test::InFolder {
 protected:
  void SetUp() override { fs::create_directories(folder_ / "archive" / "b"); }

  void put(const std::string& name, const std::string& sop, const std::string& study, const std::string& patient,
           const std::string& comment = "") const {
    test::DicomBuilder d;
    d.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.88.11");
    d.text(tag(0x0008, 0x0018), "UI", sop);
    d.text(tag(0x0008, 0x0020), "DA", "20200101");
    d.text(tag(0x0008, 0x0050), "SH", "A" + study);
    d.text(tag(0x0008, 0x0060), "CS", "OT");
    d.text(tag(0x0010, 0x0010), "PN", "DOE^JANE");
    d.text(tag(0x0010, 0x0020), "LO", patient);
    d.text(tag(0x0020, 0x000D), "UI", study);
    d.text(tag(0x0020, 0x000E), "UI", study + ".1");
    if (!comment.empty()) d.text(tag(0x0020, 0x4000), "LT", comment);
    std::ofstream(folder_ / "archive" / name, std::ios::binary)
        << test::DicomBuilder::part10(d.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.88.11", sop);
  }
  [[nodiscard]] Options options() const {
    Options o;
    o.sources = {(folder_ / "archive").string()};
    o.threads = 2;
    return o;
  }
  Tally scan(const fs::path& out, Options o) const {
    o.index = out.string() + ".index";
    manifest::Writer writer(out, header_of(o));
    return run(o, writer, [](auto, auto, auto) {});
  }
  static std::vector<std::string> lines(const fs::path& file) {
    std::vector<std::string> out;
    manifest::Reader reader(file);
    while (const auto line = reader.next_line()) out.emplace_back(*line);
    EXPECT_TRUE(reader.end().has_value());
    return out;
  }
  dicom::Toolkit toolkit;
};

}  // namespace

TEST_F(ScanRun, OfASourceThatIsNotThereBeginsNoManifest) {
  Options o = options();
  o.sources.push_back((folder_ / "nowhere").string());
  const fs::path out = folder_ / "out.wb";
  try {
    scan(out, o);
    FAIL() << "the scan went on without its source";
  } catch (const RunError& error) {
    EXPECT_EQ(error.exit(), Exit::input);
  }
  EXPECT_FALSE(fs::exists(out));
  EXPECT_FALSE(fs::exists(out.string() + ".sync"));
}

TEST_F(ScanRun, SettlesCollisionsOfRealFilesAndLeavesNoIndexBehind) {
  put("1.dcm", "1.5", "1.1", "P1");
  put("2.dcm", "1.5", "1.1", "P1", "edited");
  put("3.dcm", "1.6", "1.1", "P2");
  fs::copy(folder_ / "archive" / "1.dcm", folder_ / "archive" / "b" / "copy.dcm");

  const Tally tally = scan(folder_ / "s.wb", options());

  EXPECT_EQ(tally.buckets.at("instance"), 2U);
  EXPECT_EQ(tally.buckets.at("duplicate-conflict"), 1U);
  EXPECT_EQ(tally.buckets.at("duplicate-identical"), 1U);
  EXPECT_EQ(tally.findings.at("UID-DUPSAMEPIX"), 2U);  // of the second, and late of the first
  EXPECT_EQ(tally.findings.at("UID-STUDY2PAT"), 1U);
  EXPECT_FALSE(tally.findings.contains("ACC-SHARED"));  // one study: UID-STUDY2PAT says it
  EXPECT_EQ(tally.studies, 1U);
  EXPECT_FALSE(fs::exists(folder_ / "s.wb.index"));
  const Tally again = tally_of(folder_ / "s.wb");
  EXPECT_EQ(again.json(), tally.json());
}

TEST_F(ScanRun, ContinuesAnywhereWithTheSameRecords) {
  for (int i = 0; i < 24; ++i) {
    const std::string name = (i % 3 == 0 ? "b/" : "") + std::to_string(i);
    put(name, "1.5." + std::to_string(i % 17), "1.1." + std::to_string(i % 4), "P" + std::to_string(i % 5));
  }
  scan(folder_ / "whole.wb", options());
  const auto whole = lines(folder_ / "whole.wb");
  ASSERT_GT(whole.size(), 28U);

  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const fs::path part = folder_ / "part.wb";
    fs::remove(part);
    {
      manifest::Writer writer(part, header_of(options()));
      for (std::size_t i = 0; i < cut; ++i) writer.append(whole[i]);
    }
    const Tally tally = scan(part, options());
    EXPECT_EQ(lines(part), whole) << "cut behind " << cut;
    EXPECT_EQ(tally.json(), tally_of(folder_ / "whole.wb").json());
  }
}

TEST_F(ScanRun, TakesUpFilesThatCameWhileItWasInterrupted) {
  put("a", "1.5.1", "1.1", "P1");
  put("d", "1.5.2", "1.1", "P1");
  scan(folder_ / "whole.wb", options());
  const auto whole = lines(folder_ / "whole.wb");
  {
    manifest::Writer writer(folder_ / "s.wb", header_of(options()));
    writer.append(whole[0]);
    writer.append(whole[1]);
  }
  put("c", "1.5.3", "1.1", "P1");  // before the last recorded one in the order of the walk
  put("e", "1.5.4", "1.1", "P1");
  std::vector<std::string> first;
  {
    const Tally tally = scan(folder_ / "s.wb", options());
    EXPECT_EQ(tally.entries, 4U);
    first = lines(folder_ / "s.wb");
  }
  {
    manifest::Writer writer(folder_ / "t.wb", header_of(options()));  // interrupted again: a, d, c
    for (std::size_t i = 0; i < 3; ++i) writer.append(first[i]);
  }
  const Tally tally = scan(folder_ / "t.wb", options());
  EXPECT_EQ(tally.entries, 4U);
  EXPECT_EQ(lines(folder_ / "t.wb"), first);
}

}  // namespace waybill::scan
