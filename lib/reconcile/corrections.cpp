// SPDX-License-Identifier: Apache-2.0
#include "reconcile/corrections.hpp"

#include "core/json.hpp"
#include "match/edits.hpp"
#include "match/name.hpp"
#include "match/normal.hpp"
#include "match/site_facts.hpp"

#include <algorithm>

namespace waybill::reconcile {
namespace {

using manifest::Edit;
using match::Same;

const Edit* edit_of(const std::vector<Edit>& edits, std::string_view tag) {
  const auto at = std::find_if(edits.begin(), edits.end(), [&](const Edit& e) { return e.tag == tag; });
  return at == edits.end() ? nullptr : &*at;
}

bool differs(const manifest::Object& there, const std::vector<Edit>& edits) {
  return std::any_of(edits.begin(), edits.end(), [&](const Edit& e) { return attribute(there, e.tag) != e.new_value; });
}

/// The record as scan wrote it.
manifest::Object as_scanned(manifest::Object object) {
  object.bucket = manifest::Bucket::instance;
  object.transcode.reset();
  object.load.reset();
  object.verify.reset();
  std::erase_if(object.findings, [](const manifest::Finding& f) {
    return f.code.starts_with("LOAD-") || f.code.starts_with("TX-") || f.code.starts_with("VERIFY-");
  });
  return object;
}

std::string correction_record(const manifest::Object& there, const std::vector<Edit>& edits) {
  JsonWriter w;
  w.begin_object().member("kind", "correction").member("id", there.id);
  w.member("sop_instance", there.sop_instance.value_or("")).member("study", there.study.value_or(""));
  w.key("changes").begin_array();
  for (const Edit& e : edits) {
    const std::string before = attribute(there, e.tag);
    if (before == e.new_value) continue;
    w.begin_object().member("tag", e.tag).member("before", before).member("after", e.new_value);
    w.member("reason", e.reason).end_object();
  }
  w.end_array().end_object();
  return std::move(w).str();
}

}  // namespace

Corrections::Corrections(const Loaded& loaded, const Knowledge& knowledge) : loaded_(loaded), known_(knowledge) {
  StudyCollector collector(known_.rules);
  loaded.for_each([&](const manifest::Object&, const manifest::Object& there) {
    ++counts_.objects;
    if (!collector.add(there)) ++counts_.without_study;
  });
  const StudyTable studies = collector.finish();
  counts_.studies = studies.size();
  for (std::size_t n = 0; n < studies.size(); ++n) {
    match::StudyFacts there = studies[n];
    if (known_.feed != nullptr) known_.feed->apply(there);
    known_.rules.apply(there);
    examine(there);
  }
  counts_.studies_changed = changes_.size();
  counts_.studies_open = open_.size();
  loaded.for_each([&](const manifest::Object&, const manifest::Object& there) {
    const auto at = changes_.find(there.study.value_or(""));
    if (at != changes_.end() && differs(there, at->second.study.edits)) ++counts_.objects_changed;
  });
}

const match::Decision* Corrections::decision_of(const std::string& study) const {
  const auto at = known_.studies.find(study);
  return at ? &known_.outcome.studies[*at] : nullptr;
}

void Corrections::examine(const match::StudyFacts& there) {
  const auto* decision = decision_of(there.study.study);
  const bool decided = decision != nullptr && decision->verdict == match::Verdict::matched && decision->exam;
  std::optional<match::Exam> exam;
  if (decided)
    exam = known_.exams[*decision->exam];
  else if (known_.feed != nullptr)
    exam = known_.feed->patient_of(there);
  if (!exam) return;
  std::vector<Edit> edits = match::edits_for(there, *exam);
  if (edits.empty()) return;
  std::vector<std::string> vetoes = there.vetoes;
  if (there.two_patients) vetoes.emplace_back("two-patients");
  if ((there.signs & match::kLegalHold) != 0) vetoes.emplace_back("legal-hold");
  if (!decided) {
    const auto e = match::compare(match::keys_of(there), *exam);
    const bool merged = edit_of(edits, "0010,0020") != nullptr;
    if (e.birth_date == Same::differs && e.name == Same::differs) vetoes.emplace_back("birth-date-and-name-conflict");
    if (!merged && e.name == Same::differs) vetoes.emplace_back("name-never-told");
  }
  if (!vetoes.empty()) return withhold(there, std::move(vetoes));
  Change change;
  change.study = there.study;
  change.study.decision = decided && decision->by_person ? "person" : "auto";
  change.study.rule = decided ? decision->rule.str() : "identity";
  if (decided) change.study.exam = exam->key.str();
  change.study.explanation = decided ? "loaded before; its exam says otherwise now"
                                     : "loaded before; the history of the patient's number says otherwise now";
  change.edits = from_source(there, edits);
  change.study.edits = std::move(edits);
  changes_.emplace(there.study.study, std::move(change));
}

void Corrections::withhold(const match::StudyFacts& there, std::vector<std::string> vetoes) {
  match::StudyFacts facts = there;
  manifest::Study& study = facts.study;
  std::sort(vetoes.begin(), vetoes.end());
  vetoes.erase(std::unique(vetoes.begin(), vetoes.end()), vetoes.end());
  study.decision = "review";
  study.rule = "identity";
  study.vetoes = std::move(vetoes);
  study.explanation =
      "loaded before; what is known of the patient has changed, and a person must say whether it holds here";
  open_.emplace(there.study.study, std::move(facts));
}

/// What was applied before the load and what is new, as one step from the source's values.
std::vector<Edit> Corrections::from_source(const match::StudyFacts& there, const std::vector<Edit>& edits) const {
  std::map<std::string, Edit> all;
  for (const Edit& e : loaded_.applied(there.study.study)) all[e.tag] = e;
  for (const Edit& e : edits) {
    const auto [at, fresh] = all.try_emplace(e.tag, e);
    if (!fresh) at->second.new_value = e.new_value;
  }
  std::vector<Edit> out;
  out.reserve(all.size());
  for (auto& [tag, e] : all) out.push_back(std::move(e));
  return out;
}

void Corrections::write(const std::function<void(const std::string&)>& append) const {
  std::map<std::string, std::vector<std::string>> objects;  // of the studies that change, in the order of the load
  loaded_.for_each([&](const manifest::Object& object, const manifest::Object& there) {
    const auto at = changes_.find(there.study.value_or(""));
    if (at == changes_.end() || !differs(there, at->second.study.edits)) return;
    auto& lines = objects[at->first];
    lines.push_back(manifest::to_json(as_scanned(object)));
    lines.push_back(correction_record(there, at->second.study.edits));
  });
  for (const auto& [uid, change] : changes_) {
    manifest::Study study = change.study;
    study.edits = change.edits;
    append(manifest::to_json(study));
    for (const auto& line : objects[uid]) append(line);
  }
  for (const auto& [uid, facts] : open_) append(manifest::to_json(facts.study));
}

void Corrections::list(Exceptions& exceptions) const {
  match::Decision decision;
  decision.verdict = match::Verdict::review;
  for (const auto& [uid, facts] : open_) exceptions.add_study(facts, decision, known_.exams);
}

}  // namespace waybill::reconcile
