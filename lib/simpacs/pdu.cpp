// SPDX-License-Identifier: Apache-2.0
#include "simpacs/pdu.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace waybill::simpacs {

namespace {

constexpr std::string_view kApplicationContext = "1.2.840.10008.3.1.1.1";
constexpr std::string_view kImplementation = "2.25.229451231067345789123409871234501298";
constexpr std::size_t kFixedBytes = 68;  // version, reserved, two titles, reserved

enum Item : std::uint8_t {
  kContextName = 0x10,
  kContextRequest = 0x20,
  kContextAnswer = 0x21,
  kAbstractSyntax = 0x30,
  kTransferSyntax = 0x40,
  kUserInformation = 0x50,
  kMaxLength = 0x51,
  kImplementationUid = 0x52,
  kWindow = 0x53,
  kRole = 0x54,
  kExtended = 0x56,
};

struct ItemView {
  std::uint8_t type = 0;
  ByteView value;
};

/// Takes the next item off `rest`; nullopt when what is left is no item.
std::optional<ItemView> take_item(ByteView& rest) {
  if (rest.size() < 4) return std::nullopt;
  const std::size_t length = load_u16(rest.data() + 2, true);
  if (rest.size() - 4 < length) return std::nullopt;
  const ItemView item{std::to_integer<std::uint8_t>(rest[0]), rest.subspan(4, length)};
  rest = rest.subspan(4 + length);
  return item;
}

std::string text_of(ByteView value) { return std::string(trim(as_text(value))); }

Failure malformed(const std::string& what) { return {Fault::malformed, "the association PDU has " + what}; }

void read_context(ByteView value, ProposedContext& context) {
  if (value.size() < 4) return;
  context.id = std::to_integer<std::uint8_t>(value[0]);
  value = value.subspan(4);
  while (const auto item = take_item(value)) {
    if (item->type == kAbstractSyntax) context.sop_class = text_of(item->value);
    if (item->type == kTransferSyntax) context.syntaxes.push_back(text_of(item->value));
  }
}

void read_role(ByteView value, std::map<std::string, Roles>& roles) {
  if (value.size() < 4) return;
  const std::size_t length = load_u16(value.data(), true);
  if (value.size() < length + 4) return;
  roles[text_of(value.subspan(2, length))] = {value[length + 2] != std::byte{0}, value[length + 3] != std::byte{0}};
}

void read_user_information(ByteView value, AssociateRequest& request) {
  while (const auto item = take_item(value)) {
    const ByteView v = item->value;
    if (item->type == kMaxLength && v.size() >= 4) request.max_pdu = load_u32(v.data(), true);
    if (item->type == kWindow && v.size() >= 4)
      request.window = {load_u16(v.data(), true), load_u16(v.data() + 2, true)};
    if (item->type == kRole) read_role(v, request.roles);
    if (item->type == kExtended && v.size() >= 2 && load_u16(v.data(), true) <= v.size() - 2)
      request.extended.push_back(text_of(v.subspan(2, load_u16(v.data(), true))));
  }
}

void put_item(Bytes& out, std::uint8_t type, ByteView value) {
  out.push_back(static_cast<std::byte>(type));
  out.push_back(std::byte{0});
  put_big16(out, static_cast<std::uint16_t>(value.size()));
  put_bytes(out, value);
}

void put_title(Bytes& out, std::string title) {
  title.resize(16, ' ');
  put_bytes(out, as_bytes(title));
}

Bytes user_information(const AssociateRequest& of, std::uint32_t max_pdu, std::uint16_t window) {
  Bytes user, value;
  put_big32(value, max_pdu);
  put_item(user, kMaxLength, value);
  put_item(user, kImplementationUid, as_bytes(kImplementation));
  if (of.window && window > 0) {
    value.clear();
    put_big16(value, of.window->first == 0 ? window : std::min(window, of.window->first));
    put_big16(value, 1);
    put_item(user, kWindow, value);
  }
  for (const auto& [sop_class, roles] : of.roles) {
    value.clear();
    put_big16(value, static_cast<std::uint16_t>(sop_class.size()));
    put_bytes(value, as_bytes(sop_class));
    value.push_back(static_cast<std::byte>(roles.scu));
    value.push_back(static_cast<std::byte>(roles.scp));
    put_item(user, kRole, value);
  }
  for (const std::string& sop_class : of.extended) {
    if (!of.level) break;
    value.clear();
    put_big16(value, static_cast<std::uint16_t>(sop_class.size()));
    put_bytes(value, as_bytes(sop_class));
    for (const std::uint8_t byte :
         {*of.level, std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}})
      value.push_back(static_cast<std::byte>(byte));
    put_item(user, kExtended, value);
  }
  return user;
}

Bytes association_pdu(PduType type, const AssociateRequest& of, const Bytes& items) {
  Bytes out;
  out.push_back(static_cast<std::byte>(type));
  out.push_back(std::byte{0});
  put_big32(out, static_cast<std::uint32_t>(kFixedBytes + items.size()));
  put_big16(out, 1);
  put_big16(out, 0);
  put_title(out, of.called);
  put_title(out, of.calling);
  out.resize(out.size() + 32);
  put_bytes(out, items);
  return out;
}

}  // namespace

