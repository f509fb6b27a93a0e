// SPDX-License-Identifier: Apache-2.0
#include "load/prepare.hpp"

#include "archive/places.hpp"
#include "core/clock.hpp"
#include "core/sha256.hpp"
#include "dicom/file.hpp"
#include "dicom/rewrite.hpp"
#include "dicom/uids.hpp"
#include "pixel/codec.hpp"
#include "transcode/pool.hpp"
#include "transcode/rules.hpp"
#include "transcode/worker.hpp"

#include <algorithm>
#include <iterator>

namespace waybill::load {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;
namespace uid = dicom::uid;

namespace {

bool is_staged(const Object& object) { return object.transcode && !object.transcode->path.empty(); }

net::Context own_context(const Object& object) {
  const auto file = transfer::file_to_send(object);
  return {object.sop_class.value_or(""), file ? file->transfer_syntax : "", false};
}

bool is_short_uid(const std::string& text) { return !text.empty() && text.size() <= 64; }

bool is_sendable(const Object& object, const net::Context& context) {
  return is_short_uid(context.sop_class) && is_short_uid(context.transfer_syntax) &&
         is_short_uid(object.sop_instance.value_or(""));
}

/// Only what loses nothing may be written in another syntax.
bool is_exact(const std::string& syntax) {
  const auto fidelity = pixel::fidelity_of(syntax);
  return fidelity == pixel::Fidelity::native || fidelity == pixel::Fidelity::lossless;
}

std::string target_of(const Options& options) { return transcode::syntax_of(options.to_syntax); }

/// The syntaxes to try, best first (domain rule 9.4); `source` is what the object is in.
std::vector<std::string> rungs_of(const std::string& source, const std::string& target, bool ladder) {
  std::vector<std::string> rungs;
  const auto add = [&](const std::string& syntax) {
    if (!syntax.empty() && std::ranges::count(rungs, syntax) == 0) rungs.push_back(syntax);
  };
  if (is_exact(source)) add(target);
  add(source);
  if (ladder && is_exact(source)) {
    add(std::string(uid::kExplicitLittleEndian));
    add(std::string(uid::kImplicitLittleEndian));
  }
  return rungs;
}

std::optional<Prepared> unreadable(Object& object, const Failure& failure) {
  const bool mismatch = failure.fault == Fault::mismatch;
  mark_not_sent(object, mismatch ? "LOAD-FIXITY" : "LOAD-UNREADABLE", Severity::s4, failure.what);
  return std::nullopt;
}

/// Whether a file begins as PS3.10 has it and says of itself what is known of the object: then it may leave as it is.
bool is_sound(ByteView file, const net::Context& context, const Object& object) {
  if (file.size() < 132 || as_text(file.subspan(128, 4)) != "DICM") return false;
  const auto meta = dicom::read_meta(file);
  return meta && meta->present && meta->transfer_syntax == context.transfer_syntax &&
         meta->sop_class == context.sop_class && meta->sop_instance == object.sop_instance.value_or("");
}

/// The dataset itself has no SOP Class or Instance UID (the finding about a contradiction is on the meta group's tag):
/// what arrived without its file would be nobody's instance.
bool is_named_by_meta_alone(const Object& object) {
  return std::ranges::any_of(
      object.findings, [](const manifest::Finding& f) { return f.code == "ENC-METAMISMATCH" && f.tag == "0008,0018"; });
}

void mark_refused_syntax(Object& object) {
  object.bucket = Bucket::failed;
  object.load->outcome = "refused";
  object.load->at = utc_now();
  object.findings.push_back(
      {"D27", Severity::s3, "", "the peer did not grant this SOP class in a transfer syntax that keeps the object"});
}

}  // namespace

std::vector<net::Context> contexts_for(const Object& object, const Options& options) {
  const net::Context own = own_context(object);
  if (!is_sendable(object, own)) return {};
  const bool fixed = is_staged(object) && !options.ladder;
  std::vector<net::Context> contexts;
  for (std::string& syntax : rungs_of(own.transfer_syntax, fixed ? "" : target_of(options), options.ladder))
    contexts.push_back({own.sop_class, std::move(syntax), false});
  const auto first = std::ranges::find(contexts, own);
  if (first != contexts.end()) std::rotate(contexts.begin(), first, first + 1);
  return contexts;
}

void mark_not_sent(Object& object, std::string_view code, Severity severity, const std::string& detail) {
  object.bucket = Bucket::failed;
  if (!object.load) object.load.emplace();
  object.load->outcome = "not-sent";
  object.load->at = utc_now();
  object.findings.push_back({std::string(code), severity, "", detail});
}

struct Preparer::Conversion {
  transcode::CodecPool pool{transcode::codec_program()};
  transcode::Converter converter;
  explicit Conversion(const std::string& time) : converter(pool, transcode::provenance_at(time)) {}

