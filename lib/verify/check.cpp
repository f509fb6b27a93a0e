// SPDX-License-Identifier: Apache-2.0
#include "verify/check.hpp"

#include "core/stop.hpp"
#include "transfer/bytes.hpp"

#include <algorithm>
#include <map>

namespace waybill::verify {

using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::uint16_t kUnknownDestination = 0xA801;
constexpr std::uint16_t kNotAuthorised = 0x0124;

/// Contexts to fetch a study: each class in the syntax it was sent in first, then in the two every peer can give.
std::vector<net::Context> contexts_of(const std::vector<Object>& objects, Level level, bool moves) {
  std::vector<net::Context> contexts = net::Association::find_contexts();
  if (level != Level::content) return contexts;
  if (moves) {
    for (auto& context : net::Association::move_contexts()) contexts.push_back(std::move(context));
    return contexts;
  }
  for (auto& context : net::Association::get_contexts()) contexts.push_back(std::move(context));
  std::set<net::Context> sent, plain;
  for (const Object& object : objects) {
    if (!object.sop_class) continue;
    const std::string syntax = transfer::sent_syntax(object);
    if (!syntax.empty()) sent.insert({*object.sop_class, syntax, true});
    plain.insert({*object.sop_class, std::string(net::kExplicitLittle), true});
    plain.insert({*object.sop_class, std::string(net::kImplicitLittle), true});
  }
  contexts.insert(contexts.end(), sent.begin(), sent.end());
  std::ranges::set_difference(plain, sent, std::back_inserter(contexts));
  contexts.resize(std::min(contexts.size(), net::kMaxContexts));
  return contexts;
}

/// Adds what the peer has and did not list, because its answers end at a limit: each object not listed is asked for by
/// itself, unless the peer has nothing of the study.
void ask_for_unlisted(const StudyWork& work, net::Association& association, std::set<std::string>& there) {
  if (there.empty()) return;
  for (const Object& object : work.objects) {
    if (!object.sop_instance || !object.series || there.contains(*object.sop_instance)) continue;
    there.merge(association.find_instances(work.study, *object.series, *object.sop_instance));
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
  return "status " + std::to_string(status) + ", " + std::to_string(failed) + " failed";
}

[[noreturn]] void refuse_move(const net::Association::Moved& moved, const Way& way) {
  const bool unknown = *moved.status == kUnknownDestination;
  const std::string status = unknown ? "a801" : "0124";
  throw net::PeerError(net::PeerError::Kind::refused,
                       "the peer answered C-MOVE with status " + status +
                           (unknown ? ": it does not know " : ": not authorised for ") + way.destination +
                           "; have that AE title entered there with this host and port " +
                           std::to_string(way.receiver->port()) + ", then run the same command again");
}

/// One C-MOVE; returns at its last answer, or when nothing came for too long.
net::Association::Moved move(const Receiver::Expectation& expected, net::Association& association,
                             const std::array<std::string, 3>& uids, const Way& way) {
  constexpr std::chrono::milliseconds kLastAnswer{2000};  // when there is nothing more to come
  const auto moved = association.move(uids, way.destination, [&] {
    return expected.quiet_for() < (expected.is_open() ? way.quiet : std::min(way.quiet, kLastAnswer));
  });
  if (moved.status == kUnknownDestination || moved.status == kNotAuthorised) refuse_move(moved, way);
  return moved;
}

/// By C-MOVE. What the peer answers and counts decides nothing: what has come when it is quiet, has come.
void check_moved(StudyWork& work, net::Association& association, const Way& way) {
  Waiting waiting = waiting_of(work);
  if (waiting.empty()) return;
  std::set<std::pair<std::string, std::string>> syntaxes;
  for (const auto& [uid, object] : waiting)
    syntaxes.insert({object->sop_class.value_or(""), transfer::sent_syntax(*object)});
  Receiver::Expectation expected(*way.receiver, waiting, syntaxes, [](const net::Received& received, Object& object) {
    compare_content(received, object);
    name_conflict(object);
  });
  net::Association::Moved moved;
  if (2 * waiting.size() < work.known.size()) {
    for (const auto& [uid, object] : waiting) {
      if (object->series && association.alive())
        moved = move(expected, association, {work.study, *object->series, uid}, way);
    }
  } else {
    moved = move(expected, association, {work.study, "", ""}, way);
  }
  waiting = expected.wait(way.quiet);
  way.receiver->rethrow();
  conclude_not_retrieved(
      waiting, "C-MOVE " + (moved.status ? counted(*moved.status, moved.failed) : std::string("without an end")));
}

void check_contents(StudyWork& work, net::Association& association) {
  Waiting waiting = waiting_of(work);
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
      if (object->series) association.get_instance(work.study, *object->series, uid, receive);
    }
    if (waiting.empty()) return;  // else the peer may not know this level: the whole study decides
  }
  const net::GetResult result = association.get(work.study, receive);
  conclude_not_retrieved(waiting, "C-GET " + counted(result.status, result.failed));
}

void check_once(StudyWork& work, transfer::Peers& peers, const Way& way) {
  const Level level = work.sampled && work.sampled->empty() ? Level::exists : way.level;
  const bool moves = way.receiver != nullptr;
  net::Association association = peers.acquire(contexts_of(work.objects, level, moves), work.study);
  auto there = association.find_study(work.study);
  ask_for_unlisted(work, association, there);
  check_presence(work, there);
  if (level == Level::content) moves ? check_moved(work, association, way) : check_contents(work, association);
  peers.give_back(std::move(association), work.study);
  work.finished = true;
}

}  // namespace

void check_at_peer(StudyWork& work, transfer::Peers& peers, const Way& way) {
  if (work.study.empty()) {  // an empty key would match every study of the peer
    check_presence(work, {});
    work.finished = true;
    return;
  }
  StudyWork first = work;
  try {
    check_once(first, peers, way);
    work = std::move(first);
  } catch (const net::PeerError& error) {
    if (error.kind() != net::PeerError::Kind::unreachable) throw;
    check_once(work, peers, way);
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
