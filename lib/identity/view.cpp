// SPDX-License-Identifier: Apache-2.0
// What a built graph answers; graph.cpp is how it is built.
#include "identity/graph.hpp"

#include <algorithm>
#include <set>

namespace waybill::identity {
namespace {

std::string shown(const PatientId& id) {
  return id.id + (id.authority.empty() ? "" : " of " + id.authority) + (id.type.empty() ? "" : " (" + id.type + ")");
}

bool by_text(const PatientId& a, const PatientId& b) {
  return std::tie(a.authority, a.id, a.type) < std::tie(b.authority, b.id, b.type);
}

}  // namespace

Resolution Graph::resolve(std::string_view authority, std::string_view id) const {
  Resolution out;
  std::uint32_t node = find(authority, id);
  if (node == kNone) {
    out.root = {std::string(authority), std::string(id), {}};
    return out;
  }
  out.known = true;
  for (;;) {
    out.disputed |= nodes_[node].disputed;
    out.reused |= nodes_[node].reused;
    out.moved |= nodes_[node].moved;
    if (nodes_[node].parent == kNone) break;
    node = nodes_[node].parent;
    out.merged = true;
  }
  out.root = id_of(node);
  return out;
}

std::vector<PatientId> Graph::also_known(std::string_view authority, std::string_view id) const {
  std::vector<PatientId> out;
  const std::uint32_t start = find(authority, id);
  if (start == kNone) return out;
  std::set<std::uint32_t> seen;
  const auto take_tree = [&](std::uint32_t node) {
    std::vector<std::uint32_t> open{root(node)};
    while (!open.empty()) {
      const std::uint32_t n = open.back();
      open.pop_back();
      if (seen.insert(n).second) open.insert(open.end(), children_[n].begin(), children_[n].end());
    }
  };
  take_tree(start);
  // One step over links, not a closure: a chain of links through a wrong one must not join half a hospital.
  const std::set<std::uint32_t> own = seen;
  for (const std::uint32_t n : own)
    for (const std::uint32_t other : neighbours_[n]) take_tree(other);
  for (const std::uint32_t n : seen)
    if (n != start) out.push_back(id_of(n));
  std::sort(out.begin(), out.end(), by_text);
  return out;
}

std::optional<PatientId> Graph::moved_to(std::string_view account, std::string_view visit) const {
  for (const auto& number : {"account|" + std::string(account), "visit|" + std::string(visit)}) {
    if (number.ends_with('|')) continue;
    if (const auto at = moves_.find(number); at != moves_.end()) return id_of(root(at->second));
  }
  return std::nullopt;
}

Graph::Person Graph::person(std::string_view authority, std::string_view id) const {
  Person out;
  const std::uint32_t start = find(authority, id);
  if (start == kNone) return out;
  const std::uint32_t top = root(start);
  out.name = nodes_[top].name.text;
  out.birth_date = nodes_[top].birth_date.text;
  out.sex = nodes_[top].sex.text;
  out.death_date = nodes_[top].death_date.text;
  std::set<std::string> names;
  std::vector<std::uint32_t> open{top};
  while (!open.empty()) {
    const std::uint32_t n = open.back();
    open.pop_back();
    for (const Interned name : nodes_[n].other_names) names.emplace(name);
    out.restricted = out.restricted || nodes_[n].restricted.text == "Y";
    if (out.death_date.empty()) out.death_date = nodes_[n].death_date.text;
    open.insert(open.end(), children_[n].begin(), children_[n].end());
  }
  names.erase(out.name);
  out.other_names.assign(names.begin(), names.end());
  return out;
}

std::vector<std::string> Graph::history(std::string_view authority, std::string_view id) const {
  std::vector<std::string> out;
  const std::uint32_t node = find(authority, id);
  const auto [first, last] = std::equal_range(steps_.begin(), steps_.end(), Step{node, 0, 0, false, {}},
                                              [](const Step& a, const Step& b) { return a.node < b.node; });
  for (auto step = first; step != last; ++step) {
    const Event& e = events_[step->event];
    std::string line = hl7::show_time(e.time) + " " + e.trigger + " " + step->note;
    if (step->other != node) line += " " + shown(id_of(step->other));
    line += " (control ID " + e.control_id + ", " + e.file + " byte " + std::to_string(e.offset) + ")";
    out.push_back(std::move(line));
  }
  return out;
}

std::string Graph::dump() const {
  std::vector<std::string> lines;
  for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
    const PatientId id = id_of(n);
    const Resolution r = resolve(id.authority, id.id);
    const Person p = person(id.authority, id.id);
    std::string line =
        shown(id) + " -> " + shown(id_of(root(n))) + " | " + p.name + " | " + p.birth_date + " | " + p.sex;
    for (const auto& name : p.other_names) line += " ; " + name;
    line += " |";
    for (const auto& other : also_known(id.authority, id.id)) line += " " + shown(other);
    if (r.disputed) line += " disputed";
    if (r.reused) line += " reused";
    if (r.moved) line += " moved";
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  for (const auto& d : disputes_) out += hl7::show_time(events_[d.event].time) + " " + d.reason + "\n";
  return out;
}

}  // namespace waybill::identity
