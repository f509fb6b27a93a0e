// SPDX-License-Identifier: Apache-2.0
#include "manifest/derive.hpp"

#include "manifest/sorter.hpp"
#include "manifest/tables.hpp"
#include "support.hpp"

#include <algorithm>
#include <random>

namespace waybill::manifest {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const fs::path& path) {
  Lines out;
  Reader reader(path);
  while (const auto line = reader.next_line()) out.emplace_back(*line);
  return out;
}

Object placed(int number, const std::string& study, const std::string& series, const std::string& sop) {
  Object o = object(number);
  if (!study.empty()) o.study = study;
  o.series = series;
  o.sop_instance = sop;
  return o;
}

Study study_of(const std::string& uid) {
  Study s;
  s.study = uid;
  s.patient_name = "=HYPERLINK(\"x\")";
  s.modalities = {"CT", "MR"};
  return s;
}

/// Five objects of two studies and none, a late finding and two study records, in the order a scan writes them.
class ManifestDerive : public Folder {
 protected:
  void write(bool complete = true) const {
    Writer writer(file_, header());
    writer.append_record(placed(1, "1.2", "2", "9"));
    writer.append_record(placed(2, "1.10", "1", "5"));
    writer.append(R"({"kind":"recovered","bytes":3})");
    Object broken = placed(3, "1.2", "1", "7");
    broken.bucket = Bucket::quarantined;
    broken.findings.push_back({"PIX-SHORT", Severity::s3, "7FE0,0010", "short"});
    writer.append_record(broken);
    Object text = object(4, Bucket::non_dicom);
    writer.append_record(text);
    writer.append_record(LateFinding{object(1).id, {"UID-DUPDIFF", Severity::s3, "0008,0018", "as another"}});
    writer.append_record(placed(5, "1.2", "2", "8"));
    writer.append_record(study_of("1.10"));
    writer.append_record(study_of("1.2"));
    if (complete) writer.finish(R"({"objects":5,"buckets":{"instance":3,"quarantined":1,"non-dicom":1}})");
  }
  [[nodiscard]] fs::path out() const { return folder_ / "out.wb"; }
};

}  // namespace

TEST_F(ManifestDerive, SortPutsFindingsFirstThenEachStudyWithItsObjects) {
  write();
  const Lines in = lines_of(file_);

  const Derived derived = sort_by_study(file_, out(), Restart::no);

  EXPECT_EQ(lines_of(out()), (Lines{in[5], in[2], in[7], in[1], in[8], in[3], in[6], in[0], in[4]}));
  Reader reader(out());
  EXPECT_EQ(reader.header().stage, "scan");
  EXPECT_EQ(reader.header().options, R"({"sorted_by":"study","deep":true})");
  ASSERT_EQ(reader.header().inputs.size(), 1U);
  EXPECT_EQ(reader.header().inputs[0].head, input_of(file_).head);
  EXPECT_EQ(derived.records, 9U);
  EXPECT_EQ(check(out(), nullptr).exit(), Exit::ok);
}

TEST_F(ManifestDerive, SortCompletesAnInterruptedRun) {
  write(false);
  const Derived derived = sort_by_study(file_, out(), Restart::no);
  EXPECT_FALSE(derived.input_complete);
  EXPECT_EQ(check(out(), nullptr).exit(), Exit::ok);
  Reader reader(out());
  while (reader.next_line()) {
  }
  EXPECT_EQ(reader.end()->counts,
            R"({"objects":5,"studies":2,"buckets":{"instance":3,"non-dicom":1,"quarantined":1}})");
}

TEST_F(ManifestDerive, OverwritesNoManifestUnasked) {
  write();
  EXPECT_THROW((void)sort_by_study(file_, file_, Restart::yes), RunError);
  (void)sort_by_study(file_, out(), Restart::no);
  EXPECT_THROW((void)sort_by_study(file_, out(), Restart::no), RunError);
  EXPECT_EQ(sort_by_study(file_, out(), Restart::yes).records, 9U);
  EXPECT_EQ(check(file_, nullptr).exit(), Exit::ok);
}

