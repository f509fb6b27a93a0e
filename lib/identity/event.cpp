// SPDX-License-Identifier: Apache-2.0
#include "identity/event.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace waybill::identity {
namespace {

bool is_small(char c) noexcept { return c >= 'a' && c <= 'z'; }

/// In upper case; `room` holds the text where that changes it.
std::string_view upper(std::string_view text, std::string& room) {
  if (std::none_of(text.begin(), text.end(), is_small)) return text;
  std::string out(text);
  for (char& c : out)
    if (is_small(c)) c = static_cast<char>(c - 'a' + 'A');
  room = std::move(out);
  return room;
}

/// A component in upper case.
std::string_view word(const hl7::Message& m, std::string_view component, std::string& room) {
  return upper(m.value(component, room), room);
}

bool is_any(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::optional<EventKind> kind_of(std::string_view trigger) {
  if (is_any(trigger, {"A01", "A04", "A05", "A28"})) return EventKind::create;
  if (is_any(trigger, {"A18", "A34", "A40", "A30", "A39"})) return EventKind::merge;
  if (is_any(trigger, {"A46", "A47", "A48"})) return EventKind::rename;
  if (trigger == "A43") return EventKind::move_identifier;
  if (trigger == "A44") return EventKind::move_account;
  if (trigger == "A45") return EventKind::move_visit;
  if (is_any(trigger, {"A35", "A36", "A41", "A42", "A49", "A50", "A51"})) return EventKind::change_account;
  if (trigger == "A24") return EventKind::link;
  if (trigger == "A37") return EventKind::unlink;
  if (is_any(trigger, {"A23", "A29"})) return EventKind::remove;
  if (trigger.size() == 3 && trigger[0] == 'A') return EventKind::refresh;
  return std::nullopt;
}

/// Whether the field is a name as DICOM writes it already: family, given and middle name, once, nothing escaped, typed
/// or cleared. Nearly all names are, and need no taking apart.
bool is_plain_name(const hl7::Delimiters& d, std::string_view field) noexcept {
  if (d.component != '^' || field.empty()) return false;
  std::size_t components = 1;
  char before = ' ';
  for (const char c : field) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '=' || c == '\\' || c == '"' || c == d.repetition ||
        c == d.escape || c == d.subcomponent)
      return false;
    if ((before == ' ' || before == '^') && c == ' ') return false;
    if (before == ' ' && c == '^') return false;
    components += c == '^' ? 1 : 0;
    before = c;
  }
  return before != ' ' && before != '^' && components <= 3;
}

/// A part of a person name: nothing in it may look like a separator of DICOM.
std::string name_part(const hl7::Message& m, std::string_view component) {
  std::string text = m.value(component);
  for (char& c : text)
    if (c == '^' || c == '=' || c == '\\' || static_cast<unsigned char>(c) < 0x20) c = ' ';
  return std::string(trim(text));
}

/// XPN.1: the surname, or its parts (own prefix, own, partner's prefix, partner's) where only those are given.
std::string family_name(const hl7::Message& m, std::string_view component) {
  std::string name = name_part(m, m.subcomponent(component, 1));
  for (std::size_t i = 2; name.empty() && i <= 5; ++i) {
    for (std::size_t k = i; k <= 5; ++k) {
      const std::string more = name_part(m, m.subcomponent(component, k));
      if (!more.empty()) name += (name.empty() ? "" : " ") + more;
    }
  }
  return name;
}

/// One XPN as a group of a DICOM name: prefix and suffix change places, a degree goes behind the suffix.
std::string name_group(const hl7::Message& m, std::string_view xpn) {
  std::string suffix = name_part(m, m.component(xpn, 4));
  const std::string degree = name_part(m, m.component(xpn, 6));
  if (!degree.empty()) suffix += (suffix.empty() ? "" : " ") + degree;
  const std::array<std::string, 5> parts = {family_name(m, m.component(xpn, 1)), name_part(m, m.component(xpn, 2)),
                                            name_part(m, m.component(xpn, 3)), name_part(m, m.component(xpn, 5)),
                                            suffix};
  std::string group;
  for (const auto& p : parts) group += p + '^';
  group.erase(group.find_last_not_of('^') + 1);
  return group;
}

