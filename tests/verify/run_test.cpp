// SPDX-License-Identifier: Apache-2.0
#include "support/peer.hpp"

#include <algorithm>
#include <ctime>

namespace waybill {

namespace {

using manifest::Bucket;

class VerifyRun : public ::testing::Test {
 protected:
  void SetUp() override {
    objects_ = test::make_archive(folder_, 3, 4);
    const test::Ran loaded = test::run({test::tool("load"), (folder_ / "scan.wb").string(), "--to", orthanc_.url(),
                                        "-o", (folder_ / "load.wb").string(), "--quiet"},
                                       folder_ / "load.log");
    ASSERT_EQ(loaded.exit, 0) << loaded.text;
  }
  test::Ran verify(const std::vector<std::string>& more) {
    std::vector<std::string> words{test::tool("verify"), (folder_ / "load.wb").string(), "-o",
                                   (folder_ / "verify.wb").string(), "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return test::run(words, folder_ / "verify.log");
  }
  test::TempFolder folder_;
  test::Orthanc orthanc_;
  std::vector<manifest::Object> objects_;
};

}  // namespace

TEST_F(VerifyRun, FindsEveryObjectAtThePeer) {
  const test::Ran ran = verify({"--against", orthanc_.url(), "--level", "exists"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const auto all = test::objects_of(folder_ / "verify.wb");
  EXPECT_EQ(all.size(), 12U);
  for (const auto& [uid, object] : all) {
    EXPECT_EQ(object.bucket, Bucket::verified);
    EXPECT_EQ(object.verify.value().verdict, "PRESENT");
    EXPECT_EQ(object.verify.value().grade, "E3");
  }
}

TEST_F(VerifyRun, ProvesTheContentOfEveryObject) {
  const test::Ran ran = verify({"--against", orthanc_.url(), "--level", "content"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  for (const auto& [uid, object] : test::objects_of(folder_ / "verify.wb")) {
    EXPECT_EQ(object.verify.value().verdict, "IDENTICAL") << uid;
    EXPECT_EQ(object.verify.value().grade, "E4");
  }
}

TEST_F(VerifyRun, MissesAnObjectThatThePeerLost) {
  orthanc_.remove(*objects_[5].sop_instance);
  const test::Ran ran = verify({"--against", orthanc_.url(), "--level", "content"});
  EXPECT_EQ(ran.exit, 5) << ran.text;
  const auto all = test::objects_of(folder_ / "verify.wb");
  EXPECT_EQ(all.size(), 12U);
  for (const auto& [uid, object] : all) {
    const bool lost = uid == *objects_[5].sop_instance;
    EXPECT_EQ(object.verify.value().verdict, lost ? "MISSING" : "IDENTICAL");
    EXPECT_EQ(object.bucket, lost ? Bucket::failed : Bucket::verified);
  }
}

TEST_F(VerifyRun, ListsAnObjectMoreAtThePeer) {
  const auto& one = objects_[0];
  std::ofstream(folder_ / "more.dcm", std::ios::binary) << test::small_object(*one.study, *one.series, "1.9.9", 5);
  orthanc_.put(folder_ / "more.dcm");
  for (const char* level : {"exists", "content"}) {
    const test::Ran ran = verify({"--against", orthanc_.url(), "--level", level, "--restart"});
    EXPECT_EQ(ran.exit, 1) << ran.text;
    EXPECT_NE(ran.text.find("extra at the peer\t1"), std::string::npos) << level << ran.text;
    EXPECT_NE(ran.text.find("only the target has 1.9.9 of study " + *one.study), std::string::npos) << ran.text;
  }
}

TEST_F(VerifyRun, FetchesObjectsOneByOneWhereThePeerBreaksOffAtOneThatItHasBeyondOurs) {
  const auto& one = objects_[0];
  std::string bytes = test::small_object(*one.study, *one.series, "1.9.9", 5);  // of a class that we do not ask for
  const std::string ours = "1.2.840.10008.5.1.4.1.1.7";
  for (std::size_t at = bytes.find(ours); at != std::string::npos; at = bytes.find(ours, at))
    bytes.replace(at, ours.size(), "1.2.840.10008.5.1.4.1.1.4");
  std::ofstream(folder_ / "more.dcm", std::ios::binary) << bytes;
  orthanc_.put(folder_ / "more.dcm");
  const test::Ran ran = verify({"--against", orthanc_.url(), "--level", "content"});
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("verdict IDENTICAL\t12"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("extra at the peer\t1"), std::string::npos) << ran.text;
}

TEST_F(VerifyRun, ChecksFilesWithoutAPeer) {
  EXPECT_EQ(verify({}).exit, 0);
  std::fstream(path_from_text(objects_[0].source.path), std::ios::in | std::ios::out | std::ios::binary).put('x');
  const test::Ran ran = verify({"--restart"});
  EXPECT_EQ(ran.exit, 5) << ran.text;
}

TEST_F(VerifyRun, EndsWithFourWhenThePeerIsDownAndTheCorrectedCommandWorks) {
  const test::Ran down = verify({"--against", test::dead_url()});
  EXPECT_EQ(down.exit, 4) << down.text;
  EXPECT_NE(down.text.find(test::dead_url() + " cannot be reached"), std::string::npos) << down.text;
  EXPECT_EQ(verify({"--against", orthanc_.url()}).exit, 0);
}

TEST_F(VerifyRun, EndsWithThreeOnAFullDiskAndTheSameCommandContinues) {
  std::vector<std::string> limited{"/usr/bin/prlimit",
                                   "--fsize=600",
                                   test::tool("verify"),
                                   (folder_ / "load.wb").string(),
                                   "--against",
                                   orthanc_.url(),
                                   "-o",
                                   (folder_ / "verify.wb").string(),
                                   "--quiet"};
  const test::Ran full = test::run(limited, folder_ / "verify.log");
  EXPECT_EQ(full.exit, 3) << full.text;
  EXPECT_NE(full.text.find("verify.wb"), std::string::npos) << full.text;
  EXPECT_NE(full.text.find("File too large"), std::string::npos) << full.text;
  const test::Ran again = verify({"--against", orthanc_.url()});
  EXPECT_EQ(again.exit, 0) << again.text;
  EXPECT_EQ(test::objects_of(folder_ / "verify.wb").size(), 12U);
}

TEST_F(VerifyRun, RefusesADamagedManifestWithFiveAndAnInterruptedOneWithThree) {
  const std::string whole = test::slurp(folder_ / "load.wb");
  std::string damaged = whole;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  std::ofstream(folder_ / "load.wb", std::ios::binary | std::ios::trunc) << damaged;
  const test::Ran broken = verify({"--against", orthanc_.url()});
  EXPECT_EQ(broken.exit, 5) << broken.text;
  EXPECT_NE(broken.text.find("load.wb"), std::string::npos) << broken.text;
  std::filesystem::remove(folder_ / "load.wb");
  {
    manifest::Header header;
    header.stage = "load";
    manifest::Writer(folder_ / "load.wb", header).append_record(objects_[0]);
  }
  const test::Ran open = verify({"--against", orthanc_.url()});
  EXPECT_EQ(open.exit, 3) << open.text;
  EXPECT_NE(open.text.find("run that again to its end first"), std::string::npos) << open.text;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "verify.wb"));
}

TEST_F(VerifyRun, NamesWhatThePeerHasAlthoughItWasNotLoaded) {
  auto all = test::objects_of(folder_ / "load.wb");
  const auto put = [&](std::size_t n, Bucket bucket) -> manifest::Object& {
    manifest::Object& object = all.at(*objects_[n].sop_instance);
    object.bucket = bucket;
    object.load.reset();
    return object;
  };
  put(0, Bucket::excluded);
  for (const std::size_t n : {4U, 5U, 6U, 7U}) put(n, Bucket::quarantined);  // a whole study
  put(8, Bucket::excluded).findings.push_back({"SYNC-LISTED", manifest::Severity::s0, {}, "an earlier run has it"});
  put(9, Bucket::failed).load = manifest::Load{"0111", "", 1, "1", "2026-01-01T00:00:00Z", "already-present"};
  std::filesystem::remove(folder_ / "load.wb");
  manifest::Header header;
  header.stage = "load";
  manifest::Writer writer(folder_ / "load.wb", header);
  for (const auto& [uid, object] : all) writer.append_record(object);
  writer.finish("{}");
  for (const char* level : {"exists", "content"}) {
    const test::Ran ran = verify({"--against", orthanc_.url(), "--level", level, "--restart"});
    EXPECT_EQ(ran.exit, 1) << ran.text;
    EXPECT_NE(ran.text.find("there, not loaded\t5"), std::string::npos) << ran.text;
    EXPECT_NE(ran.text.find("extra at the peer\t0"), std::string::npos) << ran.text;
    EXPECT_NE(ran.text.find("the target has " + *objects_[5].sop_instance), std::string::npos) << ran.text;
    std::size_t findings = 0;
    manifest::Reader reader(folder_ / "verify.wb");
    while (const auto record = reader.next()) {
      const auto* late = std::get_if<manifest::LateFinding>(&*record);
      findings += late != nullptr && late->finding.code == "VERIFY-NOTLOADED" ? 1U : 0U;
    }
    EXPECT_EQ(findings, 5U) << level;
  }
}

TEST_F(VerifyRun, IsNotMadeFromAVerificationOfWhichItWouldCheckNothing) {
  ASSERT_EQ(verify({"--against", orthanc_.url()}).exit, 0);
  const test::Ran ran = test::run({test::tool("verify"), (folder_ / "verify.wb").string(), "--against", orthanc_.url(),
                                   "--level", "content", "-o", (folder_ / "again.wb").string()},
                                  folder_ / "again.log");
  EXPECT_EQ(ran.exit, 2) << ran.text;
  EXPECT_NE(ran.text.find("verify.wb is a verification"), std::string::npos) << ran.text;
}

TEST_F(VerifyRun, StopsAtAClosedWindowAndTheSameCommandGoesOnWhenItIsOpen) {
  const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const std::time_t now = std::time(nullptr);
  const std::string other = days[(std::localtime(&now)->tm_wday + 3) % 7];
  const std::vector<std::string> asked{"--against", orthanc_.url(), "--level", "content"};
  auto closed = asked;
  closed.insert(closed.end(), {"--window", other + " 03:00-03:01"});
  const test::Ran ran = verify(closed);
  EXPECT_EQ(ran.exit, 6) << ran.text;
  EXPECT_NE(ran.text.find("the window is closed"), std::string::npos) << ran.text;
  auto open = asked;
  open.insert(open.end(), {"--window", "Mon-Sun 00:00-24:00", "--limit", "1000obj/s,100MB/s"});
  EXPECT_EQ(verify(open).exit, 0);
  EXPECT_EQ(test::objects_of(folder_ / "verify.wb").size(), 12U);
}

TEST_F(VerifyRun, WritesItsManifestToAPipeWithoutOtherLines) {
  const test::Ran ran =
      test::run({"/bin/sh", "-c", "\"$0\" \"$1\" --against \"$2\" -o - --quiet 2>/dev/null | \"$3\" cat -",
                 test::tool("verify"), (folder_ / "load.wb").string(), orthanc_.url(), test::tool("manifest")},
                folder_ / "pipe.log");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(std::ranges::count(ran.text, '\n'), 12);
}

}  // namespace waybill
