// SPDX-License-Identifier: Apache-2.0
#include "transcode/convert.hpp"

#include "core/text.hpp"
#include "dicom/digest.hpp"
#include "dicom/uids.hpp"
#include "inspect/pixels.hpp"
#include "pixel/codec.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace waybill::transcode {

using dicom::tag;
using dicom::Tag;
namespace uid = dicom::uid;

namespace {

constexpr Tag kPixelData = tag(0x7FE0, 0x0010);

struct Name {
  std::string_view name;
  Target target;
  std::string_view syntax;
};
constexpr std::array kNames = {
    Name{"keep", Target::keep, ""},
    Name{"explicit-le", Target::explicit_le, uid::kExplicitLittleEndian},
    Name{"rle", Target::rle, uid::kRle},
    Name{"jpeg-lossless", Target::jpeg_lossless, uid::kJpegLosslessSv1},
    Name{"jpeg-ls", Target::jpeg_ls, uid::kJpegLs},
};

std::string_view syntax_of(Target target) {
  return std::find_if(kNames.begin(), kNames.end(), [&](const Name& n) { return n.target == target; })->syntax;
}

/// The file as it is can be sent and read: whole meta group with the true label, nothing behind the dataset, even
/// lengths (a dataset of odd length cannot be sent, PS3.8 E.2).
bool is_clean(const dicom::File& file) {
  static constexpr std::array<std::string_view, 8> kUnclean = {"ENC-NOPREAMBLE",   "ENC-METAVR",   "ENC-BLOCKPAD",
                                                               "ENC-TRAILGARBAGE", "ENC-CMDGROUP", "PIX-ZEROFRAG",
                                                               "PIX-EXPLLENENC",   "ENC-ODDLEN"};
  return file.meta.present && file.meta.transfer_syntax == file.transfer_syntax && !file.meta.sop_class.empty() &&
         !file.meta.sop_instance.empty() && !file.has("ENC-METAMISMATCH") &&
         std::none_of(kUnclean.begin(), kUnclean.end(), [&](std::string_view code) { return file.has(code); });
}

/// The syntax a rewritten dataset is in when its pixels stay as they are.
std::string carried_syntax(const dicom::File& file) {
  const auto encoding = file.dataset.encoding();
  if (encoding.big_endian || uid::is_deflated(file.transfer_syntax)) return std::string(uid::kExplicitLittleEndian);
  return file.transfer_syntax;
}

Bytes number_element(Tag t, std::uint16_t value) {
  Bytes le;
  put_u16(le, value);
  return dicom::encode_element(t, dicom::vr("US"), as_text(le));
}

/// Elements that say how pixel bytes lie, as they are after re-encoding (domain rule 3.4).
void describe_pixels(const dicom::File& file, const pixel::Frame& frame, dicom::Rewrite& rewrite) {
  if (frame.samples > 1) rewrite.elements[tag(0x0028, 0x0006)] = number_element(tag(0x0028, 0x0006), 0);
  const auto declared = file.dataset.raw_text(tag(0x0028, 0x0004));
  if (declared && trim(*declared) != frame.photometric) {
    rewrite.elements[tag(0x0028, 0x0004)] =
        dicom::encode_element(tag(0x0028, 0x0004), dicom::vr("CS"), frame.photometric);
  }
  for (const Tag table : {tag(0x7FE0, 0x0001), tag(0x7FE0, 0x0002), tag(0x7FE0, 0x0003)}) {
    if (file.dataset.find(table) != nullptr) rewrite.elements[table] = {};
  }
}

/// All frames decoded, or why they cannot be carried into another encoding.
Result<std::vector<pixel::Frame>> decode_all(const pixel::PixelData& data) {
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  if (!reader) return reader.error();
  std::vector<pixel::Frame> frames;
  for (std::uint32_t i = 0; i < reader->count(); ++i) {
    auto frame = reader->read(i);
    if (!frame) return frame.error();
    if (frame->rows != data.info.rows || frame->columns != data.info.columns || frame->samples != data.info.samples) {
      return Failure{Fault::mismatch, "the codestream's rows, columns or components differ from the header's"};
    }
    if (frame->bytes_per_sample * 8 != data.info.bits_allocated)
      return Failure{Fault::unsupported, "the decoded sample size differs from Bits Allocated"};
    frames.push_back(*std::move(frame));
  }
  return frames;
}

Result<Bytes> native_element(const pixel::PixelData& data, const std::vector<pixel::Frame>& frames) {
  Bytes samples;
  for (const pixel::Frame& frame : frames) put_bytes(samples, frame.data);
  if (samples.size() > 0xFFFFFFF0U) return Failure{Fault::limit, "native pixel data beyond 4 GiB cannot be written"};
  return dicom::encode_element(kPixelData, data.info.bits_allocated > 8 ? dicom::vr("OW") : dicom::vr("OB"),
                               as_text(samples));
}

Result<Bytes> encoded_element(const pixel::PixelData& data, const std::vector<pixel::Frame>& frames,
                              std::string_view syntax) {
  std::vector<Bytes> streams;
  std::uint64_t total = 0;
  for (const pixel::Frame& frame : frames) {
    auto stream = pixel::encode_frame(syntax, data.info, frame);
    if (!stream) return stream.error();
    total += stream->size();
    streams.push_back(*std::move(stream));
  }
  if (!data.encapsulated && total >= data.value.size())
    return Failure{Fault::unsupported, "the encoded pixels would not be smaller"};
  Bytes items;
  pixel::write_encapsulated(streams, items);
  return dicom::encode_fragments(items);
}

/// Puts the re-encoded pixels into `rewrite`; a Failure says why the source's bytes are kept.
Result<std::string> reencode(const dicom::File& file, const pixel::PixelData& data, std::string_view syntax,
                             dicom::Rewrite& rewrite) {
  const auto fidelity = pixel::fidelity_of(file.transfer_syntax);
  if (fidelity != pixel::Fidelity::native && fidelity != pixel::Fidelity::lossless)
    return Failure{Fault::unsupported, "not lossless at the source: the codestream is carried byte for byte"};
  if (data.info.float_bits != 0 || data.info.bits_allocated == 1)
    return Failure{Fault::unsupported, "1-bit and float pixels stay native"};
  const auto frames = decode_all(data);
  if (!frames) return frames.error();
  const bool native = uid::is_native(syntax);
  auto element = native ? native_element(data, *frames) : encoded_element(data, *frames, syntax);
  if (!element) return element.error();
  rewrite.transfer_syntax = std::string(syntax);
  rewrite.elements[kPixelData] = *std::move(element);
  describe_pixels(file, frames->front(), rewrite);
  return native ? std::string("none") : pixel::encoder_name(syntax);
}

Result<Converted> write(ByteView source, const dicom::File& file, dicom::Rewrite rewrite, Converted out,
                        const std::vector<manifest::Edit>& edits, const dicom::Provenance& provenance) {
  const bool untouched = rewrite.elements.empty() && edits.empty() && rewrite.transfer_syntax == file.transfer_syntax;
  out.transfer_syntax = rewrite.transfer_syntax;
  if (untouched && is_clean(file)) {
    out.file.assign(source.begin(), source.end());
    if (out.outcome.empty()) out.outcome = "copied";
    return out;
  }
  if (out.outcome.empty()) out.outcome = "rewritten";
  if (file.dataset.find(kPixelData) != nullptr && file.has("PIX-EXPLLENENC") &&
      !rewrite.elements.contains(kPixelData)) {
    return Failure{Fault::unsupported, "encapsulated pixel data with a defined length cannot be carried"};
  }
  if (untouched && !file.has("PIX-ZEROFRAG") && !file.has("ENC-ODDLEN")) {
    out.file = dicom::wrap_dataset(file);
    return out;
  }
  if (!edits.empty()) {
    auto added = dicom::add_edits(file, edits, provenance, rewrite);
    if (!added) return added.error();
  }
  auto written = dicom::write_file(file, rewrite);
  if (!written) return written.error();
  out.file = *std::move(written);
  return out;
}

/// Edited attributes as DS1 names them.
std::set<std::string> edited_paths(const std::vector<manifest::Edit>& edits) {
  std::set<std::string> out;
  for (const manifest::Edit& edit : edits) out.insert(edit.tag.substr(0, 4) + edit.tag.substr(5));
  return out;
}

Result<Done> same_but_for_edits(const dicom::File& source, const dicom::File& written,
                                const std::vector<manifest::Edit>& edits) {
  const auto expected = edited_paths(edits);
  bool provenance = false;
  for (const auto& difference : dicom::compare(source.dataset, written.dataset, dicom::Profile::strict)) {
    if (difference.tag.starts_with("04000561")) {
      provenance = true;
    } else if (!expected.contains(difference.tag)) {
      return Failure{Fault::mismatch,
                     "attribute " + difference.tag + " is " + difference.kind + " though no edit names it"};
    }
  }
  if (!provenance) return Failure{Fault::mismatch, "Original Attributes Sequence was not written"};
  for (const manifest::Edit& edit : edits) {
    const auto number = static_cast<Tag>(std::stoul(edit.tag.substr(0, 4) + edit.tag.substr(5), nullptr, 16));
    if (written.dataset.text(number).value_or("") != trim(edit.new_value))
      return Failure{Fault::mismatch, "attribute " + edit.tag + " does not hold the edit's value"};
  }
  return Done{};
}

Result<std::string> same_pixels(const dicom::File& source, const dicom::File& written) {
  const auto before = inspect::pixel_data_of(source);
  const auto after = inspect::pixel_data_of(written);
  if (before.has_value() != after.has_value()) return Failure{Fault::mismatch, "pixel data is there only once"};
  if (!before) return std::string("no pixels");
  std::vector<manifest::Finding> findings;
  const bool lossless = pixel::fidelity_of(source.transfer_syntax) == pixel::Fidelity::native ||
                        pixel::fidelity_of(source.transfer_syntax) == pixel::Fidelity::lossless;
  const pixel::Decoder decoder = pixel::verifier_of(written.transfer_syntax);
  if (lossless && pixel::can_decode(source.transfer_syntax, pixel::Decoder::primary) &&
      pixel::can_decode(written.transfer_syntax, decoder)) {
    const auto left = pixel::digest_pixels(*before, findings);
    if (!left) return left.error();
    const auto right = pixel::digest_pixels(*after, findings, decoder);
    if (!right) return right.error();
    if (left->pixel != right->pixel)
      return Failure{Fault::mismatch, "PIX1 of the written file differs from the source's"};
    return pixel::decoder_name(written.transfer_syntax, decoder);
  }
  if (!before->encapsulated || !after->encapsulated)
    return Failure{Fault::unsupported, "pixels that cannot be decoded were re-encoded"};
  const auto left = pixel::digest_codestreams(*before, findings);
  const auto right = pixel::digest_codestreams(*after, findings);
  if (!left) return left.error();
  if (!right) return right.error();
  if (*left != *right) return Failure{Fault::mismatch, "CSTR of the written file differs from the source's"};
  return std::string("codestream");
}

}  // namespace

