// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/peer.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace waybill::web {

/// Who we say we are; never in a header of a manifest, a message or a log.
struct Login {
  std::string user, password;  ///< HTTP Basic (RFC 7617)
  std::string token;           ///< Bearer (RFC 6750), instead of the two
};

/// A DICOMweb service (PS3.18): where it is, how the connection is secured and who we are there.
struct Endpoint {
  std::string host;  ///< name or address, without brackets
  std::uint16_t port = 443;
  std::string path;                     ///< of the service, "/dicom-web"; without a slash at its end
  bool secure = true;                   ///< https
  std::shared_ptr<const net::Tls> tls;  ///< set for a secure one before it is connected to
  std::shared_ptr<const Login> login;   ///< none: nothing is said
  /// "https://host/dicom-web", the form in headers and messages.
  [[nodiscard]] std::string url() const;
  /// Whether the host is this machine by its address, or "localhost".
  [[nodiscard]] bool is_loopback() const;
};

/// Whether the text is meant for parse_url() and no DICOM address.
[[nodiscard]] bool is_web_url(std::string_view url) noexcept;

/// An endpoint from "https://host[:port]/path" or "http://…". Throws RunError(Exit::usage) otherwise, and for an
/// address with a user name, a query or a fragment in it.
[[nodiscard]] Endpoint parse_url(std::string_view url);

enum class Secret { login, token };
/// A file that holds "user:password", or a bearer token, as its only line. Throws RunError(Exit::usage) when it cannot
/// be read, others may read it, or it holds something else.
[[nodiscard]] std::shared_ptr<const Login> read_login(const std::filesystem::path& file, Secret secret);

/// The service answered one question with a failure, which says nothing of others.
class Failed : public net::PeerError {
 public:
  using PeerError::PeerError;
};

/// The service has no time for us now (503, 429); nothing is wrong with it or us.
class Busy : public net::PeerError {
 public:
  Busy(const std::string& what, std::chrono::milliseconds retry_after)
      : PeerError(Kind::rejected_transient, what), retry_after_(retry_after) {}
  /// What it asked for by Retry-After; 0 when it said nothing.
  [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }

 private:
  std::chrono::milliseconds retry_after_;
};

}  // namespace waybill::web
