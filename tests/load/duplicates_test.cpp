// SPDX-License-Identifier: Apache-2.0
// The matrix of duplicates: what targets do with an object whose UID they have, and that no case passes for a proof.
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using manifest::Object;

/// How an object differs from the one that the target has under its SOP Instance UID.
struct Case {
  const char* name;
  std::uint16_t grey = 5;
  const char* patient = "TEST^ONE";
  const char* study = ".1";
  const char* series = ".1.1";
};
const std::vector<Case> kCases{{"Same"},
                               {"OtherName", 5, "TEST^TWO"},
                               {"OtherPixels", 6},
                               {"OtherSeries", 5, "TEST^ONE", ".1", ".1.2"},
                               {"OtherStudy", 5, "TEST^ONE", ".2"}};

class Duplicates : public ::testing::Test {
 protected:
  /// A file of its own; `root` keeps the cases apart.
  Object make(const std::string& name, const std::string& root, const Case& how) {
    const std::string uid = root + ".1.1.1";
    std::string bytes = test::small_object(root + how.study, root + how.series, uid, how.grey);
    const std::string patient = "TEST^ONE";
    bytes.replace(bytes.find(patient), patient.size(), how.patient);
    const std::filesystem::path path = folder_ / (name + root + ".dcm");
    std::ofstream(path, std::ios::binary) << bytes;
    Object object;
    object.study = root + how.study;
    object.series = root + how.series;
    object.sop_instance = uid;
    object.sop_class = "1.2.840.10008.5.1.4.1.1.7";
    object.transfer_syntax = "1.2.840.10008.1.2.1";
    object.rows = 2;
    object.source.path = path_to_text(path.string());
    object.source.size = bytes.size();
    object.file_sha256 = Sha256::of(bytes).hex();
    object.id = manifest::object_id(object.source);
    return object;
  }
  static std::string root_of(std::size_t number) { return "1.2.7." + std::to_string(number + 1); }
  /// Loads one object a case, each under the UID of its case; what load recorded by UID.
  std::map<std::string, Object> load(const std::string& name, const std::vector<Case>& cases, const std::string& url) {
    {
      manifest::Header header;
      header.stage = "scan";
      manifest::Writer writer(folder_ / "scan.wb", header, manifest::Restart::yes);
      for (std::size_t i = 0; i < cases.size(); ++i) writer.append_record(make(name, root_of(i), cases[i]));
      writer.finish("{}");
    }
    return run("load", {(folder_ / "scan.wb").string(), "--to", url});
  }
  std::map<std::string, Object> run(const std::string& tool, std::vector<std::string> more) {
    const auto output = folder_ / (tool + ".wb");
    more.insert(more.begin(), test::tool(tool));
    more.insert(more.end(), {"-o", output.string(), "--quiet", "--restart"});
    const test::Ran ran = test::run(more, folder_ / "log");
    EXPECT_TRUE(ran.exit == 0 || tool == "verify") << ran.text;
    return test::objects_of(output);
  }
  /// For each case: one object, then the other; the status of the second and the verdict on it.
  std::map<std::string, std::string> matrix(const std::string& url) {
    (void)load("first", std::vector<Case>(kCases.size(), Case{"First"}), url);
    const auto second = load("second", kCases, url);
    const auto verified = run("verify", {(folder_ / "load.wb").string(), "--against", url, "--level", "content"});
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i < kCases.size(); ++i) {
      const std::string uid = root_of(i) + ".1.1.1";
      out[kCases[i].name] = second.at(uid).load->status + " " + verified.at(uid).verify->verdict;
    }
    return out;
  }
  test::TempFolder folder_;
};

using Matrix = std::map<std::string, std::string>;

}  // namespace

TEST_F(Duplicates, AreToldApartAtATargetThatOverwritesIgnoresOrRefuses) {
  const auto at_simpacs = [&](const std::string& policy) {
    const test::SimPacs pacs("[node]\nduplicates = \"" + policy + "\"\n");
    return matrix(pacs.url());
  };
  // Who overwrites has the second object and has lost the first, which a verification of the first load would say.
  EXPECT_EQ(at_simpacs("overwrite"), (Matrix{{"Same", "0000 IDENTICAL"},
                                             {"OtherName", "0000 IDENTICAL"},
                                             {"OtherPixels", "0000 IDENTICAL"},
                                             {"OtherSeries", "0000 IDENTICAL"},
                                             {"OtherStudy", "0000 IDENTICAL"}}));
  EXPECT_EQ(at_simpacs("ignore"), (Matrix{{"Same", "0000 IDENTICAL"},
                                          {"OtherName", "0000 TARGET-COERCED"},
                                          {"OtherPixels", "0000 PIXEL-DIFF"},
                                          {"OtherSeries", "0000 TARGET-COERCED"},
                                          {"OtherStudy", "0000 MISSING"}}));
  EXPECT_EQ(at_simpacs("refuse"), (Matrix{{"Same", "0111 IDENTICAL"},
                                          {"OtherName", "0111 TARGET-COERCED"},
                                          {"OtherPixels", "0111 PIXEL-DIFF"},
                                          {"OtherSeries", "0111 TARGET-COERCED"},
                                          {"OtherStudy", "0111 MISSING"}}));
}

/// Orthanc's identity of an instance is patient, study, series and instance: it ignores what it has (status 0000) and
/// stores what differs in any of these besides it.
TEST_F(Duplicates, AreToldApartAtOrthanc) {
  const test::Orthanc orthanc;
  const auto found = matrix(orthanc.url());
  EXPECT_EQ(found, (Matrix{{"Same", "0000 IDENTICAL"},
                           {"OtherName", "0000 TARGET-COERCED"},
                           {"OtherPixels", "0000 PIXEL-DIFF"},
                           {"OtherSeries", "0000 IDENTICAL"},
                           {"OtherStudy", "0000 IDENTICAL"}}));
}

}  // namespace waybill
