// SPDX-License-Identifier: Apache-2.0
#include "net/pdu.hpp"

#include "core/text.hpp"
#include "core/version.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>

namespace waybill::net {

namespace {

constexpr std::string_view kApplicationContext = "1.2.840.10008.3.1.1.1";
constexpr std::size_t kTitle = 16;
constexpr std::size_t kFixed = 68;  // protocol version, titles and reserved bytes

void put_big16(Bytes& out, std::size_t v) {
  out.push_back(static_cast<std::byte>((v >> 8U) & 0xFFU));
  out.push_back(static_cast<std::byte>(v & 0xFFU));
}
void put_big32(Bytes& out, std::size_t v) {
  put_big16(out, v >> 16U);
  put_big16(out, v);
}

void put_item(Bytes& out, std::uint8_t type, ByteView value) {
  out.push_back(static_cast<std::byte>(type));
  out.push_back(std::byte{0});
  put_big16(out, value.size());
  put_bytes(out, value);
}

void put_title(Bytes& out, std::string_view title) {
  std::string padded(title.substr(0, kTitle));
  padded.resize(kTitle, ' ');
  put_bytes(out, as_bytes(padded));
}

Bytes context_item(ContextId id, const Context& context) {
  Bytes out{static_cast<std::byte>(id), std::byte{0}, std::byte{0}, std::byte{0}};
  put_item(out, 0x30, as_bytes(context.sop_class));
  put_item(out, 0x40, as_bytes(context.transfer_syntax));
  return out;
}

void put_role(Bytes& out, std::string_view sop_class, bool scu, bool scp) {
  Bytes role;
  put_big16(role, sop_class.size());
  put_bytes(role, as_bytes(sop_class));
  role.push_back(static_cast<std::byte>(scu));
  role.push_back(static_cast<std::byte>(scp));
  put_item(out, 0x54, role);
}

/// How much we take, and whose code we are.
void put_ours(Bytes& out) {
  Bytes length;
  put_big32(length, kOurMaxPdu);
  put_item(out, 0x51, length);
  put_item(out, 0x52, as_bytes(kImplementationClassUid));
}

void put_version(Bytes& out) {
  std::string version(kToolName);
  for (char& c : version) c = c == ' ' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  put_item(out, 0x55, as_bytes(version.substr(0, kTitle)));
}

/// Objects of the context are sent to be stored: it is for none of the services.
bool is_stored(const Context& context) {
  constexpr std::string_view kQueryRetrieve = "1.2.840.10008.5.1.4.1.2.";  // of any information model
  const std::string& uid = context.sop_class;
  return !context.scp_role && uid != kVerificationClass && uid != kCommitmentClass && !uid.starts_with(kQueryRetrieve);
}

void put_extended(Bytes& out, std::string_view sop_class, std::initializer_list<unsigned> bytes) {
  Bytes item;
  put_big16(item, sop_class.size());
  put_bytes(item, as_bytes(sop_class));
  for (const unsigned byte : bytes) item.push_back(static_cast<std::byte>(byte));
  put_item(out, 0x56, item);
}

/// Asks storage SCPs what they keep (PS3.4 B.3.1): we are SCU, and the bytes of our own level mean nothing.
void put_storage_level(Bytes& out, std::string_view sop_class) { put_extended(out, sop_class, {3, 0, 0, 0, 0, 0}); }

/// Any number of operations at a time, so that the answer is the peer's own limit (PS3.7 D.3.3.3); what is granted need
/// not be used.
void put_window(Bytes& out) {
  Bytes window;
  put_big16(window, 0);
  put_big16(window, 1);
  put_item(out, 0x53, window);
}

Bytes user_item(const std::vector<Context>& contexts, AskLevel ask) {
  Bytes out;
  put_ours(out);
  std::set<std::string_view> roles, stored;
  for (const Context& context : contexts) {
    if (context.scp_role) roles.insert(context.sop_class);
    if (is_stored(context)) stored.insert(context.sop_class);
  }
  for (const std::string_view sop_class : roles) put_role(out, sop_class, false, true);
  put_version(out);
  if (ask != AskLevel::no) {
    for (const std::string_view sop_class : stored) put_storage_level(out, sop_class);
  }
  if (ask == AskLevel::all) {
    put_window(out);
    if (std::ranges::any_of(contexts, [](const Context& one) { return one.sop_class == kStudyRootFind; }))
      put_extended(out, kStudyRootFind, {1, 0, 0});  // relational queries; no ranges of date and time, no fuzzy names
  }
  return out;
}

/// Calls `take(type, value)` for each item; false when a length does not fit.
template <typename Take>
bool for_each_item(ByteView items, const Take& take) {
  while (!items.empty()) {
    if (items.size() < 4) return false;
    const std::size_t length = load_u16(items.data() + 2, true);
    if (items.size() < 4 + length) return false;
    take(std::to_integer<std::uint8_t>(items[0]), items.subspan(4, length));
    items = items.subspan(4 + length);
  }
  return true;
}

bool read_context(ByteView item, Accepted& out) {
  if (item.size() < 4) return false;
  const auto id = std::to_integer<ContextId>(item[0]);
  const auto result = std::to_integer<std::uint8_t>(item[2]);
  if (result != 0) {
    out.refusals[id] = result;
    return true;
  }
  return for_each_item(item.subspan(4), [&](std::uint8_t type, ByteView value) {
    if (type == 0x40) out.syntaxes[id] = std::string(trim(as_text(value)));
  });
}

void read_extended(ByteView value, Accepted& out) {
  if (value.size() < 2) return;
  const std::size_t length = load_u16(value.data(), true);
  if (value.size() < 2 + length + 1) return;
  const std::string sop_class(trim(as_text(value.subspan(2, length))));
  const ByteView bytes = value.subspan(2 + length);
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); };
  if (sop_class == kStudyRootFind) {
    out.facts.relational = byte(0) == 1;
  } else if (bytes.size() >= 5) {
    out.levels[sop_class] = {byte(0), byte(4)};
  }
}

