// SPDX-License-Identifier: Apache-2.0
#include "transcode/convert.hpp"

#include "core/text.hpp"
#include "dicom/uids.hpp"
#include "inspect/pixels.hpp"
#include "pixel/codec.hpp"
#include "pixel/encapsulated.hpp"
#include "pixel/targets.hpp"
#include "transcode/icons.hpp"
#include "transcode/overlays.hpp"
#include "transcode/rules.hpp"
#include "transcode/sample_bits.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

namespace waybill::transcode {

using dicom::tag;
using dicom::Tag;
namespace uid = dicom::uid;

namespace {

constexpr Tag kPixelData = tag(0x7FE0, 0x0010);
constexpr std::uint32_t kUndefined = 0xFFFFFFFFU;
constexpr std::string_view kKeep = "keep";

/// The pixel data under the label that its codestreams deserve (ENC-TSCODESTREAM).
std::optional<pixel::PixelData> pixels_of(const dicom::File& file) {
  auto data = inspect::pixel_data_of(file);
  if (data) data->transfer_syntax = inspect::syntax_of_codestreams(*data);
  return data;
}

/// The dataset's bytes may go into a file as they stand.
bool is_sound(const dicom::File& file) {
  return !file.dataset.is_irregular() && !file.has("PIX-ZEROFRAG") && !file.has("ENC-ODDLEN");
}

/// The file as it is can be sent and read: whole meta group with the true label, nothing behind the dataset, headers
/// that others read as we do, even lengths (a dataset of odd length cannot be sent, PS3.8 E.2).
bool is_clean(const dicom::File& file) {
  static constexpr std::array<std::string_view, 6> kUnclean = {"ENC-NOPREAMBLE",   "ENC-METAVR",   "ENC-BLOCKPAD",
                                                               "ENC-TRAILGARBAGE", "ENC-CMDGROUP", "PIX-EXPLLENENC"};
  return file.meta.present && file.meta.transfer_syntax == file.transfer_syntax && !file.meta.sop_class.empty() &&
         !file.meta.sop_instance.empty() && !file.has("ENC-METAMISMATCH") && is_sound(file) &&
         std::none_of(kUnclean.begin(), kUnclean.end(), [&](std::string_view code) { return file.has(code); });
}

/// Pixels whose byte order changes as that of any other element of their VR does.
bool moves_by_elements(const pixel::ImageInfo& info) {
  return info.bits_allocated == 1 || info.bits_allocated == 12 || info.float_bits != 0;
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
void describe_pixels(const dicom::File& file, const Encoded& encoded, dicom::Rewrite& rewrite) {
  if (encoded.samples > 1) rewrite.elements[tag(0x0028, 0x0006)] = number_element(tag(0x0028, 0x0006), 0);
  const auto declared = file.dataset.raw_text(tag(0x0028, 0x0004));
  if (declared && trim(*declared) != encoded.photometric) {
    rewrite.elements[tag(0x0028, 0x0004)] =
        dicom::encode_element(tag(0x0028, 0x0004), dicom::vr("CS"), encoded.photometric);
  }
  for (const Tag table : {tag(0x7FE0, 0x0001), tag(0x7FE0, 0x0002), tag(0x7FE0, 0x0003)}) {
    if (file.dataset.find(table) != nullptr) rewrite.elements[table] = {};
  }
}

/// Codestreams that stood in a value of defined length, in the items PS3.5 A.4 asks for.
Result<Bytes> wrapped_codestreams(const pixel::PixelData& data) {
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  if (!reader) return reader.error();
  std::vector<Bytes> streams;
  for (std::uint32_t i = 0; i < reader->count(); ++i) streams.push_back(reader->codestream(i));
  Bytes element = dicom::element_header(kPixelData, dicom::vr("OB"), kUndefined);
  pixel::write_encapsulated(streams, element);
  return element;
}

/// The source's bytes stay and nothing else was asked for.
bool is_untouched(const dicom::File& file, const dicom::Rewrite& rewrite, const Converted& out) {
  return rewrite.elements.empty() && out.changes.empty() && rewrite.transfer_syntax == file.transfer_syntax;
}

}  // namespace

struct Pixels {
  Bytes header;     ///< of the element
  Encoded encoded;  ///< in items, or one after the other
  bool in_items = false;

