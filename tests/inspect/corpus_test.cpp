// SPDX-License-Identifier: Apache-2.0
// Published files of other projects, where WAYBILL_CORPUS names a folder that holds them: the pixel findings of each
// file that has any above S0, and what other readers (DCMTK, GDCM) make of its pixels.
#include "core/text.hpp"
#include "inspect/support.hpp"
#include "io/read_file.hpp"

#include <cstdlib>
#include <filesystem>

namespace waybill::test {
namespace {

const std::map<std::string, std::vector<std::string>> kExpected = {
    {"MultiFrameUncompressed", {"PIX-FRAMES S3"}},
    {"MR_small_padded", {"PIX-LONG S1"}},
    {"chrJapMulti", {"PIX-NOPIX S3"}},
    {"JPEG2000-embedded-sequence-delimiter", {"PIX-DIMS S3"}},
    {"dicomSamples-other-0004", {"PIX-LOSSYFLAG S2", "PIX-ODDFRAG S1"}},
    {"JPEGExtended_3s_1f_u_08_08", {"ENC-TSCODESTREAM S2"}},
    {"liver_nonbyte_aligned_rle", {"ENC-TSCODESTREAM S2"}},
    {"liver_nonbyte_aligned_deflate", {}},
    {"TC0325_encap_10k_frags", {"ENC-TSCODESTREAM S3", "PIX-BOTBAD S1", "PIX-TRUNC S3"}},
    {"TOSHIBA_J2K_SIZ0_PixRep1", {"PIX-DIMS S2"}},
    {"TOSHIBA_J2K_SIZ1_PixRep0", {"PIX-DIMS S2"}},
    {"ELSCINT1_JP2vsJ2K", {"PIX-JP2BOX S2"}},
    {"JPEGLSNearLossless_08", {"PIX-LOSSYFLAG S2"}},
    {"HTJ2KLossless_08_RGB", {"PIX-PHOTO S2"}},
    {"layer1", {"PIX-JFIF S2", "PIX-PHOTO S2"}},
    {"JPEGLossless_1s_1f_i_16_16_bad", {"PIX-PRED6 S2"}},  // `dcmdjpeg +w6` gives the same samples
    {"CT1_JLSN", {}},                                      // FF behind the end marker
    {"CT0012.fragmented_no_bot_jpeg_ls.80", {}},
    {"SC_ybr_full_422_uncompressed", {}},
};

TEST(PublishedFiles, HaveTheFindingsThatOtherReadersConfirm) {
  const char* root = std::getenv("WAYBILL_CORPUS");
  if (root == nullptr) GTEST_SKIP() << "WAYBILL_CORPUS is not set";
  std::size_t met = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename().string();
    const std::string stem = name.substr(name.find("__") == std::string::npos ? 0 : name.find("__") + 2);
    const auto expected = kExpected.find(stem.substr(0, stem.rfind('.')));
    if (expected == kExpected.end()) continue;
    const auto bytes = io::read_file(entry.path());
    ASSERT_TRUE(bytes) << name;
    const auto file = dicom::parse_file(*bytes);
    ASSERT_TRUE(file) << name;
    manifest::Object object;
    inspect::inspect(*file, inspect::Depth::pixels, object);
    std::vector<std::string> codes;
    for (const manifest::Finding& f : object.findings) {
      if (f.severity > manifest::Severity::s0 && (f.code.starts_with("PIX-") || f.code == "ENC-TSCODESTREAM"))
        codes.push_back(f.code + " " + std::string(manifest::to_string(f.severity)));
    }
    std::sort(codes.begin(), codes.end());
    EXPECT_EQ(codes, expected->second) << name;
    ++met;
  }
  EXPECT_GT(met, kExpected.size() / 2) << "hardly any of the named files is in WAYBILL_CORPUS";
}

}  // namespace
}  // namespace waybill::test
