// SPDX-License-Identifier: Apache-2.0
#include "inspect/inspect.hpp"

#include "core/text.hpp"
#include "dicom/charset.hpp"
#include "dicom/digest.hpp"
#include "dicom/uids.hpp"
#include "inspect/pixels.hpp"
#include "pixel/codec.hpp"

#include <algorithm>

namespace waybill::inspect {

using dicom::add_finding;
using dicom::tag;
using dicom::Tag;
using manifest::Severity;

namespace {

std::optional<std::uint32_t> small_number(const dicom::Dataset& data, Tag t) {
  const auto value = data.integer(t);
  if (!value || *value < 0 || *value > 0xFFFFFFFFLL) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

void attributes(const dicom::File& file, manifest::Object& object) {
  const dicom::Dataset& data = file.dataset;
  object.sop_class = data.text(tag(0x0008, 0x0016));
  object.sop_instance = data.text(tag(0x0008, 0x0018));
  if (!object.sop_class && !file.meta.sop_class.empty()) object.sop_class = file.meta.sop_class;
  if (!object.sop_instance && !file.meta.sop_instance.empty()) object.sop_instance = file.meta.sop_instance;
  object.study = data.text(tag(0x0020, 0x000D));
  object.series = data.text(tag(0x0020, 0x000E));
  object.transfer_syntax = file.transfer_syntax;
  object.patient_id = data.text(tag(0x0010, 0x0020));
  object.issuer = data.text(tag(0x0010, 0x0021));
  object.patient_name = data.text(tag(0x0010, 0x0010));
  object.birth_date = data.text(tag(0x0010, 0x0030));
  object.sex = data.text(tag(0x0010, 0x0040));
  object.accession = data.text(tag(0x0008, 0x0050));
  object.study_date = data.text(tag(0x0008, 0x0020));
  object.study_time = data.text(tag(0x0008, 0x0030));
  object.modality = data.text(tag(0x0008, 0x0060));
  object.rows = small_number(data, tag(0x0028, 0x0010));
  object.columns = small_number(data, tag(0x0028, 0x0011));
  object.frames = small_number(data, tag(0x0028, 0x0008));
  object.bits_stored = small_number(data, tag(0x0028, 0x0101));
  object.photometric = data.text(tag(0x0028, 0x0004));
}

/// PS3.5 9.1: digits and dots, at most 64, no empty component.
bool well_formed_uid(std::string_view uid) {
  if (uid.empty() || uid.size() > 64) return false;
  for (const std::string_view part : split(uid, '.')) {
    if (part.empty() || !std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return false;
  }
  return true;
}

void identity(const manifest::Object& object, std::vector<manifest::Finding>& findings) {
  const auto check = [&](const std::optional<std::string>& uid, Tag t, std::string_view what) {
    if (!uid || uid->empty()) {
      add_finding(findings, "UID-MISSING", Severity::s3, t, "no " + std::string(what));
    } else if (!well_formed_uid(*uid)) {
      add_finding(findings, "UID-SYNTAX", Severity::s3, t, std::string(what) + " is not a valid UID");
    } else {
      for (const std::string_view part : split(*uid, '.')) {
        if (part.size() > 1 && part.front() == '0')
          add_finding(findings, "UID-LEADINGZERO", Severity::s1, t,
                      std::string(what) + " has a component with a leading zero; kept as it is");
      }
    }
  };
  check(object.sop_instance, tag(0x0008, 0x0018), "SOP Instance UID");
  check(object.study, tag(0x0020, 0x000D), "Study Instance UID");
  check(object.series, tag(0x0020, 0x000E), "Series Instance UID");
  check(object.sop_class, tag(0x0008, 0x0016), "SOP Class UID");
  if (object.study && (object.study == object.series || object.study == object.sop_instance)) {
    add_finding(findings, "UID-LEVELREUSE", Severity::s2, tag(0x0020, 0x000D), "one UID is used on two levels");
  }
  if (!object.patient_id || object.patient_id->empty())
    add_finding(findings, "PID-EMPTY", Severity::s1, tag(0x0010, 0x0020), "no Patient ID; reconcile decides");
  if (!object.study_date || object.study_date->empty())
    add_finding(findings, "VAL-NOSTUDYDATE", Severity::s1, tag(0x0008, 0x0020),
                "no Study Date; queries by date do not find the study");
  if (object.accession && object.accession->size() > 16)
    add_finding(findings, "ACC-LEN", Severity::s1, tag(0x0008, 0x0050),
                "Accession Number is longer than 16 characters");
}

/// Character set against bytes, on the attributes that identify (CS-MISSING8, CS-WRONG, CS-BADTERM).
void character_set(const dicom::Dataset& data, std::vector<manifest::Finding>& findings) {
  constexpr Tag kSet = tag(0x0008, 0x0005);
  const auto charset = dicom::Charset::from_terms(data.raw_text(kSet).value_or(""));
  if (!charset.known())
    add_finding(findings, "CS-UNKNOWN", Severity::s2, kSet, "the Specific Character Set is not known");
  else if (!charset.canonical())
    add_finding(findings, "CS-BADTERM", Severity::s1, kSet, "the Specific Character Set is misspelt");
  for (const Tag t : {tag(0x0010, 0x0010), tag(0x0010, 0x0020), tag(0x0008, 0x0080), tag(0x0008, 0x0090),
                      tag(0x0008, 0x1030), tag(0x0008, 0x103E), tag(0x0008, 0x0050)}) {
    const auto raw = data.raw_text(t);
    if (!raw) continue;
    bool ok = true;
    (void)charset.decode(*raw, ok);
    if (ok) continue;
    const std::string hex = to_hex(as_bytes(raw->substr(0, 64)));
    if (charset.is_default()) {
      add_finding(findings, "CS-MISSING8", Severity::s2, t,
                  std::string("8-bit text without a character set; read as ") +
                      (is_utf8(*raw) ? "ISO_IR 192" : "ISO_IR 100") + "; raw bytes of the value in hex: " + hex);
    } else {
      add_finding(findings, "CS-WRONG", Severity::s2, t,
                  "text is not in the declared character set; raw bytes of the value in hex: " + hex);
    }
  }
}

void native_length(const pixel::PixelData& data, std::vector<manifest::Finding>& findings) {
  const auto expected = pixel::native_length(data.info);
  constexpr Tag kPixels = tag(0x7FE0, 0x0010);
  if (!expected) {
    add_finding(findings, "PIX-DIMS", Severity::s3, tag(0x0028, 0x0010),
                "rows, columns and frames give a size beyond 64 bits");
    return;
  }
  const std::uint64_t have = data.value.size();
  const std::string sizes = std::to_string(have) + " bytes of pixel data, " + std::to_string(*expected) + " expected";
  if (have < *expected) {
    add_finding(findings, "PIX-SHORT", Severity::s3, kPixels, sizes);
  } else if (have == *expected + 1) {
    if (*expected % 2 == 0) add_finding(findings, "PIX-LONG1", Severity::s0, kPixels, sizes);
  } else if (have > *expected + 1) {
    const bool frames =
        *expected > 0 &&
        (have - *expected) % (*expected / data.info.frames == 0 ? 1 : *expected / data.info.frames) == 0;
    add_finding(findings, frames ? "PIX-FRAMES" : "PIX-LONG", frames ? Severity::s3 : Severity::s1, kPixels, sizes);
  }
}

/// Codestream against label, flags and header (ENC-TSCODESTREAM, PIX-DIMS, PIX-LOSSYFLAG).
void codestream(const dicom::File& file, const pixel::PixelData& data, std::vector<manifest::Finding>& findings) {
  std::vector<manifest::Finding> own;
  const auto index = pixel::index_frames(data.value, data.info.frames, data.transfer_syntax, own);
  if (!index || index->frames.empty()) return;
  const Bytes first = pixel::join(index->frames.front());
  const pixel::Sniffed s = pixel::sniff(first);
  const std::string_view ts = data.transfer_syntax;
  const auto is = [&](std::string_view end) { return ts == "1.2.840.10008.1.2.4." + std::string(end); };
  std::string why;
  if ((is("70") || is("57")) && s.kind != "jpeg-lossless") why = "labelled JPEG lossless";
  if (is("70") && s.kind == "jpeg-lossless" && s.predictor != 1)
    why = "labelled selection value 1 but the predictor is " + std::to_string(s.predictor);
  if ((is("80") || is("81")) && s.kind != "jpeg-ls") why = "labelled JPEG-LS";
  if (is("80") && s.kind == "jpeg-ls" && s.near > 0) why = "labelled lossless but NEAR is " + std::to_string(s.near);
  if (is("50") && s.kind != "jpeg-baseline") why = "labelled JPEG baseline";
  if ((is("90") || is("91")) && s.kind != "jpeg-2000" && s.kind != "jp2") why = "labelled JPEG 2000";
  if (is("90") && s.lossy) why = "labelled lossless but the codestream uses the irreversible transform";
  const bool hidden_loss = s.lossy && pixel::fidelity_of(ts) == pixel::Fidelity::lossless;
  if (!why.empty())
    add_finding(findings, "ENC-TSCODESTREAM", hidden_loss ? Severity::s3 : Severity::s2, tag(0x0002, 0x0010),
                why + "; the codestream is " + s.kind);
  if (s.rows != 0 && (s.rows != data.info.rows || s.columns != data.info.columns)) {
    add_finding(findings, "PIX-DIMS", Severity::s2, tag(0x0028, 0x0010),
                "the codestream is " + std::to_string(s.columns) + "x" + std::to_string(s.rows) + ", the header says " +
                    std::to_string(data.info.columns) + "x" + std::to_string(data.info.rows));
  }
  const auto flag = file.dataset.raw_text(tag(0x0028, 0x2110));
  if (s.lossy && (!flag || trim(*flag) != "01"))
    add_finding(findings, "PIX-LOSSYFLAG", Severity::s2, tag(0x0028, 0x2110),
                "the codestream is lossy but Lossy Image Compression is not 01");
}

void pixels(const dicom::File& file, Depth depth, manifest::Object& object) {
  const auto data = pixel_data_of(file);
  const dicom::Dataset& set = file.dataset;
  if (set.find(tag(0x0028, 0x7FE0)) != nullptr)
    add_finding(object.findings, "ENC-JPIP", Severity::s4, tag(0x0028, 0x7FE0),
                "the pixels are at another place (JPIP); fetch them first");
  if (!data) {
    const bool image = set.find(tag(0x0028, 0x0010)) != nullptr && set.find(tag(0x0028, 0x0011)) != nullptr &&
                       set.find(tag(0x0028, 0x0100)) != nullptr;
    if (image && !file.has("ENC-LENOVER") && !file.has("ENC-JPIP") && set.find(tag(0x0028, 0x7FE0)) == nullptr)
      add_finding(object.findings, "PIX-NOPIX", Severity::s3, tag(0x7FE0, 0x0010),
                  "image attributes but no pixel data");
    return;
  }
  int kinds = 0;
  for (const Tag t : {tag(0x7FE0, 0x0008), tag(0x7FE0, 0x0009), tag(0x7FE0, 0x0010)})
    kinds += set.find(t) != nullptr ? 1 : 0;
  if (kinds > 1)
    add_finding(object.findings, "PIX-TWOPIX", Severity::s3, tag(0x7FE0, 0x0010), "more than one kind of pixel data");
  const auto& info = data->info;
  if (info.bits_stored > 0 && info.float_bits == 0 && info.bits_allocated > 1 &&
      (info.high_bit + 1 != info.bits_stored || info.bits_stored > info.bits_allocated)) {
    add_finding(object.findings, "PIX-HIGHBIT", Severity::s2, tag(0x0028, 0x0102),
                "HighBit is not BitsStored - 1, or BitsStored exceeds BitsAllocated");
  }
  if (data->encapsulated)
    codestream(file, *data, object.findings);
  else
    native_length(*data, object.findings);
  if (depth != Depth::pixels) return;
  const auto fidelity = pixel::fidelity_of(data->transfer_syntax);
  if (data->encapsulated) {
    const auto streams = pixel::digest_codestreams(*data, object.findings);
    if (streams) object.codestream_sha256 = streams->hex();
  }
  const bool short_pixels = std::any_of(object.findings.begin(), object.findings.end(),
                                        [](const manifest::Finding& f) { return f.code == "PIX-SHORT"; });
  if (short_pixels) return;
  if (!pixel::can_decode(data->transfer_syntax, pixel::Decoder::primary)) {
    if (fidelity != pixel::Fidelity::video)
      add_finding(object.findings, "PIX-NODECODER", Severity::s1, tag(0x0002, 0x0010),
                  "no decoder for this transfer syntax; the codestream is carried byte for byte");
    return;
  }
  const auto digests = pixel::digest_pixels(*data, object.findings);
  if (!digests) {
    add_finding(object.findings, "PIX-TRUNC", Severity::s3, tag(0x7FE0, 0x0010),
                "a frame cannot be decoded: " + digests.error().what);
    return;
  }
  object.pixel_sha256 = digests->pixel.hex();
  if (digests->unused_bits)
    add_finding(object.findings, "PIX-UNUSEDBITS", Severity::s1, tag(0x7FE0, 0x0010),
                "bits outside Bits Stored are set");
}

}  // namespace

void inspect(const dicom::File& file, Depth depth, manifest::Object& object) {
  for (const manifest::Finding& finding : file.findings) object.findings.push_back(finding);
  attributes(file, object);
  identity(object, object.findings);
  character_set(file.dataset, object.findings);
  if (depth == Depth::headers) return;
  object.dataset_sha256 = dicom::dataset_digest(file.dataset).hex();
  pixels(file, depth, object);
}

}  // namespace waybill::inspect
