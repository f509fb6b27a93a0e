// SPDX-License-Identifier: Apache-2.0
// What add() keeps is the same for every order of the events: of each attribute the latest value, of each number the
// times it was created, of everything that changes the forest the event itself. build() sorts these events by time and
// applies them one by one; that is the only place where order matters, and there it is given by the messages.
#include "identity/graph.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace waybill::identity {
namespace {

/// Without the type: find() looks for a number of any.
std::uint64_t hash_of(const PatientId& id) noexcept {
  std::uint64_t hash = 0;
  for (const Interned text : {id.authority, id.id}) hash = (hash ^ text.number()) * 0x9E3779B97F4A7C15ULL;
  return hash;
}

void insert_once(InternedList& list, Interned value) {
  if (list.contains(value)) return;
  auto texts = list.texts();
  texts.push_back(value);
  list = texts;
}

bool refreshes(EventKind kind) {
  return kind != EventKind::remove && kind != EventKind::unlink && kind != EventKind::change_account;
}

std::string text_of(const std::vector<PatientId>& ids) {
  std::string out;
  for (const auto& id : ids) {
    out += id.authority.str() + '\x1F' + id.id;
    if (!id.type.empty()) out += std::string("\x1F") + id.type;
    out += '\x1E';
  }
  return out;
}

/// Time, then control ID (shorter first: they count upwards), then content.
bool earlier(const Event& a, const Event& b) {
  const auto rank = [](const Event& e) {
    return std::tuple(e.time, e.control_id.size(), std::string_view(e.control_id), e.kind);
  };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  const auto content = [](const Event& e) {
    return std::tuple(e.trigger, text_of(e.ids), text_of(e.prior), e.prior_account, e.prior_visit, e.account, e.visit);
  };
  return content(a) < content(b);
}

}  // namespace

std::uint32_t Graph::node_of(const PatientId& id) {
  const auto fresh = static_cast<std::uint32_t>(nodes_.size());
  const std::uint32_t at = by_id_.find_or_add(
      hash_of(id), fresh, [&](std::uint32_t n) { return nodes_[n].id == id; },
      [&](std::uint32_t n) { return hash_of(nodes_[n].id); });
  if (at == fresh) nodes_.emplace_back().id = id;
  return at;
}

/// Of the numbers that an event takes something from: something became of them, whatever it was.
std::vector<std::uint32_t> Graph::nodes_of(const std::vector<PatientId>& ids) {
  std::vector<std::uint32_t> nodes;
  for (const PatientId& id : ids) nodes.push_back(node_of(id));
  return nodes;
}

std::uint32_t Graph::find(Interned authority, Interned id) const {
  authority = authority_of(authority);
  const PatientId wanted{authority, id, {}};
  std::uint32_t typed = kNone, more = kNone;
  const std::uint32_t plain = by_id_.find(hash_of(wanted), [&](std::uint32_t n) {
    const PatientId& there = nodes_[n].id;
    if (there.authority != authority || there.id != id) return false;
    if (there.type.empty()) return true;
    more = typed;
    typed = n;
    return false;
  });
  if (plain != kNone) return plain;
  return more == kNone ? typed : kNone;
}

void Graph::name_authority(Interned name_space, Interned universal_id) {
  for (const auto& [one, other] : {std::pair(universal_id, name_space), std::pair(name_space, universal_id)}) {
    const auto [at, fresh] = partners_.try_emplace(one.number(), other);
    if (!fresh && at->second != other) at->second = Interned();
  }
  is_universal_.insert(universal_id.number());
}

/// A name space that has several universal IDs is that of several authorities, whose equal numbers are other patients';
/// and a text that stands in both places is neither.
Interned Graph::authority_of(Interned written) const {
  if (!is_universal_.contains(written.number())) return written;
  const Interned name_space = partners_.at(written.number());
  if (name_space.empty() || is_universal_.contains(name_space.number())) return written;
  return partners_.at(name_space.number()) == written ? name_space : written;
}

void Graph::absorb(Node& into, const Node& from) {
  for (auto field : {&Node::name, &Node::birth_date, &Node::sex, &Node::death_date, &Node::restricted, &Node::person})
    say(into.*field, {(from.*field).said, (from.*field).text}, (from.*field).time);
  for (const Interned name : from.other_names) insert_once(into.other_names, name);
}

