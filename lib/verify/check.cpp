// SPDX-License-Identifier: Apache-2.0
#include "verify/check.hpp"

#include "archive/places.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "transfer/bytes.hpp"

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
constexpr std::uint16_t kUnknownDestination = 0xA801;
constexpr std::uint16_t kNotAuthorised = 0x0124;

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

/// What the peer has of the study and was not loaded: objects that the manifest does not know, and such that it knows
/// as held back, excluded or failed.
void note_others(StudyWork& work, const std::set<std::string>& there) {
  for (const std::string& uid : there) {
    if (work.held_back.contains(uid)) work.not_loaded.insert(uid);
    if (!work.known.contains(uid)) work.extra.insert(uid);
  }
}

/// Existence: MISSING is final, PRESENT stands until the content says more.
void check_presence(StudyWork& work, const std::set<std::string>& there) {
  for (Object& object : work.objects) {
    const bool present = object.sop_instance && there.contains(*object.sop_instance);
    conclude(object, present ? "E3" : "E0", present ? "PRESENT" : "MISSING", present);
  }
  note_others(work, there);
}

/// The target had this UID before us, with another content (domain code D25).
void name_conflict(Object& object) {
  if (object.bucket != manifest::Bucket::failed || !object.load || object.load->outcome != "already-present") return;
  object.findings.push_back({"D25", Severity::s3, "0008,0018",
                             "the peer had another object of this SOP Instance UID before; a person must decide"});
}

using Waiting = std::map<std::string, Object*>;  // by SOP Instance UID

/// The objects that are to be compared.
Waiting waiting_of(StudyWork& work) {
  Waiting waiting;
  for (Object& object : work.objects) {
    if (work.compares(object) && object.verify->verdict == "PRESENT") waiting.emplace(*object.sop_instance, &object);
  }
  return waiting;
}

void conclude_not_retrieved(const Waiting& waiting, const std::string& how) {
  for (const auto& [uid, object] : waiting) {
    object->findings.push_back(
        {"VERIFY-NOTRETRIEVED", Severity::s4, "", "the peer lists the object but did not give it back (" + how + ")"});
    conclude(*object, "E3", "MISSING", false);
  }
}

std::string counted(std::uint16_t status, std::uint32_t failed) {
  return " status " + std::to_string(status) + ", " + std::to_string(failed) + " failed";
}

[[noreturn]] void refuse_move(const net::Association::Moved& moved, const Way& way) {
  const bool unknown = *moved.status == kUnknownDestination;
  throw net::PeerError(net::PeerError::Kind::refused,
                       std::string("the peer answered C-MOVE with status ") +
                           (unknown ? "a801: it does not know " : "0124: not authorised for ") + way.destination +
                           "; have that AE title entered there with this host and port " +
                           std::to_string(way.receiver->port()) + ", then run the same command again");
}

/// One C-MOVE; returns at its last answer, or when nothing came for too long.
net::Association::Moved move(const Receiver::Expectation& expected, Session& session,
                             const std::array<std::string, 3>& uids, const Way& way) {
  constexpr std::chrono::milliseconds kLastAnswer{2000};  // when there is nothing more to come
  auto moved = session.move(uids, way.destination, [&] {
    return expected.quiet_for() < (expected.is_open() ? way.quiet : std::min(way.quiet, kLastAnswer));
  });
  if (moved.status == kUnknownDestination || moved.status == kNotAuthorised) refuse_move(moved, way);
  return moved;
}

/// By C-MOVE. What the peer answers and counts decides nothing: what has come when it is quiet, has come.
void check_moved(StudyWork& work, Session& session, const Way& way) {
  Waiting waiting = waiting_of(work);
  if (waiting.empty()) return;
  std::set<std::pair<std::string, std::string>> syntaxes;
  for (const auto& [uid, object] : waiting)
    syntaxes.insert({object->sop_class.value_or(""), transfer::sent_syntax(*object)});
  Receiver::Expectation expected(*way.receiver, waiting, syntaxes, [&](const net::Received& received, Object& object) {
    way.came(received.dataset.size());
    compare_content(received, object);
    name_conflict(object);
  });
  net::Association::Moved moved{0, 0, 0, ""};
  if (2 * waiting.size() < work.known.size()) {
    for (auto it = waiting.begin(); it != waiting.end() && moved.status; ++it) {
      const auto& series = it->second->series;
      if (series) moved = move(expected, session, {work.study, *series, it->first}, way);
    }
  } else {
    moved = move(expected, session, {work.study, "", ""}, way);
  }
  waiting = expected.wait(way.quiet);
  way.receiver->rethrow();
  conclude_not_retrieved(waiting, "C-MOVE" + (moved.status ? counted(*moved.status, moved.failed) : " without an end"));
}

/// Compares objects as they come, two at a time where they are not large.
class Comparer {
 public:
  Comparer(Waiting& waiting, const Way& way) : waiting_(waiting), way_(way) {}

  void take(net::Received received) {
    arrived_.insert(received.sop_instance);
    way_.came(received.dataset.size());
    constexpr std::size_t kLarge = std::size_t{16} << 20U;  // not held in memory while another one comes
    const auto found = waiting_.find(received.sop_instance);
    if (found == waiting_.end()) return;
    Arrived one{std::move(received), found->second};
    waiting_.erase(found);
    if (one.received.dataset.size() > kLarge) {
      compare_content(one.received, *one.object);
      return name_conflict(*one.object);
    }
    if (!held_) {
      held_ = std::move(one);
      return;
    }
    compare_contents(*held_, one);
    name_conflict(*held_->object);
    name_conflict(*one.object);
    held_.reset();
  }

