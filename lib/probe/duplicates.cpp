// SPDX-License-Identifier: Apache-2.0
#include "probe/duplicates.hpp"

#include "core/stop.hpp"
#include "load/status.hpp"
#include "probe/read_back.hpp"
#include "probe/sender.hpp"

#include <algorithm>

namespace waybill::probe {

namespace {

/// Equal as far as both are known: pixels that came compressed are not.
bool is_like(const Seen& a, const Seen& b) {
  return a.patient_name == b.patient_name && a.patient_id == b.patient_id && a.study == b.study &&
         a.series == b.series && (a.pixels == b.pixels || a.pixels.empty() || b.pixels.empty());
}

Judged judged(bool taken, std::string kept, std::string policy) {
  return {std::move(kept), taken ? std::move(policy) : "refused"};
}

/// Sends the steps of the script one behind the other.
class Script {
 public:
  Script(const Options& options, std::vector<Step>& steps, Left& left)
      : sender_(options),
        way_(sender_.way()),
        context_(sender_.context(*way_)),
        reader_(options),
        steps_(steps),
        left_(left) {
    if (context_) return;
    throw net::PeerError(net::PeerError::Kind::refused,
                         transfer::url_of(options.peer) +
                             " takes no Secondary Capture images in a native transfer syntax, which --write stores");
  }

  /// Sends and records the answer; false when the object was refused. Without an answer what is there decides.
  bool send(const std::string& name, const std::string& what, const Made& made) {
    Step& step = steps_.emplace_back();
    step = {name, what, {}, {}, "unknown", "unknown"};
    const auto context = sender_.context(*way_, class_of(made));
    if (!context) {
      step.comment = "its class is not granted";
      return false;
    }
    if (std::ranges::count(left_.instances, made.instance) == 0) left_.instances.push_back(made.instance);
    if (std::ranges::count(left_.studies, made.study) == 0) left_.studies.push_back(made.study);
    const load::Outgoing out = outgoing(made, *context);
    const load::Answer answer = way_->store({&out, 1}).front();
    const bool has_status = answer.kind == load::Answer::Kind::status || answer.kind == load::Answer::Kind::syntax;
    if (has_status) step.status = load::status_text(answer.status);
    step.comment = said(has_status ? answer.comment : answer.error);
    if (answer.kind == load::Answer::Kind::none) return true;
    return load::meaning_of(answer).bucket == manifest::Bucket::loaded && !is_duplicate(answer);
  }
  void judge(const Judged& judged) {
    steps_.back().kept = judged.kept;
    steps_.back().policy = judged.policy;
  }
  [[nodiscard]] Sight look(const Made& made) { return reader_.look(made, *context_); }
  [[nodiscard]] Sight await(const Made& made) { return reader_.await(made, *context_); }
  [[nodiscard]] std::optional<std::chrono::milliseconds> lag() const noexcept { return reader_.lag(); }
  [[nodiscard]] const Step& last() const { return steps_.back(); }
  /// Sends an object that is no step of its own; false when it was refused.
  bool put(const Made& made) {
    const bool taken = send("", "", made);
    steps_.pop_back();
    return taken;
  }

