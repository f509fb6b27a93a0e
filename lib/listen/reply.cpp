// SPDX-License-Identifier: Apache-2.0
#include "listen/reply.hpp"

#include "core/text.hpp"
#include "hl7/escape.hpp"
#include "hl7/message.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace waybill::listen {
namespace {

constexpr std::size_t kLongestEcho = 1000;  // of a field that goes back to the sender

/// A field as it may go back: control characters would end a segment or a frame.
std::string echo(std::string_view field) {
  std::string out(field.substr(0, kLongestEcho));
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return out;
}

std::string_view without_indentation(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0x0B || c == '\0'; };
  std::size_t n = 0;
  while (n < text.size() && n < 8 && blank(text[n])) ++n;
  text.remove_prefix(n);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

/// MSH-15 or MSH-16; nullopt for an empty one and for words that are no condition.
std::optional<When> when(std::string_view field) {
  std::string word(trim(field));
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (word == "AL") return When::always;
  if (word == "NE") return When::never;
  if (word == "ER") return When::on_error;
  if (word == "SU") return When::on_success;
  return std::nullopt;
}

bool wanted(When when, Outcome outcome) {
  switch (when) {
    case When::always: return true;
    case When::never: return false;
    case When::on_error: return outcome != Outcome::accept;
    case When::on_success: return outcome == Outcome::accept;
  }
  return true;
}

std::string code_of(char kind, Outcome outcome) {
  return std::string(1, kind) + (outcome == Outcome::accept ? 'A' : outcome == Outcome::error ? 'E' : 'R');
}

const char* error_text(int error) {
  switch (error) {
    case 100: return "Segment sequence error";
    case 101: return "Required field missing";
    case 200: return "Unsupported message type";
    case 202: return "Unsupported processing id";
    case 203: return "Unsupported version id";
    default: return "Application internal error";
  }
}

std::string reply(const Head& h, const Judgement& j, char kind, const std::string& id, std::string_view now) {
  const hl7::Delimiters& d = h.delimiters;
  const auto joined = [&](std::initializer_list<std::string> fields) {
    std::string line;
    for (const auto& field : fields) line += (line.empty() ? "" : std::string(1, d.field)) + field;
    return line + '\r';
  };
  std::string type = "ACK";
  if (!h.trigger.empty() && d.component != '\0') {
    type += d.component + h.trigger;
    if (h.version >= "2.4") type += d.component + std::string("ACK");
  }
  // An application acknowledgement of enhanced mode is a message of its own that wants none in return.
  const std::string none = h.enhanced && kind == 'A' ? "NE" : "";
  std::string text =
      joined({"MSH", h.encoding, h.receiver, h.receiving_facility, h.application, h.facility, std::string(now), "",
              type, id, h.processing, h.version, "", "", none, none, "", h.charset});
  while (text.size() > 2 && text[text.size() - 2] == d.field) text.erase(text.size() - 2, 1);
  const std::string why = hl7::escape(j.text, d);
  text += joined({"MSA", code_of(kind, j.outcome), h.control_id, why});
  if (j.outcome == Outcome::accept) {
    text.erase(text.size() - 2, 1);  // no text
    return text;
  }
  if (d.component != '\0' && h.version >= "2.5") {
    const std::string error = std::to_string(j.error) + d.component + error_text(j.error) + d.component + "HL70357";
    text += joined({"ERR", "", "", error, "E", "", "", "", why});
  }
  return text;
}

/// Fields by the field separator alone, for a header whose MSH-2 is unusable: the sender still learns which message is
/// answered, and an acknowledgement is still known as one.
std::optional<hl7::Message> without_encoding(std::string_view line, std::string& room) {
  if (line.size() < 5 || line[4] == line[3]) return std::nullopt;
  const std::size_t end = line.find(line[3], 4);
  if (end == std::string_view::npos || std::string_view("^~\\&").find(line[3]) != std::string_view::npos)
    return std::nullopt;
  room = std::string(line.substr(0, 4)) + "^~\\&" + std::string(line.substr(end));
  hl7::Message message;
  return message.parse(room) ? std::optional(std::move(message)) : std::nullopt;
}

void read_fields(Head& head, const hl7::Message& message) {
  const auto field = [&](std::size_t n) { return message.field(std::size_t{0}, n); };
  head.delimiters = message.delimiters();
  head.encoding = echo(field(2));
  head.application = echo(field(3));
  head.facility = echo(field(4));
  head.receiver = echo(field(5));
  head.receiving_facility = echo(field(6));
  head.code = echo(trim(message.component(field(9), 1)));
  head.trigger = echo(trim(message.component(field(9), 2)));
  head.control_id = echo(field(10));
  head.processing = echo(field(11));
  head.version = echo(message.component(field(12), 1));
  head.charset = echo(field(18));
  const auto commit = when(field(15)), application = when(field(16));
  head.enhanced = commit || application;
  if (head.enhanced) {
    head.commit = commit.value_or(When::never);
    head.application_ack = application.value_or(When::never);
  }
}

}  // namespace

Head read_head(std::string_view content) {
  Head head;
  head.encoding = "^~\\&";
  content = without_indentation(content);
  const std::string_view line = content.substr(0, content.find_first_of("\r\n"));
  hl7::Message message;
  const auto parsed = message.parse(line);
  head.readable = parsed.has_value();
  if (parsed) {
    const bool all = content.find_first_not_of("\r\n ", line.size()) == std::string_view::npos;
    head.one_line = all && hl7::holds_written_line_ends(message);
    read_fields(head, message);
    return head;
  }
  head.fault = parsed.error().what;
  std::string room;
  if (const auto guessed = without_encoding(line, room)) read_fields(head, *guessed);
  return head;
}

Judgement judge(const Head& head, const std::set<std::string>& processing) {
  const auto not_taken = [](Outcome outcome, int error, std::string text) {
    return Judgement{outcome, error, std::move(text)};
  };
  if (!head.readable)
    return not_taken(Outcome::reject, 100, "no usable MSH segment at the start of the frame: " + head.fault);
  if (head.code.empty()) return not_taken(Outcome::reject, 200, "MSH-9 names no message type");
  if (!head.version.empty() && !head.version.starts_with("2"))
    return not_taken(Outcome::reject, 203, "MSH-12 is no version 2");
  const std::string_view whole = head.processing;
  const auto id = std::string(trim(hl7::part(whole, head.delimiters.component, 1)));
  if (processing.count(id.empty() ? "P" : id) == 0)
    return not_taken(Outcome::reject, 202, "MSH-11 is a processing ID that is not taken here");
  if (trim(head.control_id).empty()) return not_taken(Outcome::error, 101, "MSH-10 is empty");
  if (head.one_line) return not_taken(Outcome::error, 100, hl7::kWrittenLineEnds);
  return {};
}

std::vector<std::string> replies(const Head& head, const Judgement& judgement, const std::vector<std::string>& ids,
                                 std::string_view now) {
  std::vector<std::string> out;
  if (head.is_reply()) return out;
  if (wanted(head.commit, judgement.outcome)) out.push_back(reply(head, judgement, 'C', ids[0], now));
  if (wanted(head.application_ack, judgement.outcome)) out.push_back(reply(head, judgement, 'A', ids[1], now));
  return out;
}

std::string answer_of(const Head& head, Outcome outcome) {
  if (head.is_reply()) return "none";
  if (wanted(head.commit, outcome)) return code_of('C', outcome);
  return wanted(head.application_ack, outcome) ? code_of('A', outcome) : "none";
}

}  // namespace waybill::listen
