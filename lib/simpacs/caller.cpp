// SPDX-License-Identifier: Apache-2.0
#include "simpacs/caller.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <algorithm>
#include <memory>

namespace waybill::simpacs {

namespace {

constexpr std::uint32_t kPdu = 131072;
constexpr std::size_t kMaxAccept = 1U << 20U;

io::Descriptor connect_to(const Destination& to) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &hints, &found) != 0)
    throw Lost{"the name " + to.host + " is not known"};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    io::Descriptor socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket && ::connect(socket.get(), one->ai_addr, one->ai_addrlen) == 0) return socket;
  }
  throw Lost{to.host + " port " + std::to_string(to.port) + " cannot be reached"};
}

AssociateRequest numbered(AssociateRequest request) {
  std::uint8_t id = 1;
  if (request.contexts.size() > 128) request.contexts.resize(128);
  for (ProposedContext& context : request.contexts) {
    context.id = id;
    id = static_cast<std::uint8_t>(id + 2);
  }
  request.max_pdu = kPdu;
  return request;
}

}  // namespace

Caller::Caller(const Destination& to, AssociateRequest request, std::chrono::milliseconds idle, const net::Tls* tls)
    : wire_(connect_to(to), idle), messages_(wire_, kPdu), request_(numbered(std::move(request))) {
  if (to.tls && tls == nullptr) throw Lost{"a peer with TLS, and no --tls-cert"};
  if (to.tls) wire_.connect_tls(*tls, to.host);
  wire_.write(encode_request(request_));
  std::byte head[6];
  wire_.read(head);
  const std::size_t length = load_u32(head + 2, true);
  if (static_cast<PduType>(head[0]) != PduType::associate_accept || length > kMaxAccept)
    throw Lost{"the association was not accepted"};
  Bytes body(length);
  wire_.read(body);
  auto accept = parse_accept(body);
  if (!accept) throw Lost{accept.error().what};
  accept_ = *std::move(accept);
  messages_.peer_pdu = accept_.max_pdu;
}

std::uint8_t Caller::context_of(std::string_view sop_class, std::string_view syntax) const {
  for (const GrantedContext& granted : accept_.contexts) {
    const auto proposed = std::ranges::find(request_.contexts, granted.id, &ProposedContext::id);
    if (granted.result == 0 && proposed != request_.contexts.end() && proposed->sop_class == sop_class &&
        (syntax.empty() || granted.syntax == syntax))
      return granted.id;
  }
  return 0;
}

void Caller::send(std::uint8_t context, const net::Command& message, ByteView dataset) {
  messages_.send(context, message, dataset);
}

net::Command Caller::receive(Bytes& dataset) {
  net::Command message;
  std::uint8_t context = 0;
  if (messages_.next(message, context) != Messages::Event::message) throw Lost{"the association ended"};
  dataset.clear();
  if (message.data_follows()) (void)messages_.dataset(context, &dataset, std::uint64_t{1} << 32U);
  return message;
}

net::Command Caller::ask(std::uint8_t context, const net::Command& request, ByteView dataset) {
  send(context, request, dataset);
  Bytes ignored;
  return receive(ignored);
}

void Caller::release() {
  wire_.write(encode_short(PduType::release_request));
  std::byte answer[10];
  wire_.read(answer, true);
}

}  // namespace waybill::simpacs
