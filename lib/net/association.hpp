// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "io/scratch.hpp"
#include "net/commitment.hpp"
#include "net/peer.hpp"

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace waybill::net {

inline constexpr std::string_view kVerificationClass = "1.2.840.10008.1.1";
inline constexpr std::string_view kStudyRootFind = "1.2.840.10008.5.1.4.1.2.2.1";
inline constexpr std::string_view kStudyRootMove = "1.2.840.10008.5.1.4.1.2.2.2";
inline constexpr std::string_view kStudyRootGet = "1.2.840.10008.5.1.4.1.2.2.3";
inline constexpr std::string_view kCommitmentClass = "1.2.840.10008.1.20.1";
inline constexpr std::string_view kImplicitLittle = "1.2.840.10008.1.2";
inline constexpr std::string_view kExplicitLittle = "1.2.840.10008.1.2.1";

/// One presentation context: one class in one transfer syntax, so that an acceptance says exactly what may be sent.
struct Context {
  std::string sop_class;
  std::string transfer_syntax;
  bool scp_role = false;  ///< we take the SCP role (C-GET sub-operations)
  auto operator<=>(const Context&) const = default;
};
inline constexpr std::size_t kMaxContexts = 128;  ///< odd ids 1 to 255 (PS3.8 9.3.2.2)

struct Timeouts {
  std::chrono::seconds connect{30};
  std::chrono::seconds acse{30};
  std::chrono::seconds dimse{30};  ///< for one message to begin and for each of its PDUs
};

/// What a storage SCP says it does with objects of a class (PS3.4 B.3.1).
struct StorageLevel {
  std::uint8_t level = 0;     ///< 0 some attributes are kept, 1 all of the standard, 2 all, private ones too
  std::uint8_t coercion = 0;  ///< 0 values are kept, 1 may be changed, 2 not known
};
/// Whether an association asks for it; `all`: and for whatever else a peer says of itself, see Facts.
enum class AskLevel { no, yes, all };

/// What a peer says of itself when it grants an association (PS3.7 D.3.3, PS3.4 C.5.1.1). Text as it came, in UTF-8.
struct Facts {
  std::string implementation_class, implementation_version;
  std::uint32_t max_pdu = 0;  ///< bytes that it takes in one PDU; 0 is any number
  struct Window {
    std::uint16_t invoked = 1, performed = 1;  ///< 0 is any number
  };
  std::optional<Window> window = {};    ///< of asynchronous operations; nothing said is one at a time
  std::optional<bool> relational = {};  ///< C-FIND takes questions without the keys of the levels above
};

/// Results of a presentation context (PS3.8 table 9-18), and one for a peer that said nothing or granted another
/// syntax.
inline constexpr std::uint8_t kUserRejection = 1, kNoReason = 2, kClassNotSupported = 3, kSyntaxNotSupported = 4;
inline constexpr std::uint8_t kNotAnswered = 0xFF;

/// A key of an identifier: tag, VR and value, "" for what the answers are to have.
struct Key {
  std::uint32_t tag = 0;
  const char* vr = "";
  std::string value;
};

/// How a C-FIND ended.
struct Found {
  std::uint16_t status = 0;  ///< of the last answer: 0000, B001 limit reached, FE00 cancelled, a failure
  std::size_t answers = 0;
  bool keys_unsupported = false;  ///< FF01: optional keys were not matched
};

/// What the peer said to one C-STORE.
struct StoreResult {
  std::optional<std::uint16_t>
      status;           ///< nullopt: no answer, the outcome is unknown (or nothing was sent, see `sent`)
  std::string comment;  ///< (0000,0902) as UTF-8
  std::string error;    ///< one sentence when status is absent
  bool sent = true;     ///< false: the context was not granted, not a byte went out
  std::vector<std::uint32_t> offending = {};  ///< tags of (0000,0901): the elements the answer is about
};

/// An object received by C-GET: the dataset as it came, not parsed.
struct Received {
  std::string sop_class, sop_instance, transfer_syntax;
  io::Scratch memory;  ///< where the dataset is
  ByteView dataset;
};

struct GetResult {
  std::uint16_t status = 0;
  std::uint32_t completed = 0, failed = 0, warning = 0;
  std::string comment;
};

/// An association as requestor. One thread at a time; many may exist. The destructor releases, or aborts when dead.
class Association {
 public:
  /// Connects and negotiates at most 128 contexts. Throws PeerError whose kind tells unreachable, permanent and
  /// transient refusal apart.
  [[nodiscard]] static Association request(const Peer& peer, const std::string& calling, std::vector<Context> contexts,
                                           const Timeouts& timeouts = {}, AskLevel ask = AskLevel::no);
  ~Association();
  Association(Association&&) noexcept;
  Association& operator=(Association&&) noexcept;

  [[nodiscard]] bool accepted(const Context& context) const;
  /// Why a proposed context was not granted, one of the results above; 0 when it was.
  [[nodiscard]] std::uint8_t result_of(const Context& context) const;
  [[nodiscard]] const Facts& facts() const noexcept;
  /// What the peer says of the classes it was asked about (AskLevel::yes); most say nothing.
  [[nodiscard]] const std::map<std::string, StorageLevel>& levels() const noexcept;
  [[nodiscard]] const std::vector<Context>& proposed() const noexcept;
  /// Number of this association in the process, from 1.
  [[nodiscard]] std::uint64_t number() const noexcept;
  /// False after an error in the middle of a message: it was aborted and can only be thrown away.
  [[nodiscard]] bool alive() const noexcept;
  /// Whether a new message may begin: alive, and the peer has not closed, released or aborted it while it was idle.
  [[nodiscard]] bool usable() const;

  /// C-ECHO; throws PeerError.
  void echo();

  /// C-STORE: the dataset's bytes go to the socket as they are. Never throws for what the peer does.
  [[nodiscard]] StoreResult store(const Context& context, const std::string& sop_instance, ByteView dataset);

  /// Study Root C-FIND below one study or series: the UIDs of its children. A peer may stop at a limit of its own, in
  /// silence or with status B001, so only a question for one `instance` proves that it is not there. Throws PeerError.
  [[nodiscard]] std::set<std::string> find_series(const std::string& study);
  [[nodiscard]] std::set<std::string> find_instances(const std::string& study, const std::string& series,
                                                     const std::string& instance = "");
  /// Study Root C-FIND with any keys in the order of their tags, (0008,0052) among them. `take` gets what each answer
  /// has, trimmed, by tag; when it says no, the rest is cancelled, and a peer that goes on for the time-out is left.
  /// Any status of the last answer is given, not thrown. Throws PeerError when C-FIND is not granted or the peer lost.
  using TakeAnswer = std::function<bool(const std::map<std::uint32_t, std::string>&)>;
  [[nodiscard]] Found find(const std::vector<Key>& keys, const TakeAnswer& take);
  /// All SOP Instance UIDs of a study: SERIES level, then IMAGE level for each series.
  [[nodiscard]] std::set<std::string> find_study(const std::string& study);

  /// How many instances the peer says a study has (0020,1208): a hint. nullopt when it does not say one number.
  [[nodiscard]] std::optional<std::uint64_t> count_instances(const std::string& study);

  static constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30U;  ///< of one dataset that a peer gives

  /// Study Root C-GET of a whole study; `receive` gets each dataset. A dataset beyond `cap` bytes aborts and throws.
  GetResult get(const std::string& study, const std::function<void(Received)>& receive, std::uint64_t cap = kMostBytes);
  /// The same at IMAGE level, of one object.
  GetResult get_instance(const std::string& study, const std::string& series, const std::string& instance,
                         const std::function<void(Received)>& receive, std::uint64_t cap = kMostBytes);

  /// Study Root C-MOVE of a study, or of one object when all three UIDs are there, to the node that the peer knows as
  /// `destination`; the objects come to that on associations of their own. `go_on` is called about every 100 ms; when
  /// it says no, the association is dropped and status is nullopt: the objects may still come. What the peer counts is
  /// what it says, nothing more.
  struct Moved {
    std::optional<std::uint16_t> status;
    std::uint32_t completed = 0, failed = 0;
    std::string comment;
  };
  Moved move(const std::array<std::string, 3>& uids, const std::string& destination,
             const std::function<bool()>& go_on);

  /// N-ACTION of storage commitment (PS3.4 J.3.2): gives the status of the answer. A report may come before it, of this
  /// or another transaction: each is handed to `take` and answered with what that gives. Throws PeerError.
  [[nodiscard]] std::uint16_t ask_for_commitment(const std::string& transaction,
                                                 const std::vector<SopReference>& objects, const TakeReport& take);
  /// Waits that long for reports of storage commitment. Throws PeerError when the association is over.
  void take_reports(const TakeReport& take, std::chrono::milliseconds time);

  /// Contexts that find_… and get need besides those of the objects.
  [[nodiscard]] static std::vector<Context> find_contexts();
  [[nodiscard]] static std::vector<Context> get_contexts();
  [[nodiscard]] static std::vector<Context> move_contexts();
  [[nodiscard]] static std::vector<Context> commitment_contexts();

 private:
  friend class Listener;
  struct State;
  explicit Association(std::unique_ptr<State> state);
  /// Of a study, or of one object when all three UIDs are there.
  GetResult get_below(const std::array<std::string, 3>& uids, const std::function<void(Received)>& receive,
                      std::uint64_t cap);
  std::unique_ptr<State> state_;
};

}  // namespace waybill::net
