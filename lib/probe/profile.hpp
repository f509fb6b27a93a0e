// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/run.hpp"
#include "net/association.hpp"

#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a peer takes, gives and does, as values; manifests/peer-profile.schema.json describes each member. Nothing that
/// a peer says of its patients is among it. Absent is what was not asked or not answered.
namespace waybill::probe {

/// What a peer said, fit for a terminal and a line of JSON: at most 200 bytes, no control characters.
[[nodiscard]] std::string said(std::string_view text);

/// "CTImageStorage": what PS3.6 A calls a UID; the UID itself where it has none.
[[nodiscard]] std::string name_of(const std::string& uid);

/// The reason of an error without the advice behind it.
[[nodiscard]] std::string reason_of(const std::exception& error);

/// C-ECHO, or the smallest question of QIDO-RS.
struct Echo {
  std::string service;
  double least = 0, median = 0;  ///< milliseconds from question to answer
};

struct Service {
  std::string name, uid;
  std::vector<std::string> syntaxes;  ///< granted
};

/// What a peer takes of one Storage SOP Class.
struct StorageClass {
  std::string uid;
  std::vector<std::string> accepted;            ///< transfer syntaxes
  std::map<std::string, std::uint8_t> refused;  ///< the others, with the result (PS3.8 table 9-18)
  std::optional<net::StorageLevel> level;       ///< what it says it keeps (PS3.4 B.3.1)
};

/// How many connections stand at the same time.
struct AtOnce {
  unsigned asked = 0, opened = 0;
  std::string why;  ///< the next one was not opened
};

/// How a peer answers questions: by C-FIND or QIDO-RS.
struct Lists {
  std::string service;
  std::string status;  ///< of the large list: four hex digits, or that of HTTP
  std::size_t asked = 0, listed = 0;
  std::optional<std::size_t> limit;       ///< proved: there is more than it lists
  std::string warning;                    ///< "299 …" of QIDO-RS
  std::optional<bool> honours_uid;        ///< a study that cannot be there is not listed
  std::optional<bool> honours_paging;     ///< limit and offset of QIDO-RS
  std::optional<bool> relational;         ///< an instance is found without its study and series
  std::optional<bool> relational_agreed;  ///< by extended negotiation
  std::optional<bool> counts_right;       ///< (0020,1208) of a study is what its lists hold
  std::map<std::string, bool> keys;       ///< optional ones, and whether they came back with a value
  bool keys_unsupported = false;          ///< FF01
};

/// What a DICOMweb service gives in which form.
struct Form {
  std::string service, asked;  ///< "WADO-RS", the media type or transfer syntax
  int status = 0;              ///< of HTTP
  std::string came;            ///< content type, or transfer syntax of the object
};

/// Objects of a manifest that share what they may travel in, and what becomes of them.
struct Need {
  net::Context own;
  std::uint64_t objects = 0, bytes = 0;
  std::optional<bool> granted;         ///< nullopt: nobody can say before it is sent (STOW-RS)
  std::uint8_t result = 0;             ///< why not
  bool class_is_taken = false;         ///< in some transfer syntax
  std::optional<std::string> instead;  ///< transfer syntax that load would write them in
  bool lossless = false;               ///< may be written in another syntax without loss
  [[nodiscard]] bool is_lost() const { return granted && !*granted && !instead; }
};

/// One step of the duplicate script (domain rule 9.9) and what it left.
struct Step {
  std::string name, sent;  ///< "pixels", "the same UID, other pixels"
  std::string status;      ///< four hex digits, or empty: no answer about it
  std::string comment;
  std::string kept;    ///< what is there afterwards: before, sent, both, other, none, unknown
  std::string policy;  ///< stored, no-effect, ignored, overwritten, kept-both, moved, mixed, refused, lost, unknown
};

struct Rate {
  unsigned associations = 0;
  std::uint64_t objects = 0, bytes = 0;  ///< taken
  std::uint64_t refused = 0;             ///< not taken, or without an answer
  unsigned rejected = 0;                 ///< associations that were not opened
  double seconds = 0;
  double answer = 0;  ///< median milliseconds from object to answer; of STOW-RS an object's share
  [[nodiscard]] double rate() const { return seconds > 0 ? static_cast<double>(objects) / seconds : 0; }
};

/// What --write left at the peer.
struct Left {
  std::vector<std::string> patients, studies;
  std::vector<std::string> instances;
};

struct Trouble {
  std::string section, what;
};

/// Settings for a plan, and what a person should know.
struct Advice {
  std::vector<std::pair<std::string, std::string>> load, verify;  ///< keys of a plan and their values as TOML
  std::vector<std::string> notes;
};

struct Profile {
  std::string peer, calling, created;
  bool web = false, interrupted = false;
  std::optional<Echo> echo;
  std::optional<net::Facts> facts;
  std::optional<AtOnce> at_once;
  std::optional<std::size_t> contexts_limit;   ///< contexts that it grants in one association, when not 128
  std::optional<std::size_t> proposals_limit;  ///< contexts that it can be asked for at a time: at more it breaks off
  std::vector<Service> services;
  std::vector<StorageClass> storage;
  std::optional<Lists> lists;
  std::vector<Form> forms;
  std::optional<load::Survey> manifest;
  std::vector<Need> needs;
  std::vector<Step> duplicates;
  std::optional<double> listed_after;  ///< milliseconds from the answer until the first object was found
  std::vector<Rate> throughput;
  std::optional<Left> left;
  std::vector<Trouble> troubles;  ///< what could not be found out
  Advice advice;

  [[nodiscard]] bool grants(std::string_view service) const;
  [[nodiscard]] std::uint64_t lost() const;  ///< objects that the peer takes in no syntax
  /// 0, 1 for troubles and objects that the peer does not take, 6 when it was interrupted.
  [[nodiscard]] Exit exit() const;
};

/// One line of JSON.
[[nodiscard]] std::string to_json(const Profile& profile);
/// The same for people.
[[nodiscard]] std::string to_table(const Profile& profile);
/// What load and verify should be told, from all the rest.
[[nodiscard]] Advice advice_of(const Profile& profile);

/// Why a context was not granted, in words. Peers say of a transfer syntax that its class is not supported; where
/// they take the class in another one, it is the syntax.
[[nodiscard]] std::string_view words_of(std::uint8_t result, bool class_is_taken) noexcept;

}  // namespace waybill::probe
