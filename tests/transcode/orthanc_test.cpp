// SPDX-License-Identifier: Apache-2.0
// A real Orthanc takes what was written and decodes the same samples from it, with decoders of its own.
#include "transcode/support.hpp"

#include <algorithm>

namespace waybill::transcode {
namespace {

/// Uploads a file, has Orthanc decode it and compares its first frame with the bytes of another file. Its plugin for
/// JPEG 2000 does not serve /frames, it transcodes. That is asked of a job: GDCM's PixmapWriter::PrepareWrite puts 130
/// KB on the stack, and a thread that answers HTTP requests (as /modify does) has 100 KB, so that Orthanc 1.10.1
/// overwrites what lies below or dies of it, whoever wrote the file. The threads of its job engine have 8 MB.
constexpr const char* kProgram = R"(
import io, json, sys, time, urllib.request as u, zipfile
import numpy
base, way, dicom, pixels = sys.argv[1:]
ask = lambda path, body=None: u.urlopen(u.Request(base + path, body)).read()
made = json.loads(ask('/instances', open(dicom, 'rb').read()))
expected = open(pixels, 'rb').read()
if way == 'frame':
    frame = ask(made['Path'] + '/frames/0/numpy?rescale=false')
    sys.exit(0 if numpy.load(io.BytesIO(frame)).tobytes() == expected else 5)
order = {'Asynchronous': True, 'Transcode': '1.2.840.10008.1.2.1', 'Resources': [made['ID']]}
job = '/jobs/' + json.loads(ask('/tools/create-archive', json.dumps(order).encode()))['ID']
while (state := json.loads(ask(job))['State']) in ('Pending', 'Running'): time.sleep(0.02)
if state != 'Success': sys.exit('the job ended as ' + state)
archive = zipfile.ZipFile(io.BytesIO(ask(job + '/archive')))
native = archive.read(archive.namelist()[0])
sys.exit(0 if b'UI\x14\0001.2.840.10008.1.2.1\0' in native[:1024] and expected in native else 5)
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
    const bool by_plugin = std::string_view(to) == "jpeg-2000";
    if (by_plugin && !fs::exists("/usr/share/orthanc/plugins/libOrthancGdcm.so")) continue;
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
      const Ran ran =
          in_folder("no_proxy=127.0.0.1 /usr/bin/python3 compare.py " + base + (by_plugin ? " archive " : " frame ") +
                    object.transcode->path + " " + name + ".pixels 2>&1");
      EXPECT_EQ(ran.exit, 0) << to << ' ' << name << ' ' << ran.out;
    }
  }
}

}  // namespace
}  // namespace waybill::transcode
