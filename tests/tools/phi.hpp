// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/key.hpp"
#include "support/simpacs.hpp"

#include <string>
#include <vector>

/// A migration of patients whose names, numbers and birth dates occur nowhere else.
namespace waybill::test {

inline const std::vector<std::string> kCanaries = {"QUOKKAVILLE", "quokkaville", "MRNX7731990", "19310716",
                                                   "1931-07-16"};

inline void put(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

class Phi : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::canonical(temp_.path());
    for (int i = 0; i < 8; ++i) {
      const std::string study = "1.2.7." + std::to_string(i / 2);
      put(folder_ / "in" / std::to_string(i), patient_object(study, study + ".1." + std::to_string(i), i));
    }
    put(folder_ / "in/damaged", patient_object("1.2.7.9", "1.2.7.9.1", 0).substr(0, 420));
    put(folder_ / "in/twice", patient_object("1.2.7.0", "1.2.7.0.1.0", 77));  // the same UID, other pixels
    put(folder_ / "exams.csv",
        "PATIENT_ID,LAST,FIRST,DOB,SEX,ACCESSION,MODALITY,STUDY_DATE,STATUS\n"
        "MRNX7731990,QUOKKAVILLE,ANNA,19310716,F,ACC0,OT,20200304,F\n"
        "MRNX7731990,QUOKKAVILLE,ANNE,19310716,F,ACC1,OT,20200304,F\n"
        "MRNX7731990,QUOKKAVILLE,\"ANNE,19310716\n");
    put(folder_ / "hl7/a.hl7",
        "MSH|^~\\&|A|B|C|D|20200101||ADT^A08|1|P|2.3\rPID|1||MRNX7731990^^^H||QUOKKAVILLE^ANNE||19310716|F\r"
        "MSH|^~\\&|broken QUOKKAVILLE MRNX7731990\rPID|x|19310716");
    ::chmod((folder_ / "in").c_str(), 0700);
    ::chmod((folder_ / "hl7").c_str(), 0700);
    fs::create_directory(folder_ / "tmp");
    manifest::generate_secret(folder_ / "key");
  }
  static std::string patient_object(const std::string& study, const std::string& instance, int i) {
    using dicom::tag;
    DicomBuilder b;
    b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", instance);
    b.text(tag(0x0008, 0x0020), "DA", "20200304").text(tag(0x0008, 0x0050), "SH", "ACC" + study.substr(6));
    b.text(tag(0x0008, 0x0060), "CS", "OT");
    b.text(tag(0x0010, 0x0010), "PN", i == 3 ? "QUOKKAVILLE^OTHER" : "QUOKKAVILLE^ANNE");
    b.text(tag(0x0010, 0x0020), "LO", i == 5 ? "MRNX7731990!" : "MRNX7731990");
    b.text(tag(0x0010, 0x0030), "DA", i == 6 ? "1931-07-16" : "19310716").text(tag(0x0010, 0x0040), "CS", "F");
    b.text(tag(0x0020, 0x000D), "UI", study).text(tag(0x0020, 0x000E), "UI", study + ".1");
    b.text(tag(0x0020, 0x0013), "IS", i == 4 ? "QUOKKAVILLE" : "1");  // a name where a number belongs
    b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
    b.u16(tag(0x0028, 0x0010), 2).u16(tag(0x0028, 0x0011), 2).u16(tag(0x0028, 0x0100), 16).u16(tag(0x0028, 0x0101), 16);
    b.u16(tag(0x0028, 0x0102), 15).u16(tag(0x0028, 0x0103), 0);
    b.words(tag(0x7FE0, 0x0010), {static_cast<std::uint16_t>(i), 1, 2, 3});
    return DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", instance);
  }
  /// Runs a shell line in the folder; what it prints on both ways.
  [[nodiscard]] Ran shell(const std::string& line) const {
    return test::run(
        {"/bin/bash", "-c", "B='" + environment("WAYBILL_BIN") + "'; cd '" + folder_.string() + "'; " + line},
        log_ / "log");
  }
  /// What a tool prints on both ways, with everything it may report to and keep away from.
  void run(const std::string& command, int most) {
    const auto ran = shell("umask 022 && export TMPDIR='" + (folder_ / "tmp").string() +
                           "' WAYBILL_KEY=key WAYBILL_ENCRYPT_TO=key WAYBILL_AUDIT='file://" +
                           (folder_ / "audit.log").string() + "' && " + command);
    EXPECT_LE(ran.exit, most) << command << "\n" << ran.text;
    EXPECT_GE(ran.exit, 0);
    EXPECT_NE(ran.text, "") << command;
    expect_clean(ran.text, command);
  }
  fs::path folder_;
  const TempFolder temp_, log_;

  static void expect_clean(const std::string& text, const std::string& where) {
    for (const std::string& canary : kCanaries)
      EXPECT_EQ(text.find(canary), std::string::npos) << canary << " in what is said by " << where << ":\n" << text;
  }
};

}  // namespace waybill::test
