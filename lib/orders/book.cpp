// SPDX-License-Identifier: Apache-2.0
#include "orders/book.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace waybill::orders {
namespace {

constexpr std::array<std::string_view, 3> kStates = {"planned", "performed", "cancelled"};

}  // namespace

void Book::say(Entry& entry, Field field, Interned text, std::uint32_t when) {
  if (text.empty()) return;
  const Interned now = entry.text[field];
  const bool later = when > entry.when[field] || (when == entry.when[field] && text > now);
  if (!now.empty() && !later) return;
  entry.text[field] = text;
  entry.when[field] = when;
}

std::uint64_t Book::hash_of(const Entry& e) {
  std::uint64_t hash = 0;
  for (const Interned text : {e.number, e.authority, e.id}) hash = (hash ^ text.number()) * 0x9E3779B97F4A7C15ULL;
  return hash;
}

std::uint32_t Book::entry_of(const Order& o) {
  Entry e;
  e.number = !o.accession.empty() ? o.accession
             : !o.filler.empty()  ? "f|" + o.filler
             : !o.placer.empty()  ? "p|" + o.placer
                                  : "u|" + o.study_uid;
  e.authority = o.patient.authority;
  e.id = o.patient.id;
  const auto fresh = static_cast<std::uint32_t>(entries_.size());
  const auto same = [&](std::uint32_t n) {
    const Entry& there = entries_[n];
    return there.number == e.number && there.authority == e.authority && there.id == e.id;
  };
  const std::uint32_t at =
      by_key_.find_or_add(hash_of(e), fresh, same, [&](std::uint32_t n) { return hash_of(entries_[n]); });
  if (at == fresh) {
    e.type = o.patient.type;
    entries_.push_back(e);
  }
  return at;
}

void Book::add(const Order& o) {
  const std::uint32_t n = entry_of(o);
  Entry& e = entries_[n];
  const auto when = static_cast<std::uint32_t>(std::clamp<hl7::Time>(o.time / 1000000, 0, UINT32_MAX));
  const std::array<std::pair<Field, const std::string*>, 10> texts = {{{kName, &o.demographics.name.value},
                                                                       {kBirthDate, &o.demographics.birth_date.value},
                                                                       {kSex, &o.demographics.sex.value},
                                                                       {kAccount, &o.account},
                                                                       {kVisit, &o.visit},
                                                                       {kAccession, &o.accession},
                                                                       {kStudyUid, &o.study_uid},
                                                                       {kModality, &o.modality},
                                                                       {kDescription, &o.description},
                                                                       {kDate, &o.date}}};
  for (const auto& [field, text] : texts) say(e, field, *text, when);
  if (!o.date.empty()) say(e, kClock, o.clock, when);
  if (o.state_said) say(e, kState, kStates[static_cast<std::size_t>(o.state)], when);
  e.report |= o.report;
  for (const auto& id : o.other_ids) {
    auto& ids = other_ids_[n];
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
}

void Book::for_each(const std::function<void(const Order&)>& take) const {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order(entries_.size());
  for (std::uint32_t n = 0; n < entries_.size(); ++n) order[n] = {entries_[n].id.leading(), n};
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    const auto key = [&](std::uint32_t n) {
      return std::tie(entries_[n].id, entries_[n].authority, entries_[n].number);
    };
    return key(a.second) < key(b.second);
  });
  for (const auto& [leading, n] : order) {
    const Entry& e = entries_[n];
    const auto text = [&](Field f) { return e.text[f].str(); };
    Order o;
    o.patient = {e.authority, e.id, e.type};
    o.report = e.report;
    o.demographics.name = {!e.text[kName].empty(), text(kName)};
    o.demographics.birth_date = {!e.text[kBirthDate].empty(), text(kBirthDate)};
    o.demographics.sex = {!e.text[kSex].empty(), text(kSex)};
    o.account = text(kAccount);
    o.visit = text(kVisit);
    o.accession = text(kAccession);
    o.study_uid = text(kStudyUid);
    o.modality = text(kModality);
    o.description = text(kDescription);
    o.date = text(kDate);
    o.clock = text(kClock);
    o.state_said = !e.text[kState].empty();
    const auto state = std::find(kStates.begin(), kStates.end(), e.text[kState].view());
    if (state != kStates.end()) o.state = static_cast<State>(state - kStates.begin());
    for (const std::uint32_t when : e.when) o.time = std::max(o.time, hl7::Time{when} * 1000000);
    if (const auto ids = other_ids_.find(n); ids != other_ids_.end()) o.other_ids = ids->second;
    take(o);
  }
}

}  // namespace waybill::orders
