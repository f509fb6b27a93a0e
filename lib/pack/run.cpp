// SPDX-License-Identifier: Apache-2.0
// Backup volumes of what a scan named. Three steps run at the same time: the next batch of objects is read and
// compressed on all cores, the batch before it is written to the volumes, and volumes that are full are read back.
#include "pack/run.hpp"

#include "archive/file.hpp"
#include "archive/places.hpp"
#include "archive/source.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "manifest/begun.hpp"
#include "manifest/exception.hpp"
#include "manifest/fit.hpp"
#include "manifest/writer.hpp"
#include "pack/contents.hpp"
#include "pack/readme.hpp"
#include "pack/volumes.hpp"

#include <fcntl.h>
#include <oneapi/tbb/parallel_for.h>
#include <algorithm>
#include <future>
#include <set>

namespace waybill::pack {

using manifest::Bucket;
using manifest::Object;
using manifest::Place;

namespace {

constexpr std::uint64_t kStreamed = std::uint64_t{64} << 20U;  // a file this large is compressed piece by piece
constexpr std::size_t kReadBytes = std::size_t{4} << 20U;
constexpr std::uint64_t kBatchBytes = std::uint64_t{8} << 20U;  // a thread
constexpr std::size_t kBatchRecords = 4096;

const char* const kChanged = "PACK-CHANGED";
const char* const kUnreadable = "PACK-UNREADABLE";
const char* const kNoDigest = "PACK-NODIGEST";

enum class Need { pass, content, held, streamed };

/// A record on its way through.
struct Item {
  std::string line;
  std::optional<Object> object;
  std::string sha256;  // of the content that is wanted
  Need need = Need::pass;
  std::optional<Result<Bytes>> member;  // its bytes, read in the order of its container
  io::Scratch frame_memory;
  std::optional<Result<ByteView>> frame;
  std::uint64_t size = 0;
};

/// What is wanted of a record: the digest of its content; empty when there is nothing to copy.
std::string wanted_digest(const Object& object) {
  if (object.file_sha256) return *object.file_sha256;
  return object.bucket == Bucket::empty ? Sha256::of(std::string_view()).hex() : "";
}

/// Whether a backup without the object's bytes is one with a hole. What has no bytes of its own (links, devices), could
/// not be read by the scan or was left out of it has none to copy.
bool needs_digest(const Object& object) {
  if (object.bucket == Bucket::excluded || object.bucket == Bucket::unreadable) return false;
  static const std::set<std::string> without_bytes = {"symlink", "hardlink",    "special", "fifo",
                                                      "socket",  "folder-loop", "device"};
  return !object.content_type || !without_bytes.contains(*object.content_type);
}

Failure changed() { return {Fault::mismatch, "the bytes are not those that were scanned"}; }

/// Reads an object's bytes into the encoder's room, proves them and encodes them.
Result<ByteView> encode(const Item& item, Encoder& encoder, io::Scratch& memory, std::uint64_t& size) {
  const auto room = [&](std::size_t bytes) { return encoder.room(bytes); };
  Result<ByteView> bytes = ByteView();
  if (item.member) {
    if (!*item.member) return item.member->error();
    const Bytes& held = **item.member;
    const auto into = encoder.room(held.size());
    std::copy(held.begin(), held.end(), into.begin());
    bytes = ByteView(into);
  } else {
    bytes = archive::read_source(item.object->source, room);
    if (!bytes) return bytes.error();
    if (bytes->empty()) (void)encoder.room(0);
  }
  if (Sha256::of(*bytes).hex() != item.sha256) return changed();
  size = bytes->size();
  return encoder.encode(bytes->size(), item.sha256, memory);
}

void fail(Item& item, const char* code, const std::string& why) {
  item.object->bucket = Bucket::failed;
  item.object->findings.push_back({code, manifest::Severity::s4, {}, "not in the backup: " + why, std::nullopt, {}});
  item.line = to_json(*item.object);
}

class Run {
 public:
  Run(const Options& options, manifest::Reader& reader, manifest::Writer& writer)
      : options_(options),
        reader_(reader),
        places_(manifest::places_in(reader.header().options)),
        writer_(writer),
        contents_(options.out / ".contents"),
        volumes_(options.out, options.volume_size, options.level),
        encoder_(options.level) {}