  /// What is held is compared; to be called when nothing more comes.
  void finish() {
    if (!held_) return;
    compare_content(held_->received, *held_->object);
    name_conflict(*held_->object);
    held_.reset();
  }

  /// UIDs of all that came, waited for or not.
  [[nodiscard]] const std::set<std::string>& arrived() const noexcept { return arrived_; }

 private:
  Waiting& waiting_;
  const Way& way_;
  std::optional<Arrived> held_;
  std::set<std::string> arrived_;
};

/// Asks for each object by itself: some peers break a study off at the first object they cannot give.
void fetch_singly(const StudyWork& work, const Waiting& waiting, Session& session, const Session::Receive& receive) {
  for (const auto& [uid, object] : std::map(waiting)) {
    if (object->series) session.get_instance(work.study, *object->series, uid, receive);
  }
}

void check_contents(StudyWork& work, Session& session, const Way& way) {
  Waiting waiting = waiting_of(work);
  if (waiting.empty()) return;
  Comparer comparer(waiting, way);
  const auto receive = [&](net::Received received) { comparer.take(std::move(received)); };
  const bool few = work.one_by_one || 2 * waiting.size() < work.known.size();
  if (few) {
    fetch_singly(work, waiting, session, receive);
    comparer.finish();
    if (work.one_by_one) return conclude_not_retrieved(waiting, session.service() + std::string(" of it alone"));
    if (waiting.empty()) return;  // else the peer may not know this level: the whole study decides
  }
  const net::GetResult result = session.get(work.study, receive);
  if (!few) fetch_singly(work, waiting, session, receive);
  comparer.finish();
  conclude_not_retrieved(waiting, session.service() + counted(result.status, result.failed));
}

/// Whether the peer gave the whole study: it says that nothing failed, and that it has no more than what came.
bool gave_all(const net::GetResult& result, std::size_t arrived, const StudyWork& work, Session& session) {
  const bool done = result.status == 0 || (result.status >= 200 && result.status < 300);  // of DIMSE, of HTTP
  if (!done || result.failed > 0 || result.warning > 0) return false;
  return session.count_instances(work.study) == arrived;
}

/// Every object of the study is compared, so the study is fetched at once, and what came is there. Only when something
/// did not come, or when the peer may have more, its lists are asked for.
void check_whole(StudyWork& work, Session& session, const Way& way) {
  Waiting waiting;
  for (Object& object : work.objects) {
    if (object.sop_instance) waiting.emplace(*object.sop_instance, &object);
  }
  const Waiting all = waiting;
  Comparer comparer(waiting, way);
  const auto receive = [&](net::Received received) { comparer.take(std::move(received)); };
  const net::GetResult result = session.get(work.study, receive);
  comparer.finish();
  std::set<std::string> there = comparer.arrived();
  if (all.size() == work.objects.size() && waiting.empty() && gave_all(result, there.size(), work, session))
    return note_others(work, there);
  auto listed = session.find_study(work.study);
  ask_for_unlisted(work, session, listed);
  there.insert(listed.begin(), listed.end());
  note_others(work, there);
  for (Object& object : work.objects) {
    const std::string uid = object.sop_instance.value_or("");
    const auto asked = all.find(uid);
    const bool came = asked != all.end() && asked->second == &object && !waiting.contains(uid);
    const bool present = object.sop_instance && listed.contains(uid);
    if (came && present) continue;
    if (came) {
      object.findings.push_back(
          {"VERIFY-UNLISTED", Severity::s4, "",
           "the peer gave the object back with its study but lists it nowhere: nobody would find it"});
    }
    conclude(object, present ? "E3" : "E0", present ? "PRESENT" : "MISSING", present);
  }
  std::erase_if(waiting, [&](const auto& one) { return !listed.contains(one.first); });
  fetch_singly(work, waiting, session, receive);
  comparer.finish();
  conclude_not_retrieved(waiting, session.service() + counted(result.status, result.failed));
}

void check_once(StudyWork& work, Source& source, const Way& way) {
  const Level level = work.sampled && work.sampled->empty() ? Level::exists : way.level;
  source.with_session(work.study, work.objects, level == Level::content, [&](Session& session) {
    const bool most = !work.objects.empty() && 2 * work.objects.size() >= work.known.size() && !work.one_by_one;
    if (level == Level::content && most && !work.sampled && way.receiver == nullptr)
      return check_whole(work, session, way);
    auto there = session.find_study(work.study);
    ask_for_unlisted(work, session, there);
    check_presence(work, there);
    if (level != Level::content) return;
    way.receiver != nullptr ? check_moved(work, session, way) : check_contents(work, session, way);
  });
  work.finished = true;
}

}  // namespace

void check_at_peer(StudyWork& work, Source& source, const Way& way) {
  if (work.study.empty()) {  // an empty key would match every study of the peer
    check_presence(work, {});
    work.finished = true;
    return;
  }
  int busy_times = 0;
  for (bool lost = false;;) {
    StudyWork fresh = work;
    fresh.one_by_one = lost;
    try {
      check_once(fresh, source, way);
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

void check_files(StudyWork& work, const std::vector<std::filesystem::path>& places,
                 const std::function<void(std::uint64_t)>& came) {
  for (Object& object : work.objects) {
    if (stop_requested()) return;
    came(object.source.size);
    check_fixity(object);
    if (object.bucket != manifest::Bucket::failed) continue;
    archive::require_place_of(path_from_text(object.source.path), places);
    if (object.transcode) archive::require_place_of(path_from_text(object.transcode->path), places);
  }
  work.finished = true;
}

}  // namespace waybill::verify
