// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace waybill::net {

class Tls;

/// A DICOM node: who is called, where it listens and how the connection is secured.
struct Peer {
  std::string called;  ///< AE title, 1 to 16 characters
  std::string host;    ///< name or address
  std::uint16_t port = 104;
  bool secure = false;             ///< dicoms://
  std::shared_ptr<const Tls> tls;  ///< set for a secure peer before it is connected to
  std::string service = {};        ///< what messages call a peer that is no DICOM node: "syslog over TLS"
  /// "dicom://CALLED@host:port", the form in headers and messages; "SERVICE host:port" for what is no DICOM node.
  [[nodiscard]] std::string url() const;
};

/// A peer from "dicom://CALLED@host:port" (port 104 when left out) or "dicoms://…" (port 2762). Throws
/// RunError(Exit::usage) otherwise.
[[nodiscard]] Peer parse_url(std::string_view url);

/// Throws RunError(Exit::usage) unless the text is an AE title (PS3.5 6.2: 1 to 16 printable characters, no backslash).
void check_ae_title(std::string_view title, std::string_view what);

/// The peer as a whole does not work with us. Exit::peer; nothing is lost, the run can be continued.
class PeerError : public RunError {
 public:
  enum class Kind {
    unreachable,         ///< no connection, or it was lost
    rejected_permanent,  ///< A-ASSOCIATE-RJ: AE title unknown and the like; a person must act
    rejected_transient,  ///< A-ASSOCIATE-RJ: congestion, limit of associations; try again later
    refused,             ///< the association stands but the service asked for is not granted or fails
  };
  PeerError(Kind kind, const std::string& what) : RunError(Exit::peer, what), kind_(kind) {}
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

}  // namespace waybill::net
