// SPDX-License-Identifier: Apache-2.0
#include "scan/run.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "dicom/uids.hpp"
#include "io/read_file.hpp"
#include "scan/catalogue.hpp"
#include "scan/classify.hpp"
#include "scan/walk.hpp"

#include <oneapi/tbb/parallel_pipeline.h>
#include <algorithm>
#include <numeric>

namespace waybill::scan {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

bool must_quarantine(const Object& object) {
  return std::any_of(object.findings.begin(), object.findings.end(),
                     [](const manifest::Finding& f) { return f.severity >= Severity::s3; });
}

Object special(const Entry& entry) {
  Object object;
  object.source = {path_to_text(entry.path), std::nullopt, 0, entry.kind == EntryKind::file ? entry.size : 0,
                   entry.mtime};
  object.id = manifest::object_id(object.source);
  const auto set = [&](Bucket bucket, const char* type) {
    object.bucket = bucket;
    object.content_type = type;
  };
  switch (entry.kind) {
    case EntryKind::symlink: set(Bucket::non_dicom, "symlink"); break;
    case EntryKind::fifo: set(Bucket::non_dicom, "fifo"); break;
    case EntryKind::socket: set(Bucket::non_dicom, "socket"); break;
    case EntryKind::device: set(Bucket::non_dicom, "device"); break;
    case EntryKind::folder_loop: set(Bucket::non_dicom, "folder-loop"); break;
    case EntryKind::unreadable_folder: set(Bucket::unreadable, "folder"); break;
    case EntryKind::vanished: object.bucket = Bucket::unreadable; break;
    case EntryKind::file: break;
  }
  if (object.bucket == Bucket::unreadable)
    object.findings.push_back({"SRC-UNREADABLE", Severity::s4, {}, "cannot be read: " + entry.error});
  return object;
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

void classify_dicom(const dicom::File& file, const Options& options, Object& object) {
  if (file.meta.sop_class == dicom::uid::kMediaStorageDirectory ||
      file.dataset.find(dicom::tag(0x0004, 0x1220)) != nullptr) {
    object.bucket = Bucket::dicomdir;
    object.sop_class = std::string(dicom::uid::kMediaStorageDirectory);
    object.transfer_syntax = file.transfer_syntax;
    return;
  }
  inspect::inspect(file, options.deep ? inspect::Depth::pixels : inspect::Depth::datasets, object);
  if (!object.sop_class && !object.sop_instance && !file.has("ENC-LENOVER")) {
    object.bucket = Bucket::non_instance;
  } else {
    object.bucket = must_quarantine(object) ? Bucket::quarantined : Bucket::instance;
  }
}

/// Everything about one entry that needs no other entry. Any thread.
Object examine(const Entry& entry, const Options& options) {
  Object object = special(entry);
  if (entry.kind != EntryKind::file) return object;
  const auto bytes = io::read_file(entry.path);
  if (!bytes) {
    object.bucket = Bucket::unreadable;
    object.findings.push_back({"SRC-UNREADABLE", Severity::s4, {}, bytes.error().what});
    return object;
  }
  object.source.size = bytes->size();
  object.file_sha256 = Sha256::of(*bytes).hex();
  if (bytes->empty()) {
    object.bucket = Bucket::empty;
    return object;
  }
  const auto file = dicom::parse_file(*bytes);
  if (file) {
    classify_dicom(*file, options, object);
    return object;
  }
  const bool magic = bytes->size() >= 132 && as_text(ByteView(*bytes).subspan(128, 4)) == "DICM";
  if (magic || file.error().fault != Fault::not_dicom) {
    object.bucket = Bucket::quarantined;
    object.findings.push_back({"ENC-UNPARSED", Severity::s4, {}, file.error().what});
    return object;
  }
  object.bucket = Bucket::non_dicom;
  object.content_type = content_type(*bytes, file_name(entry.path));
  if (object.content_type == "zeros")
    object.findings.push_back({"SRC-ZEROS", Severity::s2, {}, "only zero bytes; a lost or not recalled file"});
  return object;
}

/// Takes in what an interrupted run has written already; the path of its last object. An entry that gives several
/// objects may be the last one half recorded, so that one is looked at again.
std::string recall(const std::filesystem::path& path, Catalogue& catalogue, Tally& tally) {
  std::string last;
  manifest::Reader reader(path);
  while (auto record = reader.next()) {
    if (auto* object = std::get_if<Object>(&*record)) {
      catalogue.remember(*object);
      tally.add(*object);
      ++tally.entries;
      last = std::move(object->source.path);
    } else if (const auto* late = std::get_if<manifest::LateFinding>(&*record)) {
      catalogue.remember(*late);
      tally.add(*late);
    } else if (const auto* study = std::get_if<manifest::Study>(&*record)) {
      catalogue.remember(*study);
    }
  }
  return last;
}

}  // namespace

void Tally::add(const Object& object) {
  ++buckets[std::string(to_string(object.bucket))];
  bytes += object.source.size;
  for (const manifest::Finding& finding : object.findings) ++findings[finding.code];
  const bool exception = object.bucket == Bucket::unreadable || object.bucket == Bucket::quarantined ||
                         object.bucket == Bucket::duplicate_conflict || must_quarantine(object);
  if (exception) ++exceptions;
}

void Tally::add(const manifest::LateFinding& late) { ++findings[late.finding.code]; }

bool Tally::closes() const {
  return entries == std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0},
                                    [](std::uint64_t sum, const auto& b) { return sum + b.second; });
}