  /// In exactly this syntax, proved; a Failure says why not.
  [[nodiscard]] Result<transcode::Converted> in_syntax(ByteView source, const dicom::File& file,
                                                       const std::string& syntax, const dicom::Changes& changes) const {
    const bool implicit = syntax == uid::kImplicitLittleEndian && file.transfer_syntax != syntax;
    const transcode::Order order{implicit ? std::string(uid::kExplicitLittleEndian) : syntax, true};
    auto converted = converter.convert(source, file, order, changes);
    if (!converted) return converted;
    if (converted->transfer_syntax != order.syntax) {
      return Failure{Fault::unsupported,
                     converted->reason.empty() ? "it cannot be written in this syntax" : converted->reason};
    }
    if (!implicit) return converted;
    const auto parsed = dicom::parse_file(converted->file);
    if (!parsed) return parsed.error();
    auto written = dicom::write_file(*parsed, {syntax, {}});
    if (!written) return written.error();
    converted->hold(*std::move(written));
    converted->transfer_syntax = syntax;
    if (converted->outcome == "copied") converted->outcome = "rewritten";
    return converted;
  }
};

Preparer::Preparer(const Options& options, const std::string& run_time, std::vector<std::filesystem::path> places)
    : options_(options),
      run_time_(run_time),
      places_(std::move(places)),
      decisions_(transcode::read_decisions(options.edits)),
      target_(target_of(options)) {}

Preparer::~Preparer() = default;

const Preparer::Conversion& Preparer::conversion() const {
  std::call_once(
      made_, [&] { conversion_ = std::make_unique<Conversion>(decisions_.given ? decisions_.created : run_time_); });
  return *conversion_;
}

/// The file's bytes; parsed no further than where the dataset begins.
std::optional<Prepared> Preparer::as_it_is(Object& object, transfer::FileBytes file,
                                           const net::Context& context) const {
  const auto offset = transfer::dataset_offset(file.view);
  if (!offset) {
    mark_not_sent(object, "LOAD-UNREADABLE", Severity::s4, offset.error().what);
    return std::nullopt;
  }
  Prepared out{context, file.view.subspan(*offset), {}, std::move(file), {}};
  if (out.dataset.size() % 2 == 0) {
    if (is_sound(out.file.view, context, object)) out.part10 = out.file.view;
    return out;
  }
  // A fragment of odd length is no legal message (PS3.8 E.2), and peers drop it without an answer. By STOW-RS it could
  // travel, but then the peer could not give it to anybody by DIMSE.
  if (!uid::is_deflated(context.transfer_syntax)) {
    mark_not_sent(object, "LOAD-ODDLENGTH", Severity::s3,
                  "the dataset has an odd length, which the network cannot carry; waybill-transcode writes it anew");
    return std::nullopt;
  }
  out.changed.assign(out.dataset.begin(), out.dataset.end());
  out.changed.push_back(std::byte{0});  // what PS3.5 A.5 asks for behind a deflated stream
  out.dataset = out.changed;
  return out;
}

std::optional<Prepared> Preparer::convert(Object& object, const transfer::FileBytes& file,
                                          std::vector<manifest::Edit> edits, const Granted& granted) const {
  const net::Context own = own_context(object);
  const auto parsed = dicom::parse_file(file.view);
  if (!parsed) return unreadable(object, parsed.error());
  dicom::Changes changes;
  changes.edits = std::move(edits);
  std::ranges::move(dicom::uids_of_meta(*parsed), std::back_inserter(changes.edits));
  Failure why{Fault::refused, ""};
  bool any_granted = false;
  for (const std::string& syntax : rungs_of(own.transfer_syntax, target_, options_.ladder)) {
    const net::Context context{own.sop_class, syntax, false};
    if (!granted(context)) continue;
    any_granted = true;
    auto converted = conversion().in_syntax(file.view, *parsed, syntax, changes);
    if (!converted) {
      why = converted.error();
      continue;
    }
    const auto proof = conversion().converter.prove(*parsed, converted->file, *converted);
    if (!proof) {
      why = proof.error();
      continue;
    }
    Prepared out;
    out.changed.assign(converted->file.begin(), converted->file.end());
    const auto offset = transfer::dataset_offset(out.changed);
    if (!offset) return unreadable(object, offset.error());
    manifest::Transcode record = transcode::record_of(*converted);
    record.bytes_in = file.view.size();
    record.bytes_out = out.changed.size();
    record.file_sha256 = Sha256::of(out.changed).hex();
    record.dataset_sha256 = proof->dataset_sha256;
    record.verified_by = proof->verified_by;
    if ((converted->changed || converted->outcome == "transcoded") && transcode::is_signed(parsed->dataset)) {
      object.findings.push_back({"TX-SIGNATURE", Severity::s1, "FFFA,FFFA",
                                 "digital signatures or MACs of the source may not cover the object as it is now"});
    }
    if (!is_staged(object)) object.transcode = std::move(record);  // a staged file stays what the object is
    if (syntax != own.transfer_syntax) object.load->transfer_syntax = syntax;
    out.context = context;
    out.dataset = ByteView(out.changed).subspan(*offset);
    out.part10 = out.changed;
    return out;
  }
  if (!any_granted) {
    mark_refused_syntax(object);
  } else {
    mark_not_sent(object, "LOAD-UNPROVED", Severity::s3,
                  "the object cannot be written as it was asked for and proved equal: " + why.what);
  }
  return std::nullopt;
}

std::optional<Prepared> Preparer::prepare(Object& object, const Granted& granted) const {
  const net::Context own = own_context(object);
  if (!is_sendable(object, own)) {
    mark_not_sent(object, "LOAD-NOUID", Severity::s3,
                  "SOP class, SOP instance or transfer syntax UID is missing or too long");
    return std::nullopt;
  }
  std::vector<manifest::Edit> edits;
  if (decisions_.given && !is_staged(object)) {
    const auto unmatched = options_.send_unmatched ? transcode::Unmatched::stage : transcode::Unmatched::quarantine;
    auto found = transcode::edits_of(decisions_, unmatched, object);
    if (!found) {
      object.load.reset();
      return std::nullopt;
    }
    edits = *std::move(found);
  }
  const bool other_syntax =
      !target_.empty() && target_ != own.transfer_syntax && !is_staged(object) && is_exact(own.transfer_syntax);
  const bool nameless = !is_staged(object) && is_named_by_meta_alone(object);
  const bool as_source = edits.empty() && !other_syntax && !nameless;
  if (as_source && !granted(own) && !(options_.ladder && is_exact(own.transfer_syntax))) {
    mark_refused_syntax(object);
    return std::nullopt;
  }
  const auto place = transfer::file_to_send(object);
  if (!place) return unreadable(object, {Fault::unreadable, place.error().what});
  auto file = transfer::read_checked_file(*place);
  if (!file) {
    archive::require_place_of(place->path, places_);
    return unreadable(object, file.error());
  }
  if (as_source && granted(own)) return as_it_is(object, *std::move(file), own);
  return convert(object, *file, std::move(edits), granted);
}

}  // namespace waybill::load
