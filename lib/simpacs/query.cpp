// SPDX-License-Identifier: Apache-2.0
#include "net/association.hpp"
#include "simpacs/matching.hpp"
#include "simpacs/session.hpp"

namespace waybill::simpacs {

namespace {

constexpr std::uint16_t kPending = 0xFF00;
constexpr std::uint16_t kNoIdentifier = 0xA900;
constexpr std::uint64_t kMostIdentifier = 64U << 20U;
constexpr std::size_t kFlush = std::size_t{128} * 1024;

}  // namespace

void Session::find(const Command& request, std::uint8_t context) {
  Bytes identifier;
  if (request.data_follows()) (void)messages_.dataset(context, &identifier, kMostIdentifier);
  const auto query = parse_query(identifier, granted_.at(context).syntax);
  const Rule* rule = rule_for(On::find, "", net::kStudyRootFind);
  if (!query) return respond(rule, context, response_to(request, kNoIdentifier));
  std::uint64_t given = 0;
  Bytes out;
  const auto is_hidden = [&](const std::string& uid) {
    return rule != nullptr && node_.dice.falls(*rule, uid, rule->omit);
  };
  const auto matches = matches_of(*query, *node_.shelf, is_hidden);
  for (const Match& match : matches) {
    if (is_hidden(match.uid)) continue;
    if (rule != nullptr && rule->most && given == *rule->most) break;
    ++given;
    messages_.put(out, context, response_to(request, kPending, true),
                  encode_match(*query, match, is_explicit(context)));
    if (out.size() < kFlush) continue;
    wire_.write(out);
    out.clear();
  }
  wire_.write(out);
  const std::uint16_t status = rule == nullptr ? std::uint16_t{0} : rule->status.value_or(0);
  if (node_.journal) {
    JsonWriter line = Journal::line("find", number_);
    line.member("level", query->level).member("matches", matches.size()).member("given", given);
    line.member("status", status_text(status));
    if (rule != nullptr) line.member("rule", rule->name);
    node_.journal.write(std::move(line));
  }
  respond(rule, context, response_to(request, status));
}

}  // namespace waybill::simpacs
