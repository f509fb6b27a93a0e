// SPDX-License-Identifier: Apache-2.0
#include "net/association.hpp"

#include "core/text.hpp"
#include "net/state.hpp"

#include <algorithm>
#include <array>
#include <atomic>

namespace waybill::net {

namespace {

constexpr std::size_t kMaxCommandBytes = 64 * 1024;
constexpr std::size_t kSmallest = 256;              // a peer that takes less would cost a system call for some bytes
constexpr std::size_t kUnlimited = 1024 * 1024;     // our fragments where the peer sets no limit
constexpr std::size_t kPiecesAtOnce = 512;          // below IOV_MAX
constexpr std::uint64_t kSlowest = 64 * 1024;       // bytes a second that a message must move on with in the end
constexpr std::chrono::seconds kReleaseTimeout{5};  // all is answered by then, so there is nothing to lose

std::atomic<std::uint64_t> association_count{0};

[[noreturn]] void throw_rejected(const Peer& peer, const Rejection& rejection) {
  const std::string next = rejection.transient
                               ? "run the same command again later, or with fewer --associations"
                               : "have the AE titles checked and entered at the peer, then run the same command again";
  throw PeerError(rejection.transient ? PeerError::Kind::rejected_transient : PeerError::Kind::rejected_permanent,
                  peer.url() + " rejected the association (" + (rejection.transient ? "transient" : "permanent") +
                      "): " + rejection.reason + "; " + next);
}

/// A PDU whose four bytes mean nothing or little: A-RELEASE and A-ABORT.
Bytes short_pdu(PduType type) {
  Bytes out;
  put_pdu_head(out, type, 4);
  out.resize(kPduHead + 4);
  return out;
}

iovec piece_of(ByteView bytes) { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }  // only read

}  // namespace

Association::State::~State() { close(); }

void Association::State::connect(const std::string& calling) {
  if (peer.secure && !peer.tls) throw RunError(Exit::internal, "a dicoms:// peer without its TLS settings");
  wire = Wire::connect(peer, Clock::now() + timeouts.connect);
  const Bytes request = encode_request(peer.called, calling, proposed, ask);
  const Deadline until = Clock::now() + timeouts.acse;
  try {
    iovec piece = piece_of(request);
    wire->write({&piece, 1}, timeouts.acse, until);
    take_answer(calling, until);
  } catch (const WireError& error) {
    throw PeerError(PeerError::Kind::unreachable,
                    peer.url() + " did not answer the association request: " + error.what() +
                        "; check that it is running and that the way is open, then run the same command again");
  }
}

void Association::State::take_answer(const std::string& calling, Deadline until) {
  const PduType type = read_pdu(until);
  if (type == PduType::associate_reject) throw_rejected(peer, parse_reject(pdu));
  if (type == PduType::abort) throw WireError(abort_reason(pdu) + "; our AE title " + calling + " may not be known");
  if (type != PduType::associate_accept) throw WireError("it answered with another PDU");
  const auto accepted = parse_accept(pdu);
  if (!accepted) throw WireError(accepted.error().what);
  facts = accepted->facts;
  set_send_limit(facts.max_pdu);
  for (std::size_t i = 0; i < proposed.size(); ++i) {
    const ContextId id = context_id(i);
    const auto syntax = accepted->syntaxes.find(id);
    if (syntax == accepted->syntaxes.end() || syntax->second != proposed[i].transfer_syntax) {
      const auto why = accepted->refusals.find(id);
      refused.emplace(proposed[i], why == accepted->refusals.end() ? kNotAnswered : why->second);
      continue;
    }
    granted.emplace(proposed[i], id);
    by_id.emplace(id, proposed[i]);
  }
  levels = accepted->levels;
  alive = true;
}

void Association::State::set_send_limit(std::uint32_t max_pdu) noexcept {
  const std::size_t limit = max_pdu == 0 ? kUnlimited : std::min<std::size_t>(max_pdu, kUnlimited);
  send_limit = (std::max<std::size_t>(limit, kSmallest) - kPdvHead) & ~std::size_t{1};
}

void Association::State::close() noexcept {
  if (!wire) return;
  try {
    if (alive) {
      const Deadline until = Clock::now() + std::min<std::chrono::milliseconds>(timeouts.acse, kReleaseTimeout);
      const Bytes request = short_pdu(PduType::release_request);
      iovec piece = piece_of(request);
      wire->write({&piece, 1}, kReleaseTimeout, until);
      while (read_pdu(until) == PduType::data) skip_unread(until);
    }
  } catch (const std::exception&) {  // it ends either way
  }
  alive = false;
  wire->close();
  wire.reset();
}

PduType Association::State::read_pdu(Deadline until) {
  const ByteView head = wire->take(kPduHead, large, until);
  const auto type = static_cast<PduType>(head[0]);
  const std::uint32_t length = load_u32(head.data() + 2, true);
  if (length > kLargestPdu) throw WireError("the peer sent a PDU of " + std::to_string(length) + " bytes");
  if (type == PduType::data) {
    unread = length;
  } else {
    pdu = wire->take(length, large, until);
  }
  return type;
}

void Association::State::skip_unread(Deadline until) {
  for (; unread > 0; unread -= pdu.size()) pdu = wire->take(std::min<std::size_t>(unread, kSmallest), large, until);
}

void Association::State::lose(const std::string& reason) {
  if (alive) {
    try {
      const Bytes abort = short_pdu(PduType::abort);
      iovec piece = piece_of(abort);
      wire->write({&piece, 1}, std::chrono::milliseconds(0), Clock::now());
    } catch (const WireError&) {  // it is lost either way
    }
    wire->close();
  }
  alive = false;
  throw PeerError(PeerError::Kind::unreachable, "the association with " + peer.url() + " was lost: " + reason +
                                                    "; run the same command again to continue");
}

std::uint16_t Association::State::message_id() noexcept {
  if (next_message == 0) next_message = 1;
  return next_message++;
}

/// Puts a head before each fragment; what stands in `pieces` is written when there are many, since small PDUs of a
/// large dataset would fill memory. Throws WireError.
void Association::State::add_fragments(ContextId context, bool command, ByteView bytes, Deadline until) {
  do {
    const ByteView part = bytes.first(std::min(send_limit, bytes.size()));
    bytes = bytes.subspan(part.size());
    const std::size_t at = heads.size();
    put_pdu_head(heads, PduType::data, static_cast<std::uint32_t>(part.size() + kPdvHead));
    const auto length = static_cast<std::uint32_t>(part.size() + 2);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) heads.push_back(static_cast<std::byte>((length >> shift) & 0xFFU));
    heads.push_back(static_cast<std::byte>(context));
    heads.push_back(static_cast<std::byte>((command ? 1U : 0U) | (bytes.empty() ? 2U : 0U)));
    pieces.push_back(piece_of(ByteView(heads).subspan(at)));
    pieces.push_back(piece_of(part));
    if (pieces.size() >= kPiecesAtOnce) write_pieces(until);
  } while (!bytes.empty());
}

