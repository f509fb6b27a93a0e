// SPDX-License-Identifier: Apache-2.0
#include "reconcile/studies.hpp"

#include "core/permute.hpp"
#include "core/text.hpp"
#include "match/name.hpp"
#include "reconcile/signs.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace waybill::reconcile {
namespace {

using match::StudyTexts;
using Text = std::optional<std::string>;

/// An attribute that is the same for all objects of a study, unless something went wrong.
struct Attribute {
  const char* tag;
  Text manifest::Study::*of_study;
  Text manifest::Object::*of_object;
  Interned StudyTexts::*of_texts;
};
constexpr std::array<Attribute, 8> kAttributes = {{
    {"0010,0020", &manifest::Study::patient_id, &manifest::Object::patient_id, &StudyTexts::patient_id},
    {"0010,0021", &manifest::Study::issuer, &manifest::Object::issuer, &StudyTexts::issuer},
    {"0010,0010", &manifest::Study::patient_name, &manifest::Object::patient_name, &StudyTexts::name},
    {"0010,0030", &manifest::Study::birth_date, &manifest::Object::birth_date, &StudyTexts::birth_date},
    {"0010,0040", &manifest::Study::sex, &manifest::Object::sex, &StudyTexts::sex},
    {"0008,0050", &manifest::Study::accession, &manifest::Object::accession, &StudyTexts::accession},
    {"0008,0020", &manifest::Study::study_date, &manifest::Object::study_date, &StudyTexts::date},
    {"0008,0030", &manifest::Study::study_time, &manifest::Object::study_time, &StudyTexts::time},
}};

std::string_view text_of(const Text& value) { return value ? trim(*value) : std::string_view(); }

bool exclude_each_other(std::string_view a, std::string_view b) { return !a.empty() && !b.empty() && a != b; }

template <typename T>
bool insert_once(std::vector<T>& sorted, const T& value) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), value);
  if (at != sorted.end() && *at == value) return false;
  sorted.insert(at, value);
  return true;
}

enum At : std::size_t { kPatientId, kIssuer, kName, kBirthDate, kSex, kAccession };  // places in kAttributes

}  // namespace

match::StudyFacts StudyTable::operator[](std::size_t n) const {
  const Row& row = rows_[n];
  match::StudyFacts facts;
  manifest::Study& study = facts.study;
  study.study = row.uid;
  for (std::size_t i = 0; i < kAttributes; ++i) {
    if ((row.given >> i) & 1U) study.*reconcile::kAttributes[i].of_study = row.values[i].str();
    if ((row.mixed >> i) & 1U) facts.mixed.emplace_back(reconcile::kAttributes[i].tag);
  }
  study.modalities = row.modalities.strings();
  study.series = row.series;
  study.instances = row.instances;
  study.bytes = row.bytes;
  facts.set_marks(row);
  facts.current_id = row.current_id;
  facts.current_issuer = row.current_issuer;
  return facts;
}

std::optional<std::size_t> StudyTable::find(std::string_view uid) const {
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), uid,
                                   [](const Row& row, std::string_view wanted) { return row.uid.view() < wanted; });
  if (at == rows_.end() || at->uid != uid) return std::nullopt;
  return static_cast<std::size_t>(at - rows_.begin());
}

match::StudyTexts StudyTable::texts(std::size_t n) const {
  const Row& row = rows_[n];
  match::StudyTexts study;
  study.uid = row.uid;
  for (std::size_t i = 0; i < kAttributes; ++i) study.*reconcile::kAttributes[i].of_texts = row.values[i];
  study.current_id = row.current_id;
  study.current_issuer = row.current_issuer;
  study.modalities = row.modalities;
  study.set_marks(row);
  study.instances = row.instances;
  return study;
}

void StudyTable::set_current(std::size_t n, const match::StudyTexts& study) {
  rows_[n].current_id = study.current_id;
  rows_[n].current_issuer = study.current_issuer;
}

/// Whether the object names another patient than the study so far: other ID or issuer, or name and birth date both.
bool StudyCollector::another_patient(const Row& study, const manifest::Object& object) const {
  const std::string_view id = text_of(object.patient_id), issuer = text_of(object.issuer);
  const auto of_study = [&](At at) { return trim(study.values[at].view()); };
  if (of_study(kPatientId) != id || of_study(kIssuer) != issuer) {
    if (exclude_each_other(rules_.number(of_study(kIssuer), of_study(kPatientId)), rules_.number(issuer, id)))
      return true;
    if (exclude_each_other(match::id_key(of_study(kIssuer)), match::id_key(issuer))) return true;
  }
  const std::string_view birth_date = text_of(object.birth_date), name = text_of(object.patient_name);
  if (of_study(kName) == name || of_study(kBirthDate) == birth_date) return false;
  return match::compare_birth_dates(of_study(kBirthDate), birth_date) == match::Same::differs &&
         match::compare_names(of_study(kName), name) == match::Same::differs;
}

