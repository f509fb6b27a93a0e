// SPDX-License-Identifier: Apache-2.0
#include "transcode/worker.hpp"

#include "archive/source.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/digest.hpp"
#include "io/atomic_file.hpp"
#include "manifest/rejection.hpp"
#include "transcode/rules.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

namespace waybill::transcode {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

std::string vr_text(dicom::Vr vr) { return {static_cast<char>(vr >> 8U), static_cast<char>(vr & 0xFFU)}; }

/// Identifiers as they are in the staged object: later stages ask a peer for these.
void follow(Object& object, const UidMap::Uids& uids) {
  for (std::optional<std::string>* uid : {&object.sop_instance, &object.study, &object.series}) {
    if (!*uid) continue;
    if (const auto at = uids.find(**uid); at != uids.end()) *uid = at->second;
  }
}

/// Whether the source is still the one that was scanned; else the object is excluded.
bool is_unchanged(Object& object, const Digest& source) {
  if (!object.file_sha256 || source.hex() == *object.file_sha256) return true;
  exclude(object, Bucket::failed, "TX-SOURCECHANGED", Severity::s4,
          "the file is not the one that was scanned; scan again");
  return false;
}

/// The digests of a source and of what became of it, in one pass over both.
std::array<Digest, 2> digests_of(ByteView source, ByteView file) {
  if (source.data() != file.data() || source.size() != file.size()) return Sha256::of_two(source, file);
  const Digest digest = Sha256::of(source);
  return {digest, digest};
}

Result<ByteView> view_of(const Result<Bytes>& bytes) {
  if (!bytes) return bytes.error();
  return ByteView(*bytes);
}

}  // namespace

manifest::Transcode record_of(const Converted& converted) {
  manifest::Transcode t;
  t.to = converted.transfer_syntax;
  t.codec = converted.codec;
  t.outcome = converted.outcome;
  t.reason = converted.reason;
  t.bytes_out = converted.file.size();
  t.undo.provenance = converted.changed;
  for (const dicom::Former& former : converted.former) {
    manifest::FormerElement element{dicom::to_string(former.tag), vr_text(former.vr), std::nullopt};
    if (former.value) element.value = to_hex(*former.value);
    t.undo.elements.push_back(std::move(element));
  }
  for (const auto& uid : converted.changes.uids) t.uids.push_back(uid);
  return t;
}

Policy policy_of(const Options& options) {
  const Order order{syntax_of(options.to), options.keep_larger};
  if (options.policy.empty()) return Policy(order);
  if (options.to.empty()) return Policy::read(options.policy, std::nullopt);
  return Policy::read(options.policy, order);
}

std::filesystem::path staged_path(const Options& options, const Object& object) {
  return options.out / object.id.substr(0, 2) / (object.id + ".dcm");
}

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
      policy_(policy_of(options)),
      uids_(UidMap::read(options.uid_map, decisions)) {}

Object Worker::operator()(Object object, std::optional<Result<Bytes>> bytes) const {
  if (object.bucket != Bucket::instance) return object;
  if (exclude_rejected(object)) return object;
  auto edits = edits_of(decisions_, options_.unmatched, object);
  if (!edits) return object;
  const auto buffer = bytes ? nullptr : converter_.buffer();
  const auto source = bytes ? view_of(*bytes)
                            : archive::read_source(object.source, [&](std::size_t size) { return buffer->room(size); });
  if (!source) {
    exclude(object, Bucket::failed, "TX-SOURCE", Severity::s4, source.error().what);
    return object;
  }
  const auto file = dicom::parse_file(*source);
  if (!file) {
    if (is_unchanged(object, Sha256::of(*source)))
      exclude(object, Bucket::failed, "TX-SOURCE", Severity::s4, file.error().what);
    return object;
  }
  work(object, *source, *file, changes_of(object, *file, *std::move(edits)));
  return object;
}

std::string Worker::study_uid(const std::string& study) const {
  Object any;
  any.study = study;
  const auto uids = uids_.of(any);
  const auto at = uids.find(study);
  return at == uids.end() ? study : at->second;
}

/// What a rejection note keeps from readers, or what is no stored object, is not staged; the source keeps it, and the
/// manifest says so.
bool Worker::exclude_rejected(Object& object) const {
  auto why = manifest::exclusion_of(object);
  if (const auto at = rejected_.find(object.id); !why && at != rejected_.end()) why = at->second;
  if (!why) return false;
  std::erase_if(object.findings, [&](const manifest::Finding& f) { return f.code == why->code; });
  exclude(object, Bucket::excluded, why->code, why->severity, why->detail);
  return true;
}

