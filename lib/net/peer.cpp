// SPDX-License-Identifier: Apache-2.0
#include "net/peer.hpp"

#include <algorithm>
#include <charconv>

namespace waybill::net {

namespace {

constexpr std::uint16_t kSecurePort = 2762;  // dicom-tls

[[noreturn]] void bad_url(std::string_view url, const std::string& reason) {
  throw RunError(Exit::usage, "'" + std::string(url) + "' is not a DICOM address: " + reason +
                                  "; write it as dicom://CALLED@host:port");
}

std::uint16_t parse_port(std::string_view url, std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) bad_url(url, "the port is not 1 to 65535");
  return port;
}

/// Splits "host:port", "host" or "[v6]:port".
void parse_host(std::string_view url, std::string_view text, Peer& peer) {
  const bool bracketed = text.starts_with('[');
  const std::size_t close = bracketed ? text.find(']') : std::string_view::npos;
  if (bracketed && close == std::string_view::npos) bad_url(url, "the bracket of the host is not closed");
  const std::string_view rest = bracketed ? text.substr(close + 1) : text.substr(std::min(text.find(':'), text.size()));
  peer.host = bracketed ? text.substr(1, close - 1) : text.substr(0, text.size() - rest.size());
  if (peer.host.empty()) bad_url(url, "the host is missing");
  if (!rest.empty() && rest.front() != ':') bad_url(url, "there is text behind the host");
  if (!rest.empty()) peer.port = parse_port(url, rest.substr(1));
}

}  // namespace

std::string Peer::url() const {
  const bool v6 = host.find(':') != std::string::npos;
  const std::string at = (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  if (!service.empty()) return service + " " + at;
  return (secure ? "dicoms://" : "dicom://") + called + "@" + at;
}

void check_ae_title(std::string_view title, std::string_view what) {
  const bool printable = std::ranges::all_of(title, [](unsigned char c) { return c >= 0x20 && c < 0x7F && c != '\\'; });
  const bool blank = title.find_first_not_of(' ') == std::string_view::npos;
  if (title.size() <= 16 && printable && !blank) return;
  throw RunError(Exit::usage, std::string(what) + " '" + std::string(title) +
                                  "' is not an AE title: use 1 to 16 printable ASCII characters without backslash");
}

Peer parse_url(std::string_view url) {
  constexpr std::string_view kPlain = "dicom://";
  constexpr std::string_view kSecure = "dicoms://";
  Peer peer;
  peer.secure = url.starts_with(kSecure);
  if (peer.secure) peer.port = kSecurePort;
  if (!peer.secure && !url.starts_with(kPlain))
    bad_url(url, "it does not start with dicom:// or dicoms:// (nor with https://, as that of a DICOMweb service)");
  std::string_view rest = url.substr(peer.secure ? kSecure.size() : kPlain.size());
  const std::size_t at = rest.find('@');
  if (at == std::string_view::npos) bad_url(url, "the called AE title is missing");
  peer.called = rest.substr(0, at);
  check_ae_title(peer.called, "called AE title");
  rest = rest.substr(at + 1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != std::string_view::npos) bad_url(url, "it has a path");
  parse_host(url, rest, peer);
  return peer;
}

}  // namespace waybill::net
