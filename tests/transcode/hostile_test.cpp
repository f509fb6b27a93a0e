// SPDX-License-Identifier: Apache-2.0
// Damaged codestreams in whole files, through scan and waybill-transcode with its codec processes: each costs at most
// its own object the new encoding. WAYBILL_HOSTILE gives another number of damaged files for each syntax, and
// WAYBILL_HOSTILE_SEED another seed.
#include "dicom/file.hpp"
#include "inspect/pixels.hpp"
#include "manifest/exception.hpp"
#include "transcode/support.hpp"

#include <algorithm>
#include <iostream>
#include <map>
#include <random>

namespace waybill::transcode {
namespace {

unsigned number(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

/// One bit turned, the stream cut with zeros behind, or a run of bytes overwritten, anywhere in the codestream.
std::string damaged(std::string file, std::size_t first, std::size_t size, std::mt19937& random) {
  const std::size_t at = first + random() % size;
  switch (random() % 4) {
    case 0: std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), first + size - at, '\0'); break;
    case 1:
      for (std::size_t i = at; i < std::min(at + 1 + random() % 16, first + size); ++i)
        file[i] = static_cast<char>(random());
      break;
    default: file[at] = static_cast<char>(file[at] ^ (1 << (random() % 8)));
  }
  return file;
}

class Hostile : public Transcode, public ::testing::WithParamInterface<const char*> {
 protected:
  /// Sound files of the syntax under test in archive/, and where their codestream lies.
  void add_sound_files() {
    unsigned n = 0;
    for (Image image : {Image{}, Image{}, Image{}}) {
      image.sop_instance = "1.2.3.4." + std::to_string(++n);
      image.rows = 20, image.columns = 24;
      image.bits = n == 1 ? 12 : n == 2 ? 8 : 16;
      image.samples = n == 2 ? 3 : 1;
      add("IM" + std::to_string(n), file_of(image));
    }
    scan();
    Options o = options(GetParam());
    o.keep_larger = true;
    std::vector<std::string> files;
    for (const Object& object : transcode(o)) files.push_back(get(object.transcode->path));
    fs::remove_all(folder_ / "archive");
    n = 0;
    for (const std::string& file : files) {
      add("sound" + std::to_string(++n), file);
      const auto parsed = dicom::parse_file(as_bytes(file));
      const ByteView value = inspect::pixel_data_of(*parsed)->value;
      const auto first = static_cast<std::size_t>(reinterpret_cast<const char*>(value.data()) - file.data());
      constexpr std::size_t kItems = 20;  // a table of one offset and the header of the only fragment
      sound_.push_back({file, first + kItems, value.size() - kItems});
    }
  }

  struct Sound {
    std::string file;
    std::size_t first, size;
  };
  std::vector<Sound> sound_;
};

TEST_P(Hostile, CostsOneObjectItsNewEncodingAndNothingElse) {
  add_sound_files();
  ASSERT_EQ(sound_.size(), 3U);
  std::mt19937 random(number("WAYBILL_HOSTILE_SEED", 1));
  const unsigned count = number("WAYBILL_HOSTILE", 30);
  for (unsigned i = 0; i < count; ++i) {
    const Sound& from = sound_[i % 3];
    std::string file = damaged(from.file, from.first, from.size, random);
    const auto at = file.find("1.2.3.4.");  // UIDs of their own, in meta group and dataset
    for (std::size_t uid = at; uid != std::string::npos; uid = file.find("1.2.3.4.", uid + 1))
      if (uid < from.first) file.replace(uid, 9, "1.2.3." + std::to_string(100 + i % 900));
    if (i < 900) add("damaged" + std::to_string(i), file);
  }
  const Ran scanning = in_folder("$B/waybill-scan archive --deep --quiet --restart -o deep.wb 2>&1 > scan.log");
  EXPECT_EQ(scanning.out, "");  // the libraries' complaints are no news to a person
  // Without --deep nothing has been decoded, so that all of them get as far as the codecs.
  (void)in_folder("$B/waybill-scan archive --quiet --restart -o scan.wb > scan.log");
  const auto scanned = objects_of(folder_ / "scan.wb");
  const Ran ran = in_folder(
      "rm -rf staged transcode.wb; timeout 500 $B/waybill-transcode scan.wb --to explicit-le --out staged "
      "-o transcode.wb --quiet --threads 2 2>&1 > out.log; echo exit $?");
  const auto objects = objects_of(folder_ / "transcode.wb");
  ASSERT_EQ(objects.size(), scanned.size()) << ran.out;
  EXPECT_TRUE(is_complete(folder_ / "transcode.wb"));
  std::map<std::string, int> outcomes;
  bool exceptions = false;
  for (const Object& object : objects) {
    const std::string name = fs::path(object.source.path).filename().string();
    exceptions = exceptions || manifest::is_exception(object);
    if (object.bucket != Bucket::instance) {
      ++outcomes["bucket " + std::string(to_string(object.bucket))];
      EXPECT_TRUE(name.starts_with("damaged")) << name;
      continue;
    }
    ASSERT_TRUE(object.transcode) << name;
    ++outcomes[object.transcode->outcome];
    if (name.starts_with("sound")) {
      EXPECT_EQ(object.transcode->outcome, "transcoded") << object.transcode->reason;
    }
    if (object.transcode->reason.starts_with("a codec")) {
      ++outcomes["TX-CODEC: " + object.transcode->reason];
      EXPECT_TRUE(has_finding(object, "TX-CODEC"));
    }
    if (object.transcode->outcome == "kept-source") {
      EXPECT_TRUE(get(object.transcode->path) == get(object.source.path)) << name << " was not carried byte for byte";
    }
  }
  EXPECT_EQ(ran.out, exceptions ? "exit 1\n" : "exit 0\n");  // and nothing on stderr
  for (const auto& [what, n] : outcomes) std::cout << GetParam() << ": " << n << ' ' << what << '\n';
}

INSTANTIATE_TEST_SUITE_P(Syntaxes, Hostile,
                         ::testing::Values("rle", "jpeg-lossless", "jpeg-ls", "jpeg-2000", "htj2k", "htj2k-rpcl",
                                           "jpeg-xl"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace waybill::transcode
