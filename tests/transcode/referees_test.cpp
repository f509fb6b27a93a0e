// SPDX-License-Identifier: Apache-2.0
// Other people's programs accept what was written and read the same pixels from it.
#include "transcode/support.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace waybill::transcode {
namespace {

bool is_here(const std::string& program) { return shell("command -v " + program + " > /dev/null").exit == 0; }

struct Target {
  const char *name, *syntax;
};

class Referees : public Transcode, public ::testing::WithParamInterface<Target> {
 protected:
  void SetUp() override {
    Transcode::SetUp();
    if (IsSkipped()) return;
    const auto targets = shell("$B/waybill-transcode --help").out;
    if (targets.find(GetParam().name) == std::string::npos) GTEST_SKIP() << "no encoder for " << GetParam().name;
    unsigned n = 0;
    for (Image image : {Image{}, Image{}, Image{}}) {
      image.sop_instance = "1.2.3.4." + std::to_string(++n);
      if (n == 2) image.bits = 8, image.samples = 3;
      if (n == 3) image.frames = 3, image.bits = 16;
      images_.push_back(image);
      add("IM" + std::to_string(n), file_of(image));
    }
    scan();
    Options o = options(GetParam().name);
    o.keep_larger = true;
    objects_ = transcode(o);
    ASSERT_EQ(objects_.size(), 3U);
    for (const Object& object : objects_)
      ASSERT_EQ(object.transcode->to, GetParam().syntax) << object.transcode->reason;
  }
  std::vector<Image> images_;
  std::vector<Object> objects_;
};

TEST_P(Referees, RecogniseEachFileAsDicom) {
  if (!is_here("dcmftest")) GTEST_SKIP() << "no dcmftest";
  for (const Object& object : objects_) EXPECT_EQ(shell("dcmftest " + object.transcode->path).exit, 0);
}

TEST_P(Referees, FindNoErrorThatTheSourceDoesNotHave) {
  if (!is_here("dciodvfy")) GTEST_SKIP() << "no dciodvfy";
  const std::string name = GetParam().name;
  if (name.starts_with("htj2k") || name == "jpeg-xl") GTEST_SKIP() << "dciodvfy of Debian 12 does not know " << name;
  const auto errors = [](const std::string& path) {
    std::istringstream in(shell("dciodvfy " + path + " 2>&1 | grep ^Error").out);
    std::set<std::string> out;
    for (std::string line; std::getline(in, line);) out.insert(line);
    return out;
  };
  for (const Object& object : objects_) {
    const auto before = errors(object.source.path);
    for (const std::string& error : errors(object.transcode->path)) EXPECT_TRUE(before.contains(error)) << error;
  }
}

TEST_P(Referees, DecodeTheSamePixels) {
  if (!is_here("gdcmconv")) GTEST_SKIP() << "no gdcmconv";
  const std::string name = GetParam().name;
  if (name.starts_with("htj2k") || name == "jpeg-xl") GTEST_SKIP() << "GDCM of Debian 12 does not read " << name;
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    const Ran ran = in_folder("gdcmconv --raw " + objects_[i].transcode->path + " raw.dcm 2>&1");
    ASSERT_EQ(ran.exit, 0) << ran.out;
    std::string pixels = pixels_of(images_[i]);
    EXPECT_TRUE(get(folder_ / "raw.dcm").ends_with(pixels)) << "image " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Targets, Referees,
    ::testing::Values(Target{"rle", "1.2.840.10008.1.2.5"}, Target{"jpeg-lossless", "1.2.840.10008.1.2.4.70"},
                      Target{"jpeg-ls", "1.2.840.10008.1.2.4.80"}, Target{"jpeg-2000", "1.2.840.10008.1.2.4.90"},
                      Target{"htj2k", "1.2.840.10008.1.2.4.201"}, Target{"htj2k-rpcl", "1.2.840.10008.1.2.4.202"},
                      Target{"jpeg-xl", "1.2.840.10008.1.2.4.110"}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace waybill::transcode