  Tally go() {
    if (writer_.resumed()) {
      recall();
    } else if (volumes_.any()) {
      if (!options_.restart) {
        throw RunError(Exit::usage,
                       "the folder " + path_to_text(options_.out.string()) +
                           " holds volumes without their manifest; name another folder, or start over with "
                           "--restart");
      }
      volumes_.clear();
    }
    writer_.commit();  // volumes without their manifest could not be continued
    std::vector<Item> batch = read_batch();
    std::future<void> settled;
    while (!batch.empty()) {
      oneapi::tbb::parallel_for(std::size_t{0}, batch.size(), [&](std::size_t i) { prepare(batch[i]); });
      if (settled.valid()) settled.get();
      if (stop_requested()) break;
      settled = std::async(std::launch::async, [this, now = std::move(batch)]() mutable { settle(now); });
      batch = read_batch();
    }
    if (settled.valid()) settled.get();
    tally_.interrupted = stop_requested();
    if (tally_.interrupted) {
      writer_.commit();
      return tally_;
    }
    finish();
    return tally_;
  }

 private:
  /// Goes through what an earlier run recorded, beside the input, which must be the same.
  void recall() {
    std::optional<Place> last;
    std::vector<manifest::Volume> told;
    manifest::Reader before(options_.out / kManifest);
    while (const auto line = before.next_line()) {
      if (const auto volume = manifest::volume_of(*line)) {
        told.push_back(*volume);
        continue;
      }
      auto record = manifest::parse_record(*line);
      if (const auto* other = std::get_if<manifest::Other>(&record); other != nullptr && other->kind == "recovered")
        continue;
      const auto* object = std::get_if<Object>(&record);
      const auto input = reader_.next_line();
      if (!input || !same(*input, *line, object)) {
        throw RunError(Exit::usage,
                       "the input is not the one this backup was begun with; give the same one, or start over with "
                       "--restart");
      }
      if (object == nullptr) continue;
      tally_.add(*object);
      const auto place = manifest::place_of(*line);
      if (place) placed(*object, *place, last);
    }
    volumes_told_ = told;
    volumes_.go_on(last, told);
  }

  static bool same(std::string_view input, std::string_view output, const Object* object) {
    if (object == nullptr) return input == output;
    const auto record = manifest::parse_record(input);
    const auto* there = std::get_if<Object>(&record);
    return there != nullptr && there->id == object->id && there->file_sha256 == object->file_sha256;
  }

  void placed(const Object& object, const Place& place, std::optional<Place>& last) {
    count(place, !contents_.find(place.sha256));
    if (contents_.put(place)) last = place;
    if (!place.part) whole_ = {object.source.path, place};
  }

  void count(const Place& place, bool is_new) {
    ++tally_.placed;
    if (!is_new) return;
    ++tally_.contents;
    tally_.bytes_packed += place.length;
  }

  std::vector<Item> read_batch() {
    std::vector<Item> batch;
    ahead_.clear();
    for (std::uint64_t bytes = 0; batch.size() < kBatchRecords && bytes < kBatchBytes * options_.threads;) {
      const auto line = stop_requested() ? std::nullopt : reader_.next_line();
      if (!line) break;
      Item& item = batch.emplace_back();
      item.line = *line;
      auto record = manifest::parse_record(*line);
      if (auto* object = std::get_if<Object>(&record)) {
        item.object = std::move(*object);
        item.sha256 = wanted_digest(*item.object);
        item.need = need_of(item);
        if (item.need == Need::content && item.object->source.member) {
          item.member = sources_.read(item.object->source);
          if (*item.member) bytes += (*item.member)->size();
        } else if (item.need == Need::content) {
          bytes += item.object->source.size;
        }
      }
    }
    return batch;
  }

