// SPDX-License-Identifier: Apache-2.0
// Recognition: what a stream of bytes is, whatever its name, label or preamble say (domain rules 2.1 and 2.2).
#include "dicom/file.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/recognise.hpp"
#include "dicom/uids.hpp"
#include "pixel/codec.hpp"
#include "pixel/encapsulated.hpp"

#include <zlib.h>
#include <algorithm>
#include <array>
#include <limits>

namespace waybill::dicom {

using manifest::Severity;

namespace {

std::string_view syntax_of(Encoding encoding) {
  if (encoding.big_endian) return encoding.explicit_vr ? uid::kExplicitBigEndian : std::string_view();
  return encoding.explicit_vr ? uid::kExplicitLittleEndian : uid::kImplicitLittleEndian;
}

/// How far a dataset may inflate of which `out` came from `used` bytes: 64 MiB, 200 times its size, or to the end of
/// the pixel data that its start announces, for blank images and masks deflate to next to nothing. A bomb does neither.
std::uint64_t allowance(ByteView out, std::uint64_t used, const Limits& limits) {
  constexpr std::uint64_t kAlways = std::uint64_t{64} << 20U;
  const std::uint64_t by_size = std::max(kAlways, std::uint64_t{200} * used);
  const auto encoding = out.size() > by_size ? detect_encoding(out) : std::nullopt;
  if (!encoding) return std::min(by_size, limits.inflated);
  Limits start = limits;
  start.stop_at_pixels = true;
  std::vector<manifest::Finding> ignored;
  const auto dataset = parse_dataset(out, *encoding, ignored, start);
  const bool announced = dataset && dataset->pixel_header() && dataset->pixel_header()->length != 0xFFFFFFFFU;
  const std::uint64_t end =
      announced ? dataset->pixel_header()->value + dataset->pixel_header()->length + (kAlways >> 6U) : 0;
  return std::min(std::max(by_size, end), limits.inflated);
}

/// Inflates a deflated dataset (RFC 1951; RFC 1950 wrapping is accepted, ENC-DEFLATED).
Result<Bytes> inflate_dataset(ByteView in, const Limits& limits, std::vector<manifest::Finding>& findings) {
  const bool zlib_header = in.size() >= 2 && in[0] == std::byte{0x78} && (load_u16(in.data(), true) % 31) == 0;
  for (const int window : zlib_header ? std::array{15, -15} : std::array{-15, 15}) {
    z_stream stream{};
    if (inflateInit2(&stream, window) != Z_OK) return Failure{Fault::limit, "no memory to inflate the dataset"};
    Bytes out;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(in.size(), 0xFFFFFFFFU));
    int result = Z_OK;
    bool too_large = false;
    while (result == Z_OK) {
      const std::size_t filled = out.size();
      if (filled > allowance(out, in.size() - stream.avail_in, limits)) {
        too_large = true;
        break;
      }
      out.resize(filled + std::clamp<std::size_t>(filled / 2, std::size_t{64} << 10U, std::size_t{16} << 20U));
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      stream.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size() - filled, 0x40000000U));
      const uInt offered = stream.avail_out;
      result = ::inflate(&stream, Z_NO_FLUSH);
      out.resize(filled + (offered - stream.avail_out));
      if (result == Z_BUF_ERROR && stream.avail_in == 0) break;
    }
    inflateEnd(&stream);
    if (too_large)
      return Failure{Fault::limit,
                     "the deflated dataset inflates to more than 200 times its size or 4 GiB; refused as a bomb"};
    if (result == Z_STREAM_END) {
      add_finding(findings, "ENC-DEFLATED", Severity::s1, 0,
                  window > 0 ? "deflated with a zlib header (RFC 1950)" : "deflated dataset");
      return out;
    }
    if (out.size() >= 8 && detect_encoding(out)) {
      add_finding(findings, "ENC-LENOVER", Severity::s3, 0, "the deflated dataset is cut or damaged");
      return out;
    }
  }
  return Failure{Fault::malformed, "the dataset cannot be inflated"};
}

