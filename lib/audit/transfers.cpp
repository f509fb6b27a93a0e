// SPDX-License-Identifier: Apache-2.0
#include "audit/transfers.hpp"

#include "audit/trail.hpp"

namespace waybill::audit {

namespace {

void count(StudyPart& study, const manifest::Object& object) { ++study.classes[object.sop_class.value_or("")]; }

}  // namespace

void Transfers::begin(const std::vector<const manifest::Object*>& objects) {
  if (!is_recording()) return;
  std::map<Key, StudyPart> parts;
  for (const manifest::Object* object : objects) {
    const StudyPart part = part_of(*object);
    count(parts.emplace(key_of(part), part).first->second, *object);
  }
  for (const auto& [key, part] : parts) {
    {
      const std::lock_guard lock(mutex_);
      Open& open = open_[key];
      if (open.left == 0) open.begun = open.arrived = open.failed = {part.uid, part.accession, part.patient};
      for (const auto& [uid, n] : part.classes) {
        open.left += n;
        open.begun.classes[uid] += n;
      }
    }
    record(begin_transfer(route_, part));
  }
}

void Transfers::end(const manifest::Object& object, bool arrived) {
  if (!is_recording()) return;
  Open done;
  {
    const std::lock_guard lock(mutex_);
    const auto at = open_.find(key_of(part_of(object)));
    if (at == open_.end()) return;
    count(arrived ? at->second.arrived : at->second.failed, object);
    if (--at->second.left > 0) return;
    done = std::move(at->second);
    open_.erase(at);
  }
  tell(done, "the peer did not take these instances, or did not answer for them");
}

void Transfers::tell(const Open& open, const std::string& why) const {
  if (!open.arrived.classes.empty()) record(transferred(route_, open.arrived, Outcome::success, ""));
  if (!open.failed.classes.empty()) record(transferred(route_, open.failed, Outcome::minor, why));
}

Transfers::~Transfers() {
  for (auto& [key, open] : open_) {
    open.failed.classes.clear();
    for (const auto& [uid, n] : open.begun.classes) {
      const auto arrived = open.arrived.classes.find(uid);
      const std::uint64_t done = arrived == open.arrived.classes.end() ? 0 : arrived->second;
      if (n > done) open.failed.classes[uid] = n - done;
    }
    tell(open, "the run ended before these instances were sent or answered for");
  }
}

}  // namespace waybill::audit
