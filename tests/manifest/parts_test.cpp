// SPDX-License-Identifier: Apache-2.0
// The tools, on a real archive and a real Orthanc: work on shards and parts comes to the same as work on the whole.
#include "manifest/check.hpp"
#include "manifest/split.hpp"
#include "support/steps.hpp"

#include <unistd.h>
#include <csignal>
#include <thread>

namespace waybill::test {
namespace {

class Parts : public Steps {
 protected:
  Parts() {
    for (int study = 1; study <= 6; ++study)
      for (int i = 1; i <= 4; ++i) {
        const std::string uid = "1.2.3." + std::to_string(study);
        file(std::to_string(study) + "-" + std::to_string(i) + ".dcm",
             small_object(uid, uid + ".1", uid + ".1." + std::to_string(i), static_cast<std::uint16_t>(i)));
      }
    file("notes.txt", "no DICOM");
  }
  Ran manifest_tool(std::vector<std::string> words) {
    words.insert(words.begin(), tool("manifest"));
    return run(words, folder_ / "log");
  }
  std::string archive() { return at("in"); }
  std::string scanned(const std::string& name = "scan.wb") {
    EXPECT_EQ(step({"scan", archive(), "-o", at(name)}).exit, 0) << slurp(folder_ / "log");
    return at(name);
  }
  /// What a report says of where the objects stand, whatever manifests say it.
  std::string report(std::vector<std::string> manifests) {
    manifests.insert(manifests.begin(), {tool("report"), "--report-json", at("report.json")});
    const Ran ran = run(manifests, folder_ / "log");
    EXPECT_EQ(ran.exit, 0) << ran.text;
    return run({"/usr/bin/jq", "-S", "{exit,scanned,sheet,groups,grades,findings,statement,unexplained_total}",
                at("report.json")},
               folder_ / "log")
        .text;
  }
};

TEST_F(Parts, TheWholeChainInPartsClosesAndComesToTheSameNumbers) {
  Orthanc whole_target, target;
  const std::string whole = scanned("w.wb");
  ASSERT_EQ(step({"load", whole, "--to", whole_target.url(), "-o", at("wl.wb")}).exit, 0);
  ASSERT_EQ(
      step({"verify", at("wl.wb"), "--against", whole_target.url(), "--level", "content", "-o", at("wv.wb")}).exit, 0);
  const std::string expected = report({whole, at("wl.wb"), at("wv.wb")});

  std::vector<std::string> all, loads;
  for (const char* n : {"1", "2"}) {
    ASSERT_EQ(
        step({"scan", archive(), "--shard", std::string(n) + "/2", "-o", at("shard" + std::string(n) + ".wb")}).exit,
        0);
    all.push_back(at("shard" + std::string(n) + ".wb"));
  }
  ASSERT_EQ(manifest_tool({"merge", all[1], all[0], "-o", at("scan.wb")}).exit, 0) << slurp(folder_ / "log");
  ASSERT_EQ(manifest_tool({"check", at("scan.wb"), "--against", all[0], all[1]}).exit, 0) << slurp(folder_ / "log");
  ASSERT_EQ(manifest_tool({"split", at("scan.wb"), "-n", "3", "-o", at("part-%d.wb")}).exit, 0)
      << slurp(folder_ / "log");
  all.push_back(at("scan.wb"));
  for (const std::string n : {"1", "2", "3"}) {
    const std::string part = at("part-" + n + ".wb"), staged = at("transcode-" + n + ".wb"),
                      load = at("load-" + n + ".wb");
    ASSERT_EQ(manifest_tool({"check", part, "--against", at("scan.wb")}).exit, 0) << slurp(folder_ / "log");
    ASSERT_EQ(step({"transcode", part, "--to", "explicit-le", "--out", at("out" + n), "-o", staged}).exit, 0);
    ASSERT_EQ(step({"load", staged, "--to", target.url(), "-o", load}).exit, 0) << slurp(folder_ / "log");
    all.insert(all.end(), {part, staged, load});
    loads.push_back(load);
  }
  std::vector<std::string> words{"merge", "-o", at("load.wb")};
  words.insert(words.end(), loads.begin(), loads.end());
  ASSERT_EQ(manifest_tool(words).exit, 0) << slurp(folder_ / "log");
  ASSERT_EQ(step({"verify", at("load.wb"), "--against", target.url(), "--level", "content", "-o", at("v.wb")}).exit, 0)
      << slurp(folder_ / "log");
  all.insert(all.end(), {at("load.wb"), at("v.wb")});

  EXPECT_EQ(report(all), expected);
  EXPECT_EQ(target.stores(), 24U);

  std::vector<std::string> package{tool("report"), "--package", at("package")};
  package.insert(package.end(), all.begin(), all.end());
  ASSERT_EQ(run(package, folder_ / "log").exit, 0) << slurp(folder_ / "log");
  const Ran audit = run({"/bin/sh", at("package/verify.sh")}, folder_ / "log");
  EXPECT_EQ(audit.exit, 0) << audit.text;
  EXPECT_NE(audit.text.find("scan.wb in 3 parts has exactly the objects of scan.wb"), std::string::npos) << audit.text;
  EXPECT_NE(audit.text.find("load.wb has exactly the objects of its 3 inputs"), std::string::npos) << audit.text;
}

TEST_F(Parts, AKilledMergeOrSplitIsRunAgainAndGivesTheSame) {
  const std::string whole = scanned();
  ASSERT_EQ(manifest_tool({"split", whole, "-n", "2", "-o", at("part-%d.wb")}).exit, 0);
  const std::vector<std::string> merge{tool("manifest"), "merge", at("part-1.wb"), at("part-2.wb"), "-o", at("all.wb")};
  ASSERT_EQ(run(merge, folder_ / "log").exit, 0);
  const auto lines = [&](const std::string& name) {
    std::vector<std::string> out;
    manifest::Reader reader(at(name));
    while (const auto line = reader.next_line()) out.emplace_back(*line);
    return out;
  };
  const auto expected = lines("all.wb");
  for (int microseconds = 0; microseconds < 40'000; microseconds += 2'000) {
    fs::remove(at("all.wb"));
    const pid_t child = spawn(merge, folder_ / "log");
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    ::kill(child, SIGKILL);
    (void)wait_for(child);
    ASSERT_EQ(run(merge, folder_ / "log").exit, 0) << slurp(folder_ / "log");
    ASSERT_EQ(lines("all.wb"), expected) << microseconds;

    fs::remove(at("part-1.wb"));
    fs::remove(at("part-2.wb"));
    const std::vector<std::string> split{tool("manifest"), "split", whole, "-n", "2", "-o", at("part-%d.wb")};
    const pid_t other = spawn(split, folder_ / "log");
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    ::kill(other, SIGKILL);
    (void)wait_for(other);
    ASSERT_EQ(run(split, folder_ / "log").exit, 0) << slurp(folder_ / "log");
    for (const char* name : {"part-1.wb", "part-2.wb"}) ASSERT_EQ(manifest::split_difference(at(name), whole), "");
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      ASSERT_FALSE(entry.path().filename().string().starts_with(".waybill-sort")) << entry.path();
  }
}

TEST_F(Parts, AFullDiskIsToldAndTheNextRunGoesThrough) {
  const std::string whole = scanned();
  const auto limited = [&](const std::string& words, const char* blocks) {
    return run({"/bin/bash", "-c", "ulimit -f " + std::string(blocks) + "; exec " + tool("manifest") + " " + words},
               folder_ / "log");
  };
  const std::string split = "split " + whole + " -n 2 -o " + at("part-%d.wb");
  const Ran failed = limited(split, "1");
  EXPECT_EQ(failed.exit, 3) << failed.text;
  EXPECT_NE(failed.text.find("part-1.wb"), std::string::npos) << failed.text;
  ASSERT_EQ(limited(split, "unlimited").exit, 0) << slurp(folder_ / "log");
  const std::string merge = "merge " + at("part-1.wb") + " " + at("part-2.wb") + " -o " + at("all.wb");
  EXPECT_EQ(limited(merge, "1").exit, 3) << slurp(folder_ / "log");
  ASSERT_EQ(limited(merge, "unlimited").exit, 0) << slurp(folder_ / "log");
  EXPECT_EQ(manifest::check(at("all.wb")).exit(), Exit::ok);
}

TEST_F(Parts, EncryptedManifestsStayEncryptedAndSignedOnesAreTaken) {
  const std::string whole = scanned();
  ASSERT_EQ(manifest_tool({"keygen", "--encryption", "-o", at("key")}).exit, 0);
  ASSERT_EQ(manifest_tool({"keygen", "-o", at("signer")}).exit, 0);
  ASSERT_EQ(manifest_tool({"sign", whole, "--key", at("signer")}).exit, 0);
  ASSERT_EQ(manifest_tool({"split", whole, "-n", "2", "-o", at("part-%d.wb"), "--encrypt-to", at("key")}).exit, 0)
      << slurp(folder_ / "log");
  EXPECT_EQ(slurp(at("part-1.wb")).find("sop_instance"), std::string::npos);
  EXPECT_EQ(manifest_tool({"merge", at("part-1.wb"), at("part-2.wb"), "-o", at("all.wb")}).exit, 2)
      << "without the key";
  ASSERT_EQ(manifest_tool({"merge", at("part-1.wb"), at("part-2.wb"), "-o", at("all.wb"), "--key", at("key"),
                           "--encrypt-to", at("key")})
                .exit,
            0)
      << slurp(folder_ / "log");
  EXPECT_EQ(manifest_tool({"cat", at("all.wb")}).exit, 2);
  EXPECT_EQ(
      manifest_tool({"check", at("all.wb"), "--decrypt-key", at("key"), "--against", at("part-2.wb"), at("part-1.wb")})
          .exit,
      0)
      << slurp(folder_ / "log");
}

TEST_F(Parts, SplitReadsAPipeAndMergeWritesOne) {
  const std::string whole = scanned(), b = tool("manifest");
  const Ran ran = run({"/bin/bash", "-c",
                       "cat " + whole + " | " + b + " split - -n 2 -o " + at("part-%d.wb") + " && " + b + " merge " +
                           at("part-1.wb") + " " + at("part-2.wb") + " -o - 2>/dev/null | " + b + " check -"},
                      folder_ / "log");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("complete and sound"), std::string::npos) << ran.text;
}

TEST_F(Parts, AForgedMergeIsToldFromADamagedOne) {
  const std::string whole = scanned();
  ASSERT_EQ(manifest_tool({"split", whole, "-n", "2", "-o", at("part-%d.wb")}).exit, 0);
  const Ran ran = manifest_tool({"check", at("part-1.wb"), "--against", at("part-2.wb")});
  EXPECT_EQ(ran.exit, 5);
  EXPECT_NE(ran.text.find("complete, but NOT made of what --against names"), std::string::npos) << ran.text;
  EXPECT_EQ(manifest_tool({"check", whole, "--against", at("part-1.wb")}).exit, 2) << slurp(folder_ / "log");
}

TEST_F(Parts, AFilterByACodeThatIsNoneNamesTheNearest) {
  const std::string whole = scanned();
  const Ran typo = manifest_tool({"filter", whole, "--code", "UID-DUPDIF", "-o", at("f.wb")});
  EXPECT_EQ(typo.exit, 2);
  EXPECT_NE(typo.text.find("there is no finding code UID-DUPDIF; the nearest is UID-DUPDIFF"), std::string::npos)
      << typo.text;
  EXPECT_FALSE(fs::exists(at("f.wb")));
  EXPECT_EQ(manifest_tool({"filter", whole, "--code", "UID-DUPDIFF", "-o", at("f.wb")}).exit, 0) << "none has it";
}

}  // namespace
}  // namespace waybill::test