/// Numbers that were added under an authority's universal ID alone become those of its name space.
void Graph::unify_authorities() {
  const auto renamed = [&](const Node& n) { return authority_of(n.id.authority) != n.id.authority; };
  if (is_universal_.empty() || std::none_of(nodes_.begin(), nodes_.end(), renamed)) return;
  const auto old = std::exchange(nodes_, {});
  by_id_.clear();
  std::vector<std::uint32_t> place;
  for (const Node& n : old) {
    place.push_back(node_of({authority_of(n.id.authority), n.id.id, n.id.type}));
    absorb(nodes_[place.back()], n);
  }
  for (auto& creation : creations_) creation.first = place[creation.first];
  for (const auto& [key, time] : std::exchange(listed_, {})) {
    const std::uint32_t a = place[key >> 32U], b = place[key & UINT32_MAX];
    if (a != b) list(a, b, time);
  }
  for (Event& e : events_)
    for (auto* list : {&e.ids, &e.prior, &e.listed})
      for (auto& id : *list) id.authority = authority_of(id.authority);
}

std::uint32_t Graph::root(std::uint32_t node) const {
  while (nodes_[node].parent != kNone) node = nodes_[node].parent;
  return node;
}

void Graph::say(Dated& into, const Given& given, hl7::Time time) {
  if (!given.given) return;
  const bool later = !into.said || time > into.time || (time == into.time && given.value > into.text);
  if (later) into = {given.value, true, time};
}

void Graph::say_person(const Event& e) {
  for (const auto& id : e.ids) {
    Node& node = nodes_[node_of(id)];
    if (e.demographics.name.given && !e.demographics.name.value.empty())
      insert_once(node.other_names, e.demographics.name.value);
    say(node.name, e.demographics.name, e.time);
    say(node.birth_date, e.demographics.birth_date, e.time);
    say(node.sex, e.demographics.sex, e.time);
    say(node.death_date, e.demographics.death_date, e.time);
    say(node.restricted, e.demographics.restricted, e.time);
    say(node.person, {!e.person.empty(), e.person}, e.time);
    for (const auto& name : e.demographics.other_names) insert_once(node.other_names, name);
  }
  if (e.prior_name.empty()) return;
  for (const auto& id : e.prior) insert_once(nodes_[node_of(id)].other_names, e.prior_name);
}

void Graph::list(std::uint32_t a, std::uint32_t b, hl7::Time time) {
  const auto [at, fresh] = listed_.try_emplace(std::uint64_t{std::min(a, b)} << 32U | std::max(a, b), time);
  if (!fresh) at->second = std::max(at->second, time);
}

void Graph::list_together(const Event& e) {
  std::vector<std::uint32_t> nodes;
  for (const auto* list : {&e.ids, &e.listed})
    for (const auto& id : *list) nodes.push_back(node_of(id));
  for (std::size_t i = 1; i < nodes.size(); ++i)
    if (nodes[i] != nodes[0]) list(nodes[0], nodes[i], e.time);
}

void Graph::prefetch(const Event& e) const noexcept {
  for (const auto& id : e.ids) by_id_.prefetch(hash_of(id));
}

void Graph::add(const Event& e) {
  if (e.time > as_of_) return;
  for (const auto* list : {&e.ids, &e.prior})
    for (const auto& id : *list) (void)node_of(id);
  if (refreshes(e.kind) && e.kind != EventKind::link) {
    say_person(e);
    list_together(e);
  }
  if (e.kind == EventKind::create)
    for (const auto& id : e.ids) creations_.emplace_back(node_of(id), e.time);
  if (e.kind != EventKind::create && e.kind != EventKind::refresh) events_.push_back(e);
}

bool Graph::created_between(std::uint32_t node, hl7::Time after, hl7::Time before) const {
  const auto at = std::upper_bound(creations_.begin(), creations_.end(), std::pair(node, after));
  return at != creations_.end() && at->first == node && at->second < before;
}

void Graph::note(std::uint32_t node, std::uint32_t event, std::uint32_t other, bool applied, std::string text) {
  steps_.push_back({node, event, other, applied, std::move(text)});
}

void Graph::dispute(std::uint32_t event, std::string reason, const std::vector<std::uint32_t>& nodes) {
  for (const std::uint32_t n : nodes) {
    nodes_[n].disputed = true;
    note(n, event, n, false, "not applied: " + reason);
  }
  disputes_.push_back({event, std::move(reason)});
}

