// SPDX-License-Identifier: Apache-2.0
#include "load/resume.hpp"

#include "load/send.hpp"

#include <map>
#include <thread>

namespace waybill::load {

Past read_past(const std::filesystem::path& output, Tally& tally) {
  Past past;
  manifest::Reader reader(output);
  while (const auto record = reader.next()) {
    if (const auto* object = std::get_if<manifest::Object>(&*record)) {
      past.done.insert(object->id);
      tally.add(*object);
    } else if (const auto* intent = std::get_if<manifest::Intent>(&*record)) {
      past.in_doubt.insert(intent->id);
    } else if (const auto* study = std::get_if<manifest::Study>(&*record)) {
      past.studies.insert(study->study);
    }
  }
  for (const std::string& id : past.done) past.in_doubt.erase(id);
  return past;
}

namespace {

using Key = std::pair<std::string, std::string>;  // study and series
using Doubts = std::map<Key, std::vector<const manifest::Object*>>;

/// One round of questions; answered objects are recorded, the others given back.
template <typename Record>
Doubts ask(const Doubts& doubts, Peers& peers, const Record& record) {
  Doubts absent;
  for (const auto& [key, objects] : doubts) {
    const bool can_ask = !key.first.empty() && !key.second.empty();
    const auto there = can_ask ? peers.instances(key.first, key.second) : std::nullopt;
    for (const manifest::Object* object : objects) {
      if (there && !there->contains(object->sop_instance.value_or(""))) {
        absent[key].push_back(object);
        continue;
      }
      manifest::Object settled = *object;
      there ? mark_found(settled) : mark_unknown(settled);
      record(settled);
    }
  }
  return absent;
}

}  // namespace

void settle_doubts(const Options& options, const Contents& contents, Peers& peers, Past& past, manifest::Writer& writer,
                   Tally& tally) {
  Doubts doubts;
  for (const auto& object : contents.objects) {
    if (past.in_doubt.contains(object.id))
      doubts[{object.study.value_or(""), object.series.value_or("")}].push_back(&object);
  }
  if (doubts.empty()) return;
  const auto record = [&](const manifest::Object& object) {
    writer.append_record(object);
    tally.add(object);
    past.done.insert(object.id);
  };
  const Doubts absent = ask(doubts, peers, record);
  if (absent.empty()) return;
  std::this_thread::sleep_for(options.ask_again);
  (void)ask(absent, peers, record);
}

}  // namespace waybill::load
