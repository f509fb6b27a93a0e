// SPDX-License-Identifier: Apache-2.0
#include "reconcile/feed.hpp"

#include "core/flat_index.hpp"
#include "core/text.hpp"
#include "match/name.hpp"
#include "match/normal.hpp"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <algorithm>
#include <utility>

namespace waybill::reconcile {
namespace {

InternedList vetoes_of(const identity::Resolution& r) {
  if (!r.disputed && !r.reused && !r.moved) return {};
  std::vector<Interned> out;
  if (r.disputed) out.emplace_back("number-disputed");
  if (r.reused) out.emplace_back("number-reused");
  if (r.moved) out.emplace_back("visit-moved");
  return out;
}

/// Last, first and middle of a DICOM name; the alphabetic group or the first there is.
struct SplitName {
  Interned last, first, middle;

  explicit SplitName(std::string_view name) {
    std::string_view group = match::name_group(name);
    for (Interned* part : {&last, &first, &middle}) {
      const std::size_t end = group.find('^');
      *part = group.substr(0, end);
      if (end == std::string_view::npos) break;
      group.remove_prefix(end + 1);
    }
  }
  void give_to(match::Exam& exam) const {
    exam.last = last;
    exam.first = first;
    exam.middle = middle;
  }
};

/// Of authority and number; as numbers are kept once, no two have the same.
std::uint64_t number_key(const identity::PatientId& id) {
  return std::uint64_t{id.authority.number()} << 32U | id.id.number();
}

void tidy(std::vector<Interned>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

InternedList tidied(std::vector<Interned> list) {
  tidy(list);
  return list;
}

/// Both lists without `but`, sorted.
InternedList united(InternedList a, InternedList b, Interned but) {
  if (a.empty() && !b.contains(but)) return b;
  auto texts = a.texts();
  texts.insert(texts.end(), b.begin(), b.end());
  std::erase(texts, but);
  return tidied(std::move(texts));
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
    if (origin.time > as_of_) return;
    const identity::Site site{feed_.rules_.default_issuer};
    for (const auto& authority : identity::authorities_of(message))
      if (authorities_.empty() || authorities_.back() != authority) authorities_.push_back(authority);
    for (auto& event : identity::events_of(message, origin, site)) {
      for (auto* ids : {&event.ids, &event.prior, &event.listed})
        for (auto& id : *ids) normalize(id, event.time);
      events_.push_back(std::move(event));
    }
    for (auto& order : orders::orders_of(message, origin, site)) {
      normalize(order.patient, order.time);
      for (auto& id : order.other_ids) normalize(id, order.time);
      orders_.push_back(std::move(order));
    }
  }

  void keep() override {
    constexpr std::size_t kAhead = 8;  // tables of a hundred megabytes are slow to answer and quick to take questions
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (i + kAhead < events_.size()) feed_.graph_.prefetch(events_[i + kAhead]);
      feed_.graph_.add(events_[i]);
    }
    for (std::size_t i = 0; i < orders_.size(); ++i) {
      if (i + kAhead < orders_.size()) feed_.book_.prefetch(orders_[i + kAhead]);
      feed_.book_.add(orders_[i]);
    }
    for (const auto& [name_space, universal_id] : authorities_) feed_.graph_.name_authority(name_space, universal_id);
    for (const auto& [key, written] : written_) {
      auto& last = feed_.written_[key];
      last = std::max(last, written);
    }
  }

 private:
  /// Brings a number to its issuer's normal form and keeps how it was written.
  void normalize(identity::PatientId& id, hl7::Time time) {
    if (feed_.rules_.issuers.empty() || id.id.empty()) return;
    const Interned normal = feed_.rules_.number(id.authority, id.id);
    if (normal == id.id) return;
    const Interned written = std::exchange(id.id, normal);
    written_.emplace_back(number_key(id), Written(time, written));
  }

