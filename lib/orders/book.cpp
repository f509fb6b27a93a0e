// SPDX-License-Identifier: Apache-2.0
#include "orders/book.hpp"

#include <algorithm>

namespace waybill::orders {
namespace {

constexpr std::array<std::string_view, 3> kStates = {"planned", "performed", "cancelled"};

}  // namespace

void Book::say(Entry& entry, Field field, std::string_view text, std::uint32_t when) {
  if (text.empty()) return;
  Said& said = entry.said[field];
  const bool later = when > said.when || (when == said.when && text > pool_[said.text]);
  if (said.text == 0 || later) said = {pool_.add(text), when};
}

void Book::add(const Order& o) {
  std::string key = !o.accession.empty() ? o.accession : !o.filler.empty() ? "f|" + o.filler : "p|" + o.placer;
  if (o.accession.empty() && o.filler.empty() && o.placer.empty()) key = "u|" + o.study_uid;
  key += '\x1F' + o.patient.authority + '\x1F' + o.patient.id;
  const auto [at, fresh] = by_key_.try_emplace(pool_.add(key), static_cast<std::uint32_t>(entries_.size()));
  if (fresh) {
    Entry& e = entries_.emplace_back();
    e.authority = pool_.add(o.patient.authority);
    e.id = pool_.add(o.patient.id);
    e.type = pool_.add(o.patient.type);
    e.offset = o.offset;
  }
  Entry& e = entries_[at->second];
  const auto when = static_cast<std::uint32_t>(std::clamp<hl7::Time>(o.time / 1000000, 0, UINT32_MAX));
  const std::array<std::pair<Field, const std::string*>, 15> texts = {{{kName, &o.demographics.name.value},
                                                                       {kBirthDate, &o.demographics.birth_date.value},
                                                                       {kSex, &o.demographics.sex.value},
                                                                       {kAccount, &o.account},
                                                                       {kVisit, &o.visit},
                                                                       {kAccession, &o.accession},
                                                                       {kStudyUid, &o.study_uid},
                                                                       {kPlacer, &o.placer},
                                                                       {kFiller, &o.filler},
                                                                       {kModality, &o.modality},
                                                                       {kDescription, &o.description},
                                                                       {kCode, &o.code},
                                                                       {kSite, &o.site},
                                                                       {kDate, &o.date},
                                                                       {kFile, &o.file}}};
  for (const auto& [field, text] : texts) say(e, field, *text, when);
  if (!o.date.empty()) say(e, kClock, o.clock, when);
  if (o.state_said) say(e, kState, kStates[static_cast<std::size_t>(o.state)], when);
  e.report |= o.report;
  for (const auto& id : o.other_ids) {
    auto& ids = other_ids_[at->second];
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
}

void Book::for_each(const std::function<void(const Order&)>& take) const {
  for (std::uint32_t n = 0; n < entries_.size(); ++n) {
    const Entry& e = entries_[n];
    const auto text = [&](Field f) { return std::string(pool_[e.said[f].text]); };
    Order o;
    o.patient = {std::string(pool_[e.authority]), std::string(pool_[e.id]), std::string(pool_[e.type])};
    o.report = e.report;
    o.offset = e.offset;
    o.demographics.name = {e.said[kName].text != 0, text(kName)};
    o.demographics.birth_date = {e.said[kBirthDate].text != 0, text(kBirthDate)};
    o.demographics.sex = {e.said[kSex].text != 0, text(kSex)};
    o.account = text(kAccount);
    o.visit = text(kVisit);
    o.accession = text(kAccession);
    o.study_uid = text(kStudyUid);
    o.placer = text(kPlacer);
    o.filler = text(kFiller);
    o.modality = text(kModality);
    o.description = text(kDescription);
    o.code = text(kCode);
    o.site = text(kSite);
    o.date = text(kDate);
    o.clock = text(kClock);
    o.file = text(kFile);
    o.state_said = e.said[kState].text != 0;
    const auto state = std::find(kStates.begin(), kStates.end(), pool_[e.said[kState].text]);
    if (state != kStates.end()) o.state = static_cast<State>(state - kStates.begin());
    for (const Said& said : e.said) o.time = std::max(o.time, hl7::Time{said.when} * 1000000);
    if (const auto ids = other_ids_.find(n); ids != other_ids_.end()) o.other_ids = ids->second;
    take(o);
  }
}

}  // namespace waybill::orders
