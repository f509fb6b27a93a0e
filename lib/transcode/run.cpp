// SPDX-License-Identifier: Apache-2.0
#include "transcode/run.hpp"

#include "archive/source.hpp"
#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "dicom/digest.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"
#include "manifest/exception.hpp"
#include "manifest/rejection.hpp"

#include <oneapi/tbb/parallel_pipeline.h>
#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace waybill::transcode {

using manifest::Bucket;
using manifest::Object;
using manifest::Record;
using manifest::Severity;

namespace {

constexpr const char* kStream = "-";

/// Decisions of reconcile, by study.
struct Decisions {
  bool given = false;
  dicom::Provenance provenance;
  std::unordered_map<std::string, manifest::Study> studies;
};

/// "2026-03-01T12:00:00.123456Z" as a DICOM DT in UTC.
std::string dicom_date_time(std::string_view rfc3339) {
  std::string out;
  for (const char c : rfc3339) {
    if ((c >= '0' && c <= '9') || c == '.') out += c;
  }
  return out + "+0000";
}

Decisions decisions_of(const Options& options) {
  Decisions out;
  if (options.edits.empty()) return out;
  out.given = true;
  manifest::Reader reader(options.edits);
  if (reader.header().stage != "reconcile")
    throw RunError(Exit::usage,
                   "--edits takes a manifest of reconcile, " + reader.name() + " is one of " + reader.header().stage);
  out.provenance = {std::string(kToolName), dicom_date_time(reader.header().created)};
  while (auto record = reader.next()) {
    if (auto* study = std::get_if<manifest::Study>(&*record)) out.studies[study->study] = std::move(*study);
  }
  if (!reader.end()) throw RunError(Exit::input, options.edits.string() + " is incomplete; finish reconcile first");
  return out;
}

void exclude(Object& object, Bucket bucket, std::string code, Severity severity, std::string why) {
  object.bucket = bucket;
  object.findings.push_back({std::move(code), severity, {}, std::move(why)});
  manifest::Transcode t;
  t.outcome = "not-staged";
  t.bytes_in = object.source.size;
  object.transcode = std::move(t);
}

/// The edits of the object's study; nullopt after it was put into quarantine.
std::optional<std::vector<manifest::Edit>> edits_of(const Decisions& decisions, Unmatched unmatched, Object& object) {
  if (!decisions.given) return std::vector<manifest::Edit>{};
  const auto at = decisions.studies.find(object.study.value_or(""));
  const bool automatic = at != decisions.studies.end() && at->second.decision == "auto";
  if (automatic) return at->second.edits;
  if (unmatched == Unmatched::stage) return std::vector<manifest::Edit>{};
  const bool review = at != decisions.studies.end() && at->second.decision == "review";
  exclude(object, Bucket::quarantined, review ? "MATCH-REVIEW" : "MATCH-NONE", Severity::s3,
          review ? "the study's identity waits for a person's decision (exceptions of reconcile)"
                 : "no exam of the RIS matches the study");
  return std::nullopt;
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw RunError(Exit::input, "cannot create folder " + path_to_text(folder.string()) + ": " + error.message() +
                                    "; mend its rights or choose another --out");
}

/// Writes `bytes`, reads them back from disk and calls `check` on them; the file gets its name only when it agrees.
Result<Proof> stage(const std::filesystem::path& path, const Bytes& bytes,
                    const std::function<Result<Proof>(ByteView)>& check) {
  make_folder(path.parent_path());
  io::AtomicFile file(path);
  file.write(bytes);
  const auto written = io::read_file(file.part_path());
  if (!written) return written.error();
  auto proof = check(*written);
  if (!proof) return proof;
  file.commit();
  return proof;
}

class Worker {
 public:
  Worker(const Options& options, const Decisions& decisions)
      : options_(options),
        decisions_(decisions),
        rejected_(manifest::rejected_in(options.input)),
        target_(*target_from(options.to)) {}