  [[nodiscard]] std::uint64_t frame_bytes() const {
    std::uint64_t total = 0;
    for (const ByteView frame : encoded.frames) total += frame.size();
    return total;
  }
  /// Bytes of the element.
  [[nodiscard]] std::uint64_t size() const {
    return header.size() + (in_items ? pixel::encapsulated_size(encoded.frames) : frame_bytes() + frame_bytes() % 2);
  }
};

namespace {

Result<Pixels> native_pixels(const pixel::PixelData& data, Encoded encoded) {
  Pixels out{{}, std::move(encoded), false};
  const std::uint64_t total = out.frame_bytes() + out.frame_bytes() % 2;
  if (total > 0xFFFFFFF0U) return Failure{Fault::limit, "native pixel data beyond 4 GiB cannot be written"};
  out.header = dicom::element_header(kPixelData, data.info.bits_allocated > 8 ? dicom::vr("OW") : dicom::vr("OB"),
                                     static_cast<std::uint32_t>(total));
  return out;
}

Result<Pixels> codestreams(std::size_t source_size, Encoded encoded, const Order& order, dicom::Rewrite& rewrite) {
  Pixels out{dicom::element_header(kPixelData, dicom::vr("OB"), kUndefined), std::move(encoded), true};
  if (!order.keep_larger && out.frame_bytes() >= source_size)
    return Failure{Fault::unsupported, "the encoded pixels would not be smaller"};
  std::vector<std::uint64_t> sizes;
  for (const ByteView frame : out.encoded.frames) sizes.push_back(frame.size());
  if (const auto tables = extended_tables(sizes)) {
    for (const auto& [t, table] :
         {std::pair{tag(0x7FE0, 0x0001), &tables->offsets}, {tag(0x7FE0, 0x0002), &tables->lengths}})
      rewrite.elements[t] = dicom::encode_element(t, dicom::vr("OV"), as_text(*table));
  }
  return out;
}

}  // namespace

std::vector<std::string> target_names() {
  std::vector<std::string> out{std::string(kKeep)};
  for (const pixel::Target& target : pixel::targets()) {
    if (uid::is_native(target.syntax) || pixel::can_encode(target.syntax)) out.emplace_back(target.name);
  }
  return out;
}

std::string syntax_of(std::string_view name) { return std::string(pixel::target_syntax(name).value_or("")); }

Converter::Converter(Codecs& codecs, dicom::Provenance provenance, std::uint64_t apart, bool proves)
    : codecs_(codecs), provenance_(std::move(provenance)), apart_(apart), proves_(proves) {}

/// Describes compressed pixels as native ones, whose bits can be moved, and returns what their value is then.
Result<Bytes> Converter::unpack(pixel::PixelData& data) const {
  const auto decoded = encode(data, std::string(uid::kExplicitLittleEndian));
  if (!decoded) return decoded.error();
  Bytes pixels;
  for (const ByteView frame : decoded->frames) put_bytes(pixels, frame);
  data.info.photometric = decoded->photometric;
  data.info.planar = data.info.pixel_words = data.encapsulated = data.big_endian = false;
  data.transfer_syntax = uid::kExplicitLittleEndian;
  return pixels;
}

/// Re-encodes the pixels and describes them in `rewrite`; a Failure says why the source's bytes are kept.
Result<Pixels> Converter::reencode(const dicom::File& file, pixel::PixelData data, const Order& order,
                                   dicom::Rewrite& rewrite, Converted& out) const {
  if (auto may = may_reencode(file, data, order.syntax); !may) return may.error();
  const bool native = uid::is_native(order.syntax);
  const std::size_t source_size = data.value.size();
  auto overlays = native ? Result<std::optional<Extracted>>(std::nullopt) : extract_overlays(file, data);
  if (!overlays) return overlays.error();
  if (*overlays) {
    data.value = (*overlays)->pixels;
    data.big_endian = false;
  }
  // RLE keeps all bits where they are.
  const bool as_they_lie = native || (order.syntax == uid::kRle && data.info.bits_allocated != 12);
  auto icons = data.encapsulated ? native_icons(file, codecs_) : Result<std::optional<Bytes>>(std::nullopt);
  if (!icons) return icons.error();
  const HighSamples high = high_samples(data);
  Result<Bytes> unpacked(Bytes{});
  std::vector<dicom::Change> moved;
  if (high == HighSamples::at_zero || (high == HighSamples::in_place && !as_they_lie)) {
    unpacked = unpack(data);
    if (!unpacked) return unpacked.error();
    data.value = *unpacked;
  }
  if (high == HighSamples::at_zero) {
    moved.push_back(lowered_high_bit(data.info));
    data.info.high_bit = static_cast<std::uint16_t>(data.info.bits_stored - 1U);
  }
  auto aligned = as_they_lie ? Result<std::optional<Aligned>>(std::nullopt) : align_samples(file.dataset, data);
  if (!aligned) return aligned.error();
  if (*aligned) {
    data.info = (*aligned)->info;
    data.value = (*aligned)->pixels;
    data.big_endian = false;
  }
  auto encoded = encode(data, order.syntax);
  if (!encoded) return encoded.error();
  if (!unpacked->empty())  // native frames are views of it
    encoded->memory = std::make_shared<std::pair<std::shared_ptr<const void>, Bytes>>(std::move(encoded->memory),
                                                                                      *std::move(unpacked));
  describe_pixels(file, *encoded, rewrite);
  auto pixels =
      native ? native_pixels(data, *std::move(encoded)) : codestreams(source_size, *std::move(encoded), order, rewrite);
  if (!pixels) return pixels;
  out.icons = icons->has_value();
  if (*icons) rewrite.elements[tag(0x0088, 0x0200)] = **std::move(icons);
  if (*overlays) out.changes.values = std::move((*overlays)->changes);
  std::ranges::move(moved, std::back_inserter(out.changes.values));
  if (*aligned) std::ranges::move((*aligned)->changes, std::back_inserter(out.changes.values));
  rewrite.transfer_syntax = order.syntax;
  out.codec = native ? std::string("none") : pixel::encoder_name(order.syntax);
  out.outcome = "transcoded";
  return pixels;
}

/// The file around the pixels. Codec processes decode it for the proof, so it stands where they see it; other memory is
/// quicker to get.
Result<Done> Converter::put_together(const dicom::File& file, const dicom::Rewrite& rewrite, const Pixels& pixels,
                                     Converted& out) const {
  const auto around = dicom::write_around(file, rewrite, kPixelData);
  if (!around) return around.error();
  const std::shared_ptr<Buffer> buffer = proves_ ? codecs_.buffer() : CodecsHere().buffer();
  const auto room = buffer->room(around->bytes.size() + pixels.size());
  if (room.empty()) return Failure{Fault::limit, "there is no memory for the file to write"};
  std::byte* to = room.data();
  const auto put = [&](ByteView bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    to += bytes.size();
  };
  put(ByteView(around->bytes).first(around->at));
  put(pixels.header);
  if (pixels.in_items) {
    const std::uint64_t size = pixel::encapsulated_size(pixels.encoded.frames);
    pixel::write_encapsulated(pixels.encoded.frames, {to, size});
    to += size;
  } else {
    for (const ByteView frame : pixels.encoded.frames) put(frame);
    if (pixels.frame_bytes() % 2 != 0) *to++ = std::byte{0};
  }
  put(ByteView(around->bytes).subspan(around->at));
  out.file = room;
  out.memory = buffer;
  return Done{};
}

Result<Converted> Converter::write(ByteView source, const dicom::File& file, dicom::Rewrite rewrite, Converted out,
                                   const Pixels* pixels) const {
  const bool untouched = pixels == nullptr && is_untouched(file, rewrite, out);
  if (!out.changes.empty()) {
    auto former = dicom::add_changes(file, out.changes, provenance_, rewrite);
    if (!former) return former.error();
    out.former = *std::move(former);
    out.changed = !out.former.empty();
  }
  if (out.icons) {
    auto icons = former_icons(file, rewrite);
    out.undoable = icons.has_value();
    if (icons) out.former.push_back(*std::move(icons));
  }
  out.transfer_syntax = rewrite.transfer_syntax;
  const bool same = untouched || (pixels == nullptr && is_untouched(file, rewrite, Converted{}));
  if (same && !out.changed && is_clean(file)) {
    out.file = source;
    if (out.outcome.empty()) out.outcome = "copied";
    return out;
  }
  if (out.outcome.empty()) out.outcome = "rewritten";
  if (same && !out.changed && is_sound(file)) {
    out.hold(dicom::wrap_dataset(file));
    return out;
  }
  if (pixels != nullptr) {
    if (auto done = put_together(file, rewrite, *pixels, out); !done) return done.error();
    return out;
  }
  auto written = dicom::write_file(file, rewrite);
  if (!written) return written.error();
  out.hold(*std::move(written));
  return out;
}

void Converted::hold(Bytes bytes) {
  const auto held = std::make_shared<const Bytes>(std::move(bytes));
  file = *held;
  memory = held;
}

Result<Converted> Converter::carry(ByteView source, const dicom::File& file, const dicom::Changes& changes) const {
  dicom::Rewrite rewrite;
  Converted out;
  out.changes = changes;
  // An unedited clean file keeps even a retired syntax: its bytes are what arrives.
  rewrite.transfer_syntax = changes.empty() && is_clean(file) ? file.transfer_syntax : carried_syntax(file);
  const auto data = pixels_of(file);
  // A damaged header may look like another codec's: a label is corrected only by a stream that can be decoded.
  if (data && data->transfer_syntax != file.transfer_syntax &&
      codecs_.encode(*data, std::string(uid::kExplicitLittleEndian)))
    rewrite.transfer_syntax = data->transfer_syntax;
  if (data && rewrite.transfer_syntax != file.transfer_syntax && file.dataset.encoding().big_endian &&
      !moves_by_elements(data->info)) {
    const auto pixels = reencode(file, *data, {rewrite.transfer_syntax}, rewrite, out);
    if (!pixels) return pixels.error();
    out.outcome.clear();
    return write(source, file, std::move(rewrite), std::move(out), &*pixels);
  }
  if (data && data->encapsulated && file.has("PIX-EXPLLENENC")) {
    auto wrapped = wrapped_codestreams(*data);
    if (!wrapped) return wrapped.error();
    rewrite.elements[kPixelData] = *std::move(wrapped);
  }
  return write(source, file, std::move(rewrite), std::move(out));
}

Result<Converted> Converter::convert(ByteView source, const dicom::File& file, const Order& order,
                                     const dicom::Changes& changes) const {
  const auto data = pixels_of(file);
  if (order.syntax.empty() || order.syntax == (data ? data->transfer_syntax : file.transfer_syntax))
    return carry(source, file, changes);
  const bool native = uid::is_native(order.syntax);
  dicom::Rewrite rewrite;
  Converted out;
  out.changes = changes;
  const bool by_elements = data && moves_by_elements(data->info);
  if (!data || (native && !data->encapsulated && (!data->big_endian || by_elements))) {
    const bool rewrites = native || !uid::is_native(file.transfer_syntax) || file.dataset.encoding().big_endian ||
                          uid::is_deflated(file.transfer_syntax);
    if (!rewrites) return carry(source, file, changes);
    rewrite.transfer_syntax = std::string(uid::kExplicitLittleEndian);
    return write(source, file, std::move(rewrite), std::move(out));
  }
  const auto pixels = reencode(file, *data, order, rewrite, out);
  if (pixels) return write(source, file, std::move(rewrite), std::move(out), &*pixels);
  auto kept = carry(source, file, changes);
  if (kept) {
    kept->outcome = "kept-source";
    kept->reason = pixels.error().what;
    kept->fault = pixels.error().fault;
  }
  return kept;
}

}  // namespace waybill::transcode
