// SPDX-License-Identifier: Apache-2.0
#include "probe/negotiate.hpp"

#include "core/stop.hpp"
#include "dicom/sop_class.hpp"
#include "probe/echo.hpp"

#include <algorithm>
#include <array>

namespace waybill::probe {

namespace {

constexpr unsigned kMostAssociations = 1000;
constexpr std::size_t kLeastProposal = 8;  // contexts: a peer that breaks off at so few is broken

struct Asked {
  const char* name;
  std::string_view uid;
};
constexpr std::array kServices{
    Asked{"C-ECHO", net::kVerificationClass},
    Asked{"C-FIND (Study Root)", net::kStudyRootFind},
    Asked{"C-MOVE (Study Root)", net::kStudyRootMove},
    Asked{"C-GET (Study Root)", net::kStudyRootGet},
    Asked{"C-FIND (Patient Root)", "1.2.840.10008.5.1.4.1.2.1.1"},
    Asked{"C-MOVE (Patient Root)", "1.2.840.10008.5.1.4.1.2.1.2"},
    Asked{"C-GET (Patient Root)", "1.2.840.10008.5.1.4.1.2.1.3"},
    Asked{"storage commitment", net::kCommitmentClass},
};

/// Transfer syntaxes in which archives keep objects (domain rule 3.1), behind 1.2.840.10008.1.2.
constexpr std::array kSyntaxes{"",       ".1",     ".1.99",  ".2",     ".4.50",  ".4.51",  ".4.57",
                               ".4.70",  ".4.80",  ".4.81",  ".4.90",  ".4.91",  ".4.100", ".4.101",
                               ".4.102", ".4.103", ".4.104", ".4.105", ".4.106", ".4.107", ".4.108",
                               ".4.110", ".4.111", ".4.112", ".4.201", ".4.202", ".4.203", ".5"};

/// The contexts in pieces of at most 128 that split no class, so that its level is asked for once.
std::vector<std::vector<net::Context>> pieces_of(const std::set<net::Context>& contexts) {
  std::vector<std::vector<net::Context>> pieces;
  for (auto it = contexts.begin(); it != contexts.end();) {
    const auto end = std::find_if(it, contexts.end(), [&](const auto& one) { return one.sop_class != it->sop_class; });
    const auto size = static_cast<std::size_t>(std::distance(it, end));
    if (pieces.empty() || pieces.back().size() + size > net::kMaxContexts) pieces.emplace_back();
    for (; it != end; ++it) {
      if (pieces.back().size() == net::kMaxContexts) pieces.emplace_back();
      pieces.back().push_back(*it);
    }
  }
  return pieces;
}

StorageClass& class_of(Profile& profile, const std::string& uid) {
  const auto found = std::ranges::find(profile.storage, uid, &StorageClass::uid);
  return found != profile.storage.end() ? *found : profile.storage.emplace_back(StorageClass{uid, {}, {}, {}});
}

}  // namespace

std::set<net::Context> all_storage() {
  std::set<net::Context> all;
  for (const std::string& sop_class : dicom::storage_classes()) {
    for (const char* behind : kSyntaxes) all.insert({sop_class, std::string(net::kImplicitLittle) + behind, false});
  }
  return all;
}

Negotiator::Negotiator(const Options& options)
    : options_(options), peer_(std::get<net::Peer>(options.peer)), peers_(peer_, options.calling, options.timeouts) {}

void Negotiator::services(Profile& profile) {
  std::vector<net::Context> contexts;
  for (const Asked& service : kServices) {
    contexts.push_back({std::string(service.uid), std::string(net::kImplicitLittle), false});
    contexts.push_back({std::string(service.uid), std::string(net::kExplicitLittle), false});
  }
  net::Association association = peers_.request(contexts, net::AskLevel::all);
  profile.facts = association.facts();
  for (const Asked& service : kServices) {
    Service& one = profile.services.emplace_back(Service{service.name, std::string(service.uid), {}});
    for (const net::Context& context : contexts) {
      if (context.sop_class == one.uid && association.accepted(context))
        one.syntaxes.push_back(context.transfer_syntax);
    }
  }
  if (!profile.services.front().syntaxes.empty()) profile.echo = time_of("C-ECHO", [&] { association.echo(); });
}

void Negotiator::storage(const std::set<net::Context>& contexts, Profile& profile) {
  auto pieces = pieces_of(contexts);
  if (options_.say) {
    options_.say("proposes " + std::to_string(contexts.size()) + " presentation contexts in " +
                 std::to_string(pieces.size()) + (pieces.size() == 1 ? " association" : " associations"));
  }
  for (auto& piece : pieces) {
    if (stop_requested()) return;
    ask_or_halve(piece, profile);
  }
  std::ranges::sort(profile.storage, {}, &StorageClass::uid);
}

/// A peer may grant some contexts and refuse the others for their number alone, which the results 1 and 2 do not tell
/// from a refusal for good: these are asked for again without the others, as long as that brings something.
void Negotiator::ask(std::vector<net::Context> contexts, Profile& profile) {
  for (std::size_t before = 0; !contexts.empty() && !stop_requested();) {
    if (++asked_ > kMostAssociations) {
      throw net::PeerError(net::PeerError::Kind::refused,
                           peer_.url() +
                               " grants too few contexts at a time to be asked for all; name what is needed "
                               "with --for");
    }
    const net::Association association = peers_.request(contexts, net::AskLevel::yes);
    std::size_t granted = 0;
    std::vector<net::Context> unclear;
    for (const net::Context& context : contexts) {
      StorageClass& one = class_of(profile, context.sop_class);
      const std::uint8_t result = association.result_of(context);
      if (result == 0) {
        ++granted;
        if (std::ranges::count(one.accepted, context.transfer_syntax) == 0)
          one.accepted.push_back(context.transfer_syntax);
        one.refused.erase(context.transfer_syntax);
      } else {
        one.refused[context.transfer_syntax] = result;
        if (result == net::kUserRejection || result == net::kNoReason) unclear.push_back(context);
      }
      const auto level = association.levels().find(context.sop_class);
      if (level != association.levels().end()) one.level = level->second;
    }
    if (granted == 0) return;
    if (before > 0) profile.contexts_limit = std::max(profile.contexts_limit.value_or(0), before);
    before = granted;
    contexts = std::move(unclear);
  }
}

/// Old peers break off at a proposal that is too long for them.
void Negotiator::ask_or_halve(const std::vector<net::Context>& contexts, Profile& profile) {
  const std::size_t half = contexts.size() / 2;
  const bool is_long = profile.proposals_limit && contexts.size() > *profile.proposals_limit;
  for (int tries = 0; tries < 2 && !is_long; ++tries) {
    try {
      return ask(contexts, profile);
    } catch (const net::PeerError& error) {
      if (error.kind() != net::PeerError::Kind::unreachable || (tries == 1 && half < kLeastProposal)) throw;
    }
  }
  const auto middle = contexts.begin() + static_cast<std::ptrdiff_t>(half);
  ask_or_halve({contexts.begin(), middle}, profile);
  if (!profile.proposals_limit) profile.proposals_limit = half;
  ask_or_halve({middle, contexts.end()}, profile);
}

/// A refusal for the moment may be about associations of ours that the peer has not quite ended.
AtOnce Negotiator::at_once() {
  AtOnce out{options_.at_once, 0, ""};
  std::vector<net::Association> open;
  const std::vector<net::Context> contexts{{std::string(net::kVerificationClass), std::string(net::kImplicitLittle)}};
  try {
    while (out.opened < out.asked && !stop_requested()) {
      open.push_back(peers_.request(contexts));
      ++out.opened;
    }
  } catch (const net::PeerError& error) {
    out.why = reason_of(error);
  }
  return out;
}

}  // namespace waybill::probe
