// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"
#include "pixel/targets.hpp"
#include "probe/profile.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace waybill::probe {

namespace {

constexpr unsigned kUsual = 4;       // associations, as of load
constexpr double kNearlyBest = 0.9;  // of the best rate: more connections for less than the rest are not worth it
constexpr unsigned kAllKept = 2;     // level of storage (PS3.4 B.3.1)

constexpr double kSoonEnough = 1000;  // milliseconds; load asks again after two seconds

/// A basic string of TOML, which is one of JSON.
std::string toml_text(std::string_view text) {
  JsonWriter json;
  json.value(text);
  return std::move(json).str();
}

/// The fewest that are nearly as fast as the best; without a measurement what load takes, where the peer allows so
/// many.
unsigned associations_of(const Profile& profile) {
  double best = 0;
  for (const Rate& rate : profile.throughput) best = std::max(best, rate.rate());
  for (const Rate& rate : profile.throughput) {
    if (best > 0 && rate.rejected == 0 && rate.rate() >= kNearlyBest * best) return rate.associations;
  }
  const unsigned opened = profile.at_once ? std::max(1U, profile.at_once->opened) : kUsual;
  return std::min(kUsual, opened);
}

/// A compressed target of transcode that the peer takes for all these classes.
std::string_view compressed_target(const Profile& profile, const std::set<std::string>& classes) {
  for (const std::string_view name : {"jpeg-ls", "jpeg-2000", "jpeg-lossless", "htj2k", "rle"}) {
    const auto syntax = pixel::target_syntax(name).value_or("");
    const bool all = std::ranges::all_of(classes, [&](const std::string& uid) {
      const auto one = std::ranges::find(profile.storage, uid, &StorageClass::uid);
      return one != profile.storage.end() && std::ranges::count(one->accepted, syntax) > 0;
    });
    if (all) return name;
  }
  return "";
}

std::string count_of(std::uint64_t objects) {
  return std::to_string(objects) + (objects == 1 ? " object" : " objects");
}

void note_needs(const Profile& profile, std::vector<std::string>& notes) {
  std::uint64_t expanded = 0;
  std::set<std::string> classes;
  for (const Need& need : profile.needs) {
    if (!need.instead || need.own.transfer_syntax == net::kImplicitLittle ||
        need.own.transfer_syntax == net::kExplicitLittle)
      continue;
    expanded += need.objects;
    classes.insert(need.own.sop_class);
  }
  if (expanded > 0) {
    const std::string_view target = compressed_target(profile, classes);
    notes.push_back(
        count_of(expanded) + " would be decompressed while they are sent, as their transfer syntax is refused" +
        (target.empty() ? ""
                        : "; the peer takes them compressed as " + std::string(target) + ": waybill transcode --to " +
                              std::string(target) + ", or waybill load --syntax " + std::string(target)));
  }
  if (profile.lost() > 0) {
    notes.push_back(count_of(profile.lost()) +
                    " would not be sent (D27): the peer takes them in no transfer syntax that keeps them; have it "
                    "configured for these classes and syntaxes, or keep them elsewhere");
  }
  if (profile.web && profile.manifest) {
    notes.emplace_back(
        "STOW-RS negotiates nothing: which classes and transfer syntaxes it takes is known once load sends");
  }
}

void note_storage(const Profile& profile, std::vector<std::string>& notes) {
  std::size_t below = 0;
  for (const StorageClass& one : profile.storage) below += one.level && one.level->level < kAllKept ? 1 : 0;
  if (below > 0) {
    notes.push_back(
        "it says of " + std::to_string(below) +
        " classes that it does not keep all attributes (level below 2): compare with waybill verify --level "
        "content");
  }
  if (profile.proposals_limit) {
    notes.push_back("it breaks off when more than " + std::to_string(*profile.proposals_limit) +
                    " presentation contexts are proposed, and load proposes what the manifest needs, up to 128: have "
                    "that limit raised, or migrate few classes at a time");
  }
  if (profile.contexts_limit)
    notes.push_back("it grants " + std::to_string(*profile.contexts_limit) +
                    " presentation contexts in one association; load opens another where an object needs it");
}

void note_lists(const Profile& profile, std::vector<std::string>& notes) {
  if (profile.web ? !profile.lists : !profile.grants("C-FIND (Study Root)")) {
    notes.emplace_back("it cannot be asked what it has (C-FIND): load cannot settle doubts, verify proves nothing");
    return;
  }
  if (!profile.lists) return;
  if (profile.lists->honours_uid == std::optional(false))
    notes.emplace_back("it answers questions for one study with others: what it lists proves nothing");
  if (profile.lists->limit)
    notes.push_back("its lists end at " + std::to_string(*profile.lists->limit) +
                    ": for what is missing verify asks object by object, which takes longer");
  if (profile.lists->counts_right == std::optional(false))
    notes.emplace_back("its numbers of instances of a study are not those of its lists: do not count with them");
}

/// What the policy of a step means for the migration.
struct Meaning {
  std::string_view step, policy, note;
};
constexpr std::string_view kLastWins =
    "the last one wins: another object under a UID that it has replaces what was there, so nothing else may send these "
    "studies meanwhile";
constexpr std::string_view kDropped =
    "success does not mean stored: another object under a UID that it has is dropped; verify --level content finds "
    "that "
    "(D25), and a wrong object must be deleted there before it is sent again";
constexpr std::string_view kSeveral =
    "it keeps several objects under one UID: have duplicates of the archive decided before loading";
constexpr std::string_view kOneStudy =
    "a series that stands in two studies does not arrive as it is: remap its UIDs first (transcode)";
constexpr std::array kMeanings{
    Meaning{"name", "overwritten", kLastWins},
    Meaning{"pixels", "overwritten", kLastWins},
    Meaning{"name", "ignored", kDropped},
    Meaning{"pixels", "ignored", kDropped},
    Meaning{"name", "kept-both", kSeveral},
    Meaning{"pixels", "kept-both", kSeveral},
    Meaning{"series", "kept-both", kSeveral},
    Meaning{"series", "moved", "an object that comes again in another series moves there"},
    Meaning{"study", "merged", kOneStudy},
    Meaning{"study", "lost", kOneStudy},
    Meaning{"patient", "coerced",
            "the patient of a study's first object is given to those that follow: reconcile before loading"},
    Meaning{"rejection", "heeded",
            "it hides what a rejection note rejects: load sends notes behind the objects of their study"},
};

void note_duplicates(const Profile& profile, std::vector<std::string>& notes) {
  if (!profile.duplicates.empty() && profile.duplicates.front().policy == "refused")
    notes.push_back("it does not even take a new object: status " + profile.duplicates.front().status);
  if (profile.listed_after && *profile.listed_after > kSoonEnough) {
    notes.push_back("it lists an object " + std::to_string(static_cast<int>(*profile.listed_after)) +
                    " ms after its answer: let it come to rest before verify");
  }
  for (const Meaning& meaning : kMeanings) {
    const bool holds = std::ranges::any_of(profile.duplicates, [&](const Step& step) {
      return step.name == meaning.step && step.policy == meaning.policy;
    });
    if (holds && std::ranges::count(notes, meaning.note) == 0) notes.emplace_back(meaning.note);
  }
}

}  // namespace