/// A UID or name of the peer's own, no longer than anything honest is.
std::string text_of_peer(ByteView value) {
  constexpr std::size_t kLongest = 64;
  return repair_utf8(trim(as_text(value.first(std::min(value.size(), kLongest)))));
}

bool read_user(ByteView items, Accepted& out) {
  return for_each_item(items, [&](std::uint8_t type, ByteView value) {
    if (type == 0x51 && value.size() >= 4) out.facts.max_pdu = load_u32(value.data(), true);
    if (type == 0x52) out.facts.implementation_class = text_of_peer(value);
    if (type == 0x53 && value.size() >= 4)
      out.facts.window = {load_u16(value.data(), true), load_u16(value.data() + 2, true)};
    if (type == 0x55) out.facts.implementation_version = text_of_peer(value);
    if (type == 0x56) read_extended(value, out);
  });
}

bool read_proposal(ByteView item, Asked& out) {
  if (item.size() < 4) return false;
  Asked::Proposal& proposal = out.contexts.emplace_back();
  proposal.id = std::to_integer<ContextId>(item[0]);
  return for_each_item(item.subspan(4), [&](std::uint8_t type, ByteView value) {
    if (type == 0x30) proposal.sop_class = std::string(trim(as_text(value)));
    if (type == 0x40) proposal.syntaxes.emplace_back(trim(as_text(value)));
  });
}

bool read_wishes(ByteView items, Asked& out) {
  return for_each_item(items, [&](std::uint8_t type, ByteView value) {
    if (type == 0x51 && value.size() >= 4) out.max_pdu = load_u32(value.data(), true);
    if (type != 0x54 || value.size() < 4) return;
    const std::size_t length = load_u16(value.data(), true);
    if (value.size() < length + 4) return;
    const auto role = [&](std::size_t i) { return value[2 + length + i] != std::byte{0}; };
    out.roles[std::string(trim(as_text(value.subspan(2, length))))] = {role(0), role(1)};
  });
}

}  // namespace

void put_pdu_head(Bytes& out, PduType type, std::uint32_t length) {
  out.push_back(static_cast<std::byte>(type));
  out.push_back(std::byte{0});
  put_big32(out, length);
}

Bytes encode_request(std::string_view called, std::string_view calling, const std::vector<Context>& contexts,
                     AskLevel ask) {
  Bytes body{std::byte{0}, std::byte{1}, std::byte{0}, std::byte{0}};
  put_title(body, called);
  put_title(body, calling);
  body.resize(kFixed);
  put_item(body, 0x10, as_bytes(kApplicationContext));
  for (std::size_t i = 0; i < contexts.size(); ++i) put_item(body, 0x20, context_item(context_id(i), contexts[i]));
  put_item(body, 0x50, user_item(contexts, ask));
  Bytes out;
  put_pdu_head(out, PduType::associate_request, static_cast<std::uint32_t>(body.size()));
  put_bytes(out, body);
  return out;
}

