// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "net/state.hpp"

#include <dcmtk/dcmnet/cond.h>
#include <dcmtk/dcmnet/dcmtrans.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace waybill::net {

namespace {

constexpr long kMaxPdu = 131072;  // what DCMTK can take
constexpr std::size_t kMaxCommandBytes = 64 * 1024;

std::atomic<std::uint64_t> association_count{0};
std::mutex network_mutex;  // DCMTK counts its set-up in plain globals

std::string text_of(const OFCondition& condition) {
  std::string text = condition.text();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string refusal_text(const T_ASC_RejectParameters& reject) {
  switch (reject.reason) {
    case ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED: return "our calling AE title is not known there";
    case ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED: return "the called AE title is not known there";
    case ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED: return "the application context is not supported";
    case ASC_REASON_SP_ACSE_PROTOCOLVERSIONNOTSUPPORTED: return "the protocol version is not supported";
    case ASC_REASON_SP_PRES_TEMPORARYCONGESTION: return "temporary congestion";
    case ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED: return "its limit of associations is reached";
    default: return "no reason given";
  }
}

[[noreturn]] void throw_rejected(const Peer& peer, T_ASC_Parameters* parameters) {
  T_ASC_RejectParameters reject{};
  ASC_getRejectParameters(parameters, &reject);
  const bool transient = reject.result == ASC_RESULT_REJECTEDTRANSIENT;
  const std::string next = transient
                               ? "run the same command again later, or with fewer --associations"
                               : "have the AE titles checked and entered at the peer, then run the same command again";
  throw PeerError(transient ? PeerError::Kind::rejected_transient : PeerError::Kind::rejected_permanent,
                  peer.url() + " rejected the association (" + (transient ? "transient" : "permanent") +
                      "): " + refusal_text(reject) + "; " + next);
}

/// The configured limits go into DCMTK's process-wide settings, once.
void set_process_limits(const Timeouts& timeouts) {
  static std::once_flag once;
  std::call_once(once, [&] {
    dcmConnectionTimeout.set(static_cast<Sint32>(timeouts.connect.count()));
    dcmSocketSendTimeout.set(static_cast<Sint32>(timeouts.dimse.count()));
    dcmSocketReceiveTimeout.set(static_cast<Sint32>(timeouts.dimse.count()));
    dcmDisableGethostbyaddr.set(OFTrue);
  });
}

void add_contexts(T_ASC_Parameters* parameters, const std::vector<Context>& contexts) {
  unsigned id = 1;
  for (const Context& context : contexts) {
    const char* syntax[] = {context.transfer_syntax.c_str()};
    const T_ASC_SC_ROLE role = context.scp_role ? ASC_SC_ROLE_SCP : ASC_SC_ROLE_DEFAULT;
    ASC_addPresentationContext(parameters, static_cast<T_ASC_PresentationContextID>(id), context.sop_class.c_str(),
                               syntax, 1, role);
    id += 2;
  }
}

}  // namespace

Association::State::~State() { close(); }

void Association::State::connect(const std::string& calling) {
  set_process_limits(timeouts);
  T_ASC_Parameters* parameters = nullptr;
  {
    const std::lock_guard lock(network_mutex);
    if (ASC_initializeNetwork(NET_REQUESTOR, 0, static_cast<int>(timeouts.acse.count()), &network).bad()) {
      throw RunError(Exit::internal, "the network layer cannot be set up; check the limits of this process");
    }
  }
  ASC_createAssociationParameters(&parameters, kMaxPdu);
  ASC_setAPTitles(parameters, calling.c_str(), peer.called.c_str(), nullptr);
  ASC_setPresentationAddresses(parameters, "localhost", (peer.host + ":" + std::to_string(peer.port)).c_str());
  add_contexts(parameters, proposed);
  const OFCondition asked = ASC_requestAssociation(network, parameters, &association, nullptr, nullptr, DUL_NOBLOCK,
                                                   static_cast<int>(timeouts.acse.count()));
  if (asked.bad()) {
    if (association == nullptr) {
      ASC_destroyAssociationParameters(&parameters);
    } else if (asked == DUL_ASSOCIATIONREJECTED) {
      throw_rejected(peer, association->params);
    }
    throw PeerError(PeerError::Kind::unreachable,
                    peer.url() + " cannot be reached: " + text_of(asked) +
                        "; check that it is running and that the way is open, then run the same command again");
  }
  alive = true;
  for (std::size_t i = 0; i < proposed.size(); ++i) {
    T_ASC_PresentationContext answer{};
    if (ASC_getPresentationContext(association->params, static_cast<int>(i), &answer).bad()) continue;
    if (answer.resultReason != ASC_P_ACCEPTANCE) continue;
    const Context context{answer.abstractSyntax, answer.acceptedTransferSyntax, proposed[i].scp_role};
    granted.emplace(context, answer.presentationContextID);
    by_id.emplace(answer.presentationContextID, context);
  }
}

void Association::State::close() noexcept {
  if (association != nullptr) {
    if (alive) ASC_releaseAssociation(association);
    ASC_destroyAssociation(&association);
  }
  alive = false;
  if (network != nullptr) {
    const std::lock_guard lock(network_mutex);
    ASC_dropNetwork(&network);
  }
}

void Association::State::lose(const std::string& reason) {
  if (alive) ASC_abortAssociation(association);
  alive = false;
  throw PeerError(PeerError::Kind::unreachable, "the association with " + peer.url() + " was lost: " + reason +
                                                    "; run the same command again to continue");
}

std::uint16_t Association::State::message_id() noexcept {
  if (next_message == 0) next_message = 1;
  return next_message++;
}

void Association::State::send(ContextId context, bool command, ByteView bytes) {
  if (!alive) lose("it was aborted before");
  const std::size_t limit = std::max<std::size_t>(association->sendPDVLength, 1024) & ~std::size_t{1};
  do {
    const ByteView part = bytes.first(std::min(limit, bytes.size()));
    bytes = bytes.subspan(part.size());
    DUL_PDV pdv{};
    pdv.fragmentLength = part.size();
    pdv.presentationContextID = context;
    pdv.pdvType = command ? DUL_COMMANDPDV : DUL_DATASETPDV;
    pdv.lastPDV = bytes.empty() ? OFTrue : OFFalse;
    pdv.data = const_cast<std::byte*>(part.data());  // DUL only reads it
    DUL_PDVLIST list{};
    list.count = 1;
    list.pdv = &pdv;
    const OFCondition written = DUL_WritePDVs(&association->DULassociation, &list);
    if (written.bad()) lose("sending failed (" + text_of(written) + ")");
  } while (!bytes.empty());
}

Fragment Association::State::read_fragment() {
  if (!alive) lose("it was aborted before");
  DUL_PDV pdv{};
  OFCondition read = DUL_NextPDV(&association->DULassociation, &pdv);
  if (read.bad()) {
    read = DUL_ReadPDVs(&association->DULassociation, nullptr, DUL_NOBLOCK, static_cast<int>(timeouts.dimse.count()));
    if (read == DUL_PDATAPDUARRIVED) {
      read = DUL_NextPDV(&association->DULassociation, &pdv);
    } else if (read == DUL_PEERREQUESTEDRELEASE) {
      lose("the peer asked for its release in the middle of a message");
    } else if (read == DUL_READTIMEOUT) {
      lose("no answer within " + std::to_string(timeouts.dimse.count()) + " seconds");
    }
    if (read.bad()) lose(text_of(read));
  }
  if (!by_id.contains(pdv.presentationContextID)) lose("the peer used a presentation context that was not agreed on");
  return {pdv.presentationContextID, pdv.pdvType == DUL_COMMANDPDV, pdv.lastPDV != OFFalse,
          ByteView(static_cast<const std::byte*>(pdv.data), pdv.fragmentLength)};
}

Command Association::State::receive_command(ContextId& context) {
  Bytes bytes;
  for (bool first = true, last = false; !last; first = false) {
    const Fragment fragment = read_fragment();
    if (!fragment.command) lose("the peer sent a dataset where a command belongs");
    if (!first && fragment.context != context) lose("the peer mixed two messages");
    if (bytes.size() + fragment.bytes.size() > kMaxCommandBytes)
      lose("the peer sent a command set of more than 64 KiB");
    context = fragment.context;
    last = fragment.last;
    put_bytes(bytes, fragment.bytes);
  }
  auto command = Command::parse(bytes);
  if (!command) lose(command.error().what);
  return *std::move(command);
}

Bytes Association::State::receive_dataset(ContextId context, std::uint64_t cap) {
  Bytes bytes;
  for (bool last = false; !last;) {
    const Fragment fragment = read_fragment();
    if (fragment.command) lose("the peer sent a command where a dataset belongs");
    if (fragment.context != context) lose("the peer mixed two messages");
    if (bytes.size() + fragment.bytes.size() > cap)
      lose("the peer sent a dataset of more than " + std::to_string(cap) + " bytes");
    last = fragment.last;
    put_bytes(bytes, fragment.bytes);
  }
  return bytes;
}

Command Association::State::receive_response(Verb verb, std::uint16_t id, ContextId expected) {
  ContextId context = 0;
  Command response = receive_command(context);
  const auto wanted = static_cast<std::uint16_t>(static_cast<std::uint16_t>(verb) | kResponse);
  if (response.number(field::kCommand) != wanted) lose("the peer answered with another kind of message");
  if (response.number(field::kRespondedTo) != id) lose("the peer answered another message");
  if (context != expected) lose("the peer answered on another presentation context");
  if (!response.has(field::kStatus)) lose("the peer answered without a status");
  return response;
}

ContextId Association::State::context_of(std::string_view sop_class, const char* service) const {
  for (const auto& [context, id] : granted) {
    if (context.sop_class == sop_class) return id;
  }
  throw PeerError(PeerError::Kind::refused,
                  peer.url() + " does not grant " + service +
                      "; have this AE title allowed to use it there, then run the same command again");
}

Association::Association(std::unique_ptr<State> state) : state_(std::move(state)) {}
Association::~Association() = default;
Association::Association(Association&&) noexcept = default;
Association& Association::operator=(Association&&) noexcept = default;

Association Association::request(const Peer& peer, const std::string& calling, std::vector<Context> contexts,
                                 const Timeouts& timeouts) {
  if (contexts.empty() || contexts.size() > kMaxContexts) {
    throw RunError(Exit::internal, "an association needs 1 to 128 presentation contexts");
  }
  auto state = std::make_unique<State>();
  state->peer = peer;
  state->timeouts = timeouts;
  state->proposed = std::move(contexts);
  state->number = ++association_count;
  state->connect(calling);
  return Association(std::move(state));
}

bool Association::accepted(const Context& context) const { return state_->granted.contains(context); }
const std::vector<Context>& Association::proposed() const noexcept { return state_->proposed; }
std::uint64_t Association::number() const noexcept { return state_->number; }
bool Association::alive() const noexcept { return state_->alive; }
bool Association::usable() const { return state_->alive && ASC_dataWaiting(state_->association, 0) == OFFalse; }

void Association::echo() {
  State& state = *state_;
  const ContextId context = state.context_of(kVerificationClass, "C-ECHO");
  const std::uint16_t id = state.message_id();
  const Command request = Command::make(static_cast<std::uint16_t>(Verb::echo), false)
                              .set(field::kAffectedClass, kVerificationClass)
                              .set(field::kMessageId, id);
  state.send(context, true, request.encode());
  const Command response = state.receive_response(Verb::echo, id, context);
  if (response.number(field::kStatus) == 0) return;
  throw PeerError(PeerError::Kind::refused,
                  state.peer.url() + " answered C-ECHO with an error status; ask its operator");
}

StoreResult Association::store(const Context& context, const std::string& sop_instance, ByteView dataset) {
  State& state = *state_;
  const auto granted = state.granted.find(context);
  if (granted == state.granted.end()) {
    return {std::nullopt, "", "the peer did not grant this SOP class in this transfer syntax", false};
  }
  try {
    const std::uint16_t id = state.message_id();
    const Command request = Command::make(static_cast<std::uint16_t>(Verb::store), true)
                                .set(field::kAffectedClass, context.sop_class)
                                .set(field::kMessageId, id)
                                .set(field::kPriority, std::uint16_t{0})
                                .set(field::kAffectedInstance, sop_instance);
    state.send(granted->second, true, request.encode());
    state.send(granted->second, false, dataset);
    const Command response = state.receive_response(Verb::store, id, granted->second);
    return {response.number(field::kStatus), repair_utf8(response.text(field::kErrorComment)), "", true};
  } catch (const PeerError& error) {
    return {std::nullopt, "", error.what(), true};
  }
}

}  // namespace waybill::net
