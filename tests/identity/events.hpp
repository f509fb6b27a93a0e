// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "identity/graph.hpp"

#include <string>
#include <vector>

/// HL7 for tests of the identity graph.
namespace waybill::test {

/// "ADT^A40" at a time with PID-3, a name, MRG-1: an ADT message.
inline std::string adt(const std::string& trigger, const std::string& time, const std::string& id,
                       const std::string& name = "", const std::string& prior = "", const std::string& control = "") {
  std::string text = "MSH|^~\\&|ADT|HOSP|||" + time + "||ADT^" + trigger + "|" + (control.empty() ? time : control) +
                     "|P|2.5\rEVN|" + trigger + "|" + time + "\rPID|1||" + id + "||" + name + "||19700304|F\r";
  if (!prior.empty()) text += "MRG|" + prior + "\r";
  return text;
}

inline std::vector<identity::Event> events(const std::vector<std::string>& messages, const identity::Site& site = {}) {
  std::vector<identity::Event> out;
  hl7::Intake intake([&](hl7::Message& m, const hl7::Origin& o) {
    for (auto& e : identity::events_of(m, o, site)) out.push_back(std::move(e));
  });
  for (std::size_t i = 0; i < messages.size(); ++i) intake.read_bytes("file" + std::to_string(i), messages[i]);
  return out;
}

inline identity::Graph graph(const std::vector<std::string>& messages, hl7::Time as_of = identity::Graph::kEver) {
  identity::Graph g(as_of);
  for (const auto& e : events(messages)) g.add(e);
  hl7::Intake intake([&](hl7::Message& m, const hl7::Origin& o) {
    if (o.time > as_of) return;
    for (const auto& [name_space, universal_id] : identity::authorities_of(m))
      g.name_authority(name_space, universal_id);
  });
  for (const auto& message : messages) intake.read_bytes("", message);
  g.build();
  return g;
}

}  // namespace waybill::test