std::optional<Target> target_from(std::string_view name) {
  const auto at = std::find_if(kNames.begin(), kNames.end(), [&](const Name& n) { return n.name == name; });
  if (at == kNames.end()) return std::nullopt;
  return at->target;
}

std::vector<std::string> target_names() {
  std::vector<std::string> out;
  for (const Name& n : kNames) out.emplace_back(n.name);
  return out;
}

Result<Converted> carry(ByteView source, const dicom::File& file, const std::vector<manifest::Edit>& edits,
                        const dicom::Provenance& provenance) {
  dicom::Rewrite rewrite;
  // An unedited clean file keeps even a retired syntax: its bytes are what arrives.
  rewrite.transfer_syntax = edits.empty() && is_clean(file) ? file.transfer_syntax : carried_syntax(file);
  Converted out;
  const auto data = inspect::pixel_data_of(file);
  if (data && rewrite.transfer_syntax != file.transfer_syntax && file.dataset.encoding().big_endian &&
      data->info.bits_allocated != 1 && data->info.float_bits == 0) {
    const auto codec = reencode(file, *data, rewrite.transfer_syntax, rewrite);
    if (!codec) return codec.error();
  }
  return write(source, file, std::move(rewrite), std::move(out), edits, provenance);
}

Result<Converted> convert(ByteView source, const dicom::File& file, Target target,
                          const std::vector<manifest::Edit>& edits, const dicom::Provenance& provenance) {
  const std::string_view wanted = syntax_of(target);
  if (target == Target::keep || wanted == file.transfer_syntax) return carry(source, file, edits, provenance);
  const auto data = inspect::pixel_data_of(file);
  dicom::Rewrite rewrite;
  Converted out;
  if (!data || (target == Target::explicit_le && !data->encapsulated && !data->big_endian)) {
    const bool rewrites = target == Target::explicit_le || !uid::is_native(file.transfer_syntax) ||
                          file.dataset.encoding().big_endian || uid::is_deflated(file.transfer_syntax);
    if (!rewrites) return carry(source, file, edits, provenance);
    rewrite.transfer_syntax = std::string(uid::kExplicitLittleEndian);
    return write(source, file, std::move(rewrite), std::move(out), edits, provenance);
  }
  const auto codec = reencode(file, *data, wanted, rewrite);
  if (codec) {
    out.codec = *codec;
    out.outcome = "transcoded";
    return write(source, file, std::move(rewrite), std::move(out), edits, provenance);
  }
  auto kept = carry(source, file, edits, provenance);
  if (kept) {
    kept->outcome = "kept-source";
    kept->reason = codec.error().what;
  }
  return kept;
}

Result<Proof> prove(const dicom::File& source, ByteView written, const std::vector<manifest::Edit>& edits) {
  const auto file = dicom::parse_file(written);
  if (!file) return file.error();
  const auto digest = dicom::dataset_digest(file->dataset);
  if (edits.empty()) {
    if (digest != dicom::dataset_digest(source.dataset))
      return Failure{Fault::mismatch, "DS1 of the written file differs from the source's"};
  } else if (const auto same = same_but_for_edits(source, *file, edits); !same) {
    return same.error();
  }
  auto verified_by = same_pixels(source, *file);
  if (!verified_by) return verified_by.error();
  return Proof{digest.hex(), *std::move(verified_by)};
}

}  // namespace waybill::transcode
