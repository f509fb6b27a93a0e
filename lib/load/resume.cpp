// SPDX-License-Identifier: Apache-2.0
#include "load/resume.hpp"

#include "load/send.hpp"

#include <map>
#include <thread>

namespace waybill::load {

namespace {

using Key = std::pair<std::string, std::string>;  // study and series
using Doubts = std::map<Key, std::vector<const manifest::Object*>>;

/// One round of questions; answered objects are recorded, the others given back.
Doubts ask(const Doubts& doubts, transfer::Peers& peers, transfer::Output& output) {
  Doubts absent;
  for (const auto& [key, objects] : doubts) {
    const bool can_ask = !key.first.empty() && !key.second.empty();
    const auto there = can_ask ? peers.instances(key.first, key.second) : std::nullopt;
    const auto listed = [&](const std::string& uid) {
      if (there->empty() || there->contains(uid)) return !there->empty();
      // The list may have ended at a limit of the peer's; then only a question for this one object proves anything.
      const auto alone = peers.instances(key.first, key.second, uid);
      return alone && alone->contains(uid);
    };
    for (const manifest::Object* object : objects) {
      if (there && !listed(object->sop_instance.value_or(""))) {
        absent[key].push_back(object);
        continue;
      }
      manifest::Object settled = *object;
      there ? mark_found(settled) : mark_unknown(settled);
      output.record(settled);
    }
  }
  return absent;
}

}  // namespace

void settle_doubts(const Options& options, const transfer::Contents& contents,
                   const std::unordered_set<std::string>& intents, transfer::Peers& peers, transfer::Output& output) {
  Doubts doubts;
  for (const auto& object : contents.objects) {
    if (intents.contains(object.id) && !output.has(object.id))
      doubts[{object.study.value_or(""), object.series.value_or("")}].push_back(&object);
  }
  if (doubts.empty()) return;
  const Doubts absent = ask(doubts, peers, output);
  if (absent.empty()) return;
  std::this_thread::sleep_for(options.ask_again);
  (void)ask(absent, peers, output);
}

}  // namespace waybill::load