void Association::State::write_pieces(Deadline until) {
  wire->write(pieces, timeouts.dimse, until);
  pieces.clear();
  heads.clear();
}

void Association::State::send(ContextId context, ByteView command, ByteView dataset) {
  if (!alive) lose("it was aborted before");
  heads.clear();
  heads.reserve(kPiecesAtOnce / 2 * (kPduHead + kPdvHead));  // so that they never move
  pieces.clear();
  const auto longest = timeouts.dimse + std::chrono::seconds((command.size() + dataset.size()) / kSlowest);
  const Deadline until = Clock::now() + longest;
  try {
    add_fragments(context, true, command, until);
    if (!dataset.empty()) add_fragments(context, false, dataset, until);
    if (!pieces.empty()) write_pieces(until);
  } catch (const WireError& error) {
    lose("sending failed (" + std::string(error.what()) + ")");
  }
}

template <typename Read>
auto Association::State::reading(const Read& read) {
  try {
    return read(Clock::now() + timeouts.dimse);
  } catch (const WireError& error) {
    const bool late = std::string_view(error.what()) == "time-out";
    lose(late ? "no answer within " + std::to_string(timeouts.dimse.count()) + " seconds" : error.what());
  }
}

Fragment Association::State::read_fragment() {
  if (!alive) lose("it was aborted before");
  if (unread == 0) {
    const PduType type = reading([&](Deadline until) { return read_pdu(until); });
    if (type == PduType::release_request) lose("the peer asked for its release in the middle of a message");
    if (type == PduType::abort) lose(abort_reason(pdu));
    if (type != PduType::data) lose("the peer sent a PDU that does not belong here");
  }
  if (unread < kPdvHead) lose("the peer sent a PDU that ends inside a fragment");
  const ByteView head = reading([&](Deadline until) { return wire->take(kPdvHead, large, until); });
  const std::uint32_t length = load_u32(head.data(), true);
  if (length < 2 || length > unread - 4) lose("the peer sent a fragment whose length does not fit");
  const auto context = std::to_integer<ContextId>(head[4]);
  const auto flags = std::to_integer<unsigned>(head[5]);
  if (!by_id.contains(context)) lose("the peer used a presentation context that was not agreed on");
  unread -= 4 + length;
  return {context, (flags & 1U) != 0, (flags & 2U) != 0, length - 2};
}

