// SPDX-License-Identifier: Apache-2.0
#include "scan/run.hpp"

#include "archive/supply.hpp"
#include "archive/walk.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "manifest/begun.hpp"
#include "manifest/exception.hpp"
#include "manifest/options.hpp"
#include "scan/catalogue.hpp"
#include "scan/examine.hpp"
#include "scan/since.hpp"

#include <oneapi/tbb/parallel_pipeline.h>
#include <algorithm>
#include <numeric>

namespace waybill::scan {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

/// Counts a record that is in a manifest.
void take(const manifest::Record& record, Tally& tally) {
  if (const auto* object = std::get_if<Object>(&record)) {
    tally.add(*object);
    ++tally.entries;
  } else if (const auto* late = std::get_if<manifest::LateFinding>(&record)) {
    tally.add(*late);
  } else if (std::holds_alternative<manifest::Gone>(record)) {
    ++tally.since["gone"];
  } else if (std::holds_alternative<manifest::Study>(record)) {
    ++tally.studies;
  }
}

/// Takes in what an interrupted run has written already; the path of its last object. An entry that gives several
/// objects may be the last one half recorded, so that one is looked at again.
std::string recall(const std::filesystem::path& path, Catalogue& catalogue, Tally& tally) {
  std::string last;
  manifest::Reader reader(path);
  while (auto record = reader.next()) {
    take(*record, tally);
    if (auto* object = std::get_if<Object>(&*record)) {
      catalogue.remember(*object);
      last = std::move(object->source.path);
    } else if (const auto* late = std::get_if<manifest::LateFinding>(&*record)) {
      catalogue.remember(*late);
    } else if (const auto* gone = std::get_if<manifest::Gone>(&*record)) {
      catalogue.remember(*gone);
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
  if (object.since) ++since[*object.since];
  for (const manifest::Finding& finding : object.findings) ++findings[finding.code];
  if (manifest::is_exception(object)) ++exceptions;
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
  if (!since.empty()) {
    w.end_object().key("since").begin_object();
    for (const auto& [state, n] : since) w.member(state, n);
  }
  return std::move(w.end_object().end_object()).str();
}

namespace {

/// The settings that change the result of every entry; a scan may build on an older one when these are the same.
void write_settings(JsonWriter& w, const Options& options) {
  w.key("sources").begin_array();
  for (const std::string& source : options.sources) {
    std::error_code error;
    const auto absolute = std::filesystem::canonical(source, error);
    w.value(path_to_text(error ? source : absolute.string()));
  }
  w.end_array().member("depth", options.deep ? "deep" : options.headers ? "headers" : "datasets");
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
}

std::string settings_json(const Options& options) {
  JsonWriter w;
  w.begin_object();
  write_settings(w, options);
  return std::move(w.end_object()).str();
}

/// The settings of these options that an older scan, which may itself be incremental, did not have.
std::string other_settings(const manifest::Header& older, const Options& options) {
  std::string out;
  for (const std::string& name : manifest::differing_options(older.options, settings_json(options))) {
    if (name == "since" || name == "recheck" || name == "seed" || name == "merge") continue;
    out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

}  // namespace

manifest::Header header_of(const Options& options) {
  const archive::Walk reachable(options.sources);  // or it throws, before there is a manifest to leave behind
  manifest::Header header = manifest::begun("scan");
  JsonWriter w;
  w.begin_object();
  write_settings(w, options);
  if (!options.since.empty()) {
    header.inputs.push_back(manifest::input_of(options.since));
    w.member("since", header.inputs.back().head).member("recheck", options.recheck).member("seed", options.seed);
    const manifest::Reader older(options.since);
    if (older.header().stage != "scan")
      throw RunError(Exit::usage, options.since.string() + " is no scan; --since takes a scan of the same command");
    if (const std::string other = other_settings(older.header(), options); !other.empty())
      throw RunError(Exit::usage, options.since.string() + " was scanned with other settings (" + other +
                                      "); --since takes a scan of the same command");
  }
  header.options = std::move(w.end_object()).str();
  return header;
}

namespace {

/// The studies of a manifest; the records of objects are not parsed.
template <typename F>
void each_study(const std::filesystem::path& path, F visit) {
  manifest::Reader reader(path);
  while (const auto line = reader.next_line()) {
    if (!line->starts_with(R"({"kind":"study")")) continue;
    const auto record = manifest::parse_record(*line);
    if (const auto* study = std::get_if<manifest::Study>(&record)) visit(*study);
  }
}

/// One step of the pipeline: what the walk met and what an older scan says of it.
struct Step {
  archive::Entry entry;
  archive::EntryKind kind = archive::EntryKind::file;  // stays when the entry has gone to be examined
  Known known;
};

/// Entries are handed on by so many: fewer hand-overs, and neighbours are hashed in step.
constexpr std::size_t kBatch = 4;

struct Result {
  std::vector<manifest::Gone> gone;
  std::vector<Object> objects;
};

/// What an older scan says of an entry that need not be read again.
Result carry_over(Known known) {
  Result out{std::move(known.gone), std::move(known.objects)};
  for (Object& object : out.objects) {
    Catalogue::forget(object);
    object.since = "unchanged";
  }
  return out;
}

/// UID-FRESH: the image of then under another SOP Instance UID, where an archive exports with new UIDs each time.
bool is_fresh_copy(const Object& then, const Object& now) {
  const bool same_pixels = now.pixel_sha256 && now.pixel_sha256 == then.pixel_sha256;
  return same_pixels && now.sop_instance && then.sop_instance && now.sop_instance != then.sop_instance;
}

/// The new records of an entry, compared with those of the older scan.
Result compare(const Step& step, std::vector<Object> objects, const Options& options) {
  const Known& known = step.known;
  Result out{known.gone, std::move(objects)};
  if (options.since.empty()) return out;
  const bool special = step.kind != archive::EntryKind::file && !known.objects.empty() &&
                       known.objects.front().content_type == out.objects.front().content_type;
  const char* state = known.objects.empty() ? "new" : known.recheck ? "rechecked" : special ? "unchanged" : "changed";
  for (Object& object : out.objects) object.since = state;
  Object& file = out.objects.front();
  if (!known.objects.empty() && is_fresh_copy(known.objects.front(), file)) {
    file.findings.push_back({"UID-FRESH", Severity::s4, "0008,0018",
                             "the same pixels had another SOP Instance UID in the older scan; does the source give "
                             "new UIDs at every retrieval?"});
    file.bucket = Bucket::quarantined;
  }
  if (known.recheck && file.file_sha256 != known.objects.front().file_sha256) {
    file.since = "changed";
    file.findings.push_back(
        {"SRC-ALTERED",
         Severity::s3,
         {},
         "other bytes than in the older scan, with the same size and time: damage or a forged time"});
    file.bucket = Bucket::quarantined;
  }
  return out;
}

/// The records of a batch, in its order.
std::vector<Result> look(std::vector<Step> steps, const Options& options) {
  std::vector<Result> out(steps.size());
  const std::size_t none = steps.size();
  std::size_t waiting = none;  // an entry to be read, for which a second one is sought
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].known.same && !steps[i].known.recheck) {
      out[i] = carry_over(std::move(steps[i].known));
    } else if (waiting == none) {
      waiting = i;
    } else {
      auto both = examine_two(std::move(steps[waiting].entry), std::move(steps[i].entry), options);
      out[waiting] = compare(steps[waiting], std::move(both[0]), options);
      out[i] = compare(steps[i], std::move(both[1]), options);
      waiting = none;
    }
  }
  if (waiting != none) {
    auto alone = examine(std::move(steps[waiting].entry), options);
    out[waiting] = compare(steps[waiting], std::move(alone), options);
  }
  return out;
}

/// What a hostile file put into a finding must not make a record too long for a line of the manifest.
void shorten_details(Object& object) {
  constexpr std::size_t kMostDetail = 4096;
  for (manifest::Finding& finding : object.findings) {
    if (finding.detail.size() <= kMostDetail) continue;
    finding.detail = repair_utf8(std::string_view(finding.detail).substr(0, kMostDetail)) + "…";
  }
}

/// The records of one run, in their order; what an interrupted run wrote before is left out.
class Records {
 public:
  Records(const Options& options, manifest::Writer& writer, const OnProgress& progress)
      : writer_(writer),
        progress_(progress),
        catalogue_(options.index, options.deep ? Catalogue::Depth::pixels : Catalogue::Depth::attributes),
        resumed_(writer.resumed()),
        resume_at_(resumed_ ? recall(writer.path(), catalogue_, tally_) : std::string()) {}

  /// Whether nothing of the entry is left to be looked at.
  [[nodiscard]] bool passed(const archive::Entry& entry) const {
    if (!resumed_) return false;
    const manifest::Source source{path_to_text(entry.path), std::nullopt, 0, 0, {}};
    return source.path != resume_at_ && catalogue_.recorded(manifest::object_id(source));
  }
  void add(Result result) {
    add(result.gone);
    for (Object& object : result.objects) add(std::move(object));
  }
  void add(const std::vector<manifest::Gone>& gone) {
    for (const manifest::Gone& one : gone) {
      if (resumed_ && catalogue_.recorded(one.id)) continue;
      writer_.append_record(one);
      ++tally_.since["gone"];
    }
  }
  /// What only the whole shows, the studies and the end. `older` is the scan this one is compared with, or empty.
  void finish(const std::filesystem::path& older) {
    const auto late = [&](const manifest::LateFinding& finding) { add(finding); };
    if (!older.empty()) each_study(older, [&](const manifest::Study& study) { catalogue_.compare_count(study, late); });
    catalogue_.conclude(late);
    tally_.studies = catalogue_.studies([&](const manifest::Study& study) { writer_.append_record(study); });
    if (!tally_.closes())
      throw RunError(Exit::integrity, "the scan's ledger does not close: " + tally_.json() +
                                          "; keep the manifest and report this as a defect");
    writer_.finish(tally_.json());
  }
  /// Leaves the manifest to be gone on with.
  void interrupt() {
    tally_.interrupted = true;
    writer_.commit();
  }
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  void add(const manifest::LateFinding& late) {
    writer_.append_record(late);
    tally_.add(late);
  }
  void add(Object object) {
    if (resumed_ && object.source.path == resume_at_ && catalogue_.recorded(object.id)) return;
    shorten_details(object);
    for (const manifest::LateFinding& late : catalogue_.settle(object)) add(late);
    writer_.append_record(object);
    const std::uint64_t before = tally_.exceptions;
    tally_.add(object);
    ++tally_.entries;
    progress_(1, object.source.size, tally_.exceptions - before);
  }

  manifest::Writer& writer_;
  const OnProgress& progress_;
  Catalogue catalogue_;
  Tally tally_;
  bool resumed_;
  std::string resume_at_;  // the path of the entry in whose records the run was interrupted
};

}  // namespace

Tally run(const Options& options, manifest::Writer& writer, const OnProgress& progress) {
  Records records(options, writer, progress);
  std::optional<Since> since;
  if (!options.since.empty()) since.emplace(options.since, options.sources, options.recheck, options.seed);
  archive::Supply supply(options.sources, options.selection, [&](archive::Entry& entry) {
    if (since) archive::examine(entry);
    const bool read = !since || since->judge(entry);
    if (records.passed(entry)) {
      if (since) since->drop_last();
      return archive::Plan::pass_over;
    }
    return read ? archive::Plan::read : archive::Plan::keep;
  });

  bool interrupted = false;
  using Steps = std::vector<Step>;
  const auto walk_on = [&](oneapi::tbb::flow_control& flow) -> Steps {
    Steps steps;
    while (steps.size() < kBatch && !stop_requested()) {
      auto entry = supply.next();
      if (!entry) break;
      const archive::EntryKind kind = entry->kind;
      steps.push_back({*std::move(entry), kind, since ? since->take() : Known{}});
    }
    interrupted = stop_requested();
    if (steps.empty() || interrupted) {
      flow.stop();
      steps.clear();
    }
    return steps;
  };
  const auto write = [&](std::vector<Result> results) {
    for (Result& result : results) records.add(std::move(result));
  };
  using oneapi::tbb::filter_mode;
  oneapi::tbb::parallel_pipeline(
      std::size_t{options.threads} * 3,
      oneapi::tbb::make_filter<void, Steps>(filter_mode::serial_in_order, walk_on) &
          oneapi::tbb::make_filter<Steps, std::vector<Result>>(
              filter_mode::parallel, [&](Steps steps) { return look(std::move(steps), options); }) &
          oneapi::tbb::make_filter<std::vector<Result>, void>(filter_mode::serial_in_order, write));
  if (interrupted) {
    records.interrupt();
    return records.tally();
  }
  if (since) records.add(since->rest());
  records.finish(options.since);
  return records.tally();
}

Tally tally_of(const std::filesystem::path& path) {
  Tally tally;
  manifest::Reader reader(path);
  while (const auto record = reader.next()) take(*record, tally);
  return tally;
}

}  // namespace waybill::scan