Advice advice_of(const Profile& profile) {
  Advice advice;
  advice.load.emplace_back("to", toml_text(profile.peer));
  if (!profile.web) advice.load.emplace_back("calling", toml_text(profile.calling));
  advice.load.emplace_back("associations", std::to_string(associations_of(profile)));
  advice.verify.emplace_back("level", toml_text("content"));
  const bool gets = profile.web || profile.grants("C-GET (Study Root)");
  const bool moves = profile.grants("C-MOVE (Study Root)");
  if (!gets && moves) {
    advice.verify.emplace_back("retrieve", toml_text("move"));
    advice.notes.emplace_back("no C-GET: set listen in [load] and have our AE title entered there, for C-MOVE");
  }
  if (!gets && !moves) {
    advice.verify.front().second = toml_text("exists");
    advice.notes.emplace_back("neither C-GET nor C-MOVE: contents cannot be compared, verify ends at level exists");
  }
  if (profile.grants("storage commitment"))
    advice.notes.emplace_back("storage commitment is offered: try commit = true in [load]");
  if (profile.at_once && profile.at_once->opened < profile.at_once->asked)
    advice.notes.push_back("it takes " + std::to_string(profile.at_once->opened) + " connections at the same time");
  note_storage(profile, advice.notes);
  note_needs(profile, advice.notes);
  note_lists(profile, advice.notes);
  note_duplicates(profile, advice.notes);
  return advice;
}

}  // namespace waybill::probe
