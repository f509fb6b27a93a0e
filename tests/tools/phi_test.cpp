// SPDX-License-Identifier: Apache-2.0
// A migration of patients whose names, numbers and birth dates occur nowhere else: what the tools print, log and leave
// behind is searched for them, and every file's rights are looked at.
#include "phi.hpp"
#include "manifest/envelope.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace waybill::test {
namespace {

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
  run("$B/waybill-assess scan.wb reconcile.wb --pilot pilot.wb --html assess.html", 0);
  run("$B/waybill-assess scan.wb reconcile.wb --json", 0);
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
  run("$B/waybill-probe " + pacs.url() + " --for transcode.wb -o profile.json", 0);
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

  for (const char* report : {"r.html", "r.csv", "r.json", "assess.html", "profile.json"})
    expect_clean(slurp(folder_ / report), report);
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
