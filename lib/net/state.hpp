// SPDX-License-Identifier: Apache-2.0
// Private to lib/net.
#pragma once

#include "dicom/dataset.hpp"
#include "net/association.hpp"
#include "net/command.hpp"
#include "net/pdu.hpp"
#include "net/wire.hpp"

#include <sys/uio.h>
#include <functional>
#include <map>
#include <optional>
#include <span>

namespace waybill::net {

/// The head of a received PDV (PS3.8 9.3.5.1), whose bytes are the next ones of the wire.
struct Fragment {
  ContextId context = 0;
  bool command = false;
  bool last = false;
  std::size_t size = 0;
};

struct Association::State {
  Peer peer;
  Timeouts timeouts;
  std::vector<Context> proposed;
  AskLevel ask = AskLevel::no;
  std::map<std::string, StorageLevel> levels;
  Facts facts;
  std::map<Context, std::uint8_t> refused;
  std::map<Context, ContextId> granted;
  std::map<ContextId, Context> by_id;
  std::optional<Wire> wire;
  std::size_t send_limit = 0;  ///< bytes of a fragment that the peer takes
  ByteView pdu;                ///< what read_pdu() has read
  Bytes large;                 ///< it, when it is larger than what is read ahead
  std::size_t usual = 0;       ///< bytes of the last dataset: the next one is mostly like it
  std::size_t unread = 0;      ///< bytes of a data PDU that are still on the wire
  Bytes heads;                 ///< kept between messages, so that nothing is allocated for one
  std::vector<iovec> pieces;
  std::uint64_t number = 0;
  std::uint16_t next_message = 1;
  bool alive = false;

  State() = default;
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void connect(const std::string& calling);
  void take_answer(const std::string& calling, Deadline until);
  void set_send_limit(std::uint32_t max_pdu) noexcept;
  void close() noexcept;
  /// Reads a PDU into `pdu` and gives its type; of a data PDU the head alone, what follows is `unread`. Throws
  /// WireError.
  [[nodiscard]] PduType read_pdu(Deadline until);
  void skip_unread(Deadline until);
  /// Aborts and throws PeerError(unreachable) with the reason.
  [[noreturn]] void lose(const std::string& reason);

  [[nodiscard]] std::uint16_t message_id() noexcept;
  /// A command, and a dataset behind it unless that is empty, in as few writes as possible.
  void send(ContextId context, ByteView command, ByteView dataset = {});
  void add_fragments(ContextId context, bool command, ByteView bytes, Deadline until);
  void write_pieces(Deadline until);
  [[nodiscard]] Fragment read_fragment();
  /// Runs `read`; a WireError loses the association.
  template <typename Read>
  auto reading(const Read& read);
  /// The next command and the context it came on.
  [[nodiscard]] Command receive_command(ContextId& context);
  /// Receives the dataset behind a command on the same context into `memory`.
  [[nodiscard]] ByteView receive_dataset(ContextId context, std::uint64_t cap, io::Scratch& memory);
  void skip_dataset(ContextId context, std::uint64_t cap);
  /// Receives a response to `id` of the given kind; anything else loses the association.
  [[nodiscard]] Command receive_response(Verb verb, std::uint16_t id, ContextId expected);
  /// One C-FIND; `take` gets each answer, false cancels what is left. The status of the last answer is given.
  [[nodiscard]] Found query(const std::vector<Key>& keys, const std::function<bool(const dicom::Dataset&)>& take);
  /// The same for the answers' values of tag `wanted`; a status of failure throws.
  [[nodiscard]] std::set<std::string> find(const std::vector<Key>& keys, std::uint32_t wanted);
  /// Takes the dataset of a C-STORE that the peer sends us; the answer is the next call's.
  [[nodiscard]] Received receive_store(const Command& request, ContextId context, std::uint64_t cap);
  void answer_store(const Command& request, ContextId context, std::uint16_t status);
  /// Whether the next message begins to come in time.
  [[nodiscard]] bool await(Deadline until) { return unread > 0 || wire->await(until); }
  /// Takes a report of storage commitment whose command was read, and answers it.
  void take_report(const Command& request, ContextId context, const TakeReport& take);
  /// The first granted context of a class; throws PeerError(refused).
  [[nodiscard]] ContextId context_of(std::string_view sop_class, const char* service) const;
};

}  // namespace waybill::net
