// SPDX-License-Identifier: Apache-2.0
// An Orthanc that dies in mid-load and comes back, by DIMSE and by STOW-RS at once: nothing is lost, the ledgers close.
#include "support/peer.hpp"

#include <algorithm>

namespace waybill {

namespace {

constexpr std::size_t kObjects = 40;  // by each way

class KilledOrthanc : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto objects = test::make_archive(folder_, 4, 20);
    write("dimse", {objects.begin(), objects.begin() + kObjects});
    write("stow", {objects.begin() + kObjects, objects.end()});
    lost_ = *objects.at(kObjects + 7).sop_instance;
  }
  void write(const std::string& name, const std::vector<manifest::Object>& objects) const {
    manifest::Writer writer(folder_ / (name + ".wb"), manifest::Reader(folder_ / "scan.wb").header());
    for (const auto& object : objects) writer.append_record(object);
    writer.finish("{}");
  }
  [[nodiscard]] std::string url(const std::string& way) const {
    return way == "dimse" ? orthanc_.url() : "http://127.0.0.1:" + std::to_string(orthanc_.http_port()) + "/dicom-web";
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] pid_t load(const std::string& way) const {
    return test::spawn({test::tool("load"), at(way + ".wb"), "--to", url(way), "-o", at(way + "-load.wb"), "--quiet",
                        "--timeout", "5", "--associations", "2", "--limit", "20obj/s", "--batch", "1200"},
                       folder_ / (way + ".log"));
  }
  test::Ran verify(const std::string& way, const std::string& over, const std::string& level) const {
    return test::run({test::tool("verify"), at(way + "-load.wb"), "--against", url(over), "-o", at("verify.wb"),
                      "--level", level, "--json", "--restart"},
                     folder_ / "verify.log");
  }
  [[nodiscard]] std::string log(const std::string& way) const { return test::slurp(folder_ / (way + ".log")); }

  test::TempFolder folder_;
  test::Orthanc orthanc_;
  std::string lost_;
};

}  // namespace

TEST_F(KilledOrthanc, LosesNothingInMidLoadAndWhatItLosesLaterIsMissed) {
  const std::vector<std::string> ways{"dimse", "stow"};
  std::map<std::string, pid_t> loads;
  for (const auto& way : ways) loads[way] = load(way);
  for (const auto& way : ways)
    ASSERT_TRUE(test::wait_until([&] { return std::filesystem::exists(at(way + "-load.wb")); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  ::kill(orthanc_.pid(), SIGKILL);
  orthanc_.stop();
  for (const auto& way : ways) {
    ASSERT_EQ(test::wait_for(loads[way]), 4) << log(way);
    EXPECT_LT(test::objects_of(at(way + "-load.wb")).size(), kObjects) << "it was killed too late to show anything";
  }
  orthanc_.start();
  for (const auto& way : ways) loads[way] = load(way);
  for (const auto& way : ways) {
    EXPECT_EQ(test::wait_for(loads[way]), 0) << log(way);
    EXPECT_EQ(test::objects_of(at(way + "-load.wb")).size(), kObjects);
    for (const auto& over : ways) {
      const test::Ran there = verify(way, over, "content");
      EXPECT_EQ(there.exit, 0) << there.text;
      EXPECT_NE(there.text.find("\"IDENTICAL\":40"), std::string::npos) << there.text;
      EXPECT_NE(there.text.find("\"extra\":0"), std::string::npos) << there.text;
    }
  }

  orthanc_.remove(lost_);
  for (const char* level : {"exists", "content"}) {
    EXPECT_EQ(verify("stow", "stow", level).exit, 5);
    const auto verified = test::objects_of(at("verify.wb"));
    EXPECT_EQ(verified.at(lost_).verify.value().verdict, "MISSING");
    EXPECT_EQ(
        std::ranges::count_if(verified, [](const auto& o) { return o.second.bucket == manifest::Bucket::failed; }), 1);
  }
}

}  // namespace waybill
