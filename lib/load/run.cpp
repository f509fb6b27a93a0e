// SPDX-License-Identifier: Apache-2.0
#include "load/run.hpp"

#include "core/stop.hpp"
#include "load/commitment.hpp"
#include "load/lanes.hpp"
#include "manifest/fit.hpp"
#include "transfer/output.hpp"
#include "transfer/pause.hpp"
#include "transfer/peers.hpp"

#include <algorithm>
#include <ctime>
#include <set>

namespace waybill::load {

void Tally::add(const manifest::Object& object) {
  count(object);
  if (object.load) ++outcomes[object.load->outcome];
  fixity += std::ranges::any_of(object.findings, [](const auto& f) { return f.code == "LOAD-FIXITY"; }) ? 1 : 0;
}

std::string Tally::counts_json() const {
  JsonWriter json;
  json.begin_object();
  write(json, "outcomes", outcomes);
  json.member("fixity", fixity);
  if (commitment) {
    json.key("commitment").begin_object().member("committed", commitment->committed);
    json.member("failed", commitment->failed).member("open", commitment->open);
    json.member("contradictions", commitment->contradictions).end_object();
  }
  return std::move(json.end_object()).str();
}

namespace {

constexpr unsigned kLevelOfAll = 2;  // of storage: every attribute is kept

std::string settings_of(const Options& options) {
  JsonWriter json;
  json.begin_object().member("to", transfer::url_of(options.target)).member("calling", options.calling);
  if (options.to_syntax != "keep") json.member("syntax", options.to_syntax);
  if (!options.ladder) json.member("ladder", false);
  if (options.retry_failed) json.member("retry", "failed");
  if (options.send_unmatched) json.member("unmatched", "send");
  if (options.commit) json.member("commit", true);
  if (options.sample) {
    json.key("sample").begin_object();
    sample::write(*options.sample, json);
    json.end_object();
  }
  return std::move(json.end_object()).str();
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y%m%d", &local)};
}

Priority priority_of(const Options& options) {
  Priority priority;
  if (!options.priority.empty()) priority.add_list(options.priority);
  if (!options.priors_for.empty()) {
    priority.add_worklist(options.priors_for, today());
    if (options.say)
      options.say("worklist: " + std::to_string(priority.patients()) +
                  " planned exams; their patients' studies go first");
  }
  return priority;
}

/// One path an object: either it is staged with its edits, or they are applied here.
void check_edits(const Options& options, const Queue& queue) {
  if (options.edits.empty() || !queue.has_staged()) return;
  throw RunError(Exit::usage,
                 "the manifest has staged objects, whose edits were applied by transcode; load it without --edits, or "
                 "load the manifest of scan with them");
}

/// What the manifest's objects need of the peer, one context a class first: there is room for 127.
std::vector<net::Context> contexts_of(const Queue& queue) {
  std::vector<net::Context> first, more;
  std::set<std::string> classes;
  for (const auto& [context, count] : queue.needs().contexts)
    (classes.insert(context.sop_class).second ? first : more).push_back(context);
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// PS3.4 B.3.1: below level 2 an archive drops attributes, and no status tells.
void warn_of_levels(const Options& options, const std::map<std::string, net::StorageLevel>& levels) {
  for (const auto& [sop_class, storage] : levels) {
    if (storage.level >= kLevelOfAll || !options.say) continue;
    options.say("warning: the target stores " + sop_class + " at level " + std::to_string(storage.level) +
                ", so it may drop " + (storage.level == 1 ? "private" : "optional and private") +
                " attributes; compare with waybill verify --level content");
  }
}

bool is_closed_now(const Options& options) {
  return options.when_closed == transfer::WhenClosed::end && !options.window.at(std::time(nullptr));
}

}  // namespace

Tally run(const Options& options) {
  net::check_ae_title(options.calling, "calling AE title");
  const Priority priority = priority_of(options);
  index::Store store({});
  Queue queue(options, priority, store);
  check_edits(options, queue);
  Tally tally;
  tally.input = queue.objects();
  std::vector<manifest::Input> inputs{queue.input()};
  if (!options.edits.empty()) inputs.push_back(manifest::input_of(options.edits));
  const Preparer preparer(options, queue.created(), manifest::places_in(queue.options()));
  const auto target = make_target(options);
  const bool asks = queue.needs().objects > 0 && !is_closed_now(options);
  const bool anew = transfer::starts_anew(options);
  const auto check = [&] {
    warn_of_levels(options, target->check(contexts_of(queue)));
    if (options.commit) commit::Committer::check(options.commitment);
  };
  if (asks && anew) check();
  std::optional<Commitments> commitments;
  if (options.commit) commitments.emplace(options);

  sample::PlanLines sample_lines;
  transfer::Output output(options, "load", settings_of(options), std::move(inputs), store,
                          {[&](const manifest::Object& object) { tally.add(object); },
                           [&](const manifest::Record& record) {
                             queue.remember(record);
                             sample_lines.see(record);
                             if (commitments) commitments->replay(record);
                           }});
  tally.run = output.run_id();
  if (output.already_complete()) {
    tally.already_complete = true;
    return tally;
  }
  if (asks && !anew) check();
  if (options.sample) {
    for (const auto& line : sample_lines.missing(queue.draw_sample())) output.append(line);
    output.commit();
  }
  transfer::install_pause_handlers();
  Lanes lanes(options, queue, preparer, *target, output);
  queue.set_carry({[&](const manifest::Study& study) { output.carry(study); },
                   [&](const manifest::Object& object) {
                     const std::lock_guard lock(lanes.record_mutex());
                     output.carry(object);
                   },
                   [&](const std::string& id) { return output.has(id); }});
  if (commitments) {
    commitments->start(output);
    lanes.set_watch({[&](const manifest::Object& object) { commitments->sent(object); },
                     [&](const std::string& study) { commitments->study_over(study); }});
  }
  if (!options.await_commit) lanes.run();
  if (lanes.closed() && !tally.closes()) {
    tally.closed = tally.interrupted = true;
    return tally;
  }
  if (commitments && !commitments->finish(tally)) return tally;
  output.finish(tally, [&] { return tally.counts_json(); });
  return tally;
}

Survey survey(const Options& options) {
  const Priority priority = priority_of(options);
  index::Store store({});
  Queue queue(options, priority, store);
  check_edits(options, queue);
  Survey survey;
  survey.input = queue.objects();
  queue.set_carry({[](const manifest::Study&) {},
                   [&](const manifest::Object& object) { ++survey.held_back[std::string(to_string(object.bucket))]; },
                   [](const std::string&) { return false; }});
  std::string last;
  while (const auto piece = queue.next()) {
    survey.studies += survey.studies == 0 || piece->study != last ? 1 : 0;
    last = piece->study;
    survey.objects += piece->parcels.size();
    for (const Parcel& parcel : piece->parcels) {
      survey.bytes += parcel.object.source.size;
      Survey::Need& need = survey.needs[contexts_for(parcel.object, options)];
      ++need.objects;
      need.bytes += parcel.object.source.size;
    }
  }
  return survey;
}

Preview preview(const Options& options) {
  net::check_ae_title(options.calling, "calling AE title");
  Preview preview;
  static_cast<Survey&>(preview) = survey(options);
  std::map<net::Context, std::uint64_t> contexts;
  for (const auto& [choice, need] : preview.needs) {
    for (std::size_t i = 0; i < choice.size(); ++i) contexts[choice[i]] += i == 0 ? need.objects : 0;
  }
  if (std::holds_alternative<web::Endpoint>(options.target)) {  // takes or refuses objects, not contexts
    (void)make_target(options)->check({});
    for (const auto& [context, count] : contexts) {
      if (count > 0) preview.contexts.push_back({context, count, std::nullopt});
    }
    return preview;
  }
  transfer::Peers peers(std::get<net::Peer>(options.target), options.calling, options.timeouts);
  if (options.commit) commit::Committer::check(options.commitment);
  std::vector<net::Context> part;
  std::set<net::Context> granted;
  const auto ask = [&] {
    const net::Association association = peers.open(part, net::AskLevel::yes);
    for (const net::Context& context : part) {
      const auto level = association.levels().find(context.sop_class);
      preview.contexts.push_back({context, contexts[context], association.accepted(context)});
      if (level != association.levels().end()) preview.contexts.back().level = level->second.level;
      if (association.accepted(context)) granted.insert(context);
    }
    part.clear();
  };
  for (const auto& [context, count] : contexts) {
    part.push_back(context);
    if (part.size() == net::kMaxContexts) ask();
  }
  if (!part.empty()) ask();
  for (const auto& [choice, need] : preview.needs)
    preview.refused +=
        std::ranges::any_of(choice, [&](const auto& c) { return granted.contains(c); }) ? 0 : need.objects;
  return preview;
}

}  // namespace waybill::load
