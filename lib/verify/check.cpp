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

/// Contexts to fetch a study: each class in the syntax it was sent in first, then in the two every peer can give.
std::vector<net::Context> contexts_of(const std::vector<Object>& objects, Level level) {
  std::vector<net::Context> contexts = net::Association::find_contexts();
  if (level == Level::exists) return contexts;
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

void check_contents(StudyWork& work, net::Association& association) {
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
      if (object->series) association.get_instance(work.study, *object->series, uid, receive);
    }
    if (waiting.empty()) return;  // else the peer may not know this level: the whole study decides
  }
  const net::GetResult result = association.get(work.study, receive);
  for (auto& [uid, object] : waiting) {
    object->findings.push_back({"VERIFY-NOTRETRIEVED", Severity::s4, "",
                                "the peer lists the object but did not give it back (C-GET status " +
                                    std::to_string(result.status) + ", " + std::to_string(result.failed) + " failed)"});
    conclude(*object, "E3", "MISSING", false);
  }
}

void check_once(StudyWork& work, transfer::Peers& peers, Level level) {
  if (work.sampled && work.sampled->empty()) level = Level::exists;
  net::Association association = peers.acquire(contexts_of(work.objects, level), work.study);
  auto there = association.find_study(work.study);
  ask_for_unlisted(work, association, there);
  check_presence(work, there);
  if (level == Level::content) check_contents(work, association);
  peers.give_back(std::move(association), work.study);
  work.finished = true;
}

}  // namespace

void check_at_peer(StudyWork& work, transfer::Peers& peers, Level level) {
  if (work.study.empty()) {  // an empty key would match every study of the peer
    check_presence(work, {});
    work.finished = true;
    return;
  }
  StudyWork first = work;
  try {
    check_once(first, peers, level);
    work = std::move(first);
  } catch (const net::PeerError& error) {
    if (error.kind() != net::PeerError::Kind::unreachable) throw;
    check_once(work, peers, level);
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
