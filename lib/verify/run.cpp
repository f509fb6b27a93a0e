// SPDX-License-Identifier: Apache-2.0
#include "verify/run.hpp"

#include "audit/trail.hpp"
#include "audit/transfers.hpp"
#include "core/stop.hpp"
#include "manifest/exception.hpp"
#include "transfer/halt.hpp"
#include "transfer/output.hpp"
#include "verify/check.hpp"
#include "verify/commitment.hpp"
#include "verify/lanes.hpp"
#include "verify/put_off.hpp"
#include "verify/studies.hpp"
#include "web/endpoint.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

namespace waybill::verify {

using manifest::Bucket;
using manifest::Object;

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
  json.member("not_loaded", not_loaded);
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

constexpr const char* kNotLoaded = "VERIFY-NOTLOADED";

manifest::LateFinding not_loaded_finding(const std::string& id) {
  return {id,
          {kNotLoaded, manifest::Severity::s3, "0008,0018",
           "the target holds an object of this UID although this one was not loaded; find out where it comes from"}};
}

/// Finished studies wait for earlier ones; of their objects, which take about 4 KiB each, so many are in memory.
constexpr std::size_t kMostHeld = 32768;

/// Whether the peer gave the object, whatever it was like.
bool came(const Object& object) {
  if (!object.verify || object.verify->verdict == "MISSING") return false;
  return std::ranges::none_of(object.findings, [](const auto& f) { return f.code == "VERIFY-NOTRETRIEVED"; });
}

/// Whether the peer failed at this one study, as far as one can tell: it answered, and not that it lacks the service.
bool is_of_one_study(const net::PeerError& error) {
  return dynamic_cast<const web::Failed*>(&error) != nullptr || error.kind() == net::PeerError::Kind::refused;
}

void conclude_unanswered(StudyWork& study, const std::string& why) {
  for (Object& object : study.objects) {
    object.findings.push_back(
        {"VERIFY-UNANSWERED", manifest::Severity::s3, "", "the peer failed to answer for the study: " + why});
  }
  study.finished = true;
}

class Verifier {
 public:
  /// `answered`: a study that the peer answered for in the run that this one continues, or "".
  Verifier(const Options& options, Studies& studies, std::unordered_set<std::string>& extra_lines, Source* source,
           Receiver* receiver, std::string answered, transfer::Output& output, Tally& tally)
      : options_(options),
        control_(options, halt_),
        way_{options.level, receiver, options.calling, options.timeouts.dimse,
             [this](std::uint64_t bytes) { control_.spread(bytes); }},
        studies_(studies),
        places_(studies.places()),
        extra_lines_(extra_lines),
        source_(source),
        put_off_(std::move(answered)),
        output_(output),
        tally_(tally) {}

  void run() {
    stopped_ = tally_.sample && tally_.sample->critical() > 0;  // by the run that this one continues
    const auto take = [&] { return next(); };
    const auto work = [&](StudyWork& study) { check(study); };
    const auto record = [&](const StudyWork& study) { write(study); };
    Lanes<StudyWork, decltype(take), decltype(work), decltype(record)>(kMostHeld, take, work, record)
        .run(options_.associations);
    settle_put_off();
    while (leaves_rest()) {
      const auto study = studies_.next(tally_.plan.get(), output_);
      if (!study) break;
      leave(*study);
    }
    output_.commit();
    halt_.rethrow();
    tally_.interrupted = control_.closed() && !tally_.closes();
  }

 private:
  std::unique_ptr<StudyWork> next() {
    if (stopped_ || halt_.is_set() || stop_requested()) return nullptr;
    if (!control_.await_open([] {})) return nullptr;
    const std::lock_guard lock(recording_);
    return studies_.next(tally_.plan.get(), output_);
  }

  void check(StudyWork& study) {
    if (stopped_) return;
    const std::size_t failed_before = put_off_.count();
    try {
      ask(study);
    } catch (const net::PeerError& error) {
      if (!is_of_one_study(error) || !put_off_.add(study)) halt_.set(std::current_exception());
      return;
    }
    tell(study);
    if (!study.study.empty()) settle(put_off_.answered(study.study, failed_before));  // else nobody was asked
  }

  void ask(StudyWork& study) { source_ != nullptr ? audited(study) : check_files(study, places_, way_.came); }

  void tell(const StudyWork& study) {
    if (!study.finished) return;
    if (study.sampled && std::ranges::any_of(study.objects, [&](const Object& object) {
          return study.compares(object) && sample::is_critical(object);
        })) {
      stopped_ = true;
    }
    if (!options_.progress) return;
    for (const Object& object : study.objects) {
      options_.progress(1, object.source.size, manifest::is_exception(object) ? 1 : 0);
    }
  }

  /// Asks once more about studies that the peer failed at; what it fails at again is recorded without an answer.
  void settle(std::vector<StudyWork> studies) {
    for (StudyWork& study : studies) {
      if (!stopped_ && !halt_.is_set() && !control_.stopping()) ask_again(study);
      write(study);
    }
  }

  void ask_again(StudyWork& study) {
    try {
      ask(study);
    } catch (const net::PeerError& error) {
      if (!is_of_one_study(error)) return halt_.set(std::current_exception());
      conclude_unanswered(study, error.what());
    }
    tell(study);
  }

