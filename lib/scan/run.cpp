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
#include <unordered_set>

namespace waybill::scan {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

bool must_quarantine(const Object& object) {
  return std::any_of(object.findings.begin(), object.findings.end(),
                     [](const manifest::Finding& f) { return f.severity >= Severity::s3; });
}

/// What an interrupted run has written already.
struct Done {
  std::unordered_set<std::string> ids;
  std::string last;  ///< path of the last record: more of its members may be due
};

Done recall(const std::filesystem::path& path, Catalogue& catalogue, Tally& tally) {
  Done done;
  manifest::Reader reader(path);
  while (auto record = reader.next()) {
    if (const auto* object = std::get_if<Object>(&*record)) {
      done.ids.insert(object->id);
      done.last = object->source.path;
      catalogue.remember(*object);
      tally.add(*object);
      ++tally.entries;
    } else if (const auto* late = std::get_if<manifest::LateFinding>(&*record)) {
      catalogue.remember(*late);
    } else if (const auto* study = std::get_if<manifest::Study>(&*record)) {
      done.ids.insert(study->study);
    }
  }
  return done;
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
  Catalogue catalogue;
  Tally tally;
  Done done;
  if (writer.resumed()) done = recall(writer.path(), catalogue, tally);
  archive::Supply supply(options.sources, options.selection, [&](const archive::Entry& entry) {
    if (done.ids.empty()) return false;
    const std::string path = path_to_text(entry.path);
    return path != done.last && done.ids.contains(manifest::object_id({path, std::nullopt, 0, 0, {}}));
  });

  const auto walk_on = [&](oneapi::tbb::flow_control& flow) -> archive::Entry {
    if (!stop_requested()) {
      if (auto entry = supply.next()) return *std::move(entry);
    }
    tally.interrupted = stop_requested();
    flow.stop();
    return {};
  };
  const auto record = [&](Object object) {
    if (done.ids.contains(object.id)) return;
    for (const manifest::LateFinding& late : catalogue.settle(object)) writer.append_record(late);
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
  const auto studies = catalogue.studies();
  tally.studies = studies.size();
  if (tally.interrupted) {
    writer.commit();
    return tally;
  }
  for (const manifest::Study& study : studies) {
    if (!done.ids.contains(study.study)) writer.append_record(study);
  }
  if (!tally.closes())
    throw RunError(Exit::integrity, "the scan's ledger does not close: " + tally.json() +
                                        "; keep the manifest and report this as a defect");
  writer.finish(tally.json());
  return tally;
}

Tally tally_of(const std::filesystem::path& path) {
  Catalogue catalogue;
  Tally tally;
  (void)recall(path, catalogue, tally);
  tally.studies = catalogue.studies().size();
  return tally;
}

}  // namespace waybill::scan
