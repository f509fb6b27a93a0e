// SPDX-License-Identifier: Apache-2.0
#include "scan/run.hpp"

#include "archive/supply.hpp"
#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "scan/catalogue.hpp"
#include "scan/examine.hpp"

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
  w.end_array().member("deep", options.deep);
  const auto patterns = [&](const char* name, const std::vector<std::string>& globs) {
    if (globs.empty()) return;
    w.key(name).begin_array();
    for (const std::string& glob : globs) w.value(path_to_text(glob));
    w.end_array();
  };
  patterns("include", options.selection.include);
  patterns("exclude", options.selection.exclude);
  const archive::Shard& shard = options.selection.shard;
  if (shard.count > 1) w.member("shard", std::to_string(shard.index) + "/" + std::to_string(shard.count));
  w.end_object();
  header.options = std::move(w).str();
  return header;
}

Tally run(const Options& options, manifest::Writer& writer, const OnProgress& progress) {
  Catalogue catalogue(options.index);
  Tally tally;
  const bool resumed = writer.resumed();
  const std::string resume_at = resumed ? recall(writer.path(), catalogue, tally) : std::string();
  archive::Supply supply(options.sources, options.selection, [&](const archive::Entry& entry) {
    if (!resumed) return false;
    const manifest::Source source{path_to_text(entry.path), std::nullopt, 0, 0, {}};
    return source.path != resume_at && catalogue.recorded(manifest::object_id(source));
  });

  const auto walk_on = [&](oneapi::tbb::flow_control& flow) -> archive::Entry {
    if (!stop_requested()) {
      if (auto entry = supply.next()) return *std::move(entry);
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
  using Objects = std::vector<Object>;
  oneapi::tbb::parallel_pipeline(
      options.threads * 4,
      oneapi::tbb::make_filter<void, archive::Entry>(filter_mode::serial_in_order, walk_on) &
          oneapi::tbb::make_filter<archive::Entry, Objects>(
              filter_mode::parallel, [&](const archive::Entry& entry) { return examine(entry, options); }) &
          oneapi::tbb::make_filter<Objects, void>(filter_mode::serial_in_order, [&](Objects objects) {
            for (Object& object : objects) record(std::move(object));
          }));
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