  /// Studies behind which none was answered for, when all others are done.
  void settle_put_off() {
    if (!put_off_.any() || halt_.is_set() || control_.stopping()) return;
    try {
      if (!stopped_) ask_about_another();
      settle(put_off_.answered("", put_off_.count()));
    } catch (const net::PeerError&) {
      halt_.set(std::current_exception());
    }
  }

  /// Throws net::PeerError unless the peer still answers for a study that it has answered for.
  void ask_about_another() {
    const std::string& study = put_off_.last_answered();
    if (study.empty()) std::rethrow_exception(put_off_.first_error());
    source_->with_session(study, {}, false, [&](Session& session) { (void)session.find_study(study); });
  }

  /// Asks the peer, between the audit messages of a query and, where objects are fetched, of a transfer to us.
  void audited(StudyWork& study) {
    audit::Route route = transfer::route_to(*options_.against, options_.calling);
    route.from_us = false;
    const auto asked = [&](audit::Outcome outcome) {
      if (!study.study.empty()) audit::record(audit::query(route, study.study, outcome));
    };
    asked(audit::Outcome::success);
    audit::Transfers transfers(route);
    const auto is_fetched = [&](const Object& object) {
      return options_.level == Level::content && study.compares(object);
    };
    std::vector<const Object*> fetched;
    for (const Object& object : study.objects) {
      if (is_fetched(object)) fetched.push_back(&object);
    }
    transfers.begin(fetched);
    try {
      check_at_peer(study, *source_, way_);  // which may put other objects into their places
    } catch (...) {
      asked(audit::Outcome::serious);
      throw;
    }
    for (const Object& object : study.objects) {
      if (is_fetched(object)) transfers.end(object, came(object));
    }
  }

  /// A critical defect ended the run, and what nobody looked at stays what it was.
  [[nodiscard]] bool leaves_rest() const { return stopped_ && !halt_.is_set() && !control_.stopping(); }
  void leave(const StudyWork& study) {
    for (const Object& object : study.objects) output_.record(object);
  }

  void write(const StudyWork& study) {
    const std::lock_guard lock(recording_);
    if (!study.finished) {
      if (leaves_rest()) leave(study);
      return;
    }
    for (const std::string& uid : study.extra) {
      const std::string line = extra_line(study.study, uid);
      if (!extra_lines_.insert(line).second) continue;
      output_.append(line);
      ++tally_.extra;
      tally_.name("only the target has " + uid + " of study " + study.study);
    }
    for (const std::string& uid : study.not_loaded) {
      for (const std::string& id : study.held_back.at(uid)) {
        if (!extra_lines_.insert(id).second) continue;
        output_.append(manifest::to_json(not_loaded_finding(id)));
        ++tally_.not_loaded;
        tally_.name("the target has " + uid + " of study " + study.study + ", which was not loaded (object " + id +
                    ")");
      }
    }
    for (const Object& object : study.objects) output_.record(object);
  }

  const Options& options_;
  transfer::Halt halt_;
  transfer::Control control_;
  const Way way_;
  Studies& studies_;
  const std::vector<std::filesystem::path> places_;
  std::unordered_set<std::string>& extra_lines_;  ///< written so far
  Source* source_;                                ///< none: the files are checked
  PutOff put_off_;
  transfer::Output& output_;
  Tally& tally_;
  std::atomic<bool> stopped_{false};  ///< by a critical defect of a sample
  std::mutex recording_;              ///< of output and tally, which taking a study and recording one both write
};

}  // namespace

Tally run(const Options& options) {
  net::check_ae_title(options.calling, "calling AE title");
  index::Store store({});
  Studies studies(options, store);
  Tally tally;
  tally.input = studies.objects();
  if (options.sample) {
    tally.plan = std::make_shared<sample::Plan>(studies.plan());
    tally.sample.emplace(*tally.plan);
  }
  std::unordered_set<std::string> extra_lines;
  sample::PlanLines sample_lines;
  std::string sample_result, answered;  // of an interrupted run
  std::unique_ptr<Source> source;
  if (options.against && studies.any()) source = make_source(*options.against, options, options.retrieve);
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

  transfer::Output output(options, "verify", settings_of(options), {studies.input()}, store,
                          {[&](const Object& object) { tally.add(object); },
                           [&](const manifest::Record& record) {
                             const auto* object = std::get_if<Object>(&record);
                             if (object != nullptr && object->verify && !object->study.value_or("").empty())
                               answered = *object->study;
                             const auto* late = std::get_if<manifest::LateFinding>(&record);
                             if (late != nullptr && late->finding.code == kNotLoaded)
                               tally.not_loaded += extra_lines.insert(late->id).second ? 1 : 0;
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
  if (tally.plan) {
    for (const auto& line : sample_lines.missing(*tally.plan)) output.append(line);
    output.commit();
  }
  if (commits) {
    tally.interrupted = !check_commitment(options, studies, steps, store, output);
    output.commit();
    if (!tally.interrupted) output.finish(tally, [&] { return tally.counts_json(); });
    return tally;
  }
  Verifier(options, studies, extra_lines, source.get(), receiver ? &*receiver : nullptr, answered, output, tally).run();
  if (tally.interrupted) return tally;
  if (tally.sample && tally.closes()) {
    if (const std::string line = tally.sample->line(); line != sample_result) output.append(line);
  }
  output.finish(tally, [&] { return tally.counts_json(); });
  return tally;
}

}  // namespace waybill::verify
