// SPDX-License-Identifier: Apache-2.0
// Published files of other projects, where WAYBILL_CORPUS names a folder that holds them: the native pixel bytes we
// decode against those of GDCM, DCMTK and pydicom, whose SHA-256 stand in the folder's referees.tsv.
#include "core/sha256.hpp"
#include "dicom/file.hpp"
#include "inspect/pixel_parts.hpp"
#include "inspect/pixels.hpp"
#include "pixel/support.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace waybill::pixel::test {
namespace {

/// One line of referees.tsv by column name.
using Row = std::map<std::string, std::string>;

std::vector<Row> read_rows(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> names;
  std::vector<Row> out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::vector<std::string> values;
    for (std::string value; std::getline(fields, value, '\t');) values.push_back(value);
    if (names.empty()) {
      names = values;
      continue;
    }
    Row& row = out.emplace_back();
    for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) row[names[i]] = values[i];
  }
  return out;
}

/// SHA-256 of all frames as native little-endian bytes, by pixel, 1-bit samples packed; or why there are none.
Result<std::string> native_sha256(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto file = dicom::parse_file(as_bytes(text));
  if (!file) return file.error();
  auto data = inspect::pixel_data_of(*file);
  if (!data) return Failure{Fault::unsupported, "no pixels"};
  std::vector<manifest::Finding> findings;
  if (data->encapsulated) data->transfer_syntax = inspect::codestream(*file, *data, findings);
  const auto reader = FrameReader::open(*data, findings);
  if (!reader) return reader.error();
  Sha256 sha;
  Bytes bits;
  std::size_t filled = 0;
  for (std::uint32_t i = 0; i < reader->count(); ++i) {
    const auto frame = reader->read(i);
    if (!frame) return frame.error();
    if (data->info.bits_allocated != 1) {
      sha.update(frame->data);
      continue;
    }
    for (const std::byte sample : frame->data) {
      if (filled % 8 == 0) bits.push_back(std::byte{0});
      bits.back() |= sample << (filled++ % 8);
    }
  }
  sha.update(bits);
  return sha.finish().hex();
}

/// Files where no referee has our bytes, and why that is right.
struct Explained {
  std::string_view file;
  std::string_view why;
};
constexpr std::array kExplained = {
    Explained{"pylibjpeg__JPEGLossless_1s_1f_i_16_16_bad.dcm",
              "PIX-PRED6: we undo the encoder's overflow, they do not"},
    Explained{"goparser__MultiFrameUncompressed.dcm", "6 bytes behind the pixels, which they count as pixels"},
    Explained{"pydicom__badVR.dcm", "Number of Frames is 1A: we read one frame, they take the whole value"},
    Explained{"dicomlock__pixel_dimension_bomb.dcm", "they give the value as it is, whatever its header says"},
    Explained{"pydicom__MR_truncated.dcm", "the same of a value that is cut"},
    Explained{"goparser__DeflatedExplicitVRLittleEndian.dcm", "the same of a value without rows and columns"},
    Explained{"pwnlab__TC0955_jpegls_zero_comp.dcm", "a frame header without components is refused"},
    Explained{"pydicom__JPEG2000-embedded-sequence-delimiter.dcm", "SIZ says 3722445056 columns, which no image has"},
};

TEST(Referees, HaveTheSameNativeBytesOfThePublishedFiles) {
  const char* root = std::getenv("WAYBILL_CORPUS");
  if (root == nullptr) GTEST_SKIP() << "WAYBILL_CORPUS is not set";
  const auto rows = read_rows(std::string(root) + "/referees.tsv");
  ASSERT_GT(rows.size(), 100U);
  unsigned agreed = 0;
  std::set<std::string_view> met;
  for (const Row& row : rows) {
    const std::string& name = row.at("file");
    const auto ours = native_sha256(std::string(root) + '/' + name);
    std::string verdicts;  // = same, * other bytes, + only they have pixels, - they have none
    for (const char* column : {"gdcm_pixels_sha256", "dcmtk_pixels_sha256", "pydicom_pixels_sha256"}) {
      const auto at = row.find(column);
      const std::string theirs = at == row.end() ? "-" : at->second;
      verdicts += theirs.size() != 64 ? '-' : !ours ? '+' : theirs == *ours ? '=' : '*';
    }
    if (std::getenv("WAYBILL_REFEREES") != nullptr)  // the whole table, for a person
      std::cout << verdicts << '\t' << row.at("transfer_syntax") << '\t' << name << '\n';
    agreed += verdicts.find('=') != std::string::npos ? 1 : 0;
    if (verdicts.find('=') != std::string::npos || verdicts == "---") continue;
    const auto at = std::ranges::find_if(kExplained, [&](const Explained& e) { return name.ends_with(e.file); });
    if (at != kExplained.end()) met.insert(at->file);
    EXPECT_NE(at, kExplained.end()) << verdicts << ' ' << name << (ours ? "" : ": " + ours.error().what);
  }
  EXPECT_GT(agreed, 150U);
  EXPECT_EQ(met.size(), kExplained.size()) << "an explained disagreement is none any more";
}

}  // namespace
}  // namespace waybill::pixel::test
