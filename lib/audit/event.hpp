// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/message.hpp"
#include "manifest/record.hpp"
#include "net/peer.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// The events of PS3.15 A.5.3 that a migration has.
namespace waybill::audit {

/// A patient as a message names one; one message of a transfer has exactly one.
struct Patient {
  std::string id, issuer, name;
  auto operator<=>(const Patient&) const = default;
};

/// A study of one patient and how many instances of which class the event was about.
struct StudyPart {
  std::string uid, accession;
  Patient patient;
  std::map<std::string, std::uint64_t> classes = {};
};

/// The two nodes of a transfer. `from_us`: we send; else the peer sends to us.
struct Route {
  std::string url, called, host;  ///< of the peer; `called`: its AE title, empty where it has none
  std::string calling;            ///< our AE title
  bool from_us = true;
};

[[nodiscard]] Message application_start();
/// `messages` of this run so far, `lost` of them.
[[nodiscard]] Message application_stop(Outcome outcome, std::uint64_t messages, std::uint64_t lost);
[[nodiscard]] Message begin_transfer(const Route& route, const StudyPart& study);
[[nodiscard]] Message transferred(const Route& route, const StudyPart& study, Outcome outcome, const std::string& why);
/// A C-FIND of the study root model for the instances of a study.
[[nodiscard]] Message query(const Route& route, const std::string& study, Outcome outcome);
/// `action`: R read, U changed (edits applied).
[[nodiscard]] Message accessed(char action, const StudyPart& study);
/// Many patients allowed. `media` names the medium or folder.
[[nodiscard]] Message imported(const std::string& media, const std::vector<StudyPart>& studies);
[[nodiscard]] Message exported(const std::string& media, const std::vector<StudyPart>& studies);
/// A decision to change a patient's identity or the data of an exam: `before` and the study's patient as it is to be.
[[nodiscard]] Message patient_record(const StudyPart& study, const Patient& before);
[[nodiscard]] Message procedure_record(const StudyPart& study);
[[nodiscard]] Message log_used(const std::string& file);

enum class Alert { node_authentication, integrity, recording_gap };
/// `object` is the node or file in question, `why` one sentence without PHI.
[[nodiscard]] Message security_alert(Alert alert, const std::string& object, const std::string& why);

[[nodiscard]] StudyPart part_of(const manifest::Object& object);
[[nodiscard]] StudyPart part_of(const manifest::Study& study);

/// "program@host" and the account that runs us.
[[nodiscard]] std::string process_name();
[[nodiscard]] std::string host_name();
[[nodiscard]] std::string account_name();
/// The name of the program in messages; set once, before the first thread.
void set_program(const std::string& name);

}  // namespace waybill::audit
