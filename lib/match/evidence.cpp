// SPDX-License-Identifier: Apache-2.0
#include "match/evidence.hpp"

#include "match/name.hpp"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

namespace waybill::match {
namespace {

constexpr std::int64_t kNightSeconds = std::int64_t{4} * 3600;

Same compare_keys(Interned a, Interned b) {
  if (a.empty() || b.empty()) return Same::unknown;
  if (a == b) return Same::equal;
  return a.size() >= 4 && one_step_apart(a, b) ? Same::near : Same::differs;
}

Same compare_patients(const StudyKeys& keys, const Exam& exam) {
  const Same id = compare_keys(keys.patient, patient_key(exam));
  return id == Same::equal && !issuers_agree(keys.issuer, exam.issuer) ? Same::differs : id;
}

void compare_dates(const StudyKeys& keys, const Exam& exam, Evidence& evidence) {
  const auto a = day_number(keys.date), b = day_number(exam.study_date);
  if (!a || !b) return;
  evidence.days = static_cast<std::int32_t>(std::abs(*a - *b));
  evidence.date = evidence.days == 0 ? Same::equal : evidence.days == 1 ? Same::near : Same::differs;
  const auto s = second_of_day(keys.time), t = second_of_day(exam.study_time);
  if (evidence.days == 1 && s && t) {
    evidence.seconds = static_cast<std::int32_t>(std::abs((*a - *b) * 86400 + *s - *t));
    evidence.night = evidence.seconds <= kNightSeconds;
  }
}

const char* word(Same same) {
  switch (same) {
    case Same::equal: return " equal";
    case Same::near: return " nearly equal";
    case Same::differs: return " differs";
    case Same::unknown: return " unknown";
  }
  return " unknown";
}

}  // namespace

StudyTexts::StudyTexts(const StudyFacts& facts)
    : StudyMarks(facts),
      uid(facts.study.study),
      patient_id(facts.study.patient_id.value_or("")),
      issuer(facts.study.issuer.value_or("")),
      name(facts.study.patient_name.value_or("")),
      birth_date(facts.study.birth_date.value_or("")),
      sex(facts.study.sex.value_or("")),
      accession(facts.study.accession.value_or("")),
      date(facts.study.study_date.value_or("")),
      time(facts.study.study_time.value_or("")),
      current_id(facts.current_id),
      current_issuer(facts.current_issuer),
      normal_id(facts.normal_id),
      normal_accession(facts.normal_accession),
      modalities(facts.study.modalities),
      vetoes(facts.vetoes),
      instances(facts.study.instances) {}

namespace {

/// The normal form of a text, which nearly always is the text itself.
Interned normal(Interned text, std::optional<std::string> (*make)(std::string_view)) {
  if (text.empty()) return text;
  const auto made = make(text);
  return !made ? Interned() : *made == text.view() ? text : Interned(*made);
}

/// A site has some dozens of different lists, so each thread makes the classes of each once.
InternedList classes_of(InternedList modalities) {
  thread_local std::unordered_map<std::uint32_t, InternedList> known;
  const auto [at, fresh] = known.try_emplace(modalities.number());
  if (fresh) {
    std::string all;
    for (const Interned m : modalities) all += m.str() + " ";
    at->second = modality_classes(all);
  }
  return at->second;
}

}  // namespace

StudyKeys keys_of(const StudyTexts& s) {
  StudyKeys keys;
  keys.uid = s.uid;
  keys.filed_id = s.patient_id;
  keys.filed_issuer = s.issuer;
  keys.renumbered = !s.current_id.empty();
  keys.plain_patient = id_key_of(keys.renumbered ? s.current_id : s.patient_id);
  keys.by_rules = !s.normal_id.empty();
  keys.patient = keys.by_rules ? s.normal_id : keys.plain_patient;
  keys.issuer = id_key_of(keys.renumbered ? s.current_issuer : s.issuer);
  if (!s.several_accessions)
    keys.accession = !s.normal_accession.empty() ? s.normal_accession : accession_key_of(s.accession);
  keys.name = s.name;
  keys.birth_date = normal(s.birth_date, date_normal);
  keys.sex = sex_normal(s.sex);
  keys.date = normal(s.date, date_normal);
  keys.time = normal(s.time, time_normal);
  keys.classes = classes_of(s.modalities);
  keys.vetoes = s.vetoes;
  keys.set_marks(s);
  keys.instances = s.instances;
  return keys;
}

bool issuers_agree(Interned a, Interned b) {
  if (a == b || a.empty() || b.empty()) return true;
  const Interned x = id_key_of(a), y = id_key_of(b);
  return x.empty() || y.empty() || x == y;
}

std::optional<std::int64_t> second_of_day(std::string_view time) {
  if (time.size() < 6 || time.substr(0, 6).find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  const auto two = [&](std::size_t at) { return (time[at] - '0') * 10 + (time[at + 1] - '0'); };
  return two(0) * 3600 + two(2) * 60 + two(4);
}

Evidence compare(const StudyKeys& keys, const Exam& exam) {
  Evidence e;
  if (!exam.study_uid.empty()) e.uid = exam.study_uid == keys.uid ? Same::equal : Same::differs;
  e.accession = compare_keys(keys.accession, accession_key(exam));
  e.patient = compare_patients(keys, exam);
  e.normal_form = e.patient == Same::equal && (keys.by_rules || !exam.normal_id.empty()) &&
                  keys.plain_patient != id_key_of(exam.patient_id);
  e.linked = !keys.patient.empty() && exam.other_ids.contains(keys.patient);
  e.name = compare_names(keys.name, person_name(exam.last, exam.first, exam.middle));
  for (const Interned name : exam.other_names) {
    if (e.name != Same::differs && e.name != Same::near) break;
    if (compare_names(keys.name, name) == Same::equal) {
      e.name = Same::equal;
      e.former_name = true;
    }
  }
  e.birth_date = compare_birth_dates(keys.birth_date, exam.birth_date);
  e.sex = compare_sexes(keys.sex, exam.sex);
  e.modality = compare_classes(keys.classes, exam.classes);
  compare_dates(keys, exam, e);
  return e;
}

double score(const Evidence& e) {
  const auto points = [](Same same, double equal, double near, double differs) {
    return same == Same::equal ? equal : same == Same::near ? near : same == Same::differs ? differs : 0;
  };
  double sum = points(e.uid, 40, 0, 0) + points(e.accession, 40, 15, 0) + points(e.name, 12, 7, 0) +
               points(e.birth_date, 12, 6, -25) + points(e.sex, 3, 0, -10) + points(e.modality, 6, 0, -15);
  sum += e.linked ? 22 : points(e.patient, e.normal_form ? 22 : 25, 8, 0);
  sum += e.days > 7 ? -20 : points(e.date, 8, 5, 0);
  return std::clamp(sum, 0.0, 100.0);
}

namespace {

std::string in_words(const Evidence& e) {
  std::string text = "study UID";
  text += word(e.uid);
  const auto add = [&](const char* name, Same same) { text += std::string(", ") + name + word(same); };
  add("accession", e.accession);
  add("patient ID", e.patient);
  if (e.normal_form) text += " in normal form";
  if (e.linked) text += " but listed in OTHER_IDS";
  add("name", e.name);
  if (e.former_name) text += " by a former name";
  add("birth date", e.birth_date);
  add("sex", e.sex);
  add("date", e.date);
  add("modality", e.modality);
  return text;
}

}  // namespace

/// A site has some hundreds of different descriptions for all its studies, so each thread makes each of them once.
Interned describe(const Evidence& e) {
  std::uint32_t said = 0;
  for (const Same same : {e.uid, e.accession, e.patient, e.name, e.birth_date, e.sex, e.date, e.modality})
    said = said << 2U | static_cast<std::uint32_t>(same);
  for (const bool flag : {e.normal_form, e.linked, e.former_name}) said = said << 1U | (flag ? 1U : 0U);
  thread_local std::unordered_map<std::uint32_t, Interned> known;
  const auto [at, fresh] = known.try_emplace(said);
  if (fresh) at->second = in_words(e);
  return at->second;
}

}  // namespace waybill::match
