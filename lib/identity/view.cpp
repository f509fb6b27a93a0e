// SPDX-License-Identifier: Apache-2.0
// What a built graph answers; graph.cpp is how it is built.
#include "identity/graph.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace waybill::identity {
namespace {

std::string shown(const PatientId& id) {
  std::string out(id.id);
  if (!id.authority.empty()) out += std::string(" of ") + id.authority;
  if (!id.type.empty()) out += std::string(" (") + id.type + ")";
  return out;
}

bool by_text(const PatientId& a, const PatientId& b) {
  return std::tie(a.authority, a.id, a.type) < std::tie(b.authority, b.id, b.type);
}

}  // namespace

Resolution Graph::resolve(Interned authority, Interned id) const {
  Resolution out;
  std::uint32_t node = find(authority, id);
  if (node == kNone) {
    out.root = {authority, id, {}};
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
  out.root = nodes_[node].id;
  return out;
}

/// The numbers that were merged into `top`, itself first, behind those that are in `nodes`.
void Graph::add_tree(std::uint32_t top, std::vector<std::uint32_t>& nodes) const {
  const std::size_t first = nodes.size();
  nodes.push_back(top);
  for (std::size_t i = first; i < nodes.size(); ++i)
    for (std::uint32_t n = nodes_[nodes[i]].first_child; n != kNone; n = nodes_[n].next_sibling) nodes.push_back(n);
}

std::vector<PatientId> Graph::also_known(Interned authority, Interned id) const {
  std::vector<PatientId> out;
  const std::uint32_t start = find(authority, id);
  if (start == kNone) return out;
  const std::uint32_t own = root(start);
  std::vector<std::uint32_t> nodes, linked;
  add_tree(own, nodes);
  // One step over links, not a closure: a chain of links through a wrong one must not join half a hospital.
  for (const std::uint32_t n : nodes) {
    auto at = std::lower_bound(neighbours_.begin(), neighbours_.end(), std::pair(n, std::uint32_t{0}));
    for (; at != neighbours_.end() && at->first == n; ++at)
      if (root(at->second) != own) linked.push_back(root(at->second));
  }
  std::sort(linked.begin(), linked.end());
  linked.erase(std::unique(linked.begin(), linked.end()), linked.end());
  for (const std::uint32_t top : linked) add_tree(top, nodes);
  for (const std::uint32_t n : nodes)
    if (n != start) out.push_back(nodes_[n].id);
  std::sort(out.begin(), out.end(), by_text);
  return out;
}

std::optional<PatientId> Graph::moved_to(std::string_view account, std::string_view visit) const {
  for (const auto& number : {"account|" + std::string(account), "visit|" + std::string(visit)}) {
    if (number.ends_with('|')) continue;
    if (const auto at = moves_.find(number); at != moves_.end()) return nodes_[root(at->second)].id;
  }
  return std::nullopt;
}

Graph::Person Graph::person(Interned authority, Interned id) const {
  Person out;
  const std::uint32_t start = find(authority, id);
  if (start == kNone) return out;
  const std::uint32_t top = root(start);
  out.name = nodes_[top].name.text;
  out.birth_date = nodes_[top].birth_date.text;
  out.sex = nodes_[top].sex.text;
  std::vector<std::uint32_t> nodes;
  add_tree(top, nodes);
  for (const std::uint32_t n : nodes) {
    out.other_names.insert(out.other_names.end(), nodes_[n].other_names.begin(), nodes_[n].other_names.end());
    out.restricted = out.restricted || nodes_[n].restricted.text == "Y";
    const Interned died = nodes_[n].death_date.text;
    if (out.death_date.empty() || (!died.empty() && died < out.death_date)) out.death_date = died;
  }
  if (const Interned died = nodes_[top].death_date.text; !died.empty()) out.death_date = died;
  std::erase(out.other_names, out.name);
  std::sort(out.other_names.begin(), out.other_names.end());
  out.other_names.erase(std::unique(out.other_names.begin(), out.other_names.end()), out.other_names.end());
  return out;
}

std::vector<std::string> Graph::history(Interned authority, Interned id) const {
  std::vector<std::string> out;
  const std::uint32_t node = find(authority, id);
  const auto [first, last] = std::equal_range(steps_.begin(), steps_.end(), Step{node, 0, 0, false, {}},
                                              [](const Step& a, const Step& b) { return a.node < b.node; });
  for (auto step = first; step != last; ++step) {
    const Event& e = events_[step->event];
    std::string line = hl7::show_time(e.time) + " " + e.trigger + " " + step->note;
    if (step->other != node) line += " " + shown(nodes_[step->other].id);
    line += " (control ID " + e.control_id + ", " + e.file + " byte " + std::to_string(e.offset) + ")";
    out.push_back(std::move(line));
  }
  return out;
}

std::string Graph::dump() const {
  std::vector<std::string> lines;
  for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
    const PatientId id = nodes_[n].id;
    const Resolution r = resolve(id.authority, id.id);
    const Person p = person(id.authority, id.id);
    std::string line =
        shown(id) + " -> " + shown(nodes_[root(n)].id) + " | " + p.name + " | " + p.birth_date + " | " + p.sex;
    for (const Interned name : p.other_names) line += std::string(" ; ") + name;
    if (!p.death_date.empty()) line += std::string(" died ") + p.death_date;
    if (p.restricted) line += " restricted";
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
