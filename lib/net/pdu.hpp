// SPDX-License-Identifier: Apache-2.0
// Private to lib/net: the PDUs that make and end an association (PS3.8 9.3).
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "net/association.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::net {

using ContextId = std::uint8_t;

enum class PduType : std::uint8_t {
  associate_request = 1,
  associate_accept = 2,
  associate_reject = 3,
  data = 4,
  release_request = 5,
  release_reply = 6,
  abort = 7,
};

inline constexpr std::size_t kPduHead = 6;                 ///< type, reserved, length
inline constexpr std::size_t kPdvHead = 6;                 ///< length, context, flags
inline constexpr std::uint32_t kOurMaxPdu = 131072;        ///< what DCMTK can send at most; others too
inline constexpr std::uint32_t kLargestPdu = 1024 * 1024;  ///< what we take from a peer that ignores our limit

/// The first context has id 1, the next 3, and so on.
[[nodiscard]] inline ContextId context_id(std::size_t index) noexcept { return static_cast<ContextId>(2 * index + 1); }

[[nodiscard]] Bytes encode_request(std::string_view called, std::string_view calling,
                                   const std::vector<Context>& contexts, AskLevel ask = AskLevel::no);

struct Accepted {
  Facts facts;
  std::map<ContextId, std::string> syntaxes;   ///< of the contexts it granted
  std::map<ContextId, std::uint8_t> refusals;  ///< result of the others, 1 to 4
  std::map<std::string, StorageLevel> levels;  ///< by class, of those that said so
};
/// Fault::malformed when lengths do not fit.
[[nodiscard]] Result<Accepted> parse_accept(ByteView body);

/// What a peer that calls us asks for.
struct Asked {
  struct Proposal {
    ContextId id = 0;
    std::string sop_class;
    std::vector<std::string> syntaxes;
  };
  std::string called, calling;
  std::vector<Proposal> contexts;
  std::map<std::string, std::pair<bool, bool>> roles;  ///< by class: the requestor is SCU, is SCP
  std::uint32_t max_pdu = 0;
};
/// Fault::malformed when lengths do not fit.
[[nodiscard]] Result<Asked> parse_request(ByteView body);
/// Grants each context the syntax in `syntaxes`; a context that is not there is refused. Roles are granted as asked.
[[nodiscard]] Bytes encode_accept(const Asked& asked, const std::map<ContextId, std::string>& syntaxes);
/// Rejected permanently by the service user; `reason` as in PS3.8 table 9-21.
[[nodiscard]] Bytes encode_reject(std::uint8_t reason);

struct Rejection {
  bool transient = false;
  std::string reason;
};
[[nodiscard]] Rejection parse_reject(ByteView body);
/// What an A-ABORT says, as a clause.
[[nodiscard]] std::string abort_reason(ByteView body);

/// Head of a PDU with `length` bytes behind it.
void put_pdu_head(Bytes& out, PduType type, std::uint32_t length);

}  // namespace waybill::net
