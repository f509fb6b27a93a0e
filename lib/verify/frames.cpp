// SPDX-License-Identifier: Apache-2.0
#include "verify/frames.hpp"

#include "core/sha256.hpp"
#include "inspect/pixels.hpp"
#include "pixel/codec.hpp"
#include "pixel/digest.hpp"
#include "pixel/encapsulated.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace waybill::verify {
namespace {

using pixel::PixelData;

/// A digest of each frame; `failure` says why there are no more.
struct Frames {
  std::vector<Digest> digests;
  std::string failure;
};

Frames samples_of(PixelData data) {
  data.transfer_syntax = inspect::syntax_of_codestreams(data);
  Frames out;
  std::vector<manifest::Finding> findings;
  const auto whole = pixel::digest_pixels(data, findings, pixel::Decoder::primary, &out.digests);
  if (!whole) out.failure = whole.error().what;
  return out;
}

Frames streams_of(const PixelData& data) {
  Frames out;
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  if (!reader) return {{}, reader.error().what};
  for (std::uint32_t i = 0; i < reader->count(); ++i)
    out.digests.push_back(Sha256::of(pixel::trim_codestream(reader->codestream(i))));
  return out;
}

bool can_decode(const PixelData& data) {
  return !data.encapsulated || pixel::can_decode(inspect::syntax_of_codestreams(data), pixel::Decoder::primary);
}

std::string frames_text(std::size_t n) { return std::to_string(n) + (n == 1 ? " frame" : " frames"); }

/// Empty where every frame has the same digest.
std::string described(const Frames& sent, const Frames& came) {
  const std::size_t common = std::min(sent.digests.size(), came.digests.size());
  std::size_t first = common, differ = 0;
  for (std::size_t i = common; i-- > 0;) {
    if (sent.digests[i] == came.digests[i]) continue;
    first = i;
    ++differ;
  }
  const std::string others = came.failure.empty() ? "" : "; what came cannot be read to its end: " + came.failure;
  if (differ > 0)
    return "frame " + std::to_string(first + 1) + " of " + std::to_string(sent.digests.size()) +
           " is the first that differs, " + frames_text(differ) + (differ == 1 ? " differs" : " differ") + others;
  if (!came.failure.empty())
    return "frame " + std::to_string(common + 1) + " of " + std::to_string(sent.digests.size()) +
           " is the first that cannot be compared" + others;
  if (sent.digests.size() != came.digests.size())
    return frames_text(came.digests.size()) + " came and " + std::to_string(sent.digests.size()) +
           " were sent; those that both have are equal";
  return "";
}

/// What PIX1 says of samples beside their values: names of the attributes that differ.
std::string other_meaning(const pixel::ImageInfo& sent, const pixel::ImageInfo& came) {
  std::string out;
  const auto name = [&](bool same, const char* attribute) {
    if (!same) out += (out.empty() ? "" : ", ") + std::string(attribute);
  };
  name(sent.rows == came.rows, "Rows");
  name(sent.columns == came.columns, "Columns");
  name(sent.samples == came.samples, "Samples per Pixel");
  name(sent.bits_stored == came.bits_stored, "Bits Stored");
  name(sent.is_signed == came.is_signed, "Pixel Representation");
  name(sent.photometric == came.photometric, "Photometric Interpretation");
  return out.empty() ? "their description" : out;
}

}  // namespace

std::optional<manifest::Difference> frame_difference(const dicom::File& sent, const dicom::File& received,
                                                     bool codestreams) {
  const auto before = inspect::pixel_data_of(sent);
  const auto after = inspect::pixel_data_of(received);
  const auto difference = [](std::string detail) {
    return manifest::Difference{"7FE00010", "frames", std::move(detail)};
  };
  if (!before && !after) return std::nullopt;
  if (!before) return difference("pixel data came and none was sent");
  if (!after) return difference("no pixel data came that can be read");
  const bool streams = before->encapsulated && after->encapsulated && (codestreams || !can_decode(*before)) &&
                       before->transfer_syntax == after->transfer_syntax;
  const Frames left = streams ? streams_of(*before) : samples_of(*before);
  if (!left.failure.empty() || left.digests.empty()) return std::nullopt;
  const Frames right = streams ? streams_of(*after) : samples_of(*after);
  const std::string frames = described(left, right);
  if (!frames.empty()) return difference(frames);
  return difference("the samples of " + frames_text(left.digests.size()) + " are those that were sent; another is " +
                    other_meaning(before->info, after->info));
}

}  // namespace waybill::verify