  /// What is likely to be needed; settle() decides.
  Need need_of(const Item& item) {
    const auto& source = item.object->source;
    const bool part = source.member || source.offset > 0;
    if (part && source.path == ahead_path_) return Need::held;
    if (item.sha256.empty()) return Need::pass;
    if (!part) ahead_path_ = source.path;
    if (!ahead_.insert(item.sha256).second || contents_.find(item.sha256)) return Need::held;
    return !part && source.size >= kStreamed ? Need::streamed : Need::content;
  }

  void prepare(Item& item) const {
    if (item.need != Need::content || stop_requested()) return;
    Encoder encoder(options_.level);
    item.frame = encode(item, encoder, item.frame_memory, item.size);
    item.member.reset();
  }

  /// Writes a batch's contents to the volumes, then, when they are on disk, its records to the manifest.
  void settle(std::vector<Item>& batch) {
    std::vector<std::string> lines;
    for (Item& item : batch) {
      if (item.object) place(item);
      for (const auto& volume : volumes_.take_ended()) tell(volume, lines);
      lines.push_back(std::move(item.line));
      if (!item.object) continue;
      const std::uint64_t before = tally_.exceptions;
      tally_.add(*item.object);
      if (options_.progress) options_.progress(1, item.object->source.size, tally_.exceptions - before);
      item.frame_memory = {};
    }
    volumes_.sync();
    for (const auto& line : lines) writer_.append(line);
  }

  void tell(const manifest::Volume& volume, std::vector<std::string>& lines) {
    lines.push_back(to_json(volume));
    volumes_told_.push_back(volume);
  }

  void place(Item& item) {
    const auto& source = item.object->source;
    const bool part = source.member || source.offset > 0;
    if (part && whole_ && whole_->first == source.path) {
      Place there = whole_->second;
      there.part = true;
      count(there, false);
      item.line = manifest::with_place(item.line, there);
      return;
    }
    if (item.sha256.empty()) {
      if (needs_digest(*item.object)) fail(item, kNoDigest, "the manifest has no digest of it");
      return;
    }
    auto there = contents_.find(item.sha256);
    const bool is_new = !there;
    if (is_new) {
      const auto written = item.need == Need::streamed ? write_streamed(item) : write_frame(item);
      if (!written) {
        const bool other = written.error().fault == Fault::mismatch;
        if (!other) archive::require_place_of(path_from_text(source.path), places_);
        tally_.integrity = tally_.integrity || other;
        return fail(item, other ? kChanged : kUnreadable, written.error().what);
      }
      there = *written;
      (void)contents_.put(*there);
    }
    count(*there, is_new);
    if (!part) whole_ = {source.path, *there};
    item.line = manifest::with_place(item.line, *there);
  }

  /// An item that was thought to be held elsewhere and is not is encoded only now.
  Result<Place> write_frame(Item& item) {
    if (!item.frame) item.frame = encode(item, encoder_, item.frame_memory, item.size);
    if (!*item.frame) return item.frame->error();
    return volumes_.add(**item.frame, item.size, item.sha256);
  }

  Result<Place> write_streamed(const Item& item) {
    const std::string path = path_from_text(item.object->source.path);
    const io::Descriptor fd = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd) return Failure{Fault::unreadable, "cannot be opened"};
    const auto state = archive::state_of(fd.get());
    if (!state) return state.error();
    if (state->size != item.object->source.size) return changed();
    Sha256 sha;
    Bytes buffer(kReadBytes);
    std::optional<Failure> failure;
    const auto next = [&]() -> ByteView {
      if (stop_requested())  // a file of this size may take hours; what is not recorded is written again
        throw RunError(Exit::interrupted, "interrupted; run the same command again to continue");
      std::size_t n = 0;
      try {
        n = io::read_some(fd.get(), buffer, path);
      } catch (const RunError&) {
        failure = Failure{Fault::unreadable, "cannot be read to its end"};
      }
      sha.update(ByteView(buffer).first(n));
      return ByteView(buffer).first(n);
    };
    const auto write = [&](const Encoder::Sink& sink) {
      const bool whole = encoder_.stream(state->size, item.sha256, options_.threads, next, sink);
      return whole && !failure && sha.finish().hex() == item.sha256;
    };
    auto place = volumes_.add_stream(entry_bound(state->size), state->size, item.sha256, write);
    if (place) return *std::move(place);
    return failure ? *failure : changed();
  }