/// Whether elements go on somewhere in `rest`, so that a damaged header ended the parse and not the dataset. Looks at
/// the first 64 KiB.
bool goes_on(ByteView rest, const Dataset& dataset) {
  constexpr std::size_t kFar = std::size_t{64} << 10U;
  const auto& nodes = dataset.nodes();
  Tag last = 0;
  for (std::uint32_t i = 0; i < nodes.size() && nodes[i].next > i; i = nodes[i].next) last = nodes[i].tag;
  for (std::size_t at = 0; last != 0 && at + 32 < rest.size() && at < kFar; at += 2) {
    const std::byte vr_or_length = rest[at + 5];
    const bool worth_it = !dataset.encoding().explicit_vr || vr_or_length >= std::byte{'A'};
    if (worth_it && plausible_elements(rest.subspan(at), dataset.encoding(), last) >= 3) return true;
  }
  return false;
}

/// What stands behind the last element: padding, or bytes that must not be lost from sight. `file_size` tells tape
/// blocks from other padding.
void look_behind(ByteView rest, const Dataset& dataset, std::uint64_t file_size,
                 std::vector<manifest::Finding>& findings) {
  const std::uint64_t at = dataset.end();
  if (rest.empty()) return;
  const bool padding =
      std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0} || b == std::byte{' '}; });
  if (padding && rest.size() <= 1) return;
  if (padding) {
    const bool block = file_size % 512 == 0;
    add_finding(findings, block ? "ENC-BLOCKPAD" : "ENC-TRAILGARBAGE", Severity::s1, 0,
                std::to_string(rest.size()) + " padding bytes behind the dataset", at);
    return;
  }
  const bool second = as_text(rest.first(std::min<std::size_t>(rest.size(), 4096))).find("DICM") != std::string::npos ||
                      detect_encoding(rest);
  const bool damaged = !second && goes_on(rest, dataset);
  add_finding(findings, "ENC-TRAILGARBAGE", second || damaged ? Severity::s3 : Severity::s2, 0,
              std::to_string(rest.size()) + " bytes behind the dataset" +
                  (second    ? ", another object seems to begin in them"
                   : damaged ? ", in which elements go on: a header is damaged"
                             : "") +
                  ", SHA-256 " + Sha256::of(rest).hex(),
              at);
}

Encoding declared_encoding(std::string_view syntax) {
  if (syntax == uid::kImplicitLittleEndian || syntax == uid::kGePrivate) return {false, false};
  if (syntax == uid::kExplicitBigEndian) return {true, true};
  return {true, false};
}

/// Transfer syntaxes that are not the standard's (ENC-PRIVTS): three are known well enough to read, others need a
/// person.
void judge_private_syntax(std::string_view syntax, std::vector<manifest::Finding>& findings) {
  static constexpr std::array<std::string_view, 3> kKnown = {uid::kGePrivate, "1.3.46.670589.33.1.4.1",
                                                             "1.2.840.10008.1.20"};
  const bool known = std::find(kKnown.begin(), kKnown.end(), syntax) != kKnown.end();
  if (!known && (syntax.empty() || uid::is_standard(syntax))) return;
  add_finding(findings, "ENC-PRIVTS", known ? Severity::s2 : Severity::s3, tag(0x0002, 0x0010),
              known ? "private transfer syntax " + std::string(syntax) + ", rewritten in a standard one"
                    : "transfer syntax " + repair_utf8(syntax.substr(0, 64)) +
                          " is not in the standard; only its vendor's readers know it");
}

/// Takes a deflated body apart; a plain label on deflated bytes is found, too (ENC-TSLABEL). Views `out.inflated`.
Result<ByteView> inflate_body(File& out, ByteView body, std::string& syntax, const Limits& limits) {
  const bool labelled = uid::is_deflated(syntax);
  if (!labelled && (detect_encoding(body) || body.size() < 8)) return body;
  std::vector<manifest::Finding> findings;
  auto inflated = inflate_dataset(body, limits, findings);
  if (!inflated) {
    if (labelled && (inflated.error().fault == Fault::limit || !detect_encoding(body))) return inflated.error();
    return body;
  }
  if (!labelled && !detect_encoding(*inflated)) return body;
  for (manifest::Finding& finding : findings) out.findings.push_back(std::move(finding));
  if (!labelled) {
    add_finding(out.findings, "ENC-TSLABEL", Severity::s2, tag(0x0002, 0x0010),
                "labelled " + syntax + " but the dataset is deflated");
    syntax = std::string(uid::kDeflated);
  }
  out.inflated = *std::move(inflated);
  return ByteView(out.inflated);
}

