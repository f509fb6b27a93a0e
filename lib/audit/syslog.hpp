// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::audit {

/// What a syslog message says beside its text.
struct Envelope {
  std::string time;            ///< RFC 3339
  std::string host, program;   ///< of the sender
  std::string run;             ///< UUID of the run: PROCID
  std::uint64_t sequence = 0;  ///< of the message in its run, from 1: meta sequenceId (RFC 5424 7.3.1)
};

/// An RFC 5424 message with priority 85 (security/authorization, notice) and MSGID DICOM+RFC3881 (PS3.15 A.6).
[[nodiscard]] std::string to_syslog(const Envelope& envelope, std::string_view xml);

/// What to_syslog wrote, from a line that a collector kept as it came; nullopt for any other line.
struct Received {
  Envelope envelope;
  std::string xml;
};
[[nodiscard]] std::optional<Received> from_syslog(std::string_view line);

/// Octet counting (RFC 5425 4.3).
[[nodiscard]] std::string framed(std::string_view message);

}  // namespace waybill::audit
