// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include "core/text.hpp"
#include "net/state.hpp"
#include "net/tls.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <list>
#include <mutex>
#include <thread>

namespace waybill::net {

namespace {

constexpr std::size_t kMostGuests = 16;
constexpr int kTick = 100;                        // milliseconds between looks at the end
constexpr std::chrono::seconds kLongestIdle{60};  // between two messages of an association
constexpr std::uint16_t kUnrecognised = 0x0211;

/// PS3.8 table 9-21, of the service user.
enum RejectReason : std::uint8_t { kCallingNotKnown = 3, kCalledNotKnown = 7 };

[[noreturn]] void no_port(const ListenAt& at, const char* why) {
  throw RunError(Exit::usage, "cannot listen on " + at.address + " port " + std::to_string(at.port) + ": " + why +
                                  "; give another --listen");
}

io::Descriptor listen_on(const ListenAt& at, std::uint16_t& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int looked = ::getaddrinfo(at.address.c_str(), std::to_string(at.port).c_str(), &hints, &list);
  if (looked != 0) no_port(at, ::gai_strerror(looked));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  io::Descriptor socket(::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), list->ai_addr, list->ai_addrlen) != 0 || ::listen(socket.get(), 64) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    no_port(at, std::strerror(errno));  // NOLINT(concurrency-mt-unsafe): glibc's is
  port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  return socket;
}

std::string printable(std::string text) {
  for (char& c : text) c = c < ' ' || c > '~' ? '?' : c;
  return text;
}

bool is_plain(std::string_view syntax) { return syntax == kImplicitLittle || syntax == kExplicitLittle; }

}  // namespace

ListenAt parse_listen(std::string_view text) {
  ListenAt at;
  std::string_view port = text;
  if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    std::string_view address = text.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    at.address = address;
    port = text.substr(colon + 1);
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), at.port);
  if (error == std::errc() && end == port.data() + port.size() && !at.address.empty()) return at;
  throw RunError(Exit::usage, "'" + std::string(text) + "' is nothing to listen on: write PORT or ADDRESS:PORT");
}

struct Listener::Core {
  Services services;
  Timeouts timeouts;
  std::shared_ptr<const Tls> tls;
  std::uint16_t port = 0;
  io::Descriptor socket;
  std::atomic<bool> ending{false};
  std::mutex mutex;
  std::exception_ptr failure;         // under mutex, as is the next
  std::set<std::string> turned_away;  // callers that were told of
  struct Guest {
    int fd = -1;  // under mutex; -1 when the thread has closed it
    std::atomic<bool> over{false};
    std::thread thread;
  };
  std::list<Guest> guests;  // of the accepting thread
  std::thread thread;

  void run();
  void serve(Guest& guest, io::Descriptor connection);
  void serve_messages(Association::State& state);
  [[nodiscard]] bool negotiate(Association::State& state);
  void tell_of(const Asked& asked);
  [[nodiscard]] std::string syntax_for(const Asked& asked, const Asked::Proposal& proposal) const;
  void handle(Association::State& state, const Command& request, ContextId context);
};

Listener::Listener(const ListenAt& at, Services services, const Timeouts& timeouts, std::shared_ptr<const Tls> tls)
    : core_(std::make_unique<Core>()) {
  core_->services = std::move(services);
  core_->timeouts = timeouts;
  core_->tls = std::move(tls);
  core_->socket = listen_on(at, core_->port);
  core_->thread = std::thread([core = core_.get()] { core->run(); });
}

Listener::~Listener() {
  core_->ending = true;
  core_->thread.join();
}

std::uint16_t Listener::port() const noexcept { return core_->port; }

void Listener::rethrow() {
  const std::lock_guard lock(core_->mutex);
  if (core_->failure) std::rethrow_exception(std::exchange(core_->failure, nullptr));
}

void Listener::Core::run() {
  while (!ending) {
    pollfd waiting{socket.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kTick) <= 0) continue;
    io::Descriptor connection(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    guests.remove_if([](Guest& guest) {
      if (!guest.over) return false;
      guest.thread.join();
      return true;
    });
    if (!connection || guests.size() == kMostGuests) continue;  // closed at once: the peer tries again
    Guest& guest = guests.emplace_back();
    guest.fd = connection.get();
    guest.thread =
        std::thread([this, &guest, taken = std::move(connection)]() mutable { serve(guest, std::move(taken)); });
  }
  for (Guest& guest : guests) {
    {
      const std::lock_guard lock(mutex);
      if (guest.fd >= 0) (void)::shutdown(guest.fd, SHUT_RDWR);  // wakes its thread
    }
    guest.thread.join();
  }
}

/// One association from its first byte to its last.
void Listener::Core::serve(Guest& guest, io::Descriptor connection) {
  {
    Association::State state;
    state.timeouts = timeouts;
    state.peer.called = "our listener";
    try {
      state.wire = Wire::accept(std::move(connection), tls.get(), Clock::now() + timeouts.connect);
      if (negotiate(state)) serve_messages(state);
    } catch (const WireError&) {  // the peer has to try again
    } catch (const PeerError&) {
    } catch (const std::exception&) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    guest.fd = -1;
    state.alive = false;  // who calls us releases; what is left is closed
  }
  guest.over = true;
}