/// Parses the body under its label, and under what the bytes say when they disagree (ENC-TSLABEL).
Result<Done> parse_body(File& out, ByteView body, std::uint64_t file_size, const Limits& limits) {
  std::string syntax = out.meta.transfer_syntax;
  judge_private_syntax(syntax, out.findings);
  const auto plain = inflate_body(out, body, syntax, limits);
  if (!plain) return plain.error();
  body = *plain;
  Encoding encoding = declared_encoding(syntax);
  const auto detected = detect_encoding(body);
  if (syntax.empty()) {
    if (body.empty()) return Failure{Fault::truncated, "the file ends within its meta group"};
    if (!detected) return Failure{Fault::not_dicom, "no transfer syntax is declared and none can be recognised"};
    encoding = *detected;
    syntax = std::string(syntax_of(encoding));
  } else if (detected && *detected != encoding && plausible_elements(body, encoding) < 3) {
    add_finding(out.findings, "ENC-TSLABEL", Severity::s2, tag(0x0002, 0x0010),
                "labelled " + syntax + " but encoded as " + std::string(syntax_of(*detected)));
    encoding = *detected;
    syntax = std::string(syntax_of(encoding));
  } else if (uid::is_deflated(syntax) && out.inflated.empty()) {
    add_finding(out.findings, "ENC-TSLABEL", Severity::s2, tag(0x0002, 0x0010), "labelled deflated but not deflated");
    syntax = std::string(syntax_of(encoding));
  }
  auto dataset = parse_dataset(body, encoding, out.findings, limits);
  if (!dataset) return dataset.error();
  out.dataset = *std::move(dataset);
  out.transfer_syntax = syntax;
  if (encoding.big_endian)
    add_finding(out.findings, "ENC-BE", Severity::s1, tag(0x0002, 0x0010), "big endian, a retired transfer syntax");
  if (encoding.big_endian && !encoding.explicit_vr)
    add_finding(out.findings, "ENC-PRIVTS", Severity::s3, tag(0x0002, 0x0010),
                "implicit VR big endian, which never was a transfer syntax of the standard");
  if (!out.has("ENC-LENOVER") && !out.dataset.pixel_header())
    look_behind(body.subspan(out.dataset.end()), out.dataset, file_size, out.findings);
  return Done{};
}

/// The syntax of the first codestream, "" when it tells none. An implicit dataset cannot stand under it and is written
/// anew before it goes anywhere (Node::irregular).
std::string syntax_of_fragments(const Dataset& dataset, const Node& pixels) {
  if (dataset.encoding().big_endian) return {};
  std::vector<manifest::Finding> ignored;
  const auto frames = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
      dataset.integer(tag(0x0028, 0x0008)).value_or(1), 1, std::numeric_limits<std::uint32_t>::max()));
  const auto index = pixel::index_frames(dataset.value(pixels), frames, {}, ignored);
  if (!index) return {};
  const pixel::Sniffed seen = pixel::sniff(pixel::join(index->frames.front()));
  // Whether a wavelet stream was cut cannot be seen, and nothing says that it was not.
  if (seen.kind == "jpeg-2000") return "1.2.840.10008.1.2.4.91";
  if (seen.kind == "htj2k") return "1.2.840.10008.1.2.4.203";
  return pixel::true_syntax(seen);
}

bool is_implicit_little(const Dataset& dataset) {
  return !dataset.encoding().explicit_vr && !dataset.encoding().big_endian;
}