void Graph::apply_merge(std::uint32_t event, std::uint32_t dead, std::uint32_t survivor) {
  const hl7::Time now = events_[event].time;
  if (dead == survivor) return note(dead, event, survivor, false, "merged with itself: nothing to do");
  if (nodes_[dead].parent != kNone) {
    const hl7::Time then = events_[nodes_[dead].merge_event].time;
    if (root(dead) == root(survivor)) return note(dead, event, survivor, false, "merged already: nothing to do");
    if (created_between(dead, then, now))
      return dispute(event, "the number was given out again after its merge and is merged a second time", {dead});
    return dispute(event, "the number is merged into another patient already", {dead, survivor});
  }
  if (root(survivor) == dead) {
    const std::uint32_t edge = nodes_[survivor].merge_event;
    if (!created_between(survivor, events_[edge].time, now))
      return dispute(event, "the merge closes a cycle", {dead, survivor});
    note(survivor, event, nodes_[survivor].parent, true, "created anew, so its earlier merge no longer holds");
    nodes_[survivor].parent = nodes_[survivor].merge_event = kNone;
  }
  nodes_[dead].parent = survivor;
  nodes_[dead].merge_event = event;
  note(dead, event, survivor, true,
       events_[event].kind == EventKind::rename ? "is written from now on as" : "merged into");
  note(survivor, event, dead, true, events_[event].kind == EventKind::rename ? "was written before as" : "took over");
}

void Graph::apply_rename(std::uint32_t event, std::uint32_t dead, std::uint32_t survivor) {
  const hl7::Time now = events_[event].time;
  const bool taken = dead != survivor && created_between(survivor, std::numeric_limits<hl7::Time>::min(), now);
  if (taken && root(dead) != root(survivor))
    return dispute(event, "the new number of a renamed patient is in use already", {dead, survivor});
  apply_merge(event, dead, survivor);
}

/// Brings the numbers of PID-3 and MRG-1 together: those of one authority and kind.
void Graph::pair_up(std::uint32_t event) {
  const Event& e = events_[event];
  if (e.ids.empty() || e.prior.empty()) {
    if (!e.person.empty() && !e.prior_person.empty() && e.person != e.prior_person) return;  // joined later, as persons
    return dispute(event, "the message names no patient number on one of its sides", nodes_of(e.prior));
  }
  bool any = false;
  for (const auto& prior : e.prior) {
    const PatientId* partner = nullptr;
    const auto of_kind = [&](const PatientId& id) { return id.type == prior.type; };
    const bool only = e.prior.size() == 1 && std::count_if(e.ids.begin(), e.ids.end(), of_kind) == 1;
    for (const auto& id : e.ids) {
      const bool same_kind = of_kind(id);
      const bool same = prior.authority == id.authority;
      const bool one_side = only && (prior.authority.empty() || id.authority.empty());
      if (same_kind && (same || one_side) && (partner == nullptr || *partner == prior)) partner = &id;
    }
    if (partner == nullptr) continue;
    any = true;
    const std::uint32_t dead = node_of(prior), survivor = node_of(*partner);
    if (e.kind == EventKind::rename)
      apply_rename(event, dead, survivor);
    else
      apply_merge(event, dead, survivor);
  }
  if (!any) {
    dispute(event, "PID-3 and MRG-1 are numbers of different authorities", {node_of(e.ids[0]), node_of(e.prior[0])});
  }
}

void Graph::apply_move(std::uint32_t event) {
  const Event& e = events_[event];
  const bool account = e.kind == EventKind::move_account;
  const std::string& number = account ? e.prior_account : e.prior_visit;
  if (number.empty() || e.ids.empty())
    return dispute(event,
                   account ? "A44 names no account (MRG-3) or no patient who has it now (PID-3)"
                           : "A45 names no visit (MRG-5) or no patient who has it now (PID-3)",
                   nodes_of(e.prior));
  const std::uint32_t to = node_of(e.ids[0]);
  moves_.insert_or_assign((account ? "account|" : "visit|") + number, to);
  note(to, event, to, true, account ? "took over an account" : "took over a visit");
  for (const auto& id : e.prior) {
    const std::uint32_t from = node_of(id);
    if (from == to) continue;
    nodes_[from].moved = true;
    note(from, event, to, true, account ? "an account was moved to" : "a visit was moved to");
  }
}

/// A43: the same number in PID-3 and MRG-1 belongs to another person now; what listed it with the old one ends.
void Graph::apply_identifier_move(std::uint32_t event) {
  const Event& e = events_[event];
  bool any = false;
  for (const auto& id : e.prior) {
    if (std::find(e.ids.begin(), e.ids.end(), id) == e.ids.end()) continue;
    any = true;
    const std::uint32_t node = node_of(id);
    std::erase_if(pairs_, [&](const Pair& p) { return (p.a == node || p.b == node) && p.time < e.time; });
    note(node, event, node, true, "belongs to another person");
  }
  if (any) return;
  if (e.ids.empty() || e.prior.empty()) return dispute(event, "A43 names no number that moves", nodes_of(e.prior));
  dispute(event, "A43 names different numbers in PID-3 and MRG-1", {node_of(e.ids[0]), node_of(e.prior[0])});
}

