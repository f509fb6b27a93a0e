// SPDX-License-Identifier: Apache-2.0
#include "reconcile/feed.hpp"

#include "core/text.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <unordered_map>

namespace waybill::reconcile {
namespace {

std::vector<std::string> vetoes_of(const identity::Resolution& r) {
  std::vector<std::string> out;
  if (r.disputed) out.emplace_back("number-disputed");
  if (r.reused) out.emplace_back("number-reused");
  if (r.moved) out.emplace_back("visit-moved");
  return out;
}

/// Last, first and middle of a DICOM name; the alphabetic group or the first there is.
void split_name(std::string_view name, match::Exam& exam) {
  std::string_view group;
  for (const auto part : split(name, '=')) {
    group = part;
    if (!trim(part).empty()) break;
  }
  const auto parts = split(group, '^');
  exam.last = parts[0];
  exam.first = parts.size() > 1 ? std::string(parts[1]) : "";
  exam.middle = parts.size() > 2 ? std::string(parts[2]) : "";
}

void fill(std::string& into, const std::string& from) {
  if (into.empty()) into = from;
}

std::string number_key(const identity::PatientId& id) { return id.authority + '\x1F' + id.id; }

void tidy(std::vector<std::string>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

/// What a message adds to an exam of the table: the table's own values stay.
void supplement(match::Exam& exam, match::Exam&& told) {
  for (auto member : {&match::Exam::study_uid, &match::Exam::study_date, &match::Exam::study_time,
                      &match::Exam::description, &match::Exam::birth_date, &match::Exam::sex})
    fill(exam.*member, told.*member);
  if (exam.classes.empty()) exam.classes = std::move(told.classes);
  if (exam.last.empty()) {
    exam.last = std::move(told.last);
    exam.first = std::move(told.first);
    exam.middle = std::move(told.middle);
  }
  if (told.state == match::ExamState::performed && exam.state == match::ExamState::planned) exam.state = told.state;
  exam.other_ids.insert(exam.other_ids.end(), told.other_ids.begin(), told.other_ids.end());
  tidy(exam.other_ids);
}

}  // namespace

Feed::Feed(const std::vector<std::string>& paths, const match::SiteRules& rules, hl7::Time as_of)
    : rules_(rules), graph_(as_of) {
  const identity::Site site{rules_.default_issuer};
  hl7::Intake intake([&](hl7::Message& message, const hl7::Origin& origin) {
    for (auto& event : identity::events_of(message, origin, site)) {
      for (auto* ids : {&event.ids, &event.prior, &event.listed})
        for (auto& id : *ids) normalize(id, origin.time);
      graph_.add(event);
    }
    if (origin.time > as_of) return;
    for (auto& order : orders::orders_of(message, origin, site)) {
      normalize(order.patient, origin.time);
      for (auto& id : order.other_ids) normalize(id, origin.time);
      book_.add(order);
    }
  });
  intake.read(paths);
  graph_.build();
  counts_ = intake.counts();
  problems_ = intake.problems();
  digest_ = intake.digest();
}

void Feed::normalize(identity::PatientId& id, hl7::Time time) {
  if (rules_.issuers.empty() || id.id.empty()) return;
  std::string normal = rules_.number(id.authority, id.id);
  if (normal == id.id) return;
  std::swap(id.id, normal);
  auto& last = written_[number_key(id)];
  last = std::max(last, std::pair(time, std::move(normal)));
}

std::string Feed::as_written(const identity::PatientId& id) const {
  if (written_.empty()) return id.id;
  const auto at = written_.find(number_key(id));
  return at == written_.end() ? id.id : at->second.second;
}

std::string Feed::exam_key(const match::Exam& e) const {
  return rules_.accession(e.accession) + '\x1F' + rules_.number(e.issuer, e.patient_id);
}

std::string Feed::issuer_or_default(std::string_view issuer) const {
  const std::string key = match::id_key(issuer);
  return key.empty() ? rules_.default_issuer : key;
}

void Feed::apply(match::StudyFacts& facts) const {
  const std::string id(trim(facts.study.patient_id.value_or("")));
  if (id.empty()) return;
  const std::string issuer = issuer_or_default(facts.study.issuer.value_or(""));
  const auto now = graph_.resolve(issuer, number(issuer, id));
  facts.vetoes = vetoes_of(now);
  if (!now.merged) return;
  facts.current_id = as_written(now.root);
  facts.current_issuer = facts.study.issuer.value_or("").empty() ? "" : now.root.authority;
}

void Feed::apply(match::Exam& exam) const {
  if (exam.patient_id.empty()) return;
  const std::string issuer = issuer_or_default(exam.issuer);
  const std::string id = number(issuer, exam.patient_id);
  const auto now = graph_.resolve(issuer, id);
  exam.vetoes = vetoes_of(now);
  if (!now.known) return;
  for (const auto& other : graph_.also_known(issuer, id)) exam.other_ids.push_back(match::id_key(as_written(other)));
  auto person = graph_.person(issuer, id);
  if (now.merged) {
    exam.other_ids.push_back(match::id_key(exam.patient_id));
    exam.patient_id = as_written(now.root);
    if (!exam.issuer.empty()) exam.issuer = now.root.authority;
  }
  std::erase(exam.other_ids, match::id_key(exam.patient_id));
  tidy(exam.other_ids);
  exam.other_names = std::move(person.other_names);
  if (!person.name.empty()) exam.other_names.push_back(std::move(person.name));
  tidy(exam.other_names);
}

std::optional<match::Exam> Feed::patient_of(const match::StudyFacts& facts) const {
  match::Exam exam;
  exam.patient_id = trim(facts.study.patient_id.value_or(""));
  exam.issuer = trim(facts.study.issuer.value_or(""));
  if (exam.patient_id.empty()) return std::nullopt;
  const std::string issuer = issuer_or_default(exam.issuer), text = exam.issuer;
  const auto now = graph_.resolve(issuer, number(issuer, exam.patient_id));
  if (!now.known) return std::nullopt;
  auto person = graph_.person(issuer, number(issuer, exam.patient_id));
  apply(exam);
  if (match::id_key(text) == match::id_key(exam.issuer)) exam.issuer = text;
  split_name(person.name, exam);
  exam.birth_date = std::move(person.birth_date);
  exam.sex = std::move(person.sex);
  return exam;
}

match::Exam Feed::exam_of(const orders::Order& order) const {
  match::Exam exam;
  exam.from_hl7 = true;
  exam.patient_id = as_written(order.patient);
  exam.issuer = order.patient.authority;
  const auto moved = graph_.moved_to(order.account, order.visit);
  if (moved) {
    exam.patient_id = as_written(*moved);
    exam.issuer = moved->authority;
  }
  for (const auto& id : order.other_ids) exam.other_ids.push_back(match::id_key(as_written(id)));
  apply(exam);
  if (moved) std::erase(exam.vetoes, "visit-moved");
  const std::string issuer = match::id_key(exam.issuer);
  const auto person = graph_.person(issuer, number(issuer, exam.patient_id));
  split_name(person.name.empty() ? order.demographics.name.value : person.name, exam);
  exam.birth_date = person.birth_date.empty() ? order.demographics.birth_date.value : person.birth_date;
  exam.sex = person.sex.empty() ? order.demographics.sex.value : person.sex;
  exam.accession = order.accession;
  exam.study_uid = order.study_uid;
  exam.study_date = order.date;
  exam.study_time = order.clock;
  exam.description = order.description;
  exam.classes = match::modality_classes(order.modality);
  exam.state = order.state == orders::State::cancelled   ? match::ExamState::cancelled
               : order.state == orders::State::performed ? match::ExamState::performed
                                                         : match::ExamState::planned;
  return exam;
}

void Feed::apply(match::ExamTable& table) const {
  std::unordered_map<std::string, std::size_t> by_key;
  for (std::size_t x = 0; x < table.exams.size(); ++x) {
    apply(table.exams[x]);
    if (!table.exams[x].accession.empty()) by_key.try_emplace(exam_key(table.exams[x]), x);
  }
  std::vector<match::Exam> told;
  book_.for_each([&](const orders::Order& order) { told.push_back(exam_of(order)); });
  std::sort(told.begin(), told.end(), match::by_content);
  for (auto& exam : told) {
    const auto at = exam.accession.empty() ? by_key.end() : by_key.find(exam_key(exam));
    if (at != by_key.end()) {
      supplement(table.exams[at->second], std::move(exam));
      continue;
    }
    if (!exam.accession.empty()) by_key.emplace(exam_key(exam), table.exams.size());
    ++table.from_hl7;
    table.exams.push_back(std::move(exam));
  }
  match::order_and_name(table.exams);
}

}  // namespace waybill::reconcile