void relabel_by_pixels(File& file) {
  const Node* pixels = file.dataset.find(tag(0x7FE0, 0x0010));
  if (pixels == nullptr) return;
  const bool fragments = pixels->kind == NodeKind::fragments;
  const bool label = uid::is_encapsulated(file.transfer_syntax);
  if (label && !fragments) {
    const ByteView v = file.dataset.value(*pixels);
    const bool items = v.size() >= 8 && load_u16(v.data()) == 0xFFFE;
    const std::string kind = pixel::sniff(v).kind;
    if (items || (kind != "unknown" && kind != "jxl")) {  // two bytes are too little to know JPEG XL by
      file.findings.push_back({"PIX-EXPLLENENC", Severity::s2, to_string(pixels->tag),
                               std::string("encapsulated pixel data with a defined length: ") +
                                   (items ? "items without a delimiter" : "a bare codestream"),
                               pixels->value, to_hex(v.first(std::min<std::size_t>(v.size(), 32)))});
      return;
    }
    add_finding(file.findings, "ENC-TSLABEL", Severity::s2, tag(0x0002, 0x0010),
                "labelled " + file.transfer_syntax + " but the pixel data is native");
    file.transfer_syntax = std::string(syntax_of(file.dataset.encoding()));
  } else if (fragments && uid::is_encapsulated(file.meta.transfer_syntax) && is_implicit_little(file.dataset)) {
    file.transfer_syntax =
        file.meta.transfer_syntax;  // the label is right of the pixels, ENC-TSLABEL tells of the rest
  } else if (!label && fragments && uid::is_native(file.transfer_syntax)) {
    const std::string codec = syntax_of_fragments(file.dataset, *pixels);
    add_finding(file.findings, "ENC-TSLABEL", codec.empty() ? Severity::s3 : Severity::s2, tag(0x0002, 0x0010),
                "labelled " + file.transfer_syntax + " but the pixel data is encapsulated" +
                    (codec.empty() ? "" : " as " + codec));
    if (!codec.empty()) file.transfer_syntax = codec;
  }
}

void compare_meta(File& file) {
  const auto differs = [&](Tag t, const std::string& meta) {
    const auto value = file.dataset.raw_text(t);
    return value && !meta.empty() && !trim(*value).empty() && trim(*value) != meta;
  };
  const auto lacks = [&](Tag t, const std::string& meta) {
    return !meta.empty() && trim(file.dataset.raw_text(t).value_or("")).empty();
  };
  const bool excused = file.meta.sop_class == uid::kMediaStorageDirectory || file.has("ENC-LENOVER");
  if (!excused &&
      (lacks(tag(0x0008, 0x0016), file.meta.sop_class) || lacks(tag(0x0008, 0x0018), file.meta.sop_instance)))
    add_finding(file.findings, "ENC-METAMISMATCH", Severity::s2, tag(0x0008, 0x0018),
                "the dataset has no SOP Class or Instance UID; those of the meta group are used");
  if (file.meta.present &&
      (differs(tag(0x0008, 0x0016), file.meta.sop_class) || differs(tag(0x0008, 0x0018), file.meta.sop_instance))) {
    add_finding(file.findings, "ENC-METAMISMATCH", Severity::s2, tag(0x0002, 0x0003),
                "SOP Class or Instance UID of the meta group differ from the dataset's; the dataset's are used");
  }
}

/// A dataset that no chance made, though it has no SOP Class: explicit VRs up to the last byte, known attributes, and a
/// modality, patient or study among them.
bool is_whole(const File& file) {
  const Dataset& data = file.dataset;
  if (!data.encoding().explicit_vr || file.has("ENC-LENOVER") || file.has("ENC-TRAILGARBAGE")) return false;
  constexpr int kEnough = 8;
  int known = 0;
  const auto& nodes = data.nodes();
  for (std::uint32_t i = 0; i < nodes.size() && nodes[i].next > i; i = nodes[i].next)
    known += dictionary_vr(nodes[i].tag) != 0 ? 1 : 0;
  return known >= kEnough && (data.find(tag(0x0008, 0x0060)) != nullptr || data.find(tag(0x0010, 0x0020)) != nullptr ||
                              data.find(tag(0x0020, 0x000D)) != nullptr);
}

