// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What a simulated PACS does, well or badly. `manifests/examples/simpacs.toml` names every key.
namespace waybill::simpacs {

/// What a rule speaks of.
enum class On { associate, echo, store, find, get, move, commit };

/// What is kept of an object that is stored, or given of one that is retrieved.
enum class Keep {
  all,      ///< its bytes
  nothing,  ///< drop it
  flipped,  ///< with one bit of its pixel data (or last value) flipped
  renamed,  ///< with another first letter of the patient's name
  cut,      ///< without its last quarter
  empty,    ///< no bytes
  other,    ///< the dataset of the object that was stored before it
};

/// How an answer leaves.
enum class Answer {
  normal,
  silence,        ///< never
  abort,          ///< A-ABORT in its place
  reset,          ///< TCP RST in its place
  close,          ///< the connection is closed in its place
  release,        ///< A-RELEASE-RQ in its place
  half,           ///< the first half of the PDU, then silence
  twice,          ///< two times
  wrong_id,       ///< to another message id
  wrong_context,  ///< on another presentation context
  no_status,      ///< without (0000,0900)
  raw,            ///< the bytes of `raw` in its place
};

/// What `skip`, `first` and a rate count.
enum class Per { run, instance, association };

struct Rule {
  std::string name;
  On on = On::store;
  // Which messages; an empty list is all.
  std::vector<std::string> instances, classes, calling;
  double rate = 1;
  std::uint64_t skip = 0;
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
  Per per = Per::run;
  // What happens to them.
  std::optional<std::uint16_t> status;
  std::string comment;
  std::vector<std::uint32_t> elements;  ///< (0000,0901) of the answer
  std::optional<Keep> keep;
  Answer answer = Answer::normal;
  Bytes raw;
  std::chrono::milliseconds delay{0};
  std::uint64_t pace = 0;                    ///< store: bytes a second of reading
  std::optional<std::uint64_t> abort_after;  ///< store: bytes of the dataset, then A-ABORT
  std::uint8_t reject = 0;                   ///< associate: 1 permanent, 2 transient
  std::optional<std::uint8_t> reason;
  std::optional<std::uint64_t> most;  ///< find: answers
  double omit = 0;                    ///< find, get, move: share left out; commit: share in neither list
  bool new_uids = false;              ///< get, move
  std::int64_t completed = 0;         ///< get, move: added to the true count
  bool early = false;                 ///< move: last answer before the sub-operations; commit: event before the answer
  double fail = 0;                    ///< commit: share reported as failed
  std::uint16_t failure = 0x0110;     ///< commit: (0008,1197) of those
  unsigned times = 1;                 ///< commit: how often the event is sent, 0 never
  bool new_association = false;       ///< commit: the event comes on an association of ours
  bool wrong_transaction = false;     ///< commit
};

enum class Duplicates { ignore, overwrite, refuse };

struct Destination {
  std::string host;
  std::uint16_t port = 104;
  bool tls = false;
};

struct Scenario {
  std::uint64_t seed = 1;
  std::string title = "SIMPACS";  ///< ours when we call
  std::vector<std::string> called, calling;
  std::size_t associations = 64;
  std::uint32_t pdu = 131072;
  std::uint16_t window = 1;
  std::optional<std::uint8_t> storage_level;  ///< said to those that ask (PS3.4 B.3.1); none: nothing is said
  std::chrono::milliseconds idle{60000};
  Duplicates duplicates = Duplicates::overwrite;
  std::vector<std::string> classes, syntaxes;
  std::size_t contexts = 128;
  int receive_buffer = 0;                    ///< of the socket in bytes, 0 as the system has it
  std::map<std::string, Destination> peers;  ///< by AE title: for C-MOVE and commitment events
  std::vector<Rule> rules;

  /// Throws RunError(Exit::usage) with file and line for what is no scenario.
  [[nodiscard]] static Scenario read(const std::filesystem::path& file);
};

}  // namespace waybill::simpacs