  void finish() {
    if (!reader_.end())
      throw RunError(Exit::input,
                     path_to_text(options_.input.string()) + " is incomplete; finish its run, then run this again");
    std::vector<std::string> lines;
    for (const auto& volume : volumes_.finish()) tell(volume, lines);
    for (const auto& line : lines) writer_.append(line);
    tally_.volumes = volumes_told_.size();
    write_readme(options_.out, volumes_told_);
    const bool stream = options_.input == "-";
    writer_.finish(tally_.json(),
                   stream ? std::vector{manifest::Input{"-", reader_.head()}} : std::vector<manifest::Input>{});
  }

  const Options& options_;
  manifest::Reader& reader_;
  const std::vector<std::filesystem::path> places_;  ///< of the sources
  manifest::Writer& writer_;
  Contents contents_;
  Volumes volumes_;
  Encoder encoder_;  // of settle()
  archive::SourceReader sources_;
  Tally tally_;
  std::vector<manifest::Volume> volumes_told_;
  std::set<std::string> ahead_;                         // digests of the batch that is being read
  std::string ahead_path_;                              // of the last whole file read
  std::optional<std::pair<std::string, Place>> whole_;  // path and place of the last whole file written
};

manifest::Header header_of(const Options& options, const manifest::Header& input) {
  if (input.stage == "pack")
    throw RunError(Exit::usage, "the input is the manifest of a backup already; give the manifest of the scan");
  // Also because a source that is gone does not tell whether it is a folder, of which the root is made.
  for (const auto& place : manifest::places_in(input.options)) archive::require_place(place);
  manifest::Header header = manifest::begun("pack");
  JsonWriter w;
  w.begin_object().member("root", manifest::common_folder(input.options));
  w.member("volume_size", options.volume_size).member("level", options.level).end_object();
  header.options = std::move(w).str();
  header.inputs.push_back(options.input == "-" ? manifest::Input{"-", {}} : manifest::input_of(options.input));
  return header;
}

Tally tally_of(const std::filesystem::path& path) {
  Tally tally;
  manifest::Reader reader(path);
  while (const auto line = reader.next_line()) {
    if (manifest::volume_of(*line)) ++tally.volumes;
    const auto record = manifest::parse_record(*line);
    const auto* object = std::get_if<Object>(&record);
    if (object == nullptr) continue;
    tally.add(*object);
    if (manifest::place_of(*line)) ++tally.placed;
  }
  tally.already_complete = true;
  return tally;
}

}  // namespace

void Tally::add(const Object& object) {
  ++objects;
  ++buckets[std::string(to_string(object.bucket))];
  bytes_in += object.source.size;
  if (manifest::is_exception(object)) ++exceptions;
  for (const auto& finding : object.findings) integrity = integrity || finding.code == kChanged;
}

std::string Tally::json() const {
  JsonWriter w;
  w.begin_object().member("objects", objects).member("placed", placed).member("contents", contents);
  w.member("bytes_in", bytes_in).member("bytes_packed", bytes_packed).member("volumes", volumes);
  w.member("exceptions", exceptions).key("buckets").begin_object();
  for (const auto& [name, n] : buckets) w.member(name, n);
  return std::move(w.end_object().end_object()).str();
}

Tally run(const Options& options) {
  manifest::Reader reader(options.input);
  manifest::require_objects(reader);
  manifest::keep_out_of_sources(reader.header().options, options.out);
  const manifest::Header header = header_of(options, reader.header());
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) io::throw_errno("make folder", options.out, error.value());
  manifest::Writer writer(options.out / kManifest, header,
                          options.restart ? manifest::Restart::yes : manifest::Restart::no);
  if (writer.already_complete()) return tally_of(options.out / kManifest);
  return Run(options, reader, writer).go();
}

}  // namespace waybill::pack