/// Whether the first repetition clears the field: "" by itself, or in each component that is not empty.
bool clears(const hl7::Message& m, std::string_view field) {
  if (field.find('"') == std::string_view::npos) return false;
  bool any = false;
  for (const auto component : hl7::parts(hl7::part(field, m.delimiters().repetition, 1), m.delimiters().component)) {
    if (!component.empty() && !hl7::is_null(trim(component))) return false;
    any = any || !component.empty();
  }
  return any;
}

Given given(const hl7::Message& m, std::string_view field, Interned (*read)(const hl7::Message&, std::string_view)) {
  if (field.empty()) return {};
  if (clears(m, field)) return {true, {}};
  const Interned value = read(m, field);
  return {!value.empty(), value};
}

Interned read_date(const hl7::Message& m, std::string_view field) {
  return hl7::date_and_time(m.component(hl7::part(field, m.delimiters().repetition, 1), 1)).date;
}

Interned read_sex(const hl7::Message& m, std::string_view field) {
  std::string room;
  const std::string_view sex = word(m, m.component(field, 1), room);
  if (is_any(sex, {"M", "MALE"})) return "M";
  if (is_any(sex, {"F", "FEMALE"})) return "F";
  return is_any(sex, {"O", "OTHER", "A", "N"}) ? "O" : "";
}

/// "Y" for what says that somebody is under special protection; sites use their own words for it.
Interned read_flag(const hl7::Message& m, std::string_view field) {
  std::string room;
  const std::string_view flag = word(m, m.component(field, 1), room);
  return flag.empty() || is_any(flag, {"N", "NO", "0", "F", "FALSE"}) ? "" : "Y";
}

/// CX or EI of an account or visit: authority and number.
std::string number_key(const hl7::Message& m, std::string_view cx) {
  if (cx.empty()) return {};
  const std::string id = m.value(m.component(cx, 1));
  if (id.empty()) return {};
  std::string room;
  return std::string(word(m, m.subcomponent(m.component(cx, 4), 1), room)) + '|' + id;
}

void read_mrg(Event& e, const hl7::Message& m, std::size_t mrg, const Site& site) {
  e.prior = patient_ids(m, m.field(mrg, 1), site);
  e.prior_account = number_key(m, m.field(mrg, 3));
  e.prior_visit = number_key(m, m.field(mrg, 5));
  e.prior_person = number_key(m, m.field(mrg, 4));
  e.prior_name = person_name(m, m.field(mrg, 7));
}

Event event_of(const hl7::Message& m, std::size_t pid, std::size_t end, EventKind kind, const Site& site) {
  Event e;
  e.kind = kind;
  e.ids = numbers_of(m, pid, site);
  for (const std::size_t field : {2, 4}) {
    for (const auto& id : patient_ids(m, m.field(pid, field), site))
      if (!id.authority.empty()) e.listed.push_back(id);
  }
  e.person = number_key(m, m.field(pid, 2));
  e.demographics = demographics_of(m, pid);
  if (kind == EventKind::create || kind == EventKind::refresh) return e;
  e.account = number_key(m, m.field(pid, 18));
  const auto pv1 = m.find("PV1", pid);
  if (pv1 && *pv1 < end) e.visit = number_key(m, m.field(*pv1, 19));
  return e;
}

/// A46 is about the external number (PID-2, MRG-4) and A48 about the alternate one (PID-4, MRG-2), whatever PID-3 and
/// MRG-1 say.
std::optional<Event> renamed_outside_the_list(const Event& e, std::string_view trigger, const hl7::Message& m,
                                              std::size_t pid, std::size_t mrg, const Site& site) {
  if (trigger != "A46" && trigger != "A48") return std::nullopt;
  Event other = e;
  other.ids = patient_ids(m, m.field(pid, trigger == "A46" ? 2 : 4), site);
  other.prior = patient_ids(m, m.field(mrg, trigger == "A46" ? 4 : 2), site);
  return other.ids.empty() || other.prior.empty() ? std::nullopt : std::optional(std::move(other));
}

bool needs_pairs(EventKind kind) {
  return kind != EventKind::create && kind != EventKind::refresh && kind != EventKind::change_account &&
         kind != EventKind::remove;
}