TEST_F(ManifestDerive, FilterKeepsWhatFitsEveryListWithItsStudyAndFindings) {
  write();
  const Lines in = lines_of(file_);
  const auto kept = [&](const Selection& selection) {
    (void)filter(file_, out(), selection, Restart::yes);
    EXPECT_EQ(check(out(), nullptr).exit(), Exit::ok);
    return lines_of(out());
  };
  EXPECT_EQ(kept({{"quarantined"}, {}, {}}), (Lines{in[3], in[8]}));
  EXPECT_EQ(kept({{}, {"UID-DUPDIFF"}, {}}), (Lines{in[0], in[5], in[8]}));
  EXPECT_EQ(kept({{"instance"}, {}, {"1.2"}}), (Lines{in[0], in[5], in[6], in[8]}));
  EXPECT_EQ(kept({{"instance"}, {"PIX-SHORT"}, {}}), Lines{});
  EXPECT_THROW((void)filter("-", out(), {}, Restart::yes), RunError);
}

TEST_F(ManifestDerive, FilterOfARunThatTheManifestDoesNotKnowNamesThoseItKnows) {
  Header loads = header();
  loads.stage = "load";
  loads.run = "run-b";
  Writer writer(file_, loads);
  Object sent = placed(1, "1.2", "2", "9");
  sent.load.emplace().run = "run-a";
  sent.load->outcome = "sent";
  writer.append_record(sent);
  writer.finish("{}");
  EXPECT_EQ(filter(file_, out(), {{}, {}, {}, "run-a"}, Restart::no).objects, 1U);
  EXPECT_EQ(filter(file_, out(), {{}, {}, {}, "run-b"}, Restart::yes).objects, 0U) << "it put nothing there";
  for (const bool table : {false, true}) {
    try {
      if (table) (void)chooser(file_, {{}, {}, {}, "run-c"});
      if (!table) (void)filter(file_, out(), {{}, {}, {}, "run-c"}, Restart::yes);
      FAIL() << "taken";
    } catch (const RunError& error) {
      EXPECT_EQ(error.exit(), Exit::usage);
      EXPECT_NE(std::string(error.what()).find("run-a, run-b"), std::string::npos) << error.what();
    }
  }
}

TEST_F(ManifestDerive, TablesHoldOneRowAnObjectWithLateFindingsAndDisarmFormulas) {
  write();
  std::string csv;
  EXPECT_EQ(write_object_table(file_, [&](std::string_view text) { csv += text; }), 5U);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 6);
  EXPECT_NE(
      csv.find("/archive/1.dcm\",\"\",\"0\",\"1000\",\"2020-01-01T00:00:00Z\",\"instance\",\"S3\",\"UID-DUPDIFF\""),
      std::string::npos);
  std::string studies;
  EXPECT_EQ(write_study_table(file_, [&](std::string_view text) { studies += text; }), 2U);
  EXPECT_TRUE(studies.starts_with("\xEF\xBB\xBF\"study\""));
  EXPECT_NE(studies.find("\"'=HYPERLINK(\"\"x\"\")\""), std::string::npos);
  EXPECT_NE(studies.find("\"CT MR\""), std::string::npos);
  const auto columns = [](const std::string& row) {  // fields hold no "," here
    std::size_t n = 1;
    for (std::size_t at = row.find("\",\""); at != std::string::npos; at = row.find("\",\"", at + 3)) ++n;
    return n;
  };
  for (const std::string& table : {csv, studies}) {
    const std::size_t end = table.find("\r\n");
    EXPECT_EQ(columns(table.substr(0, end)), columns(table.substr(end + 2, table.find("\r\n", end + 2) - end - 2)));
  }
}

TEST_F(ManifestDerive, SorterGivesEveryLineInOrderHoweverManyFilesItTakes) {
  std::mt19937 random(3);
  std::vector<std::pair<std::string, std::string>> pairs;
  Sorter sorter(folder_, 2000);
  for (int i = 0; i < 20000; ++i) {
    const std::string key = std::to_string(random() % 500);
    const std::string line = std::to_string(i) + std::string(random() % 40, 'x');
    pairs.emplace_back(key, line);
    sorter.add(key, line);
  }
  sorter.add("", std::string(300'000, 'y'));  // larger than budget and buffers
  pairs.emplace_back("", std::string(300'000, 'y'));
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  for (const auto& [key, line] : pairs) ASSERT_EQ(sorter.next(), line);
  EXPECT_EQ(sorter.next(), std::nullopt);
  EXPECT_GT(sorter.spilled(), 300U);  // three levels of merges
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace waybill::manifest
