// SPDX-License-Identifier: Apache-2.0
// A migration of patients whose names, numbers and birth dates occur nowhere else: what the tools print, log and leave
// behind is searched for them, and every file's rights are looked at.
#include "manifest/envelope.hpp"
#include "manifest/key.hpp"
#include "support/simpacs.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace waybill::test {
namespace {

const std::vector<std::string> kCanaries = {"QUOKKAVILLE", "quokkaville", "MRNX7731990", "19310716", "1931-07-16"};

void put(const fs::path& path, const std::string& bytes) {
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

/// Collects the command lines of our tools while it lives.
class CommandLines {
 public:
  CommandLines() : thread_([this] { watch(); }) {}
  std::string stop() {
    ended_ = true;
    thread_.join();
    return seen_;
  }

 private:
  void watch() {
    while (!ended_) {
      std::error_code ignored;
      for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename().string();
        if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
        const std::string line = slurp(entry.path() / "cmdline");
        if (line.starts_with(environment("WAYBILL_BIN") + "/waybill") && seen_.find(line) == std::string::npos)
          seen_ += line + "\n";
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  std::atomic<bool> ended_{false};
  std::string seen_;
  std::thread thread_;
};

TEST_F(Phi, NoNameNumberOrBirthDateIsSaidLoggedOrLeftBehindAndNoFileIsOpenToOthers) {
  SimPacs pacs(
      "[[rule]]\non=\"store\"\nstatus=0xC000\ncomment=\"no QUOKKAVILLE MRNX7731990 19310716\"\n"
      "instance=[\"1.2.7.1.1.2\"]\n[[rule]]\non=\"store\"\nstatus=0xB000\ncomment=\"QUOKKAVILLE coerced\"\n"
      "instance=[\"1.2.7.2.1.4\"]\n");
  CommandLines watched;
  run("$B/waybill-scan in --deep -o scan.wb", 1);
  run("$B/waybill-scan in --deep -o scan.wb", 1);  // complete already
  run("$B/waybill-manifest stats scan.wb", 0);
  run("$B/waybill-manifest check scan.wb", 0);
  run("$B/waybill-reconcile scan.wb --ris exams.csv --hl7 hl7 -o reconcile.wb --exceptions x.csv --worklist w.html", 1);
  run("$B/waybill-reconcile scan.wb --ris exams.csv --hl7 hl7 --dry-run", 1);
  run("$B/waybill-reconcile explain 1.2.7.0 reconcile.wb", 0);
  run("$B/waybill-transcode scan.wb --to jpeg-ls --out staged -o transcode.wb --edits reconcile.wb --unmatched stage",
      5);
  run("$B/waybill-transcode scan.wb --to jpeg-ls --edits reconcile.wb --dry-run", 1);
  run("$B/waybill-pack scan.wb -o backup", 1);
  run("$B/waybill-unpack backup --to restored", 0);
  run("rm restored/in/1 restored/1 2>/dev/null; echo QUOKKAVILLE >restored/1; $B/waybill-unpack backup --to restored",
      1);
  run("$B/waybill-load transcode.wb --to " + pacs.url() + " -o load.wb --dry-run", 1);
  run("$B/waybill-load transcode.wb --to " + pacs.url() + " -o load.wb", 1);
  run("$B/waybill-verify load.wb --against " + pacs.url() + " --level content -o verify.wb", 5);
  run("$B/waybill-report scan.wb reconcile.wb transcode.wb load.wb verify.wb --html r.html --csv r.csv --report-json "
      "r.json "
      "--pseudonym-key key --lookup lookup.csv --package package",
      5);
  run("$B/waybill-scan nothing -o none.wb", 3);
  run("$B/waybill-load scan.wb --to dicom://X@127.0.0.1:9 -o dead.wb --quiet", 4);
  const std::string seen = watched.stop();
  EXPECT_NE(seen.find("waybill-scan"), std::string::npos);
  expect_clean(seen, "a command line");

  for (const char* report : {"r.html", "r.csv", "r.json"}) expect_clean(slurp(folder_ / report), report);
  const std::string lookup = slurp(folder_ / "lookup.csv");
  EXPECT_NE(lookup.find("MRNX7731990"), std::string::npos) << "who stands behind the hashes: " << lookup;
  const std::string hash = lookup.substr(lookup.rfind('\n', lookup.find("MRNX7731990")) + 2, 12);
  EXPECT_NE(slurp(folder_ / "r.csv").find(hash), std::string::npos) << hash;

  const Ran first =
      shell("for m in package/manifests/*.wb; do zstdcat $m | head -1 | jq -r .stage; done | sort | tr '\\n' ' '");
  EXPECT_EQ(first.text, "load reconcile scan transcode verify ") << "an auditor has no key";

  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".wb")) continue;
    EXPECT_TRUE(manifest::is_sealed_file(entry.path())) << name;
    expect_clean(slurp(entry.path()), name);
  }
  EXPECT_TRUE(manifest::is_sealed_file(folder_ / "backup/pack.wb"));
  EXPECT_EQ(shell("cd '" + folder_.string() +
                  "' && ls -A tmp; ls -d *.index .contents [!n]*.sync *.torn backup/.contents 2>/dev/null")
                .text,
            "");
  // Everything the tools made: a umask of 022 must not matter.
  EXPECT_EQ(shell("cd '" + folder_.string() +
                  "' && find . -mindepth 1 -perm /077 ! -path './in/*' ! -path './hl7/*' "
                  "! -path './tmp' ! -path './restored/1' ! -name exams.csv ! -type l")
                .text,
            "");
}

TEST_F(Phi, WithShowPhiTheSameToolsShowWhatWasHidden) {
  run("$B/waybill-scan in -o scan.wb --quiet", 1);
  (void)shell("WAYBILL_KEY=key $B/waybill-report scan.wb --csv r.csv --show-phi");
  EXPECT_NE(slurp(folder_ / "r.csv").find("MRNX7731990"), std::string::npos) << "the canaries are there to be found";
}

TEST_F(Phi, ToolsCannotBeDumpedOrAttachedTo) {
  const auto ran = shell("cd '" + folder_.string() +
                         "' && mkfifo f; ($B/waybill-manifest cat - <f >/dev/null 2>&1 & "
                         "exec 3>f; sleep 0.3; stat -c %U /proc/$!/mem; grep -i 'core file' /proc/$!/limits | tr -s ' "
                         "'; exec 3>&-; wait)");
  EXPECT_NE(ran.text.find("Max core file size 0 0"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("root"), std::string::npos) << ran.text;  // of a process that must not be dumped
}

}  // namespace
}  // namespace waybill::test