  Object operator()(Object object) const {
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

 private:
  /// What a rejection note keeps from readers is not staged; the source keeps it, and the manifest says so.
  bool exclude_rejected(Object& object) const {
    auto why = manifest::rejection_of(object);
    if (const auto at = rejected_.find(object.id); !why && at != rejected_.end()) why = at->second;
    if (!why) return false;
    std::erase_if(object.findings, [&](const manifest::Finding& f) { return f.code == why->code; });
    exclude(object, Bucket::excluded, why->code, why->severity, why->detail);
    return true;
  }

  void work(Object& object, const Bytes& source, const dicom::File& file,
            const std::vector<manifest::Edit>& edits) const {
    const std::filesystem::path path = options_.out / object.id.substr(0, 2) / (object.id + ".dcm");
    auto converted = convert(source, file, target_, edits, decisions_.provenance);
    if (!converted) {
      exclude(object, Bucket::failed, "TX-EDIT", Severity::s3, converted.error().what);
      return;
    }
    auto proof = stage_proved(path, *converted, source, file, edits);
    if (!proof && converted->outcome != "copied") {
      const std::string why = proof.error().what;
      object.findings.push_back({"TX-MISMATCH", Severity::s1, {}, why});
      converted = carry(source, file, edits, decisions_.provenance);
      if (converted) {
        converted->outcome = "kept-source";
        converted->reason = why;
        proof = stage_proved(path, *converted, source, file, edits);
      }
    }
    if (!converted || !proof) {
      exclude(object, Bucket::failed, "TX-UNPROVED", Severity::s4,
              "neither the new nor the source encoding can be proved: " +
                  (converted ? proof.error().what : converted.error().what));
      return;
    }
    manifest::Transcode t;
    t.to = converted->transfer_syntax;
    t.codec = converted->codec;
    t.outcome = converted->outcome;
    t.reason = converted->reason;
    t.bytes_in = source.size();
    t.bytes_out = converted->file.size();
    t.path = path_to_text(path.string());
    t.file_sha256 = Sha256::of(converted->file).hex();
    t.dataset_sha256 = proof->dataset_sha256;
    t.verified_by = proof->verified_by;
    object.transcode = std::move(t);
  }

  static Result<Proof> stage_proved(const std::filesystem::path& path, const Converted& converted, const Bytes& source,
                                    const dicom::File& file, const std::vector<manifest::Edit>& edits) {
    return stage(path, converted.file, [&](ByteView written) -> Result<Proof> {
      if (as_text(written) != as_text(converted.file))
        return Failure{Fault::mismatch, "the file read back is not what was written"};
      if (as_text(written) == as_text(source)) return Proof{dicom::dataset_digest(file.dataset).hex(), "same bytes"};
      return prove(file, written, edits);
    });
  }

  const Options& options_;
  const Decisions& decisions_;
  const std::unordered_map<std::string, manifest::Finding> rejected_;
  Target target_;
};

/// What the output holds already: the digest of each source file by object id.
using Done = std::unordered_map<std::string, std::string>;

Done recall(const std::filesystem::path& path, Tally& tally, std::uint64_t& others) {
  Done done;
  manifest::Reader reader(path);
  while (auto record = reader.next()) {
    if (const auto* object = std::get_if<Object>(&*record)) {
      done.emplace(object->id, object->file_sha256.value_or(""));
      tally.add(*object);
    } else if (const auto* other = std::get_if<manifest::Other>(&*record);
               other == nullptr || other->kind != "recovered") {
      ++others;
    }
  }
  return done;
}

[[noreturn]] void refuse_stream(const std::string& what) {
  throw RunError(Exit::usage, "the manifest on standard input " + what +
                                  ", so it is not the one this output was begun with; give the same one, or start over "
                                  "with --restart");
}

/// Whether the output holds the object; `again` counts. A file's head says that it is the same input, a stream's does
/// not before its end, so that each object is compared.
bool was_done(const Done& done, const Object& object, std::uint64_t& again) {
  const auto at = done.find(object.id);
  if (at == done.end()) return false;
  if (at->second != object.file_sha256.value_or("")) refuse_stream("has another content for object " + object.id);
  ++again;
  return true;
}

std::string json_of(const Record& record) {
  return std::visit(
      [](const auto& r) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(r)>, manifest::Other>)
          return r.json;
        else
          return to_json(r);
      },
      record);
}

}  // namespace

