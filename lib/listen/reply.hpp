// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hl7/delimiters.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::listen {

/// What is made of a message; the two letters of MSA-1 in original mode.
enum class Outcome {
  accept,  ///< AA: it is on disk
  error,   ///< AE: the message or this side has a fault, sending it again unchanged does not help while that lasts
  reject   ///< AR: not the kind of message that is taken here
};

/// When the sender wants an acknowledgement of one kind (MSH-15, MSH-16).
enum class When { always, never, on_error, on_success };

/// The head of a message, all that a reply needs. Fields are as they stand there, without control characters.
struct Head {
  hl7::Delimiters delimiters;
  std::string encoding;  ///< MSH-2
  std::string application, facility, receiver, receiving_facility, control_id, processing, version, charset;
  std::string code, trigger;            ///< MSH-9.1 and MSH-9.2
  bool readable = false;                ///< there is a usable MSH segment
  std::string fault;                    ///< why there is none; with an unusable MSH-2 the fields are read nevertheless
  bool one_line = false;                ///< its line ends are written as text
  bool enhanced = false;                ///< MSH-15 or MSH-16 holds a condition
  When commit = When::never;            ///< MSH-15 in enhanced mode
  When application_ack = When::always;  ///< MSH-16; in original mode always

  [[nodiscard]] std::string type() const { return trigger.empty() ? code : code + "^" + trigger; }
  /// An answer of the other side to a message of ours. It is never answered.
  [[nodiscard]] bool is_reply() const { return code == "ACK" || code == "MCF" || code == "NAK"; }
  /// Sender and control ID, by which a repeated message is known.
  [[nodiscard]] std::string key() const { return application + '\x1F' + facility + '\x1F' + control_id; }
};

/// Reads the first segment of a frame's content. Indentation and a byte order mark before MSH are no fault.
[[nodiscard]] Head read_head(std::string_view content);

struct Judgement {
  Outcome outcome = Outcome::accept;
  int error = 0;     ///< table 0357
  std::string text;  ///< why not, without any patient's data
};

/// Whether a message with this head is taken: a usable MSH, version 2, a processing ID that is in `processing` (an
/// empty one counts as P), a control ID, line ends.
[[nodiscard]] Judgement judge(const Head& head, const std::set<std::string>& processing);

/// The replies to send, in order, each without its frame: one in original mode; in enhanced mode the commit
/// acknowledgement (CA, CE, CR) where MSH-15 asks for it, behind it the application acknowledgement where MSH-16 does.
/// `id` gives MSH-10 of each reply, `now` is YYYYMMDDHHMMSS+ZZZZ.
[[nodiscard]] std::vector<std::string> replies(const Head& head, const Judgement& judgement,
                                               const std::vector<std::string>& ids, std::string_view now);

/// The code of the first of these replies ("AA", "CR" …), "none" when there is none.
[[nodiscard]] std::string answer_of(const Head& head, Outcome outcome);

}  // namespace waybill::listen
