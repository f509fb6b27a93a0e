// SPDX-License-Identifier: Apache-2.0
#include "orders/book.hpp"

#include <tbb/parallel_sort.h>
#include <algorithm>
#include <tuple>
#include <utility>

namespace waybill::orders {
namespace {

/// In the order of State.
const std::array<Interned, 3>& states() {
  static const std::array<Interned, 3> all = {"planned", "performed", "cancelled"};
  return all;
}

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
             : !o.filler.empty()  ? Interned("f|" + o.filler)
             : !o.placer.empty()  ? Interned("p|" + o.placer)
                                  : Interned(std::string("u|") + o.study_uid);
  e.authority = o.patient.authority;
  e.id = o.patient.id;
  const auto fresh = static_cast<std::uint32_t>(entries_.size());
  const auto same = [&](std::uint32_t n) {
    const Entry& there = entries_[n];
    return there.number == e.number && there.authority == e.authority && there.id == e.id;
  };
  const std::uint32_t at =
      by_key_.find_or_add(hash_of(e), fresh, same, [&](std::uint32_t n) { return hash_of(entries_[n]); });
  if (at == fresh) entries_.push_back(e);
  return at;
}

void Book::prefetch(const Order& o) const noexcept {
  if (o.accession.empty()) return;
  Entry e;
  e.number = o.accession;
  e.authority = o.patient.authority;
  e.id = o.patient.id;
  by_key_.prefetch(hash_of(e));
}

void Book::add(const Order& o) {
  const std::uint32_t n = entry_of(o);
  Entry& e = entries_[n];
  const auto when = static_cast<std::uint32_t>(std::clamp<hl7::Time>(o.time / 1000000, 0, UINT32_MAX));
  say(e, kName, o.demographics.name.value, when);
  say(e, kBirthDate, o.demographics.birth_date.value, when);
  say(e, kSex, o.demographics.sex.value, when);
  say(e, kAccount, o.account, when);
  say(e, kVisit, o.visit, when);
  say(e, kAccession, o.accession, when);
  say(e, kStudyUid, o.study_uid, when);
  say(e, kModality, o.modality, when);
  say(e, kDescription, o.description, when);
  say(e, kDate, o.date, when);
  if (!o.date.empty()) say(e, kClock, o.clock, when);
  if (o.state_said) say(e, kState, states()[static_cast<std::size_t>(o.state)], when);
  e.report |= o.report;
  for (const auto& id : o.other_ids) {
    auto& ids = other_ids_[n];
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
}

std::vector<std::uint32_t> Book::sorted() const {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order(entries_.size());
  for (std::uint32_t n = 0; n < entries_.size(); ++n) order[n] = {entries_[n].id.leading(), n};
  tbb::parallel_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    const auto key = [&](std::uint32_t n) {
      return std::tie(entries_[n].id, entries_[n].authority, entries_[n].number);
    };
    return key(a.second) < key(b.second);
  });
  std::vector<std::uint32_t> numbers(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) numbers[i] = order[i].second;
  return numbers;
}

Order Book::at(std::uint32_t n) const {
  const Entry& e = entries_[n];
  const auto given = [&](Field f) -> identity::Given { return {!e.text[f].empty(), e.text[f]}; };
  Order o;
  o.patient = {e.authority, e.id, {}};
  o.report = e.report;
  o.demographics.name = given(kName);
  o.demographics.birth_date = given(kBirthDate);
  o.demographics.sex = given(kSex);
  o.account = e.text[kAccount];
  o.visit = e.text[kVisit];
  o.accession = e.text[kAccession];
  o.study_uid = e.text[kStudyUid];
  o.modality = e.text[kModality];
  o.description = e.text[kDescription];
  o.date = e.text[kDate];
  o.clock = e.text[kClock];
  const auto state = std::find(states().begin(), states().end(), e.text[kState]);
  o.state_said = state != states().end();
  if (o.state_said) o.state = static_cast<State>(state - states().begin());
  for (const std::uint32_t when : e.when) o.time = std::max(o.time, hl7::Time{when} * 1000000);
  if (const auto ids = other_ids_.find(n); ids != other_ids_.end()) o.other_ids = ids->second;
  return o;
}

}  // namespace waybill::orders
