// SPDX-License-Identifier: Apache-2.0
// A real Orthanc takes what was written and decodes the same samples from it, with decoders of its own.
#include "transcode/support.hpp"

#include <algorithm>

namespace waybill::transcode {
namespace {

/// Uploads a file, fetches its first frame decoded and compares it with the bytes of another file.
constexpr const char* kProgram = R"(
import io, json, sys, urllib.error, urllib.request as u
import numpy
base, dicom, pixels = sys.argv[1:]
made = json.load(u.urlopen(u.Request(base + '/instances', open(dicom, 'rb').read())))
try:
    frame = u.urlopen(base + made['Path'] + '/frames/0/numpy?rescale=false').read()
except urllib.error.HTTPError as e:  # its plugin for JPEG 2000 does not serve this, but transcodes
    if e.code not in (400, 415, 500, 501): sys.exit(4)
    ask = {'Transcode': '1.2.840.10008.1.2.1', 'Force': True, 'Keep': ['SOPInstanceUID', 'SeriesInstanceUID', 'StudyInstanceUID']}
    try:
        native = u.urlopen(u.Request(base + made['Path'] + '/modify', json.dumps(ask).encode())).read()
    except urllib.error.HTTPError:
        sys.exit(3)
    sys.exit(0 if open(pixels, 'rb').read() in native else 5)
sys.exit(0 if numpy.load(io.BytesIO(frame)).tobytes() == open(pixels, 'rb').read() else 5)
)";

class OrthancReads : public Transcode {
 protected:
  void TearDown() override {
    if (started_) (void)script("stop");
    Transcode::TearDown();
  }
  /// Runs scripts/orthanc; the server lives in a folder of this test.
  Ran script(const std::string& what) const {
    return in_folder("DECODE_BY_GDCM=true \"$WAYBILL_SOURCE\"/scripts/orthanc " + what + " orthanc 2>&1");
  }
  bool started_ = false;
};

TEST_F(OrthancReads, TheSameSamplesFromEveryTargetItHasADecoderFor) {
  if (shell("PATH=$PATH:/usr/sbin command -v Orthanc > /dev/null && /usr/bin/python3 -c 'import numpy'").exit != 0)
    GTEST_SKIP() << "no Orthanc, or no numpy to read its answers";
  put(folder_ / "compare.py", kProgram);
  std::vector<Image> images;
  for (const unsigned bits : {12U, 8U, 16U}) {
    Image image;
    image.bits = bits;
    image.samples = bits == 8 ? 3 : 1;
    images.push_back(image);
  }
  const Ran start = script("start");
  ASSERT_EQ(start.exit, 0) << start.out;
  started_ = true;
  int dicom = 0, http = 0;
  std::ifstream(folder_ / "orthanc/ports") >> dicom >> http;
  const std::string base = "http://127.0.0.1:" + std::to_string(http);
  unsigned uid = 0;
  for (const char* to : {"explicit-le", "rle", "jpeg-lossless", "jpeg-ls", "jpeg-2000"}) {
    fs::remove_all(folder_ / "archive");
    for (std::size_t i = 0; i < images.size(); ++i) {
      images[i].sop_instance = "1.2.3.4." + std::to_string(++uid);
      add("IM" + std::to_string(i), file_of(images[i]));
      std::string pixels = pixels_of(images[i]);
      pixels.resize(std::size_t{images[i].rows} * images[i].columns * images[i].samples * (images[i].bits > 8 ? 2 : 1));
      put(folder_ / ("IM" + std::to_string(i) + ".pixels"), pixels);
    }
    scan();
    Options o = options(to);
    o.keep_larger = true;
    for (const Object& object : transcode(o)) {
      const std::string name = fs::path(object.source.path).filename().string();
      const Ran ran = in_folder("no_proxy=127.0.0.1 /usr/bin/python3 compare.py " + base + " " +
                                object.transcode->path + " " + name + ".pixels 2>&1");
      const bool no_plugin = !fs::exists("/usr/share/orthanc/plugins/libOrthancGdcm.so");
      if (std::string_view(to) == "jpeg-2000" && ran.exit == 3 && no_plugin) continue;
      EXPECT_EQ(ran.exit, 0) << to << ' ' << name << ' ' << ran.out;
    }
  }
}

}  // namespace
}  // namespace waybill::transcode