void put_big16(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::byte>(value >> 8U));
  out.push_back(static_cast<std::byte>(value & 0xFFU));
}

void put_big32(Bytes& out, std::uint32_t value) {
  put_big16(out, static_cast<std::uint16_t>(value >> 16U));
  put_big16(out, static_cast<std::uint16_t>(value & 0xFFFFU));
}

Result<AssociateRequest> parse_request(ByteView body) {
  if (body.size() < kFixedBytes) return malformed("fewer bytes than its fixed part");
  AssociateRequest request;
  request.called = text_of(body.subspan(4, 16));
  request.calling = text_of(body.subspan(20, 16));
  ByteView rest = body.subspan(kFixedBytes);
  while (const auto item = take_item(rest)) {
    if (item->type == kContextName) request.application_context = text_of(item->value);
    if (item->type == kContextRequest) read_context(item->value, request.contexts.emplace_back());
    if (item->type == kUserInformation) read_user_information(item->value, request);
  }
  if (!rest.empty()) return malformed("an item that is longer than the PDU");
  if (request.contexts.empty()) return malformed("no presentation context");
  return request;
}

Result<AssociateAccept> parse_accept(ByteView body) {
  if (body.size() < kFixedBytes) return malformed("fewer bytes than its fixed part");
  AssociateAccept accept;
  ByteView rest = body.subspan(kFixedBytes);
  while (const auto item = take_item(rest)) {
    if (item->type == kContextAnswer && item->value.size() >= 4) {
      GrantedContext context;
      context.id = std::to_integer<std::uint8_t>(item->value[0]);
      context.result = std::to_integer<std::uint8_t>(item->value[2]);
      ByteView inner = item->value.subspan(4);
      if (const auto syntax = take_item(inner)) context.syntax = text_of(syntax->value);
      accept.contexts.push_back(std::move(context));
    }
    if (item->type == kUserInformation) {
      AssociateRequest user;
      read_user_information(item->value, user);
      accept.max_pdu = user.max_pdu;
    }
  }
  return accept;
}

Bytes encode_accept(const AssociateRequest& request, const std::vector<GrantedContext>& contexts, std::uint32_t max_pdu,
                    std::uint16_t window) {
  Bytes items;
  put_item(items, kContextName, as_bytes(kApplicationContext));
  for (const GrantedContext& context : contexts) {
    Bytes value{static_cast<std::byte>(context.id), std::byte{0}, static_cast<std::byte>(context.result), std::byte{0}};
    put_item(value, kTransferSyntax, as_bytes(context.syntax));
    put_item(items, kContextAnswer, value);
  }
  put_item(items, kUserInformation, user_information(request, max_pdu, window));
  return association_pdu(PduType::associate_accept, request, items);
}

Bytes encode_request(const AssociateRequest& request) {
  Bytes items;
  put_item(items, kContextName, as_bytes(kApplicationContext));
  for (const ProposedContext& context : request.contexts) {
    Bytes value{static_cast<std::byte>(context.id), std::byte{0}, std::byte{0}, std::byte{0}};
    put_item(value, kAbstractSyntax, as_bytes(context.sop_class));
    for (const std::string& syntax : context.syntaxes) put_item(value, kTransferSyntax, as_bytes(syntax));
    put_item(items, kContextRequest, value);
  }
  put_item(items, kUserInformation, user_information(request, request.max_pdu, 0));
  return association_pdu(PduType::associate_request, request, items);
}

Bytes encode_reject(std::uint8_t result, std::uint8_t source, std::uint8_t reason) {
  Bytes out{std::byte{3}, std::byte{0}};
  put_big32(out, 4);
  for (const std::uint8_t byte : {std::uint8_t{0}, result, source, reason}) out.push_back(static_cast<std::byte>(byte));
  return out;
}

Bytes encode_short(PduType type, std::uint8_t source, std::uint8_t reason) {
  Bytes out{static_cast<std::byte>(type), std::byte{0}};
  put_big32(out, 4);
  for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{0}, source, reason})
    out.push_back(static_cast<std::byte>(byte));
  return out;
}

void put_data(Bytes& out, std::uint8_t context, bool command, ByteView part, std::uint32_t max_pdu) {
  constexpr std::size_t kHead = 6;  // length, context and flags of a PDV
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  const std::size_t room = max_pdu == 0 ? kMost : std::min<std::size_t>(max_pdu, kMost);
  const std::size_t piece = (std::max<std::size_t>(room, kHead + 2) - kHead) & ~std::size_t{1};
  do {
    const ByteView now = part.first(std::min(piece, part.size()));
    part = part.subspan(now.size());
    out.push_back(static_cast<std::byte>(PduType::data));
    out.push_back(std::byte{0});
    put_big32(out, static_cast<std::uint32_t>(now.size() + kHead));
    put_big32(out, static_cast<std::uint32_t>(now.size() + 2));
    out.push_back(static_cast<std::byte>(context));
    out.push_back(static_cast<std::byte>((command ? 1U : 0U) | (part.empty() ? 2U : 0U)));
    put_bytes(out, now);
  } while (!part.empty());
}

}  // namespace waybill::simpacs
