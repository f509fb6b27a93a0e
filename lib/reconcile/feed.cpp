// SPDX-License-Identifier: Apache-2.0
#include "reconcile/feed.hpp"

#include "core/flat_index.hpp"
#include "core/text.hpp"
#include "match/normal.hpp"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <algorithm>

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
  exam.first = parts.size() > 1 ? parts[1] : std::string_view();
  exam.middle = parts.size() > 2 ? parts[2] : std::string_view();
}

std::string number_key(const identity::PatientId& id) { return id.authority + '\x1F' + id.id; }

void tidy(std::vector<std::string>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

InternedList tidied(std::vector<std::string> list) {
  tidy(list);
  return list;
}

/// Both lists without `but`, sorted.
InternedList united(InternedList a, InternedList b, Interned but) {
  if (a.empty() && !b.contains(but)) return b;
  auto texts = a.texts();
  texts.insert(texts.end(), b.begin(), b.end());
  std::erase(texts, but);
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

constexpr std::size_t kOrdersAtOnce = 8192, kBlock = 512;

/// Calls `work(begin, end)` for blocks of neighbours, on all cores.
template <typename F>
void for_blocks(std::size_t count, const F& work) {
  using Range = tbb::blocked_range<std::size_t>;
  tbb::parallel_for(
      Range(0, count, kBlock), [&](const Range& range) { work(range.begin(), range.end()); },
      tbb::simple_partitioner());
}

/// What a message adds to an exam of the table: the table's own values stay.
void supplement(match::Exam& exam, const match::Exam& told) {
  for (auto member : {&match::Exam::study_uid, &match::Exam::study_date, &match::Exam::study_time,
                      &match::Exam::description, &match::Exam::birth_date, &match::Exam::sex})
    if ((exam.*member).empty()) exam.*member = told.*member;
  if (exam.classes.empty()) exam.classes = told.classes;
  if (exam.death_date.empty()) exam.death_date = told.death_date;
  exam.restricted = exam.restricted || told.restricted;
  exam.reported = exam.reported || told.reported;
  if (exam.last.empty()) {
    exam.last = told.last;
    exam.first = told.first;
    exam.middle = told.middle;
  }
  if (told.state == match::ExamState::performed && exam.state == match::ExamState::planned) exam.state = told.state;
  exam.other_ids = united(exam.other_ids, told.other_ids, {});
}

}  // namespace

/// Messages read on any thread; the graph and the book take them one part after the other.
class Feed::Reading : public hl7::Intake::Part {
 public:
  Reading(Feed& feed, hl7::Time as_of) : feed_(feed), as_of_(as_of) {}

  void see(hl7::Message& message, const hl7::Origin& origin) override {
    const identity::Site site{feed_.rules_.default_issuer};
    for (auto& event : identity::events_of(message, origin, site)) events_.push_back(std::move(event));
    if (origin.time > as_of_) return;
    for (auto& order : orders::orders_of(message, origin, site)) orders_.push_back(std::move(order));
  }

  void keep() override {
    for (auto& event : events_) {
      for (auto* ids : {&event.ids, &event.prior, &event.listed})
        for (auto& id : *ids) feed_.normalize(id, event.time);
      feed_.graph_.add(event);
    }
    for (auto& order : orders_) {
      feed_.normalize(order.patient, order.time);
      for (auto& id : order.other_ids) feed_.normalize(id, order.time);
      feed_.book_.add(order);
    }
  }

 private:
  Feed& feed_;
  hl7::Time as_of_;
  std::vector<identity::Event> events_;
  std::vector<orders::Order> orders_;
};

Feed::Feed(const std::vector<std::string>& paths, const match::SiteRules& rules, hl7::Time as_of)
    : rules_(rules), graph_(as_of) {
  hl7::Intake intake([&] { return std::make_unique<Reading>(*this, as_of); });
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

/// A patient number of the table or of orders, with what the graph says of it.
struct Feed::Number {
  Interned issuer, id;  ///< what was asked for
  bool known = false;
  Interned current_issuer, current_id;
  InternedList vetoes, other_ids, other_names;
  Interned death_date;
  bool restricted = false;
  identity::Graph::Person person;  ///< of the current number
};

/// Exams come sorted by patient, so the number at hand nearly always is that of the exam before.
const Feed::Number& Feed::number_of(Interned issuer, Interned id, Number& last) const {
  if (last.issuer == issuer && last.id == id && !id.empty()) return last;
  last = {issuer, id, false, issuer, id, {}, {}, {}, {}, false, {}};
  const std::string authority = issuer_or_default(issuer);
  const std::string asked = number(authority, id);
  const auto now = graph_.resolve(authority, asked);
  last.vetoes = vetoes_of(now);
  last.known = now.known;
  if (now.known) {
    std::vector<std::string> ids;
    for (const auto& other : graph_.also_known(authority, asked)) ids.push_back(match::id_key(as_written(other)));
    if (now.merged) {
      ids.push_back(match::id_key(id));
      last.current_id = as_written(now.root);
      if (!issuer.empty()) last.current_issuer = now.root.authority;
    }
    std::erase(ids, match::id_key(last.current_id));
    last.other_ids = tidied(std::move(ids));
    auto person = graph_.person(authority, asked);
    if (!person.name.empty()) person.other_names.push_back(std::move(person.name));
    last.other_names = tidied(std::move(person.other_names));
    last.death_date = person.death_date;
    last.restricted = person.restricted;
  }
  const std::string current = match::id_key(last.current_issuer);
  last.person = graph_.person(current, number(current, last.current_id));
  return last;
}

void Feed::apply(match::Exam& exam, Number& last) const {
  if (exam.patient_id.empty()) return;
  const Number& n = number_of(exam.issuer, exam.patient_id, last);
  exam.vetoes = n.vetoes;
  if (!n.known) return;
  exam.patient_id = n.current_id;
  exam.issuer = n.current_issuer;
  exam.other_ids = united(exam.other_ids, n.other_ids, match::id_key(n.current_id));
  exam.other_names = n.other_names;
  if (exam.death_date.empty()) exam.death_date = n.death_date;
  exam.restricted = exam.restricted || n.restricted;
}

std::optional<match::Exam> Feed::patient_of(const match::StudyFacts& facts) const {
  match::Exam exam;
  exam.patient_id = trim(facts.study.patient_id.value_or(""));
  exam.issuer = trim(facts.study.issuer.value_or(""));
  if (exam.patient_id.empty()) return std::nullopt;
  const Interned written = exam.issuer;
  const std::string issuer = issuer_or_default(written), id = number(issuer, exam.patient_id);
  if (!graph_.resolve(issuer, id).known) return std::nullopt;
  const auto person = graph_.person(issuer, id);
  Number last;
  apply(exam, last);
  if (match::id_key(written) == match::id_key(exam.issuer)) exam.issuer = written;
  split_name(person.name, exam);
  exam.birth_date = person.birth_date;
  exam.sex = person.sex;
  return exam;
}

match::Exam Feed::exam_of(const orders::Order& order, Number& last) const {
  match::Exam exam;
  exam.from_hl7 = true;
  exam.reported = order.report;
  exam.patient_id = as_written(order.patient);
  exam.issuer = order.patient.authority;
  const auto moved = graph_.moved_to(order.account, order.visit);
  if (moved) {
    exam.patient_id = as_written(*moved);
    exam.issuer = moved->authority;
  }
  std::vector<std::string> other_ids;
  for (const auto& id : order.other_ids) other_ids.push_back(match::id_key(as_written(id)));
  exam.other_ids = other_ids;
  apply(exam, last);
  if (moved) {
    auto vetoes = exam.vetoes.texts();
    std::erase(vetoes, Interned("visit-moved"));
    exam.vetoes = vetoes;
  }
  const auto& person = exam.patient_id == last.current_id ? last.person : identity::Graph::Person();
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
  using Key = std::pair<Interned, Interned>;  // accession and patient
  const auto key_of = [&](const match::Exam& e) -> Key {
    return {rules_.accession(e.accession), rules_.number(e.issuer, e.patient_id)};
  };
  const auto hash = [](const Key& key) { return std::uint64_t{key.first.number()} << 32U | key.second.number(); };
  std::vector<Key> keys;
  FlatIndex by_key;
  const auto find_or_add = [&](const Key& key) {
    return by_key.find_or_add(
        hash(key), static_cast<std::uint32_t>(keys.size()), [&](std::uint32_t n) { return keys[n] == key; },
        [&](std::uint32_t n) { return hash(keys[n]); });
  };
  table.exams.reserve(std::max(table.exams.size(), book_.size()));
  for_blocks(table.exams.size(), [&](std::size_t begin, std::size_t end) {
    Number last;
    for (std::size_t x = begin; x < end; ++x) apply(table.exams[x], last);
  });
  keys.reserve(table.exams.capacity());
  for (const auto& exam : table.exams) {
    const Key key = key_of(exam);
    if (!exam.accession.empty()) (void)find_or_add(key);
    keys.push_back(key);
  }
  std::vector<orders::Order> orders;
  std::vector<match::Exam> exams;
  const auto add_orders = [&] {
    exams.resize(orders.size());
    for_blocks(orders.size(), [&](std::size_t begin, std::size_t end) {
      Number last;
      for (std::size_t n = begin; n < end; ++n) exams[n] = exam_of(orders[n], last);
    });
    for (const auto& exam : exams) {
      const Key key = key_of(exam);
      const std::size_t at = exam.accession.empty() ? keys.size() : find_or_add(key);
      if (at < keys.size()) {
        supplement(table.exams[at], exam);
        continue;
      }
      keys.push_back(key);
      ++table.from_hl7;
      table.exams.push_back(exam);
    }
    orders.clear();
  };
  book_.for_each([&](const orders::Order& order) {
    orders.push_back(order);
    if (orders.size() == kOrdersAtOnce) add_orders();
  });
  add_orders();
  match::order_and_name(table.exams);
}

}  // namespace waybill::reconcile
