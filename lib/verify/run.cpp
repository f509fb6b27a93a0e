// SPDX-License-Identifier: Apache-2.0
#include "verify/run.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "load/peers.hpp"
#include "manifest/writer.hpp"
#include "verify/check.hpp"

#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#include <algorithm>
#include <memory>
#include <unordered_map>

namespace waybill::verify {

using manifest::Bucket;
using manifest::Object;

bool is_checked(const Object& object) noexcept {
  return object.bucket == Bucket::loaded || object.bucket == Bucket::instance;
}

void Tally::add(const Object& object) {
  ++output;
  ++buckets[std::string(to_string(object.bucket))];
  if (object.verify && !object.verify->verdict.empty()) {
    ++verdicts[object.verify->verdict];
    wrong += object.bucket == Bucket::failed ? 1 : 0;
  }
}

Exit Tally::exit() const {
  if (interrupted) return Exit::interrupted;
  if (wrong > 0 || !closes()) return Exit::integrity;
  const bool exceptions = buckets.contains("failed") || buckets.contains("pending") || buckets.contains("quarantined");
  return exceptions ? Exit::exceptions : Exit::ok;
}

std::string Tally::counts_json() const {
  JsonWriter json;
  json.begin_object().member("input", input).member("output", output).key("buckets").begin_object();
  for (const auto& [bucket, count] : buckets) json.member(bucket, count);
  json.end_object().key("verdicts").begin_object();
  for (const auto& [verdict, count] : verdicts) json.member(verdict, count);
  return std::move(json.end_object().member("extra", extra).end_object()).str();
}

namespace {

manifest::Header header_of(const Options& options, const load::Contents& contents) {
  manifest::Header header;
  header.stage = "verify";
  header.run = random_uuid();
  header.tool = options.tool;
  header.created = utc_now();
  JsonWriter json;
  json.begin_object().member("against", options.against ? options.against->url() : "");
  json.member("level", !options.against ? "fixity" : options.level == Level::exists ? "exists" : "content");
  header.options = std::move(json.member("calling", options.calling).end_object()).str();
  header.inputs = {contents.input};
  return header;
}

struct Past {
  std::unordered_set<std::string> done, studies, extra_lines;
};

Past read_past(const std::filesystem::path& output, Tally& tally) {
  Past past;
  manifest::Reader reader(output);
  while (const auto record = reader.next()) {
    if (const auto* object = std::get_if<Object>(&*record)) {
      past.done.insert(object->id);
      tally.add(*object);
    } else if (const auto* study = std::get_if<manifest::Study>(&*record)) {
      past.studies.insert(study->study);
    } else if (const auto* other = std::get_if<manifest::Other>(&*record); other != nullptr && other->kind == "extra") {
      tally.extra += past.extra_lines.insert(other->json).second ? 1 : 0;
    }
  }
  return past;
}

std::string extra_line(const std::string& study, const std::string& instance) {
  JsonWriter json;
  return std::move(json.begin_object()
                       .member("kind", "extra")
                       .member("study", study)
                       .member("sop_instance", instance)
                       .end_object())
      .str();
}

/// The studies to check in manifest order; everything else goes into `carried`.
std::vector<StudyWork> group(const load::Contents& contents, const Past& past, std::vector<const Object*>& carried) {
  std::vector<StudyWork> studies;
  std::unordered_map<std::string, std::size_t> places;
  for (const Object& object : contents.objects) {
    const std::string study = object.study.value_or("");
    const bool checked = is_checked(object);
    if (!checked) carried.push_back(&object);
    if (study.empty() && !checked) continue;
    const auto [place, added] = places.emplace(study, studies.size());
    if (added) studies.push_back({study, {}, {}, {}, false});
    StudyWork& work = studies[place->second];
    if (object.sop_instance) work.known.insert(*object.sop_instance);
    if (checked && !past.done.contains(object.id)) work.objects.push_back(object);
  }
  std::erase_if(studies, [](const StudyWork& work) { return work.objects.empty(); });
  return studies;
}

class Verifier {
 public:
  Verifier(const Options& options, Past& past, manifest::Writer& writer, Tally& tally)
      : options_(options), past_(past), writer_(writer), tally_(tally) {
    if (options.against) peers_.emplace(*options.against, options.calling, options.timeouts);
  }