Command Association::State::receive_command(ContextId& context) {
  Bytes bytes;
  for (bool first = true, last = false; !last; first = false) {
    const Fragment fragment = read_fragment();
    if (!fragment.command) lose("the peer sent a dataset where a command belongs");
    if (!first && fragment.context != context) lose("the peer mixed two messages");
    if (bytes.size() + fragment.size > kMaxCommandBytes) lose("the peer sent a command set of more than 64 KiB");
    context = fragment.context;
    last = fragment.last;
    put_bytes(bytes, reading([&](Deadline until) { return wire->take(fragment.size, large, until); }));
  }
  auto command = Command::parse(bytes);
  if (!command) lose(command.error().what);
  return *std::move(command);
}

ByteView Association::State::receive_dataset(ContextId context, std::uint64_t cap, io::Scratch& memory) {
  std::span<std::byte> room = memory.room(std::min(usual, io::Scratch::kKept));
  std::size_t size = 0;
  for (bool last = false; !last;) {
    const Fragment fragment = read_fragment();
    if (fragment.command) lose("the peer sent a command where a dataset belongs");
    if (fragment.context != context) lose("the peer mixed two messages");
    if (size + fragment.size > cap) lose("the peer sent a dataset of more than " + std::to_string(cap) + " bytes");
    last = fragment.last;
    if (size + fragment.size > room.size()) room = memory.room(size + fragment.size, size);
    reading([&](Deadline until) { wire->read_into(room.subspan(size, fragment.size), until); });
    size += fragment.size;
  }
  usual = size;
  return room.first(size);
}

void Association::State::skip_dataset(ContextId context, std::uint64_t cap) {
  io::Scratch memory;
  (void)receive_dataset(context, cap, memory);
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
                                 const Timeouts& timeouts, AskLevel ask) {
  if (contexts.empty() || contexts.size() > kMaxContexts) {
    throw RunError(Exit::internal, "an association needs 1 to 128 presentation contexts");
  }
  auto state = std::make_unique<State>();
  state->peer = peer;
  state->timeouts = timeouts;
  state->proposed = std::move(contexts);
  state->ask = ask;
  state->number = ++association_count;
  state->connect(calling);
  return Association(std::move(state));
}

bool Association::accepted(const Context& context) const { return state_->granted.contains(context); }
std::uint8_t Association::result_of(const Context& context) const {
  if (state_->granted.contains(context)) return 0;
  const auto why = state_->refused.find(context);
  return why == state_->refused.end() ? kNotAnswered : why->second;
}
const Facts& Association::facts() const noexcept { return state_->facts; }
const std::map<std::string, StorageLevel>& Association::levels() const noexcept { return state_->levels; }
const std::vector<Context>& Association::proposed() const noexcept { return state_->proposed; }
std::uint64_t Association::number() const noexcept { return state_->number; }
bool Association::alive() const noexcept { return state_->alive; }
bool Association::usable() const { return state_->alive && state_->unread == 0 && state_->wire->quiet(); }

void Association::echo() {
  State& state = *state_;
  const ContextId context = state.context_of(kVerificationClass, "C-ECHO");
  const std::uint16_t id = state.message_id();
  const Command request = Command::make(static_cast<std::uint16_t>(Verb::echo), false)
                              .set(field::kAffectedClass, kVerificationClass)
                              .set(field::kMessageId, id);
  state.send(context, request.encode());
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
    state.send(granted->second, request.encode(), dataset);
    const Command response = state.receive_response(Verb::store, id, granted->second);
    return {response.number(field::kStatus), repair_utf8(response.text(field::kErrorComment)), "", true,
            response.tags(field::kOffending)};
  } catch (const PeerError& error) {
    return {std::nullopt, "", error.what(), true};
  }
}

}  // namespace waybill::net
