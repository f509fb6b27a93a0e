// SPDX-License-Identifier: Apache-2.0
#include "reconcile/studies.hpp"

#include "core/text.hpp"
#include "match/name.hpp"
#include "reconcile/signs.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace waybill::reconcile {
namespace {

using Text = std::optional<std::string>;

/// An attribute that is the same for all objects of a study, unless something went wrong.
struct Attribute {
  const char* tag;
  Text manifest::Study::*of_study;
  Text manifest::Object::*of_object;
};
constexpr std::array<Attribute, 8> kAttributes = {{
    {"0010,0020", &manifest::Study::patient_id, &manifest::Object::patient_id},
    {"0010,0021", &manifest::Study::issuer, &manifest::Object::issuer},
    {"0010,0010", &manifest::Study::patient_name, &manifest::Object::patient_name},
    {"0010,0030", &manifest::Study::birth_date, &manifest::Object::birth_date},
    {"0010,0040", &manifest::Study::sex, &manifest::Object::sex},
    {"0008,0050", &manifest::Study::accession, &manifest::Object::accession},
    {"0008,0020", &manifest::Study::study_date, &manifest::Object::study_date},
    {"0008,0030", &manifest::Study::study_time, &manifest::Object::study_time},
}};

std::string_view text_of(const Text& value) { return value ? trim(*value) : std::string_view(); }

bool exclude_each_other(std::string_view a, std::string_view b) { return !a.empty() && !b.empty() && a != b; }

/// Takes the smaller of two values that are not empty; true when the values differ.
bool take(Text& into, const Text& value) {
  const std::string_view now = text_of(into), other = text_of(value);
  if (!into && value) into = value;
  if (now == other) return false;
  if (now.empty() || (!other.empty() && other < now)) into = value;
  return true;
}

template <typename T>
void insert_once(std::vector<T>& sorted, const T& value) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), value);
  if (at == sorted.end() || *at != value) sorted.insert(at, value);
}

}  // namespace

/// Whether the object names another patient than the study so far: other ID or issuer, or name and birth date both.
bool StudyCollector::another_patient(const manifest::Study& study, const manifest::Object& object) const {
  if (study.patient_id != object.patient_id || study.issuer != object.issuer) {
    const auto number = [&](const auto& of) {
      return rules_.number(of.issuer.value_or(""), of.patient_id.value_or(""));
    };
    if (exclude_each_other(number(study), number(object))) return true;
    const auto issuer = [](const auto& of) { return match::id_key(of.issuer.value_or("")); };
    if (exclude_each_other(issuer(study), issuer(object))) return true;
  }
  if (study.patient_name == object.patient_name || study.birth_date == object.birth_date) return false;
  return match::compare_birth_dates(text_of(study.birth_date), text_of(object.birth_date)) == match::Same::differs &&
         match::compare_names(study.patient_name.value_or(""), object.patient_name.value_or("")) ==
             match::Same::differs;
}

bool StudyCollector::add(const manifest::Object& object) {
  const std::string uid(text_of(object.study));
  if (uid.empty()) return false;
  const auto [at, fresh] = index_.try_emplace(uid, entries_.size());
  if (fresh) entries_.emplace_back().facts.study.study = uid;
  Entry& entry = entries_[at->second];
  manifest::Study& study = entry.facts.study;
  if (!fresh) {
    entry.facts.two_patients = entry.facts.two_patients || another_patient(study, object);
    entry.facts.several_accessions =
        entry.facts.several_accessions || exclude_each_other(rules_.accession(study.accession.value_or("")),
                                                             rules_.accession(object.accession.value_or("")));
  }
  for (std::size_t i = 0; i < kAttributes.size(); ++i) {
    const auto& a = kAttributes[i];
    if (take(study.*a.of_study, object.*a.of_object) && !fresh) entry.mixed |= 1U << i;
  }
  if (object.modality && !object.modality->empty()) insert_once(study.modalities, *object.modality);
  if (object.series) insert_once(entry.series, std::uint64_t{std::hash<std::string>{}(*object.series)});
  entry.facts.signs |= signs_of(object);
  ++study.instances;
  study.bytes += object.source.size;
  return true;
}

void StudyCollector::note(const manifest::Object& object) {
  const std::string_view uid = text_of(object.study);
  const std::uint32_t signs = uid.empty() ? 0 : signs_of(object);
  if (signs != 0) noted_[std::string(uid)] |= signs;
}

std::vector<match::StudyFacts> StudyCollector::finish() {
  std::vector<match::StudyFacts> studies;
  studies.reserve(entries_.size());
  for (Entry& entry : entries_) {
    if (const auto noted = noted_.find(entry.facts.study.study); noted != noted_.end())
      entry.facts.signs |= noted->second;
    entry.facts.study.series = entry.series.size();
    for (std::size_t i = 0; i < kAttributes.size(); ++i)
      if ((entry.mixed >> i) & 1U) entry.facts.mixed.emplace_back(kAttributes[i].tag);
    studies.push_back(std::move(entry.facts));
  }
  entries_.clear();
  index_.clear();
  std::sort(studies.begin(), studies.end(), [](const auto& a, const auto& b) { return a.study.study < b.study.study; });
  return studies;
}

}  // namespace waybill::reconcile
