// SPDX-License-Identifier: Apache-2.0
#include "probe/run.hpp"

#include "core/clock.hpp"
#include "core/stop.hpp"
#include "pixel/codec.hpp"
#include "pixel/targets.hpp"
#include "probe/duplicates.hpp"
#include "probe/lists.hpp"
#include "probe/negotiate.hpp"
#include "probe/throughput.hpp"
#include "probe/web.hpp"

#include <algorithm>

namespace waybill::probe {

namespace {

/// Does one part; what the peer fails at is a trouble of that part.
template <typename Work>
void attempt(Profile& profile, const char* section, const Work& work) {
  if (stop_requested()) return;
  try {
    work();
  } catch (const net::PeerError& error) {
    profile.troubles.push_back({section, reason_of(error)});
  }
}

load::Survey survey_of(const Options& options) {
  load::Options load;
  load.manifest = options.manifest;
  load.target = options.peer;
  load.calling = options.calling;
  return load::survey(load);
}

std::set<net::Context> contexts_of(const load::Survey& survey) {
  std::set<net::Context> all;
  for (const auto& [choice, need] : survey.needs) all.insert(choice.begin(), choice.end());
  return all;
}

bool is_lossless(const std::string& syntax) {
  const auto fidelity = pixel::fidelity_of(syntax);
  return fidelity == pixel::Fidelity::native || fidelity == pixel::Fidelity::lossless;
}

/// What the peer does with the manifest's objects, and load then: it takes the first rung that is granted.
void weigh(Profile& profile) {
  std::map<net::Context, std::uint8_t> results;
  for (const StorageClass& one : profile.storage) {
    for (const std::string& syntax : one.accepted) results[{one.uid, syntax, false}] = 0;
    for (const auto& [syntax, result] : one.refused) results[{one.uid, syntax, false}] = result;
  }
  for (const auto& [choice, need] : profile.manifest->needs) {
    if (choice.empty()) continue;  // no UIDs to send them by, which is no matter of the peer's
    Need& one = profile.needs.emplace_back();
    one.own = choice.front();
    one.objects = need.objects;
    one.bytes = need.bytes;
    one.lossless = is_lossless(one.own.transfer_syntax);
    const auto known = results.find(one.own);
    if (known == results.end()) continue;
    one.result = known->second;
    one.granted = one.result == 0;
    const auto of_class = std::ranges::find(profile.storage, one.own.sop_class, &StorageClass::uid);
    one.class_is_taken = of_class != profile.storage.end() && !of_class->accepted.empty();
    const auto rung = std::ranges::find_if(choice, [&](const auto& context) {
      const auto result = results.find(context);
      return result != results.end() && result->second == 0;
    });
    if (!*one.granted && rung != choice.end()) one.instead = rung->transfer_syntax;
  }
}

/// Targets of transcode, for the manifest's classes: they are what advice may name.
std::set<net::Context> with_targets(std::set<net::Context> contexts) {
  std::set<std::string> classes;
  for (const net::Context& context : contexts) classes.insert(context.sop_class);
  for (const std::string& sop_class : classes) {
    for (const pixel::Target& target : pixel::targets())
      contexts.insert({sop_class, std::string(target.syntax), false});
  }
  return contexts;
}

void ask_node(const Options& options, Profile& profile) {
  Negotiator negotiator(options);
  negotiator.services(profile);
  attempt(profile, "storage", [&] {
    negotiator.storage(profile.manifest ? with_targets(contexts_of(*profile.manifest)) : all_storage(), profile);
  });
  attempt(profile, "at-once", [&] { profile.at_once = negotiator.at_once(); });
  if (!profile.grants("C-FIND (Study Root)")) return;
  attempt(profile, "lists", [&] { profile.lists = ask_lists(options); });
}

void write(const Options& options, Profile& profile) {
  const std::string patient = "WAYBILL-PROBE-" + random_uuid().substr(0, 8);
  Left& left = profile.left.emplace();
  left.patients.push_back(patient);
  if (options.say) options.say("objects of the made-up patient " + patient + " are stored at the peer and stay there");
  const auto retrieve = [&](const Made& made) {
    if (profile.web) attempt(profile, "forms", [&] { ask_retrieval(options, made, profile); });
  };
  attempt(profile, "duplicates", [&] { ask_duplicates(options, patient, profile, retrieve); });
  const bool takes = !profile.duplicates.empty() && profile.duplicates.front().policy != "refused";
  if (options.objects == 0 || !takes) return;
  attempt(profile, "throughput", [&] { profile.throughput = measure(options, patient, left); });
}

}  // namespace

Profile run(const Options& options) {
  net::check_ae_title(options.calling, "calling AE title");
  Profile profile;
  profile.peer = transfer::url_of(options.peer);
  profile.calling = options.calling;
  profile.created = utc_now();
  profile.web = std::holds_alternative<web::Endpoint>(options.peer);
  if (!options.manifest.empty()) profile.manifest = survey_of(options);
  if (profile.web) {
    ask_web(options, profile);
    attempt(profile, "at-once", [&] { profile.at_once = web_at_once(options); });
  } else {
    ask_node(options, profile);
  }
  if (profile.manifest) weigh(profile);
  if (options.write && !stop_requested()) write(options, profile);
  profile.interrupted = stop_requested();
  profile.advice = advice_of(profile);
  return profile;
}

}  // namespace waybill::probe
