// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// DICOM audit messages (PS3.15 A.5) as values and as XML.
namespace waybill::audit {

/// A coded value; "DCM" is the DICOM Controlled Terminology (PS3.16).
struct Code {
  std::string value, system, meaning;
};

/// How an event ended (EventOutcomeIndicator).
enum class Outcome { success = 0, minor = 4, serious = 8, major = 12 };

/// A person, a process or a medium that took part.
struct Participant {
  std::string user;         ///< "process@host", an account, or a medium's name
  std::string alternative;  ///< "AETITLES=A;B", or empty
  bool requestor = false;
  std::vector<Code> roles;
  std::string host;                          ///< name or address, or empty
  std::optional<Code> media = std::nullopt;  ///< type of a medium
};

/// What the event was about: a patient, a study, a node …
struct Subject {
  std::string id;
  Code id_type;
  int type = 2;  ///< 1 person, 2 system object
  int role = 3;  ///< 1 patient, 3 report, 13 security resource, 24 query
  std::string name;
  std::string query = {};                                         ///< bytes, instead of a name
  std::vector<std::pair<std::string, std::string>> details = {};  ///< type and value
  std::string accession = {};
  std::vector<std::pair<std::string, std::uint64_t>> classes = {};  ///< SOP Class UID and number of instances
};

struct Message {
  Code event;
  char action = 'E';  ///< C, R, U, D or E
  std::vector<Code> types = {};
  Outcome outcome = Outcome::success;
  std::string description = {};  ///< of the outcome; without PHI
  std::string time = {};         ///< RFC 3339 with zone; empty: now
  std::vector<Participant> participants = {};
  std::vector<Subject> subjects = {};
};

/// The message as one line of XML that the schema of PS3.15 A.5.1 accepts; `source` identifies the reporting system.
/// Characters that XML cannot hold become U+FFFD.
[[nodiscard]] std::string to_xml(const Message& message, const std::string& source);

}  // namespace waybill::audit