Result<Accepted> parse_accept(ByteView body) {
  const Failure malformed{Fault::malformed, "the peer's acceptance cannot be read"};
  if (body.size() < kFixed) return malformed;
  Accepted out;
  bool sound = true;
  const bool whole = for_each_item(body.subspan(kFixed), [&](std::uint8_t type, ByteView value) {
    if (type == 0x21) sound = read_context(value, out) && sound;
    if (type == 0x50) sound = read_user(value, out) && sound;
  });
  if (!whole || !sound) return malformed;
  return out;
}

Result<Asked> parse_request(ByteView body) {
  const Failure malformed{Fault::malformed, "the peer's request for an association cannot be read"};
  if (body.size() < kFixed) return malformed;
  Asked out;
  out.called = std::string(trim(as_text(body.subspan(4, kTitle))));
  out.calling = std::string(trim(as_text(body.subspan(4 + kTitle, kTitle))));
  bool sound = true;
  const bool whole = for_each_item(body.subspan(kFixed), [&](std::uint8_t type, ByteView value) {
    if (type == 0x20) sound = read_proposal(value, out) && sound;
    if (type == 0x50) sound = read_wishes(value, out) && sound;
  });
  if (!whole || !sound || out.contexts.size() > kMaxContexts) return malformed;
  return out;
}

Bytes encode_accept(const Asked& asked, const std::map<ContextId, std::string>& syntaxes) {
  constexpr std::uint8_t kRefused = 2;  // no reason given
  Bytes body{std::byte{0}, std::byte{1}, std::byte{0}, std::byte{0}};
  put_title(body, asked.called);
  put_title(body, asked.calling);
  body.resize(kFixed);
  put_item(body, 0x10, as_bytes(kApplicationContext));
  for (const Asked::Proposal& proposal : asked.contexts) {
    const auto granted = syntaxes.find(proposal.id);
    const bool good = granted != syntaxes.end();
    Bytes item{static_cast<std::byte>(proposal.id), std::byte{0}, static_cast<std::byte>(good ? 0 : kRefused),
               std::byte{0}};
    put_item(item, 0x40, as_bytes(good ? std::string_view(granted->second) : kImplicitLittle));
    put_item(body, 0x21, item);
  }
  Bytes user;
  put_ours(user);
  for (const auto& [sop_class, roles] : asked.roles) put_role(user, sop_class, roles.first, roles.second);
  put_version(user);
  put_item(body, 0x50, user);
  Bytes out;
  put_pdu_head(out, PduType::associate_accept, static_cast<std::uint32_t>(body.size()));
  put_bytes(out, body);
  return out;
}

Bytes encode_reject(std::uint8_t reason) {
  Bytes out;
  put_pdu_head(out, PduType::associate_reject, 4);
  for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{1}, reason})
    out.push_back(static_cast<std::byte>(byte));
  return out;
}

Rejection parse_reject(ByteView body) {
  if (body.size() < 4) return {false, "no reason given"};
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(body[i]); };
  Rejection out{at(1) == 2, "no reason given"};
  switch (at(2) * 256 + at(3)) {
    case 0x0102: out.reason = "the application context is not supported"; break;
    case 0x0103: out.reason = "our calling AE title is not known there"; break;
    case 0x0107: out.reason = "the called AE title is not known there"; break;
    case 0x0202: out.reason = "the protocol version is not supported"; break;
    case 0x0301: out.reason = "temporary congestion"; break;
    case 0x0302: out.reason = "its limit of associations is reached"; break;
    default: break;
  }
  return out;
}

std::string abort_reason(ByteView body) {
  if (body.size() < 4 || std::to_integer<unsigned>(body[2]) != 2) return "the peer aborted it";
  static constexpr std::string_view kReasons[] = {
      "no reason given",        "unrecognized PDU",     "unexpected PDU",         "",
      "unrecognized parameter", "unexpected parameter", "invalid parameter value"};
  const unsigned reason = std::to_integer<unsigned>(body[3]);
  const std::string_view text = reason < std::size(kReasons) ? kReasons[reason] : "";
  return "the peer's DICOM layer aborted it" + (text.empty() ? "" : " (" + std::string(text) + ")");
}

}  // namespace waybill::net
