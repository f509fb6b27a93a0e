// SPDX-License-Identifier: Apache-2.0
// DICOM files inside other files: vendor headers around each object, several images one behind the other, tape blocks.
// Found by the mark "DICM" and proved by parsing. What is found waits for a person (ENC-VENDORWRAP, S3): nobody but
// the vendor knows what the bytes around it mean.
#include "archive/carve.hpp"
#include "core/sha256.hpp"
#include "scan/examine.hpp"

#include <algorithm>
#include <array>

namespace waybill::scan {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::size_t kMostMarks = 100'000;  // in one stream; each is parsed at most once in its own stretch
constexpr int kLongParses = 64;              // of stretches that reach over the next mark, to the end
constexpr dicom::Tag kPixelData = dicom::tag(0x7FE0, 0x0010);

/// Bytes of `stretch` that are the object: what follows the pixel data, or does not ascend where the parse ran into
/// something cut, belongs to the wrapper. `to_the_end`: the stretch is not bounded by the next mark.
std::uint64_t extent_of(const dicom::File& file, ByteView stretch, bool to_the_end) {
  if (!file.inflated.empty()) return stretch.size();
  const std::uint64_t start = static_cast<std::uint64_t>(file.dataset.bytes().data() - stretch.data());
  const bool cut = file.has("ENC-LENOVER");
  const auto& nodes = file.dataset.nodes();
  std::uint64_t end = file.dataset.end();
  bool pixels = false;
  dicom::Tag previous = 0;
  for (std::uint32_t i = 0; i < nodes.size() && nodes[i].next > i; i = nodes[i].next) {
    const dicom::Tag tag = nodes[i].tag;
    const bool may_follow_pixels = (tag >> 16U) == 0xFFFA || (tag >> 16U) == 0xFFFC;
    if ((pixels && !may_follow_pixels) || (cut && tag <= previous)) {
      end = nodes[i].start;
      break;
    }
    pixels = pixels || tag == kPixelData;
    previous = tag;
  }
  // A cut object without its pixel data keeps all bytes up to the next mark.
  if (cut && !pixels && !to_the_end) return stretch.size();
  return start + end;
}

/// Whether the mark is inside the value of an element that stands in order: an embedded file, not one behind.
bool is_embedded(std::uint64_t mark, std::uint64_t dataset_start, const dicom::Dataset& data) {
  dicom::Tag previous = 0;
  const auto& nodes = data.nodes();
  for (std::uint32_t i = 0; i < nodes.size() && nodes[i].next > i; i = nodes[i].next) {
    if (nodes[i].tag <= previous) return false;
    previous = nodes[i].tag;
    if (dataset_start + nodes[i].value <= mark && mark + 132 <= dataset_start + nodes[i].end) return true;
  }
  return false;
}

class Carver {
 public:
  Carver(ByteView bytes, const Options& options, const Object& stream)
      : bytes_(bytes), options_(options), source_(stream.source) {}

  /// Parses at each mark that is not inside an object before it.
  std::vector<Object> all(const std::vector<std::uint64_t>& marks) {
    std::vector<Object> found;
    std::uint64_t behind = 0;
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (marks[i] < behind) continue;
      const auto later = std::upper_bound(marks.begin(), marks.end(), marks[i] + 131);
      const std::uint64_t next = later == marks.end() ? bytes_.size() : *later;
      if (auto object = one(marks[i], next)) {
        behind = marks[i] + object->source.size;
        found.push_back(*std::move(object));
      }
    }
    return found;
  }

 private:
  std::optional<Object> one(std::uint64_t at, std::uint64_t next) {
    ByteView stretch = bytes_.subspan(at, next - at);
    auto file = dicom::parse_file(stretch);
    const bool cut = !file || (file->has("ENC-LENOVER") && file->dataset.find(kPixelData) == nullptr);
    bool to_the_end = false;
    if (cut && next < bytes_.size() && long_parses_-- > 0) {
      // The mark behind may be inside this object: a file embedded in a file.
      const ByteView whole = bytes_.subspan(at);
      auto longer = dicom::parse_file(whole);
      if (longer && longer->inflated.empty()) {
        const auto start = static_cast<std::uint64_t>(longer->dataset.bytes().data() - whole.data());
        to_the_end = is_embedded(next - at, start, longer->dataset);
      }
      if (to_the_end) {
        stretch = whole;
        file = std::move(longer);
      }
    }
    if (!file || file->dataset.nodes().empty()) return std::nullopt;
    const std::uint64_t extent = extent_of(*file, stretch, to_the_end);
    if (extent < stretch.size()) {
      stretch = stretch.first(extent);
      auto exact = dicom::parse_file(stretch);
      if (exact) file = std::move(exact);
    }
    Object object;
    object.source = source_;
    object.source.offset = at;
    object.source.size = stretch.size();
    object.id = manifest::object_id(object.source);
    object.file_sha256 = Sha256::of(stretch).hex();
    object.findings.push_back({"ENC-VENDORWRAP",
                               Severity::s3,
                               {},
                               "stands at offset " + std::to_string(at) + " inside another file",
                               std::nullopt,
                               {}});
    classify_dicom(*file, options_, object);
    object.bucket = Bucket::quarantined;
    return object;
  }

  ByteView bytes_;
  const Options& options_;
  manifest::Source source_;
  int long_parses_ = kLongParses;
};

void append(std::vector<Object> found, std::vector<Object>& out) {
  out.insert(out.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
}

}  // namespace

void carve_inside(ByteView bytes, const Options& options, std::vector<Object>& out) {
  const auto marks = archive::find_part10(bytes, 0, kMostMarks);
  if (marks.empty()) return;
  auto found = Carver(bytes, options, out.back()).all(marks);
  if (found.empty()) return;
  Object& stream = out.back();
  stream.content_type = "vendor-container";
  stream.findings.push_back({"SRC-CONTAINER",
                             Severity::s0,
                             {},
                             std::to_string(found.size()) + " objects found inside by their DICM mark",
                             std::nullopt,
                             {}});
  append(std::move(found), out);
}

void carve_behind(ByteView bytes, const dicom::File& first, const Options& options, std::vector<Object>& out) {
  if (!first.inflated.empty()) return;
  const auto start = static_cast<std::uint64_t>(first.dataset.bytes().data() - bytes.data());
  auto marks = archive::find_part10(bytes, start, kMostMarks);
  std::erase_if(marks, [&](std::uint64_t mark) { return is_embedded(mark, start, first.dataset); });
  if (marks.empty()) return;
  auto found = Carver(bytes, options, out.back()).all(marks);
  const ByteView own = bytes.first(marks.front());
  const auto alone = dicom::parse_file(own);
  if (found.empty() || !alone) return;
  // The record stays the file's; what it says of the object comes from the bytes before the second one.
  Object object;
  object.source = out.back().source;
  object.id = out.back().id;
  object.file_sha256 = out.back().file_sha256;
  for (const manifest::Finding& finding : out.back().findings) {
    if (finding.code.starts_with("SRC-")) object.findings.push_back(finding);
  }
  object.findings.push_back({"ENC-VENDORWRAP",
                             Severity::s3,
                             {},
                             std::to_string(found.size()) + " further objects stand behind this one in the file",
                             std::nullopt,
                             {}});
  classify_dicom(*alone, options, object);
  object.bucket = Bucket::quarantined;
  out.back() = std::move(object);
  append(std::move(found), out);
}

}  // namespace waybill::scan