  void run(std::vector<StudyWork>& studies) {
    if (peers_ && !studies.empty()) peers_->check();
    const std::size_t lanes = std::max(1U, options_.associations);
    const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, lanes + 1);
    tbb::task_arena arena(static_cast<int>(lanes + 1));
    std::size_t next = 0;
    arena.execute([&] {
      const auto take = tbb::make_filter<void, StudyWork*>(
          tbb::filter_mode::serial_in_order, [&](tbb::flow_control& flow) -> StudyWork* {
            if (next < studies.size() && !halt_.is_set() && !stop_requested()) return &studies[next++];
            flow.stop();
            return nullptr;
          });
      const auto work = tbb::make_filter<StudyWork*, StudyWork*>(tbb::filter_mode::parallel, [&](StudyWork* study) {
        check(*study);
        return study;
      });
      const auto record = tbb::make_filter<StudyWork*, void>(tbb::filter_mode::serial_in_order,
                                                             [&](StudyWork* study) { write(*study); });
      tbb::parallel_pipeline(lanes, take & work & record);
    });
    writer_.commit();
    halt_.rethrow();
  }

 private:
  void check(StudyWork& study) {
    try {
      if (peers_) {
        check_at_peer(study, *peers_, options_.level);
      } else {
        check_files(study);
      }
      if (options_.progress && study.finished) {
        for (const Object& object : study.objects) {
          options_.progress(1, object.source.size, object.bucket == Bucket::verified ? 0 : 1);
        }
      }
    } catch (const net::PeerError&) {
      halt_.set(std::current_exception());
    }
  }

  void write(StudyWork& study) {
    if (!study.finished) return;
    for (const std::string& uid : study.extra) {
      const std::string line = extra_line(study.study, uid);
      if (!past_.extra_lines.insert(line).second) continue;
      writer_.append(line);
      ++tally_.extra;
    }
    for (const Object& object : study.objects) {
      writer_.append_record(object);
      tally_.add(object);
    }
    study = {};
  }

  const Options& options_;
  Past& past_;
  manifest::Writer& writer_;
  Tally& tally_;
  std::optional<load::Peers> peers_;
  load::Halt halt_;
};

}  // namespace

Tally run(const Options& options) {
  net::check_ae_title(options.calling, "calling AE title");
  const load::Contents contents = load::read_manifest(options.manifest);
  Tally tally;
  tally.input = contents.objects.size();
  manifest::Writer writer(options.output, header_of(options, contents),
                          options.restart ? manifest::Restart::yes : manifest::Restart::no);
  Past past;
  if (writer.resumed() || writer.already_complete()) past = read_past(options.output, tally);
  if (writer.already_complete()) {
    tally.already_complete = true;
    return tally;
  }
  for (const auto& study : contents.studies) {
    if (!past.studies.contains(study.study)) writer.append_record(study);
  }
  std::vector<const Object*> carried;
  std::vector<StudyWork> studies = group(contents, past, carried);
  for (const Object* object : carried) {
    if (past.done.contains(object->id)) continue;
    writer.append_record(*object);
    tally.add(*object);
  }
  Verifier(options, past, writer, tally).run(studies);
  if (stop_requested() && !tally.closes()) {
    tally.interrupted = true;
    return tally;
  }
  if (!tally.closes())
    throw RunError(Exit::integrity, "the ledger of " + options.output.string() + " does not close; report this");
  writer.finish(tally.counts_json());
  return tally;
}

}  // namespace waybill::verify
