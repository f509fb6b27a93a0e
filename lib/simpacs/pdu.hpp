// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The PDUs of PS3.8 9.3, written and read by hand: a simulator must also be able to break them.
namespace waybill::simpacs {

enum class PduType : std::uint8_t {
  associate_request = 1,
  associate_accept = 2,
  associate_reject = 3,
  data = 4,
  release_request = 5,
  release_response = 6,
  abort = 7,
};

struct ProposedContext {
  std::uint8_t id = 0;
  std::string sop_class;
  std::vector<std::string> syntaxes;
};

struct GrantedContext {
  std::uint8_t id = 0;
  std::uint8_t result = 0;  ///< 0 granted, 2 no reason, 3 class not supported, 4 transfer syntaxes not supported
  std::string sop_class;
  std::string syntax;
};

/// Whether the requestor of an association takes a role for a class (PS3.7 D.3.3.4).
struct Roles {
  bool scu = true, scp = false;
};

struct AssociateRequest {
  std::string called, calling, application_context;
  std::vector<ProposedContext> contexts;
  std::map<std::string, Roles> roles;
  std::vector<std::string> extended;  ///< classes with extended negotiation (PS3.7 D.3.3.5)
  std::optional<std::uint8_t> level;  ///< answered to these: the level of storage (PS3.4 B.3.1)
  std::uint32_t max_pdu = 0;          ///< the longest it takes, 0 without limit
  std::optional<std::pair<std::uint16_t, std::uint16_t>> window;  ///< asynchronous operations asked for
};

struct AssociateAccept {
  std::vector<GrantedContext> contexts;
  std::uint32_t max_pdu = 0;
};

/// The bodies, without the six bytes of type and length.
[[nodiscard]] Result<AssociateRequest> parse_request(ByteView body);
[[nodiscard]] Result<AssociateAccept> parse_accept(ByteView body);

/// Whole PDUs. An accept repeats titles and roles of the request; `window` is what is granted, none when not asked for.
[[nodiscard]] Bytes encode_accept(const AssociateRequest& request, const std::vector<GrantedContext>& contexts,
                                  std::uint32_t max_pdu, std::uint16_t window);
[[nodiscard]] Bytes encode_request(const AssociateRequest& request);
[[nodiscard]] Bytes encode_reject(std::uint8_t result, std::uint8_t source, std::uint8_t reason);
/// A release request, release response or abort (source 2 is the service provider).
[[nodiscard]] Bytes encode_short(PduType type, std::uint8_t source = 0, std::uint8_t reason = 0);

/// One message part as P-DATA PDUs of at most `max_pdu` bytes each (0 without limit), appended to `out`.
void put_data(Bytes& out, std::uint8_t context, bool command, ByteView part, std::uint32_t max_pdu);

/// Big-endian integers, which PDUs use.
void put_big16(Bytes& out, std::uint16_t value);
void put_big32(Bytes& out, std::uint32_t value);

}  // namespace waybill::simpacs
