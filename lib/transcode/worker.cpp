// SPDX-License-Identifier: Apache-2.0
#include "transcode/worker.hpp"

#include "archive/source.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/digest.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"
#include "manifest/rejection.hpp"
#include "transcode/rules.hpp"

#include <algorithm>

namespace waybill::transcode {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

std::string vr_text(dicom::Vr vr) { return {static_cast<char>(vr >> 8U), static_cast<char>(vr & 0xFFU)}; }

manifest::Transcode record_of(const Converted& converted) {
  manifest::Transcode t;
  t.to = converted.transfer_syntax;
  t.codec = converted.codec;
  t.outcome = converted.outcome;
  t.reason = converted.reason;
  t.bytes_out = converted.file.size();
  t.file_sha256 = Sha256::of(converted.file).hex();
  t.undo.provenance = converted.changed;
  for (const dicom::Former& former : converted.former) {
    manifest::FormerElement element{dicom::to_string(former.tag), vr_text(former.vr), std::nullopt};
    if (former.value) element.value = to_hex(*former.value);
    t.undo.elements.push_back(std::move(element));
  }
  return t;
}

}  // namespace

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw RunError(Exit::input, "cannot create folder " + path_to_text(folder.string()) + ": " + error.message() +
                                    "; mend its rights or choose another --out");
}

Worker::Worker(const Options& options, const Decisions& decisions, const Converter& converter)
    : options_(options),
      decisions_(decisions),
      converter_(converter),
      rejected_(manifest::rejected_in(options.input)),
      order_{syntax_of(options.to), options.keep_larger} {}

Object Worker::operator()(Object object) const {
  if (object.bucket != Bucket::instance) return object;
  if (exclude_rejected(object)) return object;
  const auto edits = edits_of(decisions_, options_.unmatched, object);
  if (!edits) return object;
  const auto source = archive::read_source(object.source);
  if (!source) {
    exclude(object, Bucket::failed, "TX-SOURCE", Severity::s4, source.error().what);
    return object;
  }
  const std::string digest = Sha256::of(*source).hex();
  if (object.file_sha256 && digest != *object.file_sha256) {
    exclude(object, Bucket::failed, "TX-SOURCECHANGED", Severity::s4,
            "the file is not the one that was scanned; scan again");
    return object;
  }
  const auto file = dicom::parse_file(*source);
  if (!file) {
    exclude(object, Bucket::failed, "TX-SOURCE", Severity::s4, file.error().what);
    return object;
  }
  work(object, *source, *file, *edits);
  return object;
}

/// What a rejection note keeps from readers is not staged; the source keeps it, and the manifest says so.
bool Worker::exclude_rejected(Object& object) const {
  auto why = manifest::rejection_of(object);
  if (const auto at = rejected_.find(object.id); !why && at != rejected_.end()) why = at->second;
  if (!why) return false;
  std::erase_if(object.findings, [&](const manifest::Finding& f) { return f.code == why->code; });
  exclude(object, Bucket::excluded, why->code, why->severity, why->detail);
  return true;
}

void Worker::work(Object& object, const Bytes& source, const dicom::File& file,
                  const std::vector<manifest::Edit>& edits) const {
  const std::filesystem::path path = options_.out / object.id.substr(0, 2) / (object.id + ".dcm");
  const dicom::Changes changes{edits, {}, {}};
  auto converted = converter_.convert(source, file, order_, changes);
  if (!converted) {
    exclude(object, Bucket::failed, "TX-EDIT", Severity::s3, converted.error().what);
    return;
  }
  auto proof = stage_proved(path, *converted, source, file);
  if (!proof && converted->outcome != "copied") {
    const Failure why = proof.error();
    if (why.fault != Fault::limit) object.findings.push_back({"TX-MISMATCH", Severity::s1, {}, why.what});
    converted = converter_.carry(source, file, changes);
    if (converted) {
      converted->outcome = "kept-source";
      converted->reason = why.what;
      converted->fault = why.fault;
      proof = stage_proved(path, *converted, source, file);
    }
  }
  if (!converted || !proof) {
    exclude(object, Bucket::failed, "TX-UNPROVED", Severity::s4,
            "neither the new nor the source encoding can be proved: " +
                (converted ? proof.error().what : converted.error().what));
    return;
  }
  if (converted->fault == Fault::limit)
    object.findings.push_back({"TX-CODEC", Severity::s1, "7FE0,0010", converted->reason});
  if ((converted->changed || converted->outcome == "transcoded") && is_signed(file.dataset))
    object.findings.push_back({"TX-SIGNATURE", Severity::s1, "FFFA,FFFA",
                               "digital signatures or MACs of the source may not cover the object as it is now"});
  manifest::Transcode t = record_of(*converted);
  t.bytes_in = source.size();
  t.path = path_to_text(path.string());
  t.dataset_sha256 = proof->dataset_sha256;
  t.verified_by = proof->verified_by;
  object.transcode = std::move(t);
}

/// Writes the bytes, reads them back from disk and proves them; the file gets its name only when that succeeds.
Result<Converter::Proof> Worker::stage_proved(const std::filesystem::path& path, const Converted& converted,
                                              const Bytes& source, const dicom::File& file) const {
  make_folder(path.parent_path());
  io::AtomicFile staged(path);
  staged.write(converted.file);
  const auto written = io::read_file(staged.part_path());
  if (!written) return written.error();
  if (as_text(*written) != as_text(converted.file))
    return Failure{Fault::mismatch, "the file read back is not what was written"};
  auto proof = as_text(*written) == as_text(source)
                   ? Converter::Proof{dicom::dataset_digest(file.dataset).hex(), "same bytes"}
                   : converter_.prove(file, *written, converted);
  if (!proof) return proof;
  staged.commit();
  return proof;
}

}  // namespace waybill::transcode
