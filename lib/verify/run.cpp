// SPDX-License-Identifier: Apache-2.0
#include "verify/run.hpp"

#include "audit/trail.hpp"
#include "audit/transfers.hpp"
#include "core/stop.hpp"
#include "manifest/exception.hpp"
#include "transfer/contents.hpp"
#include "transfer/halt.hpp"
#include "transfer/lanes.hpp"
#include "transfer/output.hpp"
#include "verify/check.hpp"
#include "verify/commitment.hpp"

#include <algorithm>
#include <atomic>
#include <unordered_map>

namespace waybill::verify {

using manifest::Bucket;
using manifest::Object;

bool is_checked(const Object& object) noexcept {
  return object.bucket == Bucket::loaded || object.bucket == Bucket::instance;
}

void Tally::add(const Object& object) {
  count(object);
  if (sample) sample->add(object);
  if (!object.verify || object.verify->verdict.empty()) return;
  ++verdicts[object.verify->verdict];
  wrong += object.bucket == Bucket::failed ? 1 : 0;
}

std::string Tally::counts_json() const {
  JsonWriter json;
  json.begin_object();
  write(json, "verdicts", verdicts);
  json.member("extra", extra);
  if (sample) {
    json.key("sample").begin_object();
    sample->write(json);
    json.end_object();
  }
  return std::move(json.end_object()).str();
}

namespace {

const char* name_of(Level level) {
  if (level == Level::commitment) return "commitment";
  return level == Level::exists ? "exists" : "content";
}

std::string settings_of(const Options& options) {
  JsonWriter json;
  json.begin_object().member("against", options.against ? transfer::url_of(*options.against) : "");
  json.member("level", !options.against ? "fixity" : name_of(options.level));
  json.member("calling", options.calling);
  if (options.sample) {
    json.key("sample").begin_object();
    if (options.sample->options) {
      sample::write(*options.sample->options, json);
    } else {
      json.member("committed", true);
    }
    json.end_object();
  }
  return std::move(json.end_object()).str();
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

/// The sample to compare: drawn anew, or the list that the load committed to.
sample::Plan plan_of(const Options& options, const transfer::Contents& contents) {
  const auto& asked = *options.sample;
  std::optional<sample::Committed> committed;
  if (!asked.options) {
    if (!contents.sample.any()) {
      throw RunError(Exit::usage,
                     contents.input.name +
                         " has no sample that was committed before the load; load with --sample, or give a demand and "
                         "--seed here");
    }
    committed = contents.sample.committed();
  }
  sample::Planner planner(committed ? committed->options : *asked.options);
  for (const Object& object : contents.objects) {
    if (is_checked(object)) planner.add(object);
  }
  return planner.finish(committed ? &*committed : nullptr);
}

/// The studies to check in manifest order; everything else is carried.
std::vector<StudyWork> group(const transfer::Contents& contents, const sample::Plan* plan, transfer::Output& output) {
  std::vector<StudyWork> studies;
  std::unordered_map<std::string, std::size_t> places;
  for (const Object& object : contents.objects) {
    const std::string study = object.study.value_or("");
    const bool checked = is_checked(object);
    if (!checked) output.carry(object);
    if (study.empty() && !checked) continue;
    const auto [place, added] = places.emplace(study, studies.size());
    if (added) {
      studies.push_back({study, {}, {}, {}, false});
      if (plan != nullptr) studies.back().sampled.emplace();
    }
    StudyWork& work = studies[place->second];
    if (plan != nullptr && plan->has(object.id)) work.sampled->insert(object.id);
    if (object.sop_instance) work.known.insert(*object.sop_instance);
    if (checked && !output.has(object.id)) work.objects.push_back(object);
  }
  std::erase_if(studies, [](const StudyWork& work) { return work.objects.empty(); });
  return studies;
}

/// Whether the peer gave the object, whatever it was like.
bool came(const Object& object) {
  if (!object.verify || object.verify->verdict == "MISSING") return false;
  return std::ranges::none_of(object.findings, [](const auto& f) { return f.code == "VERIFY-NOTRETRIEVED"; });
}

class Verifier {
 public:
  Verifier(const Options& options, std::vector<StudyWork> studies, std::unordered_set<std::string>& extra_lines,
           Source* source, Receiver* receiver, transfer::Output& output, Tally& tally)
      : options_(options),
        way_{options.level, receiver, options.calling, options.timeouts.dimse},
        studies_(std::move(studies)),
        extra_lines_(extra_lines),
        source_(source),
        output_(output),
        tally_(tally) {}

  void run() {
    stopped_ = tally_.sample && tally_.sample->critical() > 0;  // by the run that this one continues
    transfer::run_lanes<StudyWork>(
        options_.associations, [&] { return next(); }, [&](StudyWork& study) { check(study); },
        [&](const StudyWork& study) { write(study); });
    if (leaves_rest()) {
      for (; next_study_ < studies_.size(); ++next_study_) leave(studies_[next_study_]);
    }
    output_.commit();
    halt_.rethrow();
  }

 private:
  std::shared_ptr<StudyWork> next() {
    if (next_study_ == studies_.size() || stopped_ || halt_.is_set() || stop_requested()) return nullptr;
    return std::make_shared<StudyWork>(std::move(studies_[next_study_++]));
  }

  void check(StudyWork& study) {
    if (stopped_) return;
    try {
      if (source_ != nullptr) {
        audited(study);
      } else {
        check_files(study);
      }
    } catch (const net::PeerError&) {
      return halt_.set(std::current_exception());
    }
    if (study.sampled && study.finished && std::ranges::any_of(study.objects, [&](const Object& object) {
          return study.compares(object) && sample::is_critical(object);
        })) {
      stopped_ = true;
    }
    if (!options_.progress || !study.finished) return;
    for (const Object& object : study.objects) {
      options_.progress(1, object.source.size, manifest::is_exception(object) ? 1 : 0);
    }
  }

  /// Asks the peer, between the audit messages of a query and, where objects are fetched, of a transfer to us.
  void audited(StudyWork& study) {
    audit::Route route = transfer::route_to(*options_.against, options_.calling);
    route.from_us = false;
    if (!study.study.empty()) audit::record(audit::query(route, study.study, audit::Outcome::success));
    audit::Transfers transfers(route);
    const auto is_fetched = [&](const Object& object) {
      return options_.level == Level::content && study.compares(object);
    };
    std::vector<const Object*> fetched;
    for (const Object& object : study.objects) {
      if (is_fetched(object)) fetched.push_back(&object);
    }
    transfers.begin(fetched);
    check_at_peer(study, *source_, way_);  // which may put other objects into their places
    for (const Object& object : study.objects) {
      if (is_fetched(object)) transfers.end(object, came(object));
    }
  }

  /// A critical defect ended the run, and what nobody looked at stays what it was.
  [[nodiscard]] bool leaves_rest() const { return stopped_ && !halt_.is_set() && !stop_requested(); }
  void leave(const StudyWork& study) {
    for (const Object& object : study.objects) output_.record(object);
  }

  void write(const StudyWork& study) {
    if (!study.finished) {
      if (leaves_rest()) leave(study);
      return;
    }
    for (const std::string& uid : study.extra) {
      const std::string line = extra_line(study.study, uid);
      if (!extra_lines_.insert(line).second) continue;
      output_.append(line);
      ++tally_.extra;
    }
    for (const Object& object : study.objects) output_.record(object);
  }

  const Options& options_;
  const Way way_;
  std::vector<StudyWork> studies_;
  std::unordered_set<std::string>& extra_lines_;  ///< written so far
  Source* source_;                                ///< none: the files are checked
  transfer::Output& output_;
  Tally& tally_;
  transfer::Halt halt_;
  std::atomic<bool> stopped_{false};  ///< by a critical defect of a sample
  std::size_t next_study_ = 0;
};

}  // namespace

Tally run(const Options& options) {
  net::check_ae_title(options.calling, "calling AE title");
  const transfer::Contents contents = transfer::read_manifest(options.manifest);
  Tally tally;
  tally.input = contents.objects.size();
  if (options.sample) {
    tally.plan = std::make_shared<sample::Plan>(plan_of(options, contents));
    tally.sample.emplace(*tally.plan);
  }
  std::unordered_set<std::string> extra_lines;
  sample::PlanLines sample_lines;
  std::string sample_result;  // of an interrupted run
  std::unique_ptr<Source> source;
  if (options.against && std::ranges::any_of(contents.objects, is_checked))
    source = make_source(*options.against, options, options.retrieve);
  std::optional<Receiver> receiver;
  if (source && options.level == Level::content && options.retrieve == Retrieve::move)
    receiver.emplace(options.listen.value(), options.calling, std::get<net::Peer>(*options.against).called,
                     options.timeouts, options.listen_tls, options.say);
  std::vector<manifest::Commitment> steps;
  const bool commits = options.against && options.level == Level::commitment;
  const bool anew = transfer::starts_anew(options);
  const auto check = [&] {
    source->check();
    if (commits) commit::Committer::check(options.commitment);
  };
  if (source && anew) check();

  index::Store store({});
  transfer::Output output(options, "verify", settings_of(options), {contents.input}, store,
                          {[&](const Object& object) { tally.add(object); },
                           [&](const manifest::Record& record) {
                             const auto* other = std::get_if<manifest::Other>(&record);
                             if (other == nullptr) return;
                             sample_lines.see(record);
                             if (other->kind == "sample-result") sample_result = other->json;
                             if (other->kind == "commitment") steps.push_back(manifest::commitment_from(other->json));
                             if (other->kind != "extra") return;
                             tally.extra += extra_lines.insert(other->json).second ? 1 : 0;
                           }});
  if (output.already_complete()) {
    tally.already_complete = true;
    return tally;
  }
  if (source && !anew) check();
  for (const auto& study : contents.studies) output.carry(study);
  if (tally.plan) {
    for (const auto& line : sample_lines.missing(*tally.plan)) output.append(line);
    output.commit();
  }
  auto studies = group(contents, tally.plan.get(), output);
  if (commits) {
    tally.interrupted = !check_commitment(options, std::move(studies), steps, output);
    output.commit();
    if (!tally.interrupted) output.finish(tally, [&] { return tally.counts_json(); });
    return tally;
  }
  Verifier(options, std::move(studies), extra_lines, source.get(), receiver ? &*receiver : nullptr, output, tally)
      .run();
  if (tally.sample && tally.closes()) {
    if (const std::string line = tally.sample->line(); line != sample_result) output.append(line);
  }
  output.finish(tally, [&] { return tally.counts_json(); });
  return tally;
}

}  // namespace waybill::verify