/// Whether nobody can tell which PID the first MRG belongs to: there is none, or the MRG stands before the first one
/// and is not the only one, nor its PID.
bool has_stray_mrg(const hl7::Message& m) {
  const auto pid = m.find("PID"), mrg = m.find("MRG");
  if (!pid) return true;
  return mrg && *mrg < *pid && (m.find("PID", *pid + 1) || m.find("MRG", *mrg + 1));
}

/// Each MRG by itself, for a person to look at; what the PIDs say of their patients still holds.
std::vector<Event> without_partner(const hl7::Message& m, EventKind kind, const Site& site) {
  std::vector<Event> events;
  auto mrg = m.find("MRG");
  do {
    events.emplace_back().kind = kind;
    if (!mrg) break;
    read_mrg(events.back(), m, *mrg, site);
    mrg = m.find("MRG", *mrg + 1);
  } while (mrg);
  for (auto pid = m.find("PID"); pid;) {
    const auto next = m.find("PID", *pid + 1);
    events.push_back(event_of(m, *pid, next.value_or(m.size()), EventKind::refresh, site));
    pid = next;
  }
  return events;
}

}  // namespace

std::string_view to_string(EventKind kind) noexcept {
  static constexpr std::array<std::string_view, 11> kNames = {
      "refresh",    "create",         "merge", "rename", "move-identifier", "move-account",
      "move-visit", "change-account", "link",  "unlink", "remove"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<PatientId> patient_id(const hl7::Message& m, std::string_view cx, const Site& site) {
  std::string room, type_room;
  const std::string_view id = m.value(m.component(cx, 1), room);
  if (id.empty()) return std::nullopt;
  const std::string_view type = word(m, m.component(cx, 5), type_room);
  if (is_any(type, {"SS", "SSN", "DL", "PPN", "AN", "VN",   "BC", "CC",  "DN",   "DR",   "EI",  "EN",
                    "FI", "HC",  "MB", "MA",  "MC", "NIIP", "WC", "ANC", "ACSN", "PLAC", "FILL"}))
    return std::nullopt;
  PatientId out;
  out.id = id;
  if (!is_any(type, {"MR", "PI", "PT", "MRT", "MRN", "U"})) out.type = type;
  const std::string_view authority = m.component(cx, 4);
  out.authority = word(m, m.subcomponent(authority, 1), room);
  if (out.authority.empty()) out.authority = word(m, m.subcomponent(authority, 2), room);
  if (out.authority.empty()) out.authority = upper(site.default_authority, room);
  return out;
}

std::vector<PatientId> patient_ids(const hl7::Message& m, std::string_view field, const Site& site) {
  std::vector<PatientId> out;
  if (field.empty()) return out;
  for (const auto cx : m.repetitions(field)) {
    const auto id = patient_id(m, cx, site);
    if (id && std::find(out.begin(), out.end(), *id) == out.end()) out.push_back(*id);
  }
  if (out.size() < 2) return out;
  std::string room;
  const Interned own = upper(site.default_authority, room);
  const auto rank = [&](const PatientId& id) {
    return !id.type.empty() ? 2 : own.empty() || id.authority != own ? 1 : 0;
  };
  std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return out;
}

std::vector<PatientId> numbers_of(const hl7::Message& m, std::size_t pid, const Site& site) {
  std::vector<PatientId> ids;
  for (const std::size_t field : {3, 2, 4})
    if (ids.empty()) ids = patient_ids(m, m.field(pid, field), site);
  return ids;
}

std::vector<std::pair<Interned, Interned>> authorities_of(const hl7::Message& m) {
  std::vector<std::pair<Interned, Interned>> out;
  for (std::size_t s = 0; s < m.size(); ++s) {
    const std::string_view field = m.is(s, "PID") ? m.field(s, 3) : m.is(s, "MRG") ? m.field(s, 1) : std::string_view();
    if (field.find(m.delimiters().subcomponent) == std::string_view::npos) continue;
    for (const auto cx : m.repetitions(field)) {
      std::string room, more;
      const std::string_view authority = m.component(cx, 4), name = word(m, m.subcomponent(authority, 1), room),
                             universal = word(m, m.subcomponent(authority, 2), more);
      if (!name.empty() && !universal.empty() && name != universal) out.emplace_back(name, universal);
    }
  }
  return out;
}

Interned person_name(const hl7::Message& m, std::string_view field, std::vector<Interned>* others) {
  const std::string_view plain = field.substr(0, field.find_last_not_of(m.delimiters().component) + 1);
  if (plain.empty()) return {};
  if (is_plain_name(m.delimiters(), plain)) return plain;
  std::array<std::string, 3> groups;
  std::string first;
  for (const auto xpn : m.repetitions(field)) {
    std::string type_room, form_room;
    const std::string_view type = word(m, m.component(xpn, 7), type_room),
                           form = word(m, m.component(xpn, 8), form_room);
    std::string group = name_group(m, xpn);
    if (group.empty()) continue;
    const std::size_t at = form == "I" ? 1 : form == "P" ? 2 : 0;
    const bool legal = type.empty() || type == "L" || type == "D";
    if (legal && groups[at].empty()) {
      groups[at] = std::move(group);
    } else {
      if (first.empty() && at == 0) first = group;
      if (others != nullptr) others->emplace_back(group);
    }
  }
  if (groups[0].empty() && groups[1].empty() && groups[2].empty()) return first;
  std::string name = groups[0] + '=' + groups[1] + '=' + groups[2];
  name.erase(name.find_last_not_of('=') + 1);
  return name;
}

Demographics demographics_of(const hl7::Message& m, std::size_t pid) {
  Demographics d;
  const std::string_view name = m.field(pid, 5);
  d.name.value = person_name(m, name, &d.other_names);
  const bool cleared = clears(m, name);
  d.name.given = cleared || !d.name.value.empty();
  if (cleared) d.name.value.clear();
  const Interned alias = person_name(m, m.field(pid, 9));
  if (!alias.empty()) d.other_names.push_back(alias);
  std::erase(d.other_names, d.name.value);
  d.birth_date = given(m, m.field(pid, 7), read_date);
  d.sex = given(m, m.field(pid, 8), read_sex);
  d.death_date = given(m, m.field(pid, 29), read_date);
  const std::size_t end = m.find("PID", pid + 1).value_or(m.size());
  for (const auto& [segment, field] : {std::pair("PV1", 16), {"PD1", 12}}) {
    const auto at = m.find(segment, pid);
    if (!at || *at >= end) continue;
    const Given said = given(m, m.field(*at, static_cast<std::size_t>(field)), read_flag);
    if (said.given && d.restricted.value.empty()) d.restricted = said;
  }
  return d;
}

std::vector<Event> events_of(const hl7::Message& m, const hl7::Origin& origin, const Site& site) {
  std::vector<Event> events;
  const auto [code, trigger] = hl7::type_of(m);
  if (code != "ADT" && !code.empty()) return events;
  const auto kind = kind_of(trigger);
  if (!kind) return events;
  const auto finish = [&, &why = trigger](Event e) {
    e.time = origin.time;
    e.trigger = why;
    e.control_id = origin.control_id;
    e.file = origin.file;
    e.offset = origin.offset;
    events.push_back(std::move(e));
  };
  if (needs_pairs(*kind) && has_stray_mrg(m)) {
    for (Event& e : without_partner(m, *kind, site)) finish(std::move(e));
    return events;
  }
  for (auto pid = m.find("PID"); pid;) {
    const auto next = m.find("PID", *pid + 1);
    const std::size_t end = next.value_or(m.size());
    Event e = event_of(m, *pid, end, *kind, site);
    if (*kind == EventKind::link || *kind == EventKind::unlink) {
      if (next) e.prior = patient_ids(m, m.field(*next, 3), site);
      finish(std::move(e));
      break;
    }
    auto mrg = m.find("MRG", *pid);
    if (!mrg && !next && events.empty()) mrg = m.find("MRG");  // one pair, written the wrong way round
    if (!mrg || *mrg >= end) {
      finish(std::move(e));
    } else {
      for (; mrg && *mrg < end; mrg = m.find("MRG", *mrg + 1)) {  // A44, A45: several MRG behind one PID
        Event one = e;
        read_mrg(one, m, *mrg, site);
        if (auto other = renamed_outside_the_list(one, trigger, m, *pid, *mrg, site)) {
          if (one.prior.empty()) one.kind = EventKind::refresh;
          finish(*std::move(other));
        }
        finish(std::move(one));
      }
    }
    pid = next;
  }
  return events;
}

}  // namespace waybill::identity
