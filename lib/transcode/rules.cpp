// SPDX-License-Identifier: Apache-2.0
#include "transcode/rules.hpp"

#include "dicom/uids.hpp"
#include "pixel/codec.hpp"
#include "pixel/codecs.hpp"

#include <algorithm>
#include <array>

namespace waybill::transcode {
namespace {

using dicom::tag;
using pixel::Fidelity;

Failure stays(std::string why) { return {Fault::unsupported, std::move(why)}; }

/// Colour models that a lossless codec leaves as they are (domain rule 3.4), with the samples each must have.
bool is_plain_model(const pixel::ImageInfo& info) {
  const std::string& model = info.photometric;
  if (info.samples == 1)
    return model.empty() || model == "MONOCHROME1" || model == "MONOCHROME2" || model == "PALETTE COLOR";
  return info.samples == 3 && (model == "RGB" || model == "YBR_FULL" || model == "YBR_RCT");
}

/// Codecs whose decoders give RGB for YBR_RCT.
bool undoes_rct(std::string_view syntax) {
  constexpr std::string_view kJpeg = "1.2.840.10008.1.2.4.";
  return syntax.starts_with(kJpeg) && (syntax.substr(kJpeg.size()) == "90" || syntax.substr(kJpeg.size()) == "201" ||
                                       syntax.substr(kJpeg.size()) == "202");
}

/// A codestream that lost something under a label that says it did not (ENC-TSCODESTREAM).
bool hides_loss(const pixel::PixelData& data) {
  if (!data.encapsulated) return false;
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  for (std::uint32_t i = 0; reader && i < reader->count(); ++i)
    if (pixel::sniff(reader->codestream(i)).lossy) return true;
  return false;
}

/// Bytes behind native pixels that are more than padding (PIX-LONG): not all the same, or enough for another frame.
bool has_more(const pixel::PixelData& data) {
  const auto need = pixel::native_length(data.info);
  if (data.encapsulated || !need || data.value.size() <= *need) return false;
  const ByteView excess = data.value.subspan(*need);
  if (excess.size() > 1 && excess.size() >= *need / std::max(data.info.frames, 1U)) return true;
  return std::any_of(excess.begin() + 1, excess.end(), [&](std::byte b) { return b != excess.front(); });
}

/// The same of run lengths.
bool goes_on(const pixel::PixelData& data) {
  if (!data.encapsulated || data.transfer_syntax != dicom::uid::kRle) return false;
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  for (std::uint32_t i = 0; reader && i < reader->count(); ++i)
    if (pixel::rle_goes_on(data.info, reader->codestream(i))) return true;
  return false;
}

/// Attributes without which other decoders cannot read an encapsulated frame (PS3.3 table C.7-11c, type 1).
bool is_described(const dicom::Dataset& set) {
  constexpr std::array kNeeded = {tag(0x0028, 0x0002), tag(0x0028, 0x0004), tag(0x0028, 0x0010), tag(0x0028, 0x0011),
                                  tag(0x0028, 0x0100), tag(0x0028, 0x0101), tag(0x0028, 0x0102), tag(0x0028, 0x0103)};
  return std::ranges::all_of(kNeeded, [&](dicom::Tag t) { return set.find(t) != nullptr && set.find(t)->length > 0; });
}

/// PIX-PADOUT: pixels may hold the padding value in bits that Bits Stored does not cover.
bool padding_is_outside(const dicom::Dataset& set, const pixel::ImageInfo& info) {
  const dicom::Node* node = set.find(tag(0x0028, 0x0120));
  if (node == nullptr || node->length != 2 || info.bits_stored == 0 || info.bits_stored >= 16) return false;
  const std::uint16_t pattern = load_u16(set.value(*node).data(), set.encoding().big_endian);
  const auto above = static_cast<std::uint16_t>(pattern >> (info.bits_stored - 1U));
  const auto all = static_cast<std::uint16_t>(0xFFFFU >> (info.bits_stored - 1U));
  return info.is_signed ? above != 0 && above != all : (above >> 1U) != 0;
}

}  // namespace

Result<Done> may_reencode(const dicom::File& file, const pixel::PixelData& data, std::string_view to) {
  const Fidelity fidelity = pixel::fidelity_of(data.transfer_syntax);
  const pixel::ImageInfo& info = data.info;
  if (fidelity != Fidelity::native && fidelity != Fidelity::lossless)
    return stays("not lossless at the source: the codestream is carried byte for byte");
  if (hides_loss(data)) return stays("the codestream is lossy under a lossless label: it is carried byte for byte");
  const bool native = pixel::fidelity_of(to) == Fidelity::native;
  if (info.float_bits != 0 || (info.bits_allocated == 1 && !native)) return stays("1-bit and float pixels stay native");
  if (has_more(data) || goes_on(data)) return stays("bytes behind the pixels would be lost");
  if (native && !data.encapsulated) return Done{};  // byte order alone
  if (info.bits_allocated > 16 && !native) return stays("pixels of 32 bits stay native");
  if (info.photometric == "YBR_FULL_422") return stays("subsampled YBR_FULL_422 stays as it is");
  if (!is_plain_model(info))
    return stays("no rule for photometric interpretation " + info.photometric + " with " +
                 std::to_string(info.samples) + " samples");
  if (!native && info.photometric == "YBR_RCT" && !undoes_rct(data.transfer_syntax))
    return stays("YBR_RCT outside of JPEG 2000: nobody can tell whether the samples are RGB");
  if (!native && !data.encapsulated && !is_described(file.dataset))
    return stays("the description of the pixels is not whole: other decoders would not read them");
  if (!native && padding_is_outside(file.dataset, info))
    return stays("Pixel Padding Value does not fit in Bits Stored: a codec could lose it");
  return Done{};
}

bool is_signed(const dicom::Dataset& set) noexcept {
  return set.find(tag(0xFFFA, 0xFFFA)) != nullptr || set.find(tag(0x4FFE, 0x0001)) != nullptr;
}

std::optional<OffsetTables> extended_tables(std::span<const std::uint64_t> sizes) {
  OffsetTables out;
  std::uint64_t offset = 0;
  std::uint64_t last = 0;
  for (const std::uint64_t size : sizes) {
    const std::uint64_t stored = size + size % 2;
    put_u64(out.offsets, offset);
    put_u64(out.lengths, stored);
    last = offset;
    offset += 8 + stored;
  }
  if (last <= 0xFFFFFFFFU) return std::nullopt;
  return out;
}

}  // namespace waybill::transcode
