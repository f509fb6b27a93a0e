// SPDX-License-Identifier: Apache-2.0
#include "transcode/undo.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/digest.hpp"
#include "inspect/pixels.hpp"
#include "io/read_file.hpp"
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

/// The staged file with its changes taken back.
Result<Bytes> reverted(const dicom::File& file, const manifest::Undo& undo) {
  const auto former = former_of(undo);
  if (!former) return former.error();
  dicom::Rewrite rewrite;
  rewrite.transfer_syntax = file.transfer_syntax;
  if (auto done = dicom::revert_changes(file, *former, rewrite); !done) return done.error();
  return dicom::write_file(file, rewrite);
}

Result<manifest::Transcode> restore(const Options& options, const Object& object) {
  const manifest::Transcode& was = *object.transcode;
  const auto staged = io::read_file(path_from_text(was.path));
  if (!staged) return staged.error();
  if (Sha256::of(*staged).hex() != was.file_sha256)
    return Failure{Fault::mismatch, "the staged file is not the one the manifest tells of"};
  const auto file = dicom::parse_file(*staged);
  if (!file) return file.error();
  auto bytes = was.undo.empty() ? Result<Bytes>(*staged) : reverted(*file, was.undo);
  if (!bytes) return bytes.error();
  const auto path = staged_path(options, object);
  const auto written = stage(path, *bytes, [&]() -> Result<Converter::Proof> {
    const auto back = dicom::parse_file(*bytes);
    if (!back) return back.error();
    const std::string digest = dicom::dataset_digest(back->dataset).hex();
    if (!object.dataset_sha256) return Failure{Fault::mismatch, "the scan gave no DS1 to compare with"};
    if (digest != *object.dataset_sha256)
      return Failure{Fault::mismatch, "DS1 of the restored file is not the source's"};
    if (!same_pixel_bytes(*file, *back)) return Failure{Fault::mismatch, "the restored file has other pixels"};
    return Converter::Proof{digest, "same bytes"};
  });
  if (!written) return written.error();
  Converted converted;
  converted.hold(*std::move(bytes));
  converted.transfer_syntax = file->transfer_syntax;
  converted.outcome = was.undo.empty() ? "copied" : "restored";
  manifest::Transcode t = record_of(converted);
  t.bytes_in = staged->size();
  t.path = path_to_text(path.string());
  t.file_sha256 = Sha256::of(converted.file).hex();
  t.dataset_sha256 = written->dataset_sha256;
  t.verified_by = written->verified_by;
  return t;
}

}  // namespace

Object undo(const Options& options, Object object) {
  if (object.bucket != Bucket::instance || !object.transcode || object.transcode->path.empty()) return object;
  auto restored = restore(options, object);
  if (!restored) {
    exclude(object, Bucket::failed, "TX-UNDO", Severity::s4, restored.error().what);
    return object;
  }
  for (const auto& [old_uid, new_uid] : object.transcode->uids) {
    for (std::optional<std::string>* uid : {&object.sop_instance, &object.study, &object.series})
      if (*uid == new_uid) *uid = old_uid;
  }
  object.transcode = *std::move(restored);
  return object;
}

}  // namespace waybill::transcode
