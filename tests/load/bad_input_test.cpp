// SPDX-License-Identifier: Apache-2.0
#include "support/peer.hpp"

namespace waybill {

namespace {

using manifest::Bucket;

constexpr int kStudies = 12;
constexpr int kObjects = 20;
constexpr std::size_t kAll = kStudies * kObjects;

/// Every case: the right exit code, a sentence with object, reason and next step, and a manifest that can be continued.
class LoadBadInput : public ::testing::Test {
 protected:
  void SetUp() override { objects_ = test::make_archive(folder_, kStudies, kObjects); }
  std::vector<std::string> words(const std::string& url, const std::string& output = "load.wb") {
    return {test::tool("load"), at("scan.wb"), "--to", url, "-o", output.starts_with('/') ? output : at(output),
            "--quiet",          "--timeout",   "5"};
  }
  test::Ran load(const std::string& url) { return test::run(words(url), folder_ / "load.log"); }
  std::string at(const std::string& name) { return (folder_ / name).string(); }
  std::size_t loaded() {
    std::size_t count = 0;
    for (const auto& [uid, object] : test::objects_of(at("load.wb"))) count += object.bucket == Bucket::loaded ? 1 : 0;
    return count;
  }
  static void expect_words(const test::Ran& ran, std::initializer_list<std::string_view> all) {
    for (const std::string_view word : all)
      EXPECT_NE(ran.text.find(word), std::string::npos) << word << ": " << ran.text;
  }
  void cut(const std::string& name, std::uintmax_t bytes) {
    std::filesystem::resize_file(at(name), std::filesystem::file_size(at(name)) - bytes);
  }
  void flip(const std::string& name, std::uintmax_t offset) {
    std::fstream file(at(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }

  test::TempFolder folder_;
  std::vector<manifest::Object> objects_;
};

}  // namespace

TEST_F(LoadBadInput, APeerThatIsDownGivesFourAndTheSameCommandWorksWhenItIsUp) {
  test::Orthanc orthanc;
  orthanc.stop();
  const test::Ran down = load(orthanc.url());
  EXPECT_EQ(down.exit, 4) << down.text;
  expect_words(down, {orthanc.url(), "cannot be reached", "run the same command again"});
  EXPECT_FALSE(std::filesystem::exists(at("load.wb"))) << "nothing was sent, so nothing is to be continued";
  orthanc.start();
  const test::Ran up = load(orthanc.url());
  EXPECT_EQ(up.exit, 0) << up.text;
  EXPECT_EQ(orthanc.stores(), kAll);
}

TEST_F(LoadBadInput, AWrongCalledTitleGivesFourAndTheCorrectedCommandWorks) {
  const test::Orthanc orthanc(test::CalledTitle::checked);
  const test::Ran wrong = load("dicom://WRONG@127.0.0.1:" + std::to_string(orthanc.dicom_port()));
  EXPECT_EQ(wrong.exit, 4) << wrong.text;
  expect_words(wrong, {"dicom://WRONG@", "called AE title", "run the same command again"});
  const test::Ran right = load(orthanc.url());
  EXPECT_EQ(right.exit, 0) << right.text;
  EXPECT_EQ(loaded(), kAll);
}

TEST_F(LoadBadInput, AFullDiskGivesThreeAndTheSameCommandContinues) {
  const test::Orthanc orthanc;
  ASSERT_EQ(load(orthanc.url()).exit, 0);
  const auto whole = std::filesystem::file_size(at("load.wb"));
  ASSERT_EQ(orthanc.stores(), kAll);
  std::filesystem::remove(at("load.wb"));

  const test::Orthanc second;
  std::vector<std::string> limited{"/usr/bin/prlimit", "--fsize=" + std::to_string(whole / 2)};
  for (const std::string& word : words(second.url())) limited.push_back(word);
  const test::Ran full = test::run(limited, folder_ / "full.log");
  EXPECT_EQ(full.exit, 3) << full.text;
  expect_words(full, {at("load.wb"), "File too large", "run"});
  const std::size_t sent = second.stores();
  EXPECT_GT(sent, 0U);
  EXPECT_LT(sent, kAll);

  const test::Ran again = load(second.url());
  EXPECT_EQ(again.exit, 0) << again.text;
  EXPECT_EQ(loaded(), kAll);
  EXPECT_EQ(second.stores(), kAll) << "an object was sent twice";
}

TEST_F(LoadBadInput, AFolderThatTakesNoFilesGivesThree) {
  const test::Orthanc orthanc;
  for (const std::string output : {"/sys/load.wb", "/nowhere/load.wb"}) {  // the first denies even root
    const test::Ran ran = test::run(words(orthanc.url(), output), folder_ / "load.log");
    EXPECT_EQ(ran.exit, 3) << ran.text;
    expect_words(ran, {output});
  }
  EXPECT_EQ(orthanc.stores(), 0U);
}

TEST_F(LoadBadInput, ADamagedManifestGivesFiveAndNothingIsSent) {
  const test::Orthanc orthanc;
  flip("scan.wb", std::filesystem::file_size(at("scan.wb")) / 2);
  const test::Ran ran = load(orthanc.url());
  EXPECT_EQ(ran.exit, 5) << ran.text;
  expect_words(ran, {"scan.wb"});
  EXPECT_EQ(orthanc.stores(), 0U);
  EXPECT_FALSE(std::filesystem::exists(at("load.wb")));
}

TEST_F(LoadBadInput, AManifestWithoutItsEndGivesThreeOrFiveAndNothingIsSent) {
  const test::Orthanc orthanc;
  const std::string whole = test::slurp(at("scan.wb"));
  for (const std::size_t keep : {std::size_t{0}, std::size_t{3}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(at("scan.wb"), std::ios::binary | std::ios::trunc) << whole.substr(0, keep);
    const test::Ran ran = load(orthanc.url());
    EXPECT_TRUE(ran.exit == 3 || ran.exit == 5) << keep << " bytes: " << ran.exit << ran.text;
    expect_words(ran, {"scan.wb"});
  }
  {  // an interrupted scan, sound as far as it goes
    manifest::Header header;
    header.stage = "scan";
    manifest::Writer writer(at("scan.wb"), header, manifest::Restart::yes);
    writer.append_record(objects_[0]);
  }
  const test::Ran open = load(orthanc.url());
  EXPECT_EQ(open.exit, 3) << open.text;
  expect_words(open, {"scan.wb", "interrupted", "run that again"});
  EXPECT_EQ(orthanc.stores(), 0U);
}

TEST_F(LoadBadInput, AnotherManifestDoesNotContinueTheOutput) {
  const test::Orthanc orthanc;
  ASSERT_EQ(load(orthanc.url()).exit, 0);
  std::filesystem::remove(at("scan.wb"));
  (void)test::make_archive(folder_, 1, 1);
  const test::Ran other = load(orthanc.url());
  EXPECT_EQ(other.exit, 2) << other.text;
  expect_words(other, {"load.wb", "--restart"});
  EXPECT_EQ(orthanc.stores(), kAll);
}

TEST_F(LoadBadInput, DamageInAnInterruptedOutputGivesFiveAndNothingIsSent) {
  const test::Orthanc orthanc;
  const pid_t child = test::spawn(words(orthanc.url()), folder_ / "killed.log");
  ASSERT_TRUE(test::wait_until([&] { return orthanc.stores() >= 50; }));
  ::kill(child, SIGKILL);
  ASSERT_EQ(test::wait_for(child), 128 + SIGKILL) << "it was over before it could be killed";
  const std::size_t before = orthanc.stores();
  const std::string sound = test::slurp(at("load.wb"));
  flip("load.wb", 40);
  const test::Ran damaged = load(orthanc.url());
  EXPECT_EQ(damaged.exit, 5) << damaged.text;
  expect_words(damaged, {"load.wb"});
  EXPECT_EQ(orthanc.stores(), before);
  std::ofstream(at("load.wb"), std::ios::binary | std::ios::trunc) << sound;
  const test::Ran again = load(orthanc.url());
  EXPECT_EQ(again.exit, 0) << again.text;
  EXPECT_EQ(orthanc.stores(), kAll);
}

}  // namespace waybill
