// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "net/association.hpp"
#include "simpacs/session.hpp"

#include <algorithm>
#include <array>

namespace waybill::simpacs {

namespace {

constexpr std::size_t kMaxRequest = 1U << 20U;
constexpr std::string_view kApplicationContext = "1.2.840.10008.3.1.1.1";

/// PS3.8 table 9-21.
enum Result : std::uint8_t { kPermanent = 1, kTransient = 2 };
enum Source : std::uint8_t { kUser = 1, kPresentation = 3 };
enum Reason : std::uint8_t {
  kNoReason = 1,
  kNoSuchApplicationContext = 2,
  kCallingNotKnown = 3,
  kCalledNotKnown = 7,
  kCongestion = 1,
  kLimitReached = 2,
};

bool is_service(std::string_view sop_class) {
  return sop_class == net::kVerificationClass || sop_class == net::kStudyRootFind || sop_class == net::kStudyRootGet ||
         sop_class == kStudyRootMove || sop_class == kCommitmentClass;
}

bool holds(const std::vector<std::string>& list, std::string_view value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

/// The first syntax proposed that fits; empty when none does.
std::string choose_syntax(const ProposedContext& context, const std::vector<std::string>& allowed) {
  const bool service = is_service(context.sop_class);
  const auto fits = [&](const std::string& syntax) {
    return service ? syntax == net::kImplicitLittle || syntax == net::kExplicitLittle : holds(allowed, syntax);
  };
  const auto found = std::ranges::find_if(context.syntaxes, fits);
  return found == context.syntaxes.end() ? "" : *found;
}

}  // namespace

AssociateRequest Session::receive_request() {
  std::byte head[6];
  if (!wire_.read(head, true)) throw Lost{"a connection without a byte"};
  const std::size_t length = load_u32(head + 2, true);
  if (static_cast<PduType>(head[0]) != PduType::associate_request) throw Lost{"the first PDU asks for no association"};
  if (length > kMaxRequest) throw Lost{"an association request of more than 1 MiB"};
  Bytes body(length);
  wire_.read(body);
  auto request = parse_request(body);
  if (!request) throw Lost{request.error().what};
  return *std::move(request);
}

/// Rejects by the scenario's rules and lists.
void Session::refuse_unless_welcome(const AssociateRequest& request) {
  const auto reject = [&](std::uint8_t result, std::uint8_t source, std::uint8_t reason, const Rule* rule) {
    log("rejected", rule, result == kTransient ? "transient" : "permanent");
    wire_.write(encode_reject(result, source, reason));
    throw Ended{};
  };
  const Scenario& scenario = node_.scenario;
  const Rule* rule = rule_for(On::associate, "", "");
  if (rule != nullptr) {
    pause(rule->delay);
    const bool transient = rule->reject == kTransient;
    if (rule->reject != 0)
      reject(rule->reject, transient ? kPresentation : kUser, rule->reason.value_or(kNoReason), rule);
    if (rule->answer != Answer::normal) {
      log("not-answered", rule);
      end(rule->answer, *rule);
      for (std::byte heard{}; wire_.read({&heard, 1}, true);) {  // until the peer gives up
      }
      throw Ended{};
    }
  }
  if (request.application_context != kApplicationContext) reject(kPermanent, kUser, kNoSuchApplicationContext, nullptr);
  if (!holds(scenario.called, request.called)) reject(kPermanent, kUser, kCalledNotKnown, nullptr);
  if (!holds(scenario.calling, request.calling)) reject(kPermanent, kUser, kCallingNotKnown, nullptr);
  if (node_.open > scenario.associations) reject(kTransient, kPresentation, kLimitReached, nullptr);
}

std::vector<GrantedContext> Session::grant(const AssociateRequest& request) const {
  constexpr std::uint8_t kNoGrant = 2, kNoClass = 3, kNoSyntax = 4;
  const Scenario& scenario = node_.scenario;
  std::vector<GrantedContext> all;
  std::size_t taken = 0;
  for (const ProposedContext& proposed : request.contexts) {
    GrantedContext answer{proposed.id, 0, proposed.sop_class, choose_syntax(proposed, scenario.syntaxes)};
    const bool service = is_service(proposed.sop_class);
    const bool known = service ? node_.shelf || proposed.sop_class == net::kVerificationClass
                               : holds(scenario.classes, proposed.sop_class);
    if (!known) {
      answer.result = kNoClass;
    } else if (answer.syntax.empty()) {
      answer.result = kNoSyntax;
    } else if (taken == scenario.contexts) {
      answer.result = kNoGrant;
    } else {
      ++taken;
    }
    if (answer.result != 0) answer.syntax = net::kImplicitLittle;
    all.push_back(std::move(answer));
  }
  return all;
}

bool Session::negotiate() {
  request_ = receive_request();
  refuse_unless_welcome(request_);
  const auto answers = grant(request_);
  for (const GrantedContext& answer : answers) {
    if (answer.result == 0) granted_[answer.id] = answer;
  }
  const std::uint16_t window = node_.scenario.window > 1 ? node_.scenario.window : std::uint16_t{0};
  messages_.peer_pdu = request_.max_pdu;
  request_.level = node_.scenario.storage_level;
  std::erase_if(request_.extended, is_service);  // the level is of storage
  ++node_.tallies.associations;
  if (node_.journal) {
    node_.journal.write(Journal::line("accepted", number_)
                            .member("calling", request_.calling)
                            .member("proposed", request_.contexts.size())
                            .member("granted", granted_.size()));
  }
  wire_.write(encode_accept(request_, answers, node_.scenario.pdu, window));
  return true;
}

}  // namespace waybill::simpacs
