// SPDX-License-Identifier: Apache-2.0
#include "transcode/undo.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/digest.hpp"
#include "dicom/uids.hpp"
#include "inspect/pixels.hpp"
#include "io/read_file.hpp"
#include "transcode/former_bits.hpp"
#include "transcode/icons.hpp"
#include "transcode/worker.hpp"

#include <algorithm>
#include <charconv>

namespace waybill::transcode {
namespace {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

Result<std::vector<dicom::Former>> former_of(const manifest::Undo& undo) {
  std::vector<dicom::Former> out;
  for (const manifest::FormerElement& element : undo.elements) {
    std::uint32_t group = 0;
    std::uint32_t number = 0;
    const char* text = element.tag.data();
    const bool sound = element.tag.size() == 9 && element.vr.size() == 2 &&
                       std::from_chars(text, text + 4, group, 16).ptr == text + 4 &&
                       std::from_chars(text + 5, text + 9, number, 16).ptr == text + 9;
    if (!sound) return Failure{Fault::malformed, "the undo information of the manifest is damaged"};
    dicom::Former former{group << 16U | number, dicom::vr(element.vr[0], element.vr[1]), std::nullopt};
    if (element.value) former.value = from_hex(*element.value);
    out.push_back(std::move(former));
  }
  return out;
}

bool same_pixel_bytes(const dicom::File& a, const dicom::File& b) {
  const auto left = inspect::pixel_data_of(a);
  const auto right = inspect::pixel_data_of(b);
  if (!left || !right) return left.has_value() == right.has_value();
  return std::ranges::equal(left->value, right->value);
}

/// A staged file with its changes taken back, and the one they were taken from.
struct Restored {
  Bytes bytes;
  std::optional<Converted> converted{};  ///< the staged file in another syntax, when that was needed
  bool moved = false;                    ///< the samples lie in other bits than in `converted`
  std::string verified_by = "same bytes";
};

Result<Bytes> reverted(const dicom::File& file, const std::vector<dicom::Former>& former, bool provenance,
                       dicom::Rewrite rewrite = {}) {
  rewrite.transfer_syntax = file.transfer_syntax;
  if (auto done = dicom::revert_changes(file, former, provenance, rewrite); !done) return done.error();
  return dicom::write_file(file, rewrite);
}

/// The staged file in another transfer syntax, proved equal to what is staged; `why` says what asks for it.
Result<Converted> proved_in(const std::string& syntax, ByteView staged, const dicom::File& file,
                            const Converter& converter, const std::string& why, std::string& verified_by) {
  auto converted = converter.convert(staged, file, {syntax, true}, {});
  if (!converted) return converted.error();
  if (converted->transfer_syntax != syntax)
    return Failure{Fault::unsupported, why + ", which cannot be written: " + converted->reason};
  auto proof = converter.prove(file, converted->file, *converted);
  if (!proof) return proof.error();
  verified_by = std::move(proof->verified_by);
  return converted;
}

/// From the staged file in the source's transfer syntax, for icons that are codestreams of that.
Result<Restored> reverted_in(const std::string& syntax, ByteView staged, const dicom::File& file,
                             const std::vector<dicom::Former>& former, bool provenance, const Converter& converter) {
  Restored out;
  auto converted =
      proved_in(syntax, staged, file, converter,
                "the icon is a codestream of " + syntax + " and goes back into a file of that only", out.verified_by);
  if (!converted) return converted.error();
  const auto there = dicom::parse_file(converted->file);
  if (!there) return there.error();
  auto bytes = reverted(*there, former, provenance);
  if (!bytes) return bytes.error();
  out.bytes = *std::move(bytes);
  out.converted = *std::move(converted);
  return out;
}

/// In native samples, for attributes that say that these lie elsewhere or hold overlays: a codestream's do not.
Result<Restored> moved_back(ByteView staged, const dicom::File& file, const std::vector<dicom::Former>& former,
                            bool provenance, const Converter& converter) {
  Restored out;
  out.moved = true;
  auto converted = proved_in(std::string(dicom::uid::kExplicitLittleEndian), staged, file, converter,
                             "samples go back to their bits in native pixel data only", out.verified_by);
  if (!converted) return converted.error();
  const auto there = dicom::parse_file(converted->file);
  if (!there) return there.error();
  const auto pixels = bits_as_before(*there, former);
  if (!pixels) return pixels.error();
  dicom::Rewrite rewrite;
  constexpr dicom::Tag kPixelData = dicom::tag(0x7FE0, 0x0010);
  rewrite.elements[kPixelData] = dicom::encode_element(kPixelData, dicom::vr("OW"), as_text(*pixels));
  auto bytes = reverted(*there, former, provenance, std::move(rewrite));
  if (!bytes) return bytes.error();
  out.bytes = *std::move(bytes);
  out.converted = *std::move(converted);
  return out;
}

Result<Restored> restored(ByteView staged, const dicom::File& file, const Object& object, const Converter& converter) {
  const manifest::Undo& undo = object.transcode->undo;
  if (undo.empty()) return Restored{Bytes(staged.begin(), staged.end())};
  const auto former = former_of(undo);
  if (!former) return former.error();
  if (moves_bits(file, *former)) return moved_back(staged, file, *former, undo.provenance, converter);
  auto bytes = reverted(file, *former, undo.provenance);
  if (!bytes) return bytes.error();
  const auto back = dicom::parse_file(*bytes);
  if (!back) return back.error();
  const std::string syntax = object.transfer_syntax.value_or("");
  if (file.transfer_syntax != syntax && has_encapsulated_icons(*back))
    return reverted_in(syntax, staged, file, *former, undo.provenance, converter);
  return Restored{*std::move(bytes)};
}

Result<manifest::Transcode> restore(const Options& options, const Converter& converter, const Object& object) {
  const manifest::Transcode& was = *object.transcode;
  const auto staged = io::read_file(path_from_text(was.path));
  if (!staged) return staged.error();
  if (Sha256::of(*staged).hex() != was.file_sha256)
    return Failure{Fault::mismatch, "the staged file is not the one the manifest tells of"};
  const auto file = dicom::parse_file(*staged);
  if (!file) return file.error();
  auto result = restored(*staged, *file, object, converter);
  if (!result) return result.error();
  const auto path = staged_path(options, object);
  const auto written = stage(path, result->bytes, [&]() -> Result<Converter::Proof> {
    const auto back = dicom::parse_file(result->bytes);
    if (!back) return back.error();
    const std::string digest = dicom::dataset_digest(back->dataset).hex();
    if (!object.dataset_sha256) return Failure{Fault::mismatch, "the scan gave no DS1 to compare with"};
    if (digest != *object.dataset_sha256)
      return Failure{Fault::mismatch, "DS1 of the restored file is not the source's"};
    const auto from = result->converted ? dicom::parse_file(result->converted->file) : file;
    if (from && result->moved) {
      if (auto same = same_bits(*from, *back); !same) return same.error();
    } else if (!from || !same_pixel_bytes(*from, *back))
      return Failure{Fault::mismatch, "the restored file has other pixels"};
    return Converter::Proof{digest, result->verified_by};
  });
  if (!written) return written.error();
  Converted converted;
  converted.transfer_syntax = result->converted ? result->converted->transfer_syntax : file->transfer_syntax;
  if (result->converted) converted.codec = result->converted->codec;
  converted.outcome = was.undo.empty() ? "copied" : "restored";
  converted.hold(std::move(result->bytes));
  manifest::Transcode t = record_of(converted);
  t.bytes_in = staged->size();
  t.path = path_to_text(path.string());
  t.file_sha256 = Sha256::of(converted.file).hex();
  t.dataset_sha256 = written->dataset_sha256;
  t.verified_by = written->verified_by;
  return t;
}

}  // namespace

Object undo(const Options& options, const Converter& converter, Object object) {
  if (object.bucket != Bucket::instance || !object.transcode || object.transcode->path.empty()) return object;
  auto back = restore(options, converter, object);
  if (!back) {
    exclude(object, Bucket::failed, "TX-UNDO", Severity::s4, back.error().what);
    return object;
  }
  for (const auto& [old_uid, new_uid] : object.transcode->uids) {
    for (std::optional<std::string>* uid : {&object.sop_instance, &object.study, &object.series})
      if (*uid == new_uid) *uid = old_uid;
  }
  object.transcode = *std::move(back);
  return object;
}

}  // namespace waybill::transcode