bool StudyCollector::add(const manifest::Object& object) {
  const std::string_view text = text_of(object.study);
  if (text.empty()) return false;
  const Interned uid = text;
  auto& rows = table_.rows_;
  const auto next = static_cast<std::uint32_t>(rows.size());
  const std::uint32_t at = index_.find_or_add(
      uid.number(), next, [&](std::uint32_t n) { return rows[n].uid == uid; },
      [&](std::uint32_t n) { return rows[n].uid.number(); });
  const bool fresh = at == next;
  if (fresh) {
    rows.emplace_back().uid = uid;
    series_.emplace_back();
  }
  Row& row = rows[at];
  if (!fresh) {
    row.two_patients = row.two_patients || another_patient(row, object);
    if (!row.several_accessions && row.values[kAccession] != text_of(object.accession))
      row.several_accessions =
          exclude_each_other(rules_.accession(row.values[kAccession]), rules_.accession(object.accession.value_or("")));
  }
  for (std::size_t i = 0; i < kAttributes.size(); ++i) {
    const Text& value = object.*kAttributes[i].of_object;
    const auto bit = static_cast<std::uint8_t>(1U << i);
    const std::string_view now = trim(row.values[i].view()), other = text_of(value);
    if (value && (row.given & bit) == 0) row.values[i] = *value;
    if (value) row.given |= bit;
    if (now == other) continue;
    if (now.empty() || (!other.empty() && other < now)) row.values[i] = *value;  // the smallest that says something
    if (!fresh) row.mixed |= bit;
  }
  if (object.modality && !object.modality->empty() && !row.modalities.contains(*object.modality)) {
    auto modalities = row.modalities.texts();
    insert_once(modalities, Interned(*object.modality));
    row.modalities = modalities;
  }
  if (object.series) {
    Series& known = series_[at];
    const std::uint64_t hash = std::hash<std::string>{}(*object.series);
    if (row.series == 0) known.first = hash;
    if (row.series > 0 && hash != known.first && !known.more)
      known.more = std::make_unique<std::vector<std::uint64_t>>();
    if (row.series == 0 || (hash != known.first && insert_once(*known.more, hash))) ++row.series;
  }
  row.signs |= signs_of(object);
  ++row.instances;
  row.bytes += object.source.size;
  return true;
}

void StudyCollector::note(const manifest::Object& object) {
  const std::string_view uid = text_of(object.study);
  const std::uint32_t signs = uid.empty() ? 0 : signs_of(object);
  if (signs != 0) noted_[std::string(uid)] |= signs;
}

StudyTable StudyCollector::finish() {
  index_.clear();
  series_.clear();
  series_.shrink_to_fit();
  auto& rows = table_.rows_;
  if (!noted_.empty()) {
    for (Row& row : rows)
      if (const auto noted = noted_.find(row.uid.str()); noted != noted_.end()) row.signs |= noted->second;
    noted_.clear();
  }
  // UIDs of one archive begin alike; the sixteen bytes behind what all share tell nearly all of them apart.
  std::size_t shared = rows.empty() ? 0 : rows.front().uid.size();
  for (const Row& row : rows) {
    const auto [at, other] =
        std::mismatch(row.uid.view().begin(), row.uid.view().end(), rows.front().uid.view().begin(),
                      rows.front().uid.view().begin() + static_cast<std::ptrdiff_t>(shared));
    shared = static_cast<std::size_t>(at - row.uid.view().begin());
  }
  struct Place {
    std::uint64_t first, second;
    std::uint32_t row;
  };
  std::vector<Place> places(rows.size());
  for (std::uint32_t n = 0; n < rows.size(); ++n)
    places[n] = {rows[n].uid.leading(shared), rows[n].uid.leading(shared + 8), n};
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.first != b.first) return a.first < b.first;
    return a.second != b.second ? a.second < b.second : rows[a.row].uid < rows[b.row].uid;
  });
  permute(rows, places, [](Place& place) -> std::uint32_t& { return place.row; });
  return std::exchange(table_, {});
}

}  // namespace waybill::reconcile