 private:
  /// 0111 is loaded for load, which asks what is there; here it is a refusal.
  static bool is_duplicate(const load::Answer& answer) {
    return answer.kind == load::Answer::Kind::status && answer.status == 0x0111;
  }
  Sender sender_;
  std::unique_ptr<load::Way> way_;
  std::optional<net::Context> context_;
  Reader reader_;
  std::vector<Step>& steps_;
  Left& left_;
};

/// Steps that send the first object once more, changed or not. Gives what is there in the end.
Made repeat(Script& script, const Made& first) {
  Made there = first;
  const auto again = [&](const std::string& name, const std::string& what, const Made& sent) {
    if (stop_requested()) return;
    const bool taken = script.send(name, what, sent);
    const Judged judged = judge_same_place(there, sent, taken, script.look(sent));
    script.judge(judged);
    if (judged.kept == "sent") there = sent;
  };
  again("again", "the same object", first);
  Made changed = there;
  changed.patient_name = "WAYBILL^PROBE^CHANGED";
  again("name", "the same UID, another Patient's Name", changed);
  changed = there;
  changed.seed = first.seed + 1;
  again("pixels", "the same UID, other pixels", changed);
  return there;
}

/// Steps that bring identifiers into places where they do not belong.
void misplace(Script& script, const Made& there, Left& left) {
  if (stop_requested()) return;
  Made sent = there;
  sent.series = new_uid();
  bool taken = script.send("series", "the same UID in another series of the study", sent);
  const Sight in_new = script.look(sent);
  script.judge(judge_other_series(there, sent, taken, in_new, script.look(there)));

  if (stop_requested()) return;
  sent = there;
  sent.study = new_uid();
  sent.instance = new_uid();
  taken = script.send("study", "a new object of the same series in another study", sent);
  Made elsewhere = sent;
  elsewhere.study = there.study;
  const Sight in_study = script.look(sent);
  script.judge(judge_other_study(sent, taken, in_study, script.look(elsewhere)));

  if (stop_requested()) return;
  sent = there;
  sent.series = new_uid();
  sent.instance = new_uid();
  sent.patient_id += "-2";
  left.patients.push_back(sent.patient_id);
  taken = script.send("patient", "a new object of the study under another Patient ID", sent);
  script.judge(judge_other_patient(sent, taken, script.look(sent)));
}

/// A note that rejects an object, and then the object once more.
void reject(Script& script, const Made& there) {
  if (stop_requested()) return;
  Made object = there;
  object.series = new_uid();
  object.instance = new_uid();
  Made note = object;
  note.series = new_uid();
  note.instance = new_uid();
  note.rejects = object.instance;
  note.series_of_rejected = object.series;
  if (!script.put(object)) return;
  bool taken = script.send("rejection", "a rejection note for a new object", note);
  script.judge(judge_rejection(taken, script.look(object)));
  const bool heeded = script.last().policy == "heeded";
  if (stop_requested()) return;
  taken = script.send("rejected", "the rejected object again", object);
  script.judge(judge_rejected(object, heeded, taken, script.look(object)));
}

}  // namespace

Judged judge_rejection(bool taken, const Sight& rejected) {
  const auto there = rejected.seen.empty() ? rejected.listed : std::optional(true);
  if (!there) return judged(taken, "unknown", "unknown");
  return *there ? judged(taken, "before", "ignored") : judged(taken, "none", "heeded");
}

Judged judge_rejected(const Made& sent, bool was_gone, bool taken, const Sight& now) {
  Judged as_new = judge_first(sent, taken, now);
  if (as_new.policy == "lost") return {"none", "ignored"};
  if (as_new.policy == "stored" && !was_gone) return {"before", "no-effect"};
  return as_new;
}

Judged judge_first(const Made& sent, bool taken, const Sight& now) {
  if (!now.seen.empty())
    return is_like(now.seen.front(), seen_of(sent)) ? judged(taken, "sent", "stored")
                                                    : judged(taken, "other", "coerced");
  if (!now.listed) return judged(taken, "unknown", "unknown");
  return *now.listed ? judged(taken, "unknown", "stored") : judged(taken, "none", "lost");
}

Judged judge_same_place(const Made& before, const Made& sent, bool taken, const Sight& now) {
  if (now.seen.size() > 1) return judged(taken, "both", "kept-both");
  if (now.seen.empty()) {
    const bool gone = now.listed && !*now.listed;
    return judged(taken, gone ? "none" : "unknown", gone ? "lost" : "unknown");
  }
  const bool pixels_matter = before.seed != sent.seed;
  const Seen& seen = now.seen.front();
  if (pixels_matter && seen.pixels.empty()) return judged(taken, "unknown", "unknown");
  const bool is_before = is_like(seen, seen_of(before)), is_sent = is_like(seen, seen_of(sent));
  if (is_before) return judged(taken, "before", is_sent ? "no-effect" : "ignored");
  return is_sent ? judged(taken, "sent", "overwritten") : judged(taken, "other", "mixed");
}

Judged judge_other_series(const Made& before, const Made& sent, bool taken, const Sight& there, const Sight& here) {
  const auto in_new = there.present(sent), in_old = here.present(before);
  if (!in_new || !in_old) return judged(taken, "unknown", "unknown");
  if (*in_new) return *in_old ? judged(taken, "both", "kept-both") : judged(taken, "sent", "moved");
  return *in_old ? judged(taken, "before", "ignored") : judged(taken, "none", "lost");
}

Judged judge_other_study(const Made& sent, bool taken, const Sight& there, const Sight& here) {
  const auto in_new = there.present(sent), in_old = here.listed;
  if (in_new && *in_new) return judged(taken, in_old && *in_old ? "both" : "sent", "stored");
  if (in_old && *in_old) return judged(taken, "other", "merged");
  return in_new ? judged(taken, "none", "lost") : judged(taken, "unknown", "unknown");
}

Judged judge_other_patient(const Made& sent, bool taken, const Sight& now) {
  if (!now.seen.empty()) {
    if (now.seen.back().patient_id == sent.patient_id) return judged(taken, "sent", "stored");
    return judged(taken, "other", "coerced");
  }
  const bool gone = now.listed && !*now.listed;
  return judged(taken, gone ? "none" : "unknown", gone ? "lost" : "unknown");
}

void ask_duplicates(const Options& options, const std::string& patient_id, Profile& profile,
                    const std::function<void(const Made&)>& there) {
  Script script(options, profile.duplicates, *profile.left);
  Made first;
  first.study = new_uid();
  first.series = new_uid();
  first.instance = new_uid();
  first.patient_id = patient_id;
  const bool taken = script.send("first", "an object that is new", first);
  if (!taken) return script.judge({"unknown", "refused"});
  script.judge(judge_first(first, taken, script.await(first)));
  if (const auto lag = script.lag()) profile.listed_after = static_cast<double>(lag->count());
  if (script.last().policy == "lost") return;
  there(first);
  const Made now = repeat(script, first);
  misplace(script, now, *profile.left);
  reject(script, now);
}

}  // namespace waybill::probe