dicom::Changes Worker::changes_of(Object& object, const dicom::File& file, std::vector<manifest::Edit> edits) const {
  dicom::Changes changes;
  std::erase_if(edits, [](const manifest::Edit& edit) { return is_uid_edit(edit) && !edit.old_value.empty(); });
  changes.edits = std::move(edits);
  auto missing = dicom::uids_of_meta(file);
  const auto add_missing = [&] { std::ranges::move(missing, std::back_inserter(changes.edits)); };
  if (uids_.empty()) {
    add_missing();
    return changes;
  }
  const auto asked = uids_.of(object);
  changes.uids = dicom::named(file.dataset, asked);
  for (manifest::Edit& edit : missing) {
    const auto at = asked.find(edit.new_value);
    if (at == asked.end()) continue;
    changes.uids.insert(*at);
    edit.new_value = at->second;
  }
  add_missing();
  for (const dicom::Tag t : dicom::private_naming(file.dataset, asked))
    object.findings.push_back({"TX-UIDPRIVATE", Severity::s2, dicom::to_string(t),
                               "a private element names a UID that was replaced; it is carried as it was"});
  return changes;
}

void Worker::work(Object& object, ByteView source, const dicom::File& file, const dicom::Changes& changes) const {
  const std::filesystem::path path = staged_path(options_, object);
  const Decision decision = policy_.decide(object);
  auto converted = converter_.convert(source, file, decision.order, changes);
  if (!converted) {
    if (is_unchanged(object, Sha256::of(source)))
      exclude(object, Bucket::failed, "TX-EDIT", Severity::s3, converted.error().what);
    return;
  }
  auto [digest, file_digest] = digests_of(source, converted->file);
  if (!is_unchanged(object, digest)) return;
  auto staged = stage_proved(path, *converted, source, file);
  if (!staged && converted->outcome != "copied") {
    const Failure why = staged.error();
    if (why.fault != Fault::limit) object.findings.push_back({"TX-MISMATCH", Severity::s1, {}, why.what});
    converted = converter_.carry(source, file, changes);
    if (converted) {
      converted->outcome = "kept-source";
      converted->reason = why.what;
      converted->fault = why.fault;
      file_digest = Sha256::of(converted->file);
      staged = stage_proved(path, *converted, source, file);
    }
  }
  if (!converted || !staged) {
    exclude(object, Bucket::failed, "TX-UNPROVED", Severity::s4,
            "neither the new nor the source encoding can be proved: " +
                (converted ? staged.error().what : converted.error().what));
    return;
  }
  if (converted->fault == Fault::limit)
    object.findings.push_back({"TX-CODEC", Severity::s1, "7FE0,0010", converted->reason});
  if ((converted->changed || converted->outcome == "transcoded") && is_signed(file.dataset))
    object.findings.push_back({"TX-SIGNATURE", Severity::s1, "FFFA,FFFA",
                               "digital signatures or MACs of the source may not cover the object as it is now"});
  manifest::Transcode t = record_of(*converted);
  t.rule = decision.rule;
  t.bytes_in = source.size();
  t.path = path_to_text(path.string());
  t.file_sha256 = file_digest.hex();
  t.dataset_sha256 = staged->dataset_sha256;
  t.verified_by = staged->verified_by;
  object.transcode = std::move(t);
  follow(object, converted->changes.uids);
}

namespace {

/// Whether the file holds exactly `bytes`. Read a piece at a time, which is compared while it is in the processor's
/// cache.
Result<Done> reads_back(const std::filesystem::path& path, ByteView bytes) {
  constexpr std::size_t kPiece = std::size_t{256} << 10U;
  const io::Descriptor fd = io::open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!fd) return Failure{Fault::unreadable, "cannot be opened: " + std::generic_category().message(errno)};
  const auto piece = std::make_unique_for_overwrite<std::byte[]>(kPiece);
  for (;;) {
    const ssize_t n = ::read(fd.get(), piece.get(), kPiece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failure{Fault::unreadable, "cannot be read: " + std::generic_category().message(errno)};
    if (n == 0 && bytes.empty()) return Done{};
    const ByteView read(piece.get(), static_cast<std::size_t>(n));
    if (n == 0 || read.size() > bytes.size() || as_text(read) != as_text(bytes.first(read.size())))
      return Failure{Fault::mismatch, "the file read back is not what was written"};
    bytes = bytes.subspan(read.size());
  }
}

}  // namespace

Result<Converter::Proof> stage(const std::filesystem::path& path, ByteView bytes,
                               const std::function<Result<Converter::Proof>()>& check) {
  make_folder(path.parent_path());
  io::AtomicFile file(path);
  file.write(bytes);
  if (auto same = reads_back(file.part_path(), bytes); !same) return same.error();
  auto proof = check();
  if (!proof) return proof;
  file.name_before_sync();
  return proof;
}

Result<Converter::Proof> Worker::stage_proved(const std::filesystem::path& path, const Converted& converted,
                                              ByteView source, const dicom::File& file) const {
  if (options_.verify) {
    return stage(path, converted.file, [&]() -> Result<Converter::Proof> {
      if (as_text(converted.file) == as_text(source))
        return Converter::Proof{dicom::dataset_digest(file.dataset).hex(), "same bytes"};
      return converter_.prove(file, converted.file, converted);
    });
  }
  make_folder(path.parent_path());
  io::AtomicFile staged(path);
  staged.write(converted.file);
  staged.name_before_sync();
  const auto written = dicom::parse_file(converted.file);
  if (!written) return written.error();
  return Converter::Proof{dicom::dataset_digest(written->dataset).hex(), "none"};
}

}  // namespace waybill::transcode
