// SPDX-License-Identifier: Apache-2.0
#include "simpacs/session.hpp"

#include "core/stop.hpp"
#include "net/association.hpp"

#include <algorithm>
#include <array>
#include <thread>

namespace waybill::simpacs {

namespace field = net::field;

namespace {

constexpr std::uint16_t kCancel = 0x0FFF;
constexpr std::uint16_t kMove = 0x0021;
constexpr std::uint16_t kAction = 0x0130;
constexpr std::uint16_t kEventAnswer = 0x8100;
constexpr std::uint16_t kUnrecognised = 0x0211;
constexpr std::uint64_t kMostIdentifier = 64U << 20U;

}  // namespace

std::string status_text(std::uint16_t status) {
  const std::array bytes{static_cast<std::byte>(status >> 8U), static_cast<std::byte>(status & 0xFFU)};
  return to_hex(bytes);
}

net::Command response_to(const net::Command& request, std::uint16_t status, bool data_follows) {
  net::Command response =
      net::Command::make(static_cast<std::uint16_t>(request.number(field::kCommand) | net::kResponse), data_follows);
  response.set(field::kRespondedTo, request.number(field::kMessageId)).set(field::kStatus, status);
  for (const std::uint16_t copied : {field::kAffectedClass, field::kAffectedInstance}) {
    if (request.has(copied)) response.set(copied, request.text(copied));
  }
  return response;
}

Session::Session(Node& node, io::Descriptor socket, std::uint64_t number)
    : node_(node), number_(number), wire_(std::move(socket), node.scenario.idle), messages_(wire_, node.scenario.pdu) {
  wire_.on_wait = [this] {
    if (stop_requested()) throw Lost{"the simulator stops"};
    if (!between_messages_) return;
    between_messages_ = false;
    for (const auto& [id, granted] : granted_) {
      if (granted.sop_class == kCommitmentClass && send_event(id)) break;
    }
    between_messages_ = true;
  };
}

void Session::run() {
  try {
    if (node_.tls) wire_.accept_tls(*node_.tls);
    if (negotiate()) serve();
  } catch (const Ended&) {
  } catch (const Lost& lost) {
    log("lost", nullptr, lost.why);
    try {
      if (wire_.is_open()) wire_.write(encode_short(PduType::abort, 2));
    } catch (const Lost&) {  // nobody is there to hear it
    }
  } catch (const RunError& error) {  // a full disk and the like: the association ends, the simulator goes on
    log("failed", nullptr, error.what());
  }
  if (node_.committer) node_.committer->ended(number_);
}

void Session::log(std::string_view event, const Rule* rule, std::string_view detail) {
  if (!node_.journal) return;
  JsonWriter line = Journal::line(event, number_);
  if (!detail.empty()) line.member("detail", detail);
  if (rule != nullptr) line.member("rule", rule->name);
  node_.journal.write(std::move(line));
}

const Rule* Session::rule_for(On on, std::string_view instance, std::string_view sop_class) {
  return node_.dice.rule_for({on, instance, sop_class, request_.calling, number_});
}

bool Session::is_explicit(std::uint8_t context) const { return granted_.at(context).syntax != net::kImplicitLittle; }

void Session::serve() {
  for (;;) {
    Command command;
    std::uint8_t context = 0;
    between_messages_ = true;
    const Messages::Event event = messages_.next(command, context);
    between_messages_ = false;
    if (event == Messages::Event::closed) return log("closed", nullptr);
    if (event == Messages::Event::abort) return log("aborted", nullptr);
    if (event == Messages::Event::release) {
      log("released", nullptr);
      return wire_.write(encode_short(PduType::release_response));
    }
    if (!granted_.contains(context)) throw Lost{"a presentation context that was not agreed on"};
    handle(command, context);
  }
}

void Session::handle(const Command& request, std::uint8_t context) {
  const std::uint16_t type = request.number(field::kCommand);
  const bool keeps = node_.shelf.has_value();
  switch (type) {
    case static_cast<std::uint16_t>(net::Verb::store): return store(request, context);
    case static_cast<std::uint16_t>(net::Verb::echo): return echo(request, context);
    case static_cast<std::uint16_t>(net::Verb::find):
      if (keeps) return find(request, context);
      break;
    case static_cast<std::uint16_t>(net::Verb::get):
      if (keeps) return get(request, context);
      break;
    case kMove:
      if (keeps) return move(request, context);
      break;
    case kAction:
      if (keeps) return commit(request, context);
      break;
    case kEventAnswer: return log("commit-answer", nullptr, status_text(request.number(field::kStatus)));
    case kCancel: return;
    default: break;
  }
  if (request.data_follows()) (void)messages_.dataset(context, nullptr, kMostIdentifier);
  log("unrecognised", nullptr, status_text(type));
  messages_.send(context, response_to(request, kUnrecognised));
}

void Session::echo(const Command& request, std::uint8_t context) {
  const Rule* rule = rule_for(On::echo, "", net::kVerificationClass);
  log("echo", rule);
  respond(rule, context, response_to(request, rule == nullptr ? std::uint16_t{0} : rule->status.value_or(0)));
}

void Session::pause(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    if (stop_requested()) throw Lost{"the simulator stops"};
    const auto left = until - std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(left, std::chrono::milliseconds(50)));
  }
}

/// Something other than an answer.
void Session::end(Answer how, const Rule& rule) {
  switch (how) {
    case Answer::abort: wire_.write(encode_short(PduType::abort, 2)); throw Ended{};
    case Answer::reset: wire_.reset(); throw Ended{};
    case Answer::close: throw Ended{};
    case Answer::release: return wire_.write(encode_short(PduType::release_request));
    case Answer::raw: return wire_.write(rule.raw);
    default: return;
  }
}

void Session::respond(const Rule* rule, std::uint8_t context, Command response, ByteView dataset) {
  if (rule == nullptr) return messages_.send(context, response, dataset);
  pause(rule->delay);
  if (!rule->comment.empty()) {
    std::string comment = rule->comment.substr(0, 64);
    if (comment.size() % 2 != 0) comment += ' ';
    response.set(field::kErrorComment, comment);
  }
  if (!rule->elements.empty()) {
    Bytes tags;
    for (const std::uint32_t tag : rule->elements) {
      put_u16(tags, static_cast<std::uint16_t>(tag >> 16U));
      put_u16(tags, static_cast<std::uint16_t>(tag & 0xFFFFU));
    }
    response.set(field::kOffending, as_text(tags));
  }
  switch (rule->answer) {
    case Answer::normal: return messages_.send(context, response, dataset);
    case Answer::twice: messages_.send(context, response, dataset); return messages_.send(context, response, dataset);
    case Answer::wrong_id:
      response.set(field::kRespondedTo, static_cast<std::uint16_t>(response.number(field::kRespondedTo) + 7));
      return messages_.send(context, response, dataset);
    case Answer::wrong_context: return messages_.send(static_cast<std::uint8_t>(context + 100), response, dataset);
    case Answer::no_status: {
      Command bare = Command::make(response.number(field::kCommand), response.data_follows());
      bare.set(field::kRespondedTo, response.number(field::kRespondedTo));
      return messages_.send(context, bare, dataset);
    }
    case Answer::half: {
      Bytes out;
      messages_.put(out, context, response, dataset);
      return wire_.write(ByteView(out).first(out.size() / 2));
    }
    default: return end(rule->answer, *rule);
  }
}

}  // namespace waybill::simpacs