/// Which syntax a proposal is granted, "" for none. For reports the peer must take the SCP role: it may say so, and
/// many do not.
std::string Listener::Core::syntax_for(const Asked& asked, const Asked::Proposal& proposal) const {
  const auto plain = [&] {
    const auto found = std::ranges::find_if(proposal.syntaxes, is_plain);
    return found == proposal.syntaxes.end() ? std::string() : *found;
  };
  if (proposal.sop_class == kVerificationClass) return plain();
  if (proposal.sop_class == kCommitmentClass) {
    const auto role = asked.roles.find(proposal.sop_class);
    const bool reports = role == asked.roles.end() || role->second.second;
    return services.take_report && reports ? plain() : "";
  }
  return services.choose ? services.choose(proposal.sop_class, proposal.syntaxes) : "";
}

/// An archive that calls by another AE title than it is called by is the usual reason for reports that never come.
void Listener::Core::tell_of(const Asked& asked) {
  constexpr std::size_t kMost = 20;
  if (!services.say) return;
  const std::string titles = "'" + printable(asked.calling) + "' that called '" + printable(asked.called) + "'";
  {
    const std::lock_guard lock(mutex);
    if (turned_away.size() == kMost || !turned_away.insert(titles).second) return;
  }
  services.say("an association of " + titles + " was turned away: only " + *services.callers.begin() +
               " may call, and " + services.title + " alone");
}

bool Listener::Core::negotiate(Association::State& state) {
  const Deadline until = Clock::now() + timeouts.acse;
  if (state.read_pdu(until) != PduType::associate_request) return false;
  const auto asked = parse_request(state.pdu);
  if (!asked) return false;
  const auto say = [&](const Bytes& pdu) {
    iovec piece{const_cast<std::byte*>(pdu.data()), pdu.size()};  // only read
    state.wire->write({&piece, 1}, timeouts.acse, until);
  };
  const bool ours = asked->called == services.title;
  if (!ours || !services.callers.contains(asked->calling)) {
    tell_of(*asked);
    say(encode_reject(ours ? kCallingNotKnown : kCalledNotKnown));
    return false;
  }
  std::map<ContextId, std::string> syntaxes;
  for (const Asked::Proposal& proposal : asked->contexts) {
    const std::string syntax = syntax_for(*asked, proposal);
    if (syntax.empty()) continue;
    syntaxes[proposal.id] = syntax;
    state.by_id[proposal.id] = {proposal.sop_class, syntax, false};
  }
  state.peer.called = asked->calling;
  state.set_send_limit(asked->max_pdu);
  say(encode_accept(*asked, syntaxes));
  state.alive = true;
  return true;
}

void Listener::Core::serve_messages(Association::State& state) {
  Deadline idle = Clock::now() + kLongestIdle;
  while (!ending && Clock::now() < idle) {
    if (!state.await(Clock::now() + std::chrono::milliseconds(kTick))) continue;
    if (state.unread == 0) {
      const PduType type = state.read_pdu(Clock::now() + timeouts.dimse);
      if (type == PduType::release_request) {
        Bytes reply;
        put_pdu_head(reply, PduType::release_reply, 4);
        reply.resize(kPduHead + 4);
        iovec piece{reply.data(), reply.size()};
        state.wire->write({&piece, 1}, timeouts.acse, Clock::now() + timeouts.acse);
        return;
      }
      if (type != PduType::data) return;
    }
    ContextId context = 0;
    const Command request = state.receive_command(context);
    handle(state, request, context);
    idle = Clock::now() + kLongestIdle;
  }
}

void Listener::Core::handle(Association::State& state, const Command& request, ContextId context) {
  const std::string& sop_class = state.by_id.at(context).sop_class;
  const std::uint16_t type = request.number(field::kCommand);
  if (type == static_cast<std::uint16_t>(Verb::event) && sop_class == kCommitmentClass)
    return state.take_report(request, context, services.take_report);
  const bool plain = sop_class == kVerificationClass || sop_class == kCommitmentClass;
  if (type == static_cast<std::uint16_t>(Verb::store) && !plain && services.store) {
    Received object = state.receive_store(request, context, Association::kMostBytes);
    return state.answer_store(request, context, services.store(std::move(object)));
  }
  if (request.data_follows()) state.skip_dataset(context, Association::kMostBytes);
  const bool echo = type == static_cast<std::uint16_t>(Verb::echo) && sop_class == kVerificationClass;
  const Command answer = Command::make(static_cast<std::uint16_t>(type | kResponse), false)
                             .set(field::kAffectedClass, sop_class)
                             .set(field::kRespondedTo, request.number(field::kMessageId))
                             .set(field::kStatus, echo ? std::uint16_t{0} : kUnrecognised);
  state.send(context, answer.encode());
}

}  // namespace waybill::net