/// Whether something tells what the object is: its SOP Class, that it is a directory, or that it is an image of the
/// days before SOP Classes (ENC-ACRNEMA).
bool name_kind(File& file) {
  const auto has = [&](std::uint16_t group, std::uint16_t element) {
    return file.dataset.find(tag(group, element)) != nullptr;
  };
  if (has(0x0008, 0x0016) || !file.meta.sop_class.empty() || has(0x0004, 0x1220)) return true;
  const std::string_view code = file.dataset.raw_text(tag(0x0008, 0x0010)).value_or("");
  const bool recognised =
      code.find("ACR-NEMA") != std::string_view::npos || code.find("ACRNEMA") != std::string_view::npos;
  const bool image = has(0x0028, 0x0010) && has(0x0028, 0x0011) && has(0x0028, 0x0100);
  if (!recognised && !image) return false;
  add_finding(file.findings, "ENC-ACRNEMA", Severity::s3, tag(0x0008, 0x0010),
              recognised ? "an ACR-NEMA object without SOP Class; convert it to Secondary Capture after a decision"
                         : "an image without SOP Class, as ACR-NEMA had them; convert it after a decision");
  return true;
}

}  // namespace

bool File::has(std::string_view code) const noexcept {
  return std::any_of(findings.begin(), findings.end(), [&](const manifest::Finding& f) { return f.code == code; });
}

Result<File> parse_file(ByteView file, const Limits& limits) {
  File out;
  const Place place = locate(file, out.findings);
  ByteView body = file.subspan(place.begin);
  if (place.has_meta) {
    out.meta = meta_from(file, place.begin, &out.findings);
    body = file.subspan(out.meta.dataset_offset);
    if (out.meta.transfer_syntax.empty())
      add_finding(out.findings, "ENC-NOMETA", Severity::s1, tag(0x0002, 0x0010),
                  "no transfer syntax in the meta group");
  } else {
    if (!detect_encoding(body))
      return Failure{Fault::not_dicom, "no DICOM magic and no dataset that can be recognised"};
    add_finding(out.findings, "ENC-NOMETA", Severity::s1, 0, "no file meta information");
  }
  auto parsed = parse_body(out, body, file.size(), limits);
  if (!parsed) return parsed.error();
  if (!name_kind(out) && !place.has_meta && !is_whole(out))
    return Failure{Fault::not_dicom, "looks like a dataset but has no SOP Class UID"};
  relabel_by_pixels(out);
  compare_meta(out);
  return out;
}

Result<std::optional<File>> parse_headers(ByteView window, std::uint64_t file_size) {
  const bool whole = window.size() >= file_size;
  Limits limits;
  limits.stop_at_pixels = true;
  auto file = parse_file(window, limits);
  if (!file) {
    // What begins like no dataset does not become one further on; a cut deflated stream does.
    if (whole || file.error().fault == Fault::not_dicom) return file.error();
    return std::optional<File>();
  }
  const auto& pixels = file->dataset.pixel_header();
  if (!pixels && !whole) return std::optional<File>();
  if (pixels && pixels->length != 0xFFFFFFFFU && file->inflated.empty() &&
      file->meta.dataset_offset + pixels->value + pixels->length > file_size)
    add_finding(file->findings, "ENC-LENOVER", Severity::s3, pixels->tag,
                "the pixel data ends behind the end of the file", pixels->value);
  return std::optional<File>(*std::move(file));
}

Result<File> parse_network_dataset(ByteView bytes, std::string_view transfer_syntax, const Limits& limits) {
  File out;
  out.meta.transfer_syntax = std::string(transfer_syntax);
  auto parsed = parse_body(out, bytes, 1, limits);
  if (!parsed) return parsed.error();
  relabel_by_pixels(out);
  return out;
}

Result<Meta> read_meta(ByteView file) {
  std::vector<manifest::Finding> findings;
  const Place place = locate(file, findings);
  if (!place.has_meta) return Failure{Fault::not_dicom, "no file meta information"};
  Meta meta = meta_from(file, place.begin, nullptr);
  if (!meta.present || meta.transfer_syntax.empty())
    return Failure{Fault::malformed, "no transfer syntax in the file meta information"};
  return meta;
}

}  // namespace waybill::dicom
