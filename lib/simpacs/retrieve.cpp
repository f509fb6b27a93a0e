// SPDX-License-Identifier: Apache-2.0
#include "dicom/rewrite.hpp"
#include "net/association.hpp"
#include "simpacs/caller.hpp"
#include "simpacs/matching.hpp"
#include "simpacs/session.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>

namespace waybill::simpacs {

namespace field = net::field;

namespace {

using dicom::tag;
using dicom::vr;

constexpr std::uint16_t kPending = 0xFF00;
constexpr std::uint16_t kSomeFailed = 0xB000;
constexpr std::uint16_t kUnknownDestination = 0xA801;
constexpr std::uint16_t kCancel = 0x0FFF;
constexpr std::uint16_t kMoveDestination = 0x0600;
constexpr std::uint16_t kOriginator = 0x1030;
constexpr std::uint16_t kOriginatorId = 0x1031;
constexpr std::uint64_t kMostIdentifier = 64U << 20U;

/// A UID that nobody used before, as broken archives make at each retrieve.
std::string fresh_uid(std::uint64_t seed) {
  static std::atomic<std::uint64_t> count{0};
  return "2.25." + std::to_string(seed % 1'000'000 + 1) + "00" + std::to_string(::time(nullptr)) + "00" +
         std::to_string(++count);
}

bool took(const net::Command& answer) {
  const std::uint16_t status = answer.number(field::kStatus, 0xC000);
  return status == 0 || status >> 12U == 0xB;
}

net::Command store_request(const Instance& instance, const std::string& uid, std::uint16_t message) {
  return net::Command::make(static_cast<std::uint16_t>(net::Verb::store), true)
      .set(field::kAffectedClass, instance.sop_class)
      .set(field::kMessageId, message)
      .set(field::kPriority, std::uint16_t{0})
      .set(field::kAffectedInstance, uid);
}

}  // namespace

struct Session::Outcome {
  std::size_t remaining = 0, completed = 0, failed = 0;
  std::vector<std::string> lost;  ///< UIDs of the failed
};

std::vector<InstancePtr> Session::selected(const Bytes& identifier, std::uint8_t context) const {
  auto query = parse_query(identifier, granted_.at(context).syntax);
  if (!query) return {};
  query->level = "IMAGE";
  std::vector<InstancePtr> all;
  for (const Match& match : matches_of(*query, *node_.shelf, [](const std::string&) { return false; })) {
    if (auto instance = node_.shelf->find(match.uid)) all.push_back(std::move(instance));
  }
  return all;
}

/// The context of this association on which the peer takes such an object, 0 when there is none.
std::uint8_t Session::context_to_give(const Instance& instance) const {
  const auto role = request_.roles.find(instance.sop_class);
  if (role == request_.roles.end() || !role->second.scp) return 0;
  for (const auto& [id, granted] : granted_) {
    if (granted.sop_class == instance.sop_class && granted.syntax == instance.syntax) return id;
  }
  return 0;
}

Bytes Session::given(const Instance& instance, const Rule* rule, std::string& uid) const {
  Bytes dataset = Shelf::dataset_of(instance);
  uid = instance.sop_instance;
  if (rule == nullptr) return dataset;
  const bool named = rule->instances.empty() || std::ranges::find(rule->instances, uid) != rule->instances.end();
  if (rule->keep.value_or(Keep::all) != Keep::all && named) dataset = spoil(dataset, instance.syntax, *rule->keep, {});
  if (rule->new_uids && named) {
    uid = fresh_uid(node_.scenario.seed);
    dataset = with_uid(dataset, instance.syntax, uid);
  }
  return dataset;
}

namespace {

net::Command counted(net::Command response, std::size_t remaining, std::size_t completed, std::size_t failed) {
  const auto number = [](std::size_t n) { return static_cast<std::uint16_t>(std::min<std::size_t>(n, 0xFFFF)); };
  if (response.number(field::kStatus) == kPending) response.set(field::kRemaining, number(remaining));
  response.set(field::kCompleted, number(completed));
  response.set(field::kFailed, number(failed));
  return response.set(field::kWarning, std::uint16_t{0});
}

}  // namespace

/// The last answer, with the counts the rule makes of the true ones.
void Session::conclude(const Rule* rule, std::uint8_t context, const Command& request, const Outcome& outcome) {
  std::uint16_t status = outcome.failed > 0 ? kSomeFailed : std::uint16_t{0};
  if (rule != nullptr) status = rule->status.value_or(status);
  const auto lied = static_cast<std::int64_t>(outcome.completed) + (rule == nullptr ? 0 : rule->completed);
  std::string lost;
  for (const std::string& uid : outcome.lost) lost += (lost.empty() ? "" : "\\") + uid;
  if (node_.journal) {
    JsonWriter line = Journal::line("retrieve", number_);
    line.member("completed", outcome.completed).member("failed", outcome.failed).member("said", lied);
    line.member("status", status_text(status));
    if (rule != nullptr) line.member("rule", rule->name);
    node_.journal.write(std::move(line));
  }
  const bool lists = !lost.empty() && status != 0;
  const Bytes dataset =
      lists ? dicom::encode_element(tag(0x0008, 0x0058), vr("UI"), lost, is_explicit(context)) : Bytes();
  const auto said = static_cast<std::size_t>(std::max<std::int64_t>(lied, 0));
  respond(rule, context, counted(response_to(request, status, lists), 0, said, outcome.failed), dataset);
}

void Session::get(const Command& request, std::uint8_t context) {
  Bytes identifier;
  if (request.data_follows()) (void)messages_.dataset(context, &identifier, kMostIdentifier);
  const Rule* rule = rule_for(On::get, "", net::kStudyRootGet);
  const auto all = selected(identifier, context);
  Outcome outcome;
  outcome.remaining = all.size();
  for (const InstancePtr& instance : all) {
    --outcome.remaining;
    if (rule != nullptr && node_.dice.falls(*rule, instance->sop_instance, rule->omit)) continue;
    std::string uid;
    const std::uint8_t on = context_to_give(*instance);
    bool good = false;
    if (on != 0) {
      const Bytes dataset = given(*instance, rule, uid);
      messages_.send(on, store_request(*instance, uid, next_message_++), dataset);
      Command answer;
      std::uint8_t arrived = 0;
      do {
        if (messages_.next(answer, arrived) != Messages::Event::message) throw Lost{"the association ended"};
        if (answer.data_follows()) (void)messages_.dataset(arrived, nullptr, kMostIdentifier);
      } while (answer.number(field::kCommand) == kCancel);
      good = took(answer);
    }
    ++(good ? outcome.completed : outcome.failed);
    if (!good) outcome.lost.push_back(instance->sop_instance);
    messages_.send(context,
                   counted(response_to(request, kPending), outcome.remaining, outcome.completed, outcome.failed));
  }
  conclude(rule, context, request, outcome);
}

void Session::move(const Command& request, std::uint8_t context) {
  Bytes identifier;
  if (request.data_follows()) (void)messages_.dataset(context, &identifier, kMostIdentifier);
  const Rule* rule = rule_for(On::move, "", kStudyRootMove);
  const std::string title = request.text(kMoveDestination);
  const auto to = node_.scenario.peers.find(title);
  if (to == node_.scenario.peers.end()) return respond(rule, context, response_to(request, kUnknownDestination));
  const auto all = selected(identifier, context);
  Outcome outcome;
  outcome.remaining = all.size();
  std::set<std::pair<std::string, std::string>> wanted;
  for (const InstancePtr& instance : all) wanted.insert({instance->sop_class, instance->syntax});
  const bool early = rule != nullptr && rule->early;
  if (early) conclude(rule, context, request, {0, all.size(), 0, {}});
  std::optional<Caller> caller;
  AssociateRequest asked;
  asked.called = title;
  asked.calling = node_.scenario.title;
  for (const auto& [sop_class, syntax] : wanted) asked.contexts.push_back({0, sop_class, {syntax}});
  for (const InstancePtr& instance : all) {
    --outcome.remaining;
    if (rule != nullptr && node_.dice.falls(*rule, instance->sop_instance, rule->omit)) continue;
    bool good = false;
    try {
      if (!caller) caller.emplace(to->second, asked, node_.scenario.idle, node_.caller_tls.get());
      const std::uint8_t on = caller->context_of(instance->sop_class, instance->syntax);
      std::string uid;
      const Bytes dataset = given(*instance, rule, uid);
      Command sub = store_request(*instance, uid, next_message_++);
      sub.set(kOriginator, request_.calling).set(kOriginatorId, request.number(field::kMessageId));
      good = on != 0 && took(caller->ask(on, sub, dataset));
    } catch (const Lost& lost) {
      log("move-lost", rule, lost.why);
      caller.reset();
    }
    ++(good ? outcome.completed : outcome.failed);
    if (!good) outcome.lost.push_back(instance->sop_instance);
    if (!early)
      messages_.send(context,
                     counted(response_to(request, kPending), outcome.remaining, outcome.completed, outcome.failed));
  }
  if (caller) caller->release();
  if (!early) conclude(rule, context, request, outcome);
}

}  // namespace waybill::simpacs