  Feed& feed_;
  hl7::Time as_of_;
  std::vector<identity::Event> events_;
  std::vector<std::pair<Interned, Interned>> authorities_;
  std::vector<orders::Order> orders_;
  std::vector<std::pair<std::uint64_t, Written>> written_;
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

Interned Feed::as_written(const identity::PatientId& id) const {
  if (written_.empty()) return id.id;
  const auto at = written_.find(number_key(id));
  return at == written_.end() ? id.id : at->second.second;
}

Interned Feed::issuer_or_default(Interned issuer) const {
  const Interned key = match::id_key_of(issuer);
  return key.empty() ? Interned(rules_.default_issuer) : key;
}

void Feed::apply(match::StudyTexts& study) const {
  const std::string_view written = study.patient_id;
  const Interned id = trim(written).size() == written.size() ? study.patient_id : Interned(trim(written));
  if (id.empty()) return;
  const Interned issuer = issuer_or_default(study.issuer);
  const auto now = graph_.resolve(issuer, number(issuer, id));
  study.vetoes = vetoes_of(now);
  if (!now.merged) return;
  study.current_id = as_written(now.root);
  study.current_issuer = study.issuer.empty() ? Interned() : now.root.authority;
}

void Feed::apply(match::StudyFacts& facts) const {
  match::StudyTexts study(facts);
  apply(study);
  facts.vetoes = study.vetoes.strings();
  facts.current_id = study.current_id;
  facts.current_issuer = study.current_issuer;
}

/// A patient number of the table or of orders, with what the graph says of it.
struct Feed::Number {
  Interned issuer, id;  ///< what was asked for
  bool known = false;
  Interned current_issuer, current_id;
  InternedList vetoes, other_ids, other_names;
  Interned death_date;
  bool restricted = false;
  identity::Graph::Person person;      ///< of the current number
  SplitName name{std::string_view()};  ///< the person's
};

/// Exams come sorted by patient, so the number at hand nearly always is that of the exam before.
const Feed::Number& Feed::number_of(Interned issuer, Interned id, Number& last) const {
  if (last.issuer == issuer && last.id == id && !id.empty()) return last;
  last = Number();
  last.issuer = last.current_issuer = issuer;
  last.id = last.current_id = id;
  const Interned authority = issuer_or_default(issuer), asked = number(authority, id);
  const auto now = graph_.resolve(authority, asked);
  last.vetoes = vetoes_of(now);
  last.known = now.known;
  if (now.merged) last.current_id = as_written(now.root);
  const bool called_otherwise = now.known && now.root.authority != authority;
  if (!issuer.empty() && (now.merged || called_otherwise)) last.current_issuer = now.root.authority;
  auto person = graph_.person(authority, asked);
  const Interned current = match::id_key_of(last.current_issuer);
  last.person = current == authority ? person : graph_.person(current, number(current, last.current_id));
  last.name = SplitName(last.person.name);
  if (!now.known) return last;
  std::vector<Interned> ids;
  for (const auto& other : graph_.also_known(authority, asked)) ids.push_back(match::id_key_of(as_written(other)));
  if (now.merged) ids.push_back(match::id_key_of(id));
  std::erase(ids, match::id_key_of(last.current_id));
  last.other_ids = tidied(std::move(ids));
  if (!person.name.empty()) person.other_names.push_back(person.name);
  last.other_names = tidied(std::move(person.other_names));
  last.death_date = person.death_date;
  last.restricted = person.restricted;
  return last;
}

void Feed::apply(match::Exam& exam, Number& last) const {
  if (exam.patient_id.empty()) return;
  const Number& n = number_of(exam.issuer, exam.patient_id, last);
  exam.vetoes = n.vetoes;
  if (!n.known) return;
  exam.patient_id = n.current_id;
  exam.issuer = n.current_issuer;
  exam.other_ids = united(exam.other_ids, n.other_ids, match::id_key_of(n.current_id));
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
  const Interned issuer = issuer_or_default(written), id = number(issuer, exam.patient_id);
  if (!graph_.resolve(issuer, id).known) return std::nullopt;
  const auto person = graph_.person(issuer, id);
  Number last;
  apply(exam, last);
  if (match::id_key_of(written) == match::id_key_of(exam.issuer)) exam.issuer = written;
  SplitName(person.name).give_to(exam);
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
  std::vector<Interned> other_ids;
  for (const auto& id : order.other_ids) other_ids.push_back(match::id_key_of(as_written(id)));
  exam.other_ids = other_ids;
  apply(exam, last);
  if (moved) {
    auto vetoes = exam.vetoes.texts();
    std::erase(vetoes, Interned("visit-moved"));
    exam.vetoes = vetoes;
  }
  const bool of_last = exam.patient_id == last.current_id;
  if (of_last && !last.person.name.empty())
    last.name.give_to(exam);
  else
    SplitName(order.demographics.name.value).give_to(exam);
  const auto& person = of_last ? last.person : identity::Graph::Person();
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

/// Finds the exam that has an accession number and a patient's number.
class Feed::Places {
 public:
  explicit Places(const match::SiteRules& rules) : rules_(rules) {}

  /// What of the exam is compared; any thread may ask.
  struct Key {
    Interned accession, patient;
    bool operator==(const Key&) const = default;
  };
  [[nodiscard]] Key key_of(const match::Exam& e) const {
    if (rules_.has_forms()) return {rules_.accession(e.accession), rules_.number(e.issuer, e.patient_id)};
    return {match::accession_key(e), match::id_key_of(e.patient_id)};
  }

  /// The place of an earlier exam of the same key, else `place`, which the exam then has.
  std::uint32_t find_or_add(const Key& key, std::uint32_t place) {
    keys_.resize(std::max<std::size_t>(keys_.size(), place + 1));
    keys_[place] = key;
    if (key.accession.empty()) return place;
    return by_key_.find_or_add(
        hash(key), place, [&](std::uint32_t n) { return keys_[n] == key; },
        [&](std::uint32_t n) { return hash(keys_[n]); });
  }

 private:
  static std::uint64_t hash(const Key& key) {
    return std::uint64_t{key.accession.number()} << 32U | key.patient.number();
  }
  const match::SiteRules& rules_;
  std::vector<Key> keys_;
  FlatIndex by_key_;
};

void Feed::apply(match::ExamTable& table) const {
  Places places(rules_);
  table.exams.reserve(std::max(table.exams.size(), book_.size()));
  std::vector<Places::Key> keys(table.exams.size());
  for_blocks(table.exams.size(), [&](std::size_t begin, std::size_t end) {
    Number last;
    for (std::size_t x = begin; x < end; ++x) {
      apply(table.exams[x], last);
      keys[x] = places.key_of(table.exams[x]);
    }
  });
  for (std::uint32_t x = 0; x < keys.size(); ++x) (void)places.find_or_add(keys[x], x);
  const auto orders = book_.sorted();
  std::vector<match::Exam> exams;
  for (std::size_t first = 0; first < orders.size(); first += kOrdersAtOnce) {
    exams.resize(std::min(orders.size() - first, kOrdersAtOnce));
    keys.resize(exams.size());
    for_blocks(exams.size(), [&](std::size_t begin, std::size_t end) {
      Number last;
      for (std::size_t n = begin; n < end; ++n) {
        exams[n] = exam_of(book_.at(orders[first + n]), last);
        keys[n] = places.key_of(exams[n]);
      }
    });
    for (std::size_t n = 0; n < exams.size(); ++n) {
      const auto fresh = static_cast<std::uint32_t>(table.exams.size());
      const std::uint32_t at = places.find_or_add(keys[n], fresh);
      if (at != fresh) {
        supplement(table.exams[at], exams[n]);
        continue;
      }
      ++table.from_hl7;
      table.exams.push_back(exams[n]);
    }
  }
  match::order_and_name(table.exams);
}

}  // namespace waybill::reconcile