void Graph::apply_link(std::uint32_t event) {
  const Event& e = events_[event];
  if (e.ids.empty() || e.prior.empty()) return dispute(event, "the message names one patient only", {});
  const std::uint32_t a = node_of(e.ids[0]), b = node_of(e.prior[0]);
  const bool link = e.kind == EventKind::link;
  const std::uint32_t low = std::min(a, b), high = std::max(a, b);
  if (link) {
    if (a != b) pairs_.push_back({low, high, e.time, true});
  } else {
    std::erase_if(pairs_, [&](const Pair& p) { return p.a == low && p.b == high && p.time <= e.time; });
  }
  note(a, event, b, true, link ? "linked with" : "no longer linked with");
  note(b, event, a, true, link ? "linked with" : "no longer linked with");
  if (!link && root(a) == root(b))
    dispute(event, "A37 takes apart numbers that are merged; only people undo a merge", {a, b});
}

void Graph::apply(std::uint32_t event) {
  switch (events_[event].kind) {
    case EventKind::merge:
    case EventKind::rename: return pair_up(event);
    case EventKind::move_account:
    case EventKind::move_visit: return apply_move(event);
    case EventKind::move_identifier: return apply_identifier_move(event);
    case EventKind::link:
    case EventKind::unlink: return apply_link(event);
    case EventKind::change_account: {
      const Event& e = events_[event];
      const bool other = e.trigger == "A36" && !e.ids.empty() && !e.prior.empty() && e.ids[0] != e.prior[0];
      if (other)
        dispute(event, "A36 names two patients; whether they are one is for a person to say",
                {node_of(e.ids[0]), node_of(e.prior[0])});
      return;
    }
    case EventKind::remove:
      for (const auto& id : events_[event].ids) note(node_of(id), event, node_of(id), false, "deleted by its system");
      return;
    default: return;
  }
}

/// Numbers of one person (PID-2), persons merged by A39 and the like included, know each other.
void Graph::join_persons() {
  std::map<std::string, std::string> into;
  for (const Event& e : events_)  // in order of time
    if (e.kind == EventKind::merge && !e.person.empty() && !e.prior_person.empty() && e.person != e.prior_person)
      into.try_emplace(e.prior_person, e.person);
  const auto last = [&](std::string person) {
    for (int hops = 0; hops < 64 && into.count(person) > 0; ++hops) person = into[person];
    return person;
  };
  std::map<std::string, std::vector<std::uint32_t>> members;
  for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
    if (!nodes_[n].person.said || nodes_[n].person.text.empty()) continue;
    members[last(nodes_[n].person.text.str())].push_back(n);
  }
  constexpr std::size_t kMostNumbers = 100;  // more is no person but a placeholder in PID-2
  for (const auto& [person, nodes] : members) {
    if (nodes.size() > kMostNumbers) continue;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (std::size_t k = i + 1; k < nodes.size(); ++k) pairs_.push_back({nodes[i], nodes[k], 0, false});
  }
}

void Graph::mark_reused() {
  for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
    if (nodes_[n].parent == kNone) continue;
    const Event& merge = events_[nodes_[n].merge_event];
    if (created_between(n, merge.time, kEver)) nodes_[n].reused = true;
  }
}

void Graph::build() {
  unify_authorities();
  std::sort(creations_.begin(), creations_.end());
  creations_.erase(std::unique(creations_.begin(), creations_.end()), creations_.end());
  std::sort(events_.begin(), events_.end(), earlier);
  for (const auto& [key, time] : listed_)
    pairs_.push_back({static_cast<std::uint32_t>(key >> 32U), static_cast<std::uint32_t>(key), time, false});
  listed_.clear();
  for (std::uint32_t i = 0; i < events_.size(); ++i) apply(i);
  join_persons();
  mark_reused();
  for (auto n = static_cast<std::uint32_t>(nodes_.size()); n-- > 0;)
    if (nodes_[n].parent != kNone) nodes_[n].next_sibling = std::exchange(nodes_[nodes_[n].parent].first_child, n);
  for (const Pair& p : pairs_) {
    neighbours_.emplace_back(p.a, p.b);
    neighbours_.emplace_back(p.b, p.a);
  }
  std::sort(neighbours_.begin(), neighbours_.end());
  std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.node < b.node; });
}

void Graph::forget_numbers() {
  Graph rest(as_of_);
  rest.events_ = std::move(events_);
  rest.disputes_ = std::move(disputes_);
  *this = std::move(rest);
}

}  // namespace waybill::identity