void Tally::add(const Object& object) {
  ++objects;
  ++buckets[std::string(to_string(object.bucket))];
  bytes_in += object.source.size;
  if (object.transcode) {
    ++outcomes[object.transcode->outcome];
    bytes_out += object.transcode->bytes_out;
  }
  if (manifest::is_exception(object)) ++exceptions;
  for (const auto& f : object.findings) integrity = integrity || f.code == "TX-SOURCECHANGED";
}

std::string Tally::json() const {
  JsonWriter w;
  w.begin_object()
      .member("objects", objects)
      .member("bytes_in", bytes_in)
      .member("bytes_out", bytes_out)
      .member("exceptions", exceptions);
  w.key("buckets").begin_object();
  for (const auto& [name, n] : buckets) w.member(name, n);
  w.end_object().key("outcomes").begin_object();
  for (const auto& [name, n] : outcomes) w.member(name, n);
  return std::move(w.end_object().end_object()).str();
}

manifest::Header header_of(const Options& options) {
  manifest::Header header;
  header.stage = "transcode";
  header.run = random_uuid();
  header.tool = std::string(kToolName);
  header.created = utc_now();
  JsonWriter w;
  w.begin_object()
      .member("to", options.to)
      .member("out", path_to_text(std::filesystem::absolute(options.out).lexically_normal().string()));
  w.member("unmatched", options.unmatched == Unmatched::stage ? "stage" : "quarantine");
  header.options = std::move(w.end_object()).str();
  header.inputs.push_back(options.input == kStream ? manifest::Input{kStream, {}} : manifest::input_of(options.input));
  if (!options.edits.empty()) header.inputs.push_back(manifest::input_of(options.edits));
  return header;
}

Tally run(const Options& options, manifest::Writer& writer, const OnProgress& progress) {
  const Decisions decisions = decisions_of(options);
  make_folder(options.out);
  Options here = options;
  here.out = std::filesystem::absolute(options.out).lexically_normal();
  Tally tally;
  std::uint64_t others_done = 0;
  Done done;
  if (writer.resumed()) done = recall(writer.path(), tally, others_done);
  manifest::Reader reader(options.input);
  const Worker worker(here, decisions);
  std::uint64_t others = 0, again = 0;

  const auto read = [&](oneapi::tbb::flow_control& flow) -> Record {
    while (!stop_requested()) {
      auto record = reader.next();
      if (!record) break;
      const auto* object = std::get_if<Object>(&*record);
      if (object != nullptr && was_done(done, *object, again)) continue;
      if (object == nullptr && others++ < others_done) continue;  // passed on before the interruption
      return *std::move(record);
    }
    tally.interrupted = stop_requested();
    flow.stop();
    return {};
  };
  const auto work = [&](Record record) -> Record {
    if (auto* object = std::get_if<Object>(&record)) return worker(std::move(*object));
    return record;
  };
  const auto record = [&](const Record& result) {
    writer.append(json_of(result));
    if (const auto* object = std::get_if<Object>(&result)) {
      const std::uint64_t before = tally.exceptions;
      tally.add(*object);
      progress(1, object->source.size, tally.exceptions - before);
    }
  };
  using oneapi::tbb::filter_mode;
  oneapi::tbb::parallel_pipeline(options.threads * 2,
                                 oneapi::tbb::make_filter<void, Record>(filter_mode::serial_in_order, read) &
                                     oneapi::tbb::make_filter<Record, Record>(filter_mode::parallel, work) &
                                     oneapi::tbb::make_filter<Record, void>(filter_mode::serial_in_order, record));
  if (tally.interrupted) {
    writer.commit();
    return tally;
  }
  if (!reader.end())
    throw RunError(Exit::input, options.input.string() + " is incomplete; finish its run, then run this again");
  if (again != done.size()) refuse_stream("lacks objects that are in the output");
  writer.finish(tally.json(), options.input == kStream ? std::vector{manifest::Input{kStream, reader.head()}}
                                                       : std::vector<manifest::Input>{});
  return tally;
}

Tally tally_of(const std::filesystem::path& path) {
  Tally tally;
  std::uint64_t others = 0;
  (void)recall(path, tally, others);
  return tally;
}

}  // namespace waybill::transcode