std::string Tally::json() const {
  JsonWriter w;
  w.begin_object()
      .member("objects", entries)
      .member("bytes", bytes)
      .member("studies", studies)
      .member("exceptions", exceptions);
  w.key("buckets").begin_object();
  for (const auto& [name, n] : buckets) w.member(name, n);
  w.end_object().key("findings").begin_object();
  for (const auto& [code, n] : findings) w.member(code, n);
  return std::move(w.end_object().end_object()).str();
}

manifest::Header header_of(const Options& options) {
  manifest::Header header;
  header.stage = "scan";
  header.run = random_uuid();
  header.tool = std::string(kToolName);
  header.created = utc_now();
  JsonWriter w;
  w.begin_object().key("sources").begin_array();
  for (const std::string& source : options.sources) {
    std::error_code error;
    const auto absolute = std::filesystem::canonical(source, error);
    w.value(path_to_text(error ? source : absolute.string()));
  }
  w.end_array().member("deep", options.deep).end_object();
  header.options = std::move(w).str();
  return header;
}

Tally run(const Options& options, manifest::Writer& writer, const OnProgress& progress) {
  Walk walk(options.sources);
  Catalogue catalogue(options.index);
  Tally tally;
  const bool resumed = writer.resumed();
  const std::string resume_at = resumed ? recall(writer.path(), catalogue, tally) : std::string();

  const auto walk_on = [&](oneapi::tbb::flow_control& flow) -> Entry {
    while (!stop_requested()) {
      auto entry = walk.next();
      if (!entry) break;
      if (!resumed) return *std::move(entry);
      const manifest::Source source{path_to_text(entry->path), std::nullopt, 0, 0, {}};
      if (source.path == resume_at || !catalogue.recorded(manifest::object_id(source))) return *std::move(entry);
    }
    tally.interrupted = stop_requested();
    flow.stop();
    return {};
  };
  const auto write_late = [&](const manifest::LateFinding& late) {
    writer.append_record(late);
    tally.add(late);
  };
  const auto record = [&](Object object) {
    if (resumed && object.source.path == resume_at && catalogue.recorded(object.id)) return;
    for (const manifest::LateFinding& late : catalogue.settle(object)) write_late(late);
    writer.append_record(object);
    const std::uint64_t before = tally.exceptions;
    tally.add(object);
    ++tally.entries;
    progress(1, object.source.size, tally.exceptions - before);
  };
  using oneapi::tbb::filter_mode;
  oneapi::tbb::parallel_pipeline(
      options.threads * 4, oneapi::tbb::make_filter<void, Entry>(filter_mode::serial_in_order, walk_on) &
                               oneapi::tbb::make_filter<Entry, Object>(
                                   filter_mode::parallel, [&](const Entry& entry) { return examine(entry, options); }) &
                               oneapi::tbb::make_filter<Object, void>(filter_mode::serial_in_order, record));
  if (tally.interrupted) {
    writer.commit();
    return tally;
  }
  catalogue.conclude(write_late);
  tally.studies = catalogue.studies([&](const manifest::Study& study) { writer.append_record(study); });
  if (!tally.closes())
    throw RunError(Exit::integrity, "the scan's ledger does not close: " + tally.json() +
                                        "; keep the manifest and report this as a defect");
  writer.finish(tally.json());
  return tally;
}

Tally tally_of(const std::filesystem::path& path) {
  Tally tally;
  manifest::Reader reader(path);
  while (const auto record = reader.next()) {
    if (const auto* object = std::get_if<Object>(&*record)) {
      tally.add(*object);
      ++tally.entries;
    } else if (const auto* late = std::get_if<manifest::LateFinding>(&*record)) {
      tally.add(*late);
    } else if (std::holds_alternative<manifest::Study>(*record)) {
      ++tally.studies;
    }
  }
  return tally;
}

}  // namespace waybill::scan
