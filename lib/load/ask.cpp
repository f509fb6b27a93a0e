// SPDX-License-Identifier: Apache-2.0
#include "load/ask.hpp"

#include <algorithm>
#include <map>

namespace waybill::load {

using manifest::Object;

namespace {

bool can_be_asked_about(const Object& object) {
  return object.study && !object.study->empty() && object.series && !object.series->empty() && object.sop_instance;
}

}  // namespace

bool has_room(Breaker& breaker, const transfer::Control& control, const Options& options) {
  const Breaker::Pass pass = breaker.pass(control);
  if (pass != Breaker::Pass::tired) return pass == Breaker::Pass::go;
  throw net::PeerError(net::PeerError::Kind::refused,
                       transfer::url_of(options.target) +
                           " has no room for anything (out of resources), and --patience has ended; have its storage "
                           "looked at, then run the same command again");
}

std::optional<std::vector<Asker::Listed>> Asker::ask(const std::vector<const Object*>& objects, Times times) {
  std::vector<Listed> listed(objects.size(), Listed::no);
  if (objects.empty()) return listed;
  if (!ask_once(objects, listed)) return std::nullopt;
  if (times == Times::once || std::ranges::count(listed, Listed::no) == 0) return listed;
  control_.wait_for(options_.ask_again);
  if (control_.stopping() || !ask_once(objects, listed)) return std::nullopt;
  return listed;
}

bool Asker::ask_once(const std::vector<const Object*>& objects, std::vector<Listed>& listed) {
  for (bool waited = false;; waited = true) {
    try {
      ask_all(objects, listed);
      if (waited) breaker_.asked();
      return true;
    } catch (const web::Busy& busy) {
      breaker_.busy(busy.retry_after());
      if (!has_room(breaker_, control_, options_)) return false;
    }
  }
}

/// Those that are not listed so far.
void Asker::ask_all(const std::vector<const Object*>& objects, std::vector<Listed>& listed) {
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (listed[i] != Listed::no) continue;
    if (can_be_asked_about(*objects[i])) {
      groups[{*objects[i]->study, *objects[i]->series}].push_back(i);
    } else {
      listed[i] = Listed::unknown;
    }
  }
  for (const auto& [series, places] : groups) {
    const auto alone = [&](std::size_t i) {
      const std::string& uid = *objects[i]->sop_instance;
      const auto there = target_.instances(series.first, series.second, uid);
      listed[i] = !there ? Listed::unknown : there->contains(uid) ? Listed::yes : Listed::no;
    };
    if (places.size() == 1) {
      alone(places.front());
      continue;
    }
    const auto there = target_.instances(series.first, series.second, "");
    for (const std::size_t i : places) {
      listed[i] = !there ? Listed::unknown : there->contains(*objects[i]->sop_instance) ? Listed::yes : Listed::no;
      // The list may have ended at a limit of the peer's; then only a question for one object proves anything.
      if (there && !there->empty() && listed[i] == Listed::no) alone(i);
    }
  }
}

}  // namespace waybill::load
