// SPDX-License-Identifier: Apache-2.0
#include "transcode/run.hpp"

#include "archive/places.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "index/store.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"
#include "manifest/begun.hpp"
#include "manifest/exception.hpp"
#include "manifest/fit.hpp"
#include "manifest/reader.hpp"
#include "transcode/flow.hpp"
#include "transcode/pool.hpp"
#include "transcode/undo.hpp"
#include "transcode/worker.hpp"

#include <oneapi/tbb/global_control.h>

namespace waybill::transcode {

using manifest::Object;
using manifest::Record;

namespace {

constexpr const char* kStream = "-";

/// What the output of an interrupted run holds already: the digest of each source file by object id, on disk.
class Done {
 public:
  void add(const Object& object) {
    if (!store_) store_.emplace(std::filesystem::path());
    store_->put(object.id, object.file_sha256.value_or(""));
    ++size_;
  }
  [[nodiscard]] std::optional<std::string> digest_of(const std::string& id) const {
    return store_ ? store_->get(id) : std::nullopt;
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  std::optional<index::Store> store_;
  std::uint64_t size_ = 0;
};

/// Counts what a manifest of transcode holds. `done`: also remembers it; `others`: records that are no objects.
void recall(const std::filesystem::path& path, Tally& tally, Done* done, std::uint64_t& others) {
  manifest::Reader reader(path);
  while (auto record = reader.next()) {
    if (const auto* object = std::get_if<Object>(&*record)) {
      if (done != nullptr) done->add(*object);
      tally.add(*object);
    } else if (const auto* other = std::get_if<manifest::Other>(&*record);
               other == nullptr || other->kind != "recovered") {
      ++others;
    }
  }
}

[[noreturn]] void refuse_stream(const std::string& what) {
  throw RunError(Exit::usage, "the manifest on standard input " + what +
                                  ", so it is not the one this output was begun with; give the same one, or start over "
                                  "with --restart");
}

/// Whether the output holds the object; `again` counts. A file's head says that it is the same input, a stream's does
/// not before its end, so that each object is compared.
bool was_done(const Done& done, const Object& object, std::uint64_t& again) {
  const auto digest = done.digest_of(object.id);
  if (!digest) return false;
  if (*digest != object.file_sha256.value_or("")) refuse_stream("has another content for object " + object.id);
  ++again;
  return true;
}

/// A larger object is worked on alone: its frames keep the cores busy.
FlowLimits limits_of(const Options& options) { return {options.threads, (std::uint64_t{48} << 20U) * options.threads}; }

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

namespace {
/// So that a run is not continued with another table.
std::string digest_of(const std::filesystem::path& file) {
  const auto bytes = io::read_file(file);
  if (!bytes) throw RunError(Exit::input, path_to_text(file.string()) + " " + bytes.error().what);
  return Sha256::of(*bytes).hex();
}
}  // namespace

manifest::Header header_of(const Options& options) {
  // A table that is refused leaves no manifest behind.
  if (!options.policy.empty()) (void)policy_of(options);
  if (!options.uid_map.empty()) (void)UidMap::read(options.uid_map, {});
  manifest::Header header = manifest::begun("transcode");
  JsonWriter w;
  w.begin_object()
      .member("to", options.to)
      .member("out", path_to_text(std::filesystem::absolute(options.out).lexically_normal().string()));
  w.member("unmatched", options.unmatched == Unmatched::stage ? "stage" : "quarantine");
  if (options.keep_larger) w.member("keep_larger", "yes");
  if (!options.verify) w.member("verify", "none");
  if (options.undo) w.member("undo", true);
  for (const auto& [name, file] : {std::pair{"policy", &options.policy}, {"uid_map", &options.uid_map}})
    if (!file->empty()) w.member(name, digest_of(*file));
  header.options = std::move(w.end_object()).str();
  header.inputs.push_back(options.input == kStream ? manifest::Input{kStream, {}} : manifest::input_of(options.input));
  if (!options.edits.empty()) header.inputs.push_back(manifest::input_of(options.edits));
  return header;
}

std::unique_ptr<Codecs> start_codecs(const Options& options) {
  const bool encodes = !options.undo && (!syntax_of(options.to).empty() || !options.policy.empty());
  return std::make_unique<CodecPool>(codec_program(), CodecLimits{}, encodes ? options.threads : 0);
}

namespace {

/// Objects are staged from their sources: what an earlier run has changed would be told of them and not be there.
void refuse_staged(const Object& object) {
  if (object.bucket != manifest::Bucket::instance || !object.transcode) return;
  throw RunError(Exit::usage,
                 "object " + object.id +
                     " of the manifest is staged already; name the manifest of scan (with the same --edits "
                     "and --uid-map) to stage it otherwise, or use --undo");
}

}  // namespace

Tally run(const Options& options, Codecs& codecs, manifest::Writer& writer, const OnProgress& progress) {
  const Decisions decisions = read_decisions(options.edits);
  Options here = options;
  here.out = std::filesystem::absolute(options.out).lexically_normal();
  Tally tally;
  std::uint64_t others_done = 0;
  Done done;
  if (writer.resumed()) recall(writer.path(), tally, &done, others_done);
  manifest::Reader reader(options.input);
  manifest::require_objects(reader);
  if (options.undo && reader.header().stage != "transcode")
    throw RunError(Exit::usage, "--undo takes a manifest of transcode, this is one of " + reader.header().stage +
                                    "; name the transcode.wb whose changes are to be taken back");
  manifest::keep_out_of_sources(reader.header().options, here.out);
  const auto places = manifest::places_in(reader.header().options);
  make_folder(here.out);
  const Converter converter(codecs, provenance_at(decisions.given ? decisions.created : reader.header().created),
                            Converter::kApart, options.verify);
  const Worker worker(here, decisions, converter);
  std::uint64_t others = 0, again = 0;
  UidMap::Uids taken_back;  // by --undo: UIDs as they are staged, and as they were

  const auto follow = [&](manifest::Study& study) {
    const auto at = taken_back.find(study.study);
    study.study = !options.undo ? worker.study_uid(study.study) : at == taken_back.end() ? study.study : at->second;
  };
  const auto next = [&]() -> std::optional<Record> {
    while (!stop_requested()) {
      auto record = reader.next();
      if (!record) break;
      const auto* object = std::get_if<Object>(&*record);
      if (options.undo && object != nullptr && object->transcode) {
        for (const auto& [old_uid, new_uid] : object->transcode->uids) taken_back.emplace(new_uid, old_uid);
      }
      if (object != nullptr && was_done(done, *object, again)) continue;
      if (object == nullptr && others++ < others_done) continue;  // passed on before the interruption
      if (auto* study = std::get_if<manifest::Study>(&*record)) follow(*study);
      return record;
    }
    return std::nullopt;
  };
  const auto work = [&](Item& item) {
    auto* object = std::get_if<Object>(&item.record);
    if (object == nullptr) return;
    if (!options.undo) refuse_staged(*object);
    *object =
        options.undo ? undo(here, converter, std::move(*object)) : worker(std::move(*object), std::move(item.bytes));
    item.bytes.reset();
    if (object->bucket == manifest::Bucket::failed)
      archive::require_place_of(path_from_text(object->source.path), places);
  };
  const auto record = [&](const Record& result) {
    writer.append(json_of(result));
    if (const auto* object = std::get_if<Object>(&result)) {
      const std::uint64_t before = tally.exceptions;
      tally.add(*object);
      progress(1, object->source.size, tally.exceptions - before);
    }
  };
  // A record tells only of what is on disk: one wait for the disk serves many, while the next are worked on.
  const io::FilesystemSync sync(here.out);
  using Control = oneapi::tbb::global_control;
  const Control control(Control::max_allowed_parallelism, options.threads + 1);
  Flow flow(next, work, limits_of(options));
  for (auto finished = flow.take(); !finished.empty(); finished = flow.take()) {
    sync();
    for (const Record& result : finished) record(result);
  }
  tally.interrupted = stop_requested();
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
  recall(path, tally, nullptr, others);
  return tally;
}

}  // namespace waybill::transcode
