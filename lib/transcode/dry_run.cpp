// SPDX-License-Identifier: Apache-2.0
#include "transcode/dry_run.hpp"

#include "core/json.hpp"
#include "manifest/reader.hpp"
#include "manifest/rejection.hpp"
#include "pixel/targets.hpp"
#include "transcode/worker.hpp"

namespace waybill::transcode {
namespace {

using manifest::Bucket;
using manifest::Object;

/// What is to come of one study.
struct StudyPlan {
  std::uint64_t objects = 0;
  std::string rule;  ///< of reconcile
  std::vector<manifest::Edit> edits;
  UidMap::Uids uids;
};

/// Counters by name, in order of the name.
using Counts = std::map<std::string, std::uint64_t>;

struct Plan {
  std::map<std::string, StudyPlan> studies;
  Counts rules, edits, policy, kept_back, uids;
};

std::string order_of(const Decision& decision) {
  const std::string_view name = pixel::target_name(decision.order.syntax);
  const std::string to =
      decision.order.syntax.empty() ? "keep" : std::string(name.empty() ? decision.order.syntax : name);
  return decision.rule.empty() ? to : decision.rule + ": " + to;
}

class Planner {
 public:
  explicit Planner(const Options& options)
      : options_(options),
        decisions_(read_decisions(options.edits)),
        policy_(policy_of(options)),
        uids_(UidMap::read(options.uid_map, decisions_)),
        rejected_(manifest::rejected_in(options.input)) {}

  void add(Object object) {
    if (object.bucket != Bucket::instance) {
      ++plan_.kept_back[std::string(to_string(object.bucket))];
      return;
    }
    if (manifest::rejection_of(object) || rejected_.contains(object.id)) {
      ++plan_.kept_back["excluded by a rejection note"];
      return;
    }
    if (const auto why = manifest::exclusion_of(object)) {
      ++plan_.kept_back[why->code];
      return;
    }
    const auto edits = edits_of(decisions_, options_.unmatched, object);
    if (!edits) {
      ++plan_.kept_back[object.findings.back().code];
      return;
    }
    const std::string study = object.study.value_or("");
    StudyPlan& plan = plan_.studies[study];
    ++plan.objects;
    plan.edits = *edits;
    if (const auto at = decisions_.studies.find(study); at != decisions_.studies.end())
      plan.rule = at->second.rule.value_or("");
    if (!plan.rule.empty()) ++plan_.rules[plan.rule];
    for (const manifest::Edit& edit : *edits) ++plan_.edits[edit.tag];
    ++plan_.policy[order_of(policy_.decide(object))];
    if (!uids_.empty()) note_uids(object, plan);
  }

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }

 private:
  /// Those that the manifest tells of; references inside the object follow when it is written.
  void note_uids(const Object& object, StudyPlan& plan) {
    const auto uids = uids_.of(object);
    std::vector<std::string> named = object.references;
    for (const auto& uid : {object.sop_instance, object.study, object.series})
      if (uid) named.push_back(*uid);
    bool any = false;
    for (const std::string& uid : named) {
      if (const auto at = uids.find(uid); at != uids.end()) {
        plan.uids.insert(*at);
        any = true;
      }
    }
    if (any) ++plan_.uids["objects that name a replaced UID"];
  }

  const Options& options_;
  Decisions decisions_;
  Policy policy_;
  UidMap uids_;
  std::unordered_map<std::string, manifest::Finding> rejected_;
  Plan plan_;
};

std::string shown(const std::string& value, bool show_phi) {
  if (value.empty()) return "(empty)";
  return show_phi ? '"' + value + '"' : "(hidden)";
}

void print_text(const Plan& plan, std::ostream& out, bool show_phi) {
  for (const auto& [uid, study] : plan.studies) {
    if (study.edits.empty() && study.uids.empty()) continue;
    out << "study " << uid << ": " << study.objects << " objects" << (study.rule.empty() ? "" : ", rule " + study.rule)
        << '\n';
    for (const manifest::Edit& e : study.edits) {
      out << "  " << e.tag << ' ' << shown(e.old_value, show_phi) << " -> " << shown(e.new_value, show_phi) << ' '
          << e.reason << '\n';
    }
    for (const auto& [old_uid, new_uid] : study.uids) out << "  UID " << old_uid << " -> " << new_uid << '\n';
  }
  const auto list = [&](const char* what, const Counts& counts) {
    for (const auto& [name, n] : counts) out << what << ' ' << name << ": " << n << " objects\n";
  };
  list("rule", plan.rules);
  list("edit", plan.edits);
  list("uids", plan.uids);
  list("to", plan.policy);
  list("kept back", plan.kept_back);
  out << "nothing was written" << (show_phi ? "" : "; --show-phi shows the values") << '\n';
}

void print_json(const Plan& plan, std::ostream& out, bool show_phi) {
  for (const auto& [uid, study] : plan.studies) {
    JsonWriter w;
    w.begin_object().member("kind", "study").member("study", uid).member("objects", study.objects);
    w.member("rule", study.rule).key("edits").begin_array();
    for (const manifest::Edit& e : study.edits) {
      w.begin_object().member("tag", e.tag).member("reason", e.reason);
      if (show_phi) w.member("old", e.old_value).member("new", e.new_value);
      w.end_object();
    }
    w.end_array().key("uids").begin_array();
    for (const auto& [old_uid, new_uid] : study.uids)
      w.begin_object().member("old", old_uid).member("new", new_uid).end_object();
    out << std::move(w.end_array().end_object()).str() << '\n';
  }
  JsonWriter w;
  w.begin_object().member("kind", "counts");
  const std::array<std::pair<const char*, const Counts*>, 5> all = {{{"rules", &plan.rules},
                                                                     {"edits", &plan.edits},
                                                                     {"uids", &plan.uids},
                                                                     {"to", &plan.policy},
                                                                     {"kept_back", &plan.kept_back}}};
  for (const auto& [name, counts] : all) {
    w.key(name).begin_object();
    for (const auto& [key, n] : *counts) w.member(key, n);
    w.end_object();
  }
  out << std::move(w.end_object()).str() << '\n';
}

}  // namespace

void dry_run(const Options& options, std::ostream& out, bool json, bool show_phi) {
  Planner planner(options);
  manifest::Reader reader(options.input);
  while (auto record = reader.next()) {
    if (auto* object = std::get_if<Object>(&*record)) planner.add(std::move(*object));
  }
  if (json) {
    print_json(planner.plan(), out, show_phi);
  } else {
    print_text(planner.plan(), out, show_phi);
  }
}

}  // namespace waybill::transcode
