// SPDX-License-Identifier: Apache-2.0
#include "verify/check.hpp"

#include "core/stop.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

namespace waybill::verify {

using manifest::Object;
using manifest::Severity;

namespace {

constexpr int kTries = 4;  // at a service that is busy
constexpr std::chrono::seconds kLongestWait{30};
constexpr std::chrono::milliseconds kTick{50};

/// A wait that a stop cuts short.
void wait_for(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!stop_requested() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(kTick);
}

/// Adds what the peer has and did not list, because its answers end at a limit: each object not listed is asked for by
/// itself, unless the peer has nothing of the study.
void ask_for_unlisted(const StudyWork& work, Session& session, std::set<std::string>& there) {
  if (there.empty()) return;
  for (const Object& object : work.objects) {
    if (!object.sop_instance || !object.series || there.contains(*object.sop_instance)) continue;
    there.merge(session.find_instance(work.study, *object.series, *object.sop_instance));
  }
}

/// Existence: MISSING is final, PRESENT stands until the content says more.
void check_presence(StudyWork& work, const std::set<std::string>& there) {
  for (Object& object : work.objects) {
    const bool present = object.sop_instance && there.contains(*object.sop_instance);
    conclude(object, present ? "E3" : "E0", present ? "PRESENT" : "MISSING", present);
  }
  for (const std::string& uid : there) {
    if (!work.known.contains(uid)) work.extra.insert(uid);
  }
}

/// The target had this UID before us, with another content (domain code D25).
void name_conflict(Object& object) {
  if (object.bucket != manifest::Bucket::failed || !object.load || object.load->outcome != "already-present") return;
  object.findings.push_back({"D25", Severity::s3, "0008,0018",
                             "the peer had another object of this SOP Instance UID before; a person must decide"});
}

void check_contents(StudyWork& work, Session& session) {
  std::map<std::string, Object*> waiting;
  for (Object& object : work.objects) {
    if (work.compares(object) && object.verify->verdict == "PRESENT") waiting.emplace(*object.sop_instance, &object);
  }
  if (waiting.empty()) return;
  const auto receive = [&](const net::Received& received) {
    const auto found = waiting.find(received.sop_instance);
    if (found == waiting.end()) return;
    compare_content(received, *found->second);
    name_conflict(*found->second);
    waiting.erase(found);
  };
  if (2 * waiting.size() < work.known.size()) {
    for (const auto& [uid, object] : std::map(waiting)) {
      if (object->series) session.get_instance(work.study, *object->series, uid, receive);
    }
    if (waiting.empty()) return;  // else the peer may not know this level: the whole study decides
  }
  const net::GetResult result = session.get(work.study, receive);
  for (auto& [uid, object] : waiting) {
    object->findings.push_back({"VERIFY-NOTRETRIEVED", Severity::s4, "",
                                std::string("the peer lists the object but did not give it back (") +
                                    session.service() + " status " + std::to_string(result.status) + ", " +
                                    std::to_string(result.failed) + " failed)"});
    conclude(*object, "E3", "MISSING", false);
  }
}

void check_once(StudyWork& work, Source& source, Level level) {
  if (work.sampled && work.sampled->empty()) level = Level::exists;
  source.with_session(work.study, work.objects, level == Level::content, [&](Session& session) {
    auto there = session.find_study(work.study);
    ask_for_unlisted(work, session, there);
    check_presence(work, there);
    if (level == Level::content) check_contents(work, session);
  });
  work.finished = true;
}

}  // namespace

void check_at_peer(StudyWork& work, Source& source, Level level) {
  if (work.study.empty()) {  // an empty key would match every study of the peer
    check_presence(work, {});
    work.finished = true;
    return;
  }
  int busy_times = 0;
  for (bool lost = false;;) {
    StudyWork fresh = work;
    try {
      check_once(fresh, source, level);
      work = std::move(fresh);
      return;
    } catch (const web::Busy& busy) {
      if (++busy_times == kTries || stop_requested()) throw;
      const std::chrono::milliseconds usual{500 << busy_times};
      wait_for(std::min<std::chrono::milliseconds>(std::max(usual, busy.retry_after()), kLongestWait));
    } catch (const net::PeerError& error) {
      if (lost || error.kind() != net::PeerError::Kind::unreachable) throw;
      lost = true;
    }
  }
}

void check_files(StudyWork& work) {
  for (Object& object : work.objects) {
    if (stop_requested()) return;
    check_fixity(object);
  }
  work.finished = true;
}

}  // namespace waybill::verify
