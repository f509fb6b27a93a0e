// SPDX-License-Identifier: Apache-2.0
#include "web/endpoint.hpp"

#include "core/text.hpp"

#include <arpa/inet.h>
#include <sys/stat.h>
#include <algorithm>
#include <charconv>
#include <fstream>

namespace waybill::web {

namespace {

constexpr std::string_view kSecure = "https://";
constexpr std::string_view kPlain = "http://";
constexpr std::size_t kLongestSecret = 8192;

[[noreturn]] void bad_url(const std::string& reason) {
  // The address is not repeated: it may hold a password.
  throw RunError(Exit::usage,
                 "the DICOMweb address is not usable: " + reason + "; write it as https://host[:port]/dicom-web");
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) bad_url("the port is not 1 to 65535");
  return port;
}

/// Splits "host", "host:port" and "[v6]:port".
void parse_authority(std::string_view text, Endpoint& endpoint) {
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) bad_url("the bracket of the host is not closed");
    endpoint.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    endpoint.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (endpoint.host.empty()) bad_url("the host is missing");
  if (!rest.empty() && rest.front() != ':') bad_url("there is text behind the host");
  if (!rest.empty()) endpoint.port = parse_port(rest.substr(1));
}

}  // namespace

std::string Endpoint::url() const {
  const bool v6 = host.find(':') != std::string::npos;
  const bool usual = port == (secure ? 443 : 80);
  return std::string(secure ? kSecure : kPlain) + (v6 ? "[" + host + "]" : host) +
         (usual ? "" : ":" + std::to_string(port)) + path;
}

bool Endpoint::is_loopback() const {
  if (host == "localhost") return true;
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127U;
  return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_web_url(std::string_view url) noexcept { return url.starts_with(kSecure) || url.starts_with(kPlain); }

Endpoint parse_url(std::string_view url) {
  Endpoint endpoint;
  endpoint.secure = url.starts_with(kSecure);
  if (!is_web_url(url)) bad_url("it does not start with https:// or http://");
  if (!endpoint.secure) endpoint.port = 80;
  const std::string_view rest = url.substr((endpoint.secure ? kSecure : kPlain).size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  if (!is_visible(rest)) bad_url("it has characters that an address cannot have");
  if (authority.find('@') != std::string_view::npos)
    bad_url("it holds a user name, which every process of this machine could read; give it by --http-login FILE");
  if (rest.find_first_of("?#") != std::string_view::npos) bad_url("it has a query or a fragment");
  parse_authority(authority, endpoint);
  endpoint.path = rest.substr(slash);
  while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  return endpoint;
}

std::shared_ptr<const Login> read_login(const std::filesystem::path& file, Secret secret) {
  const std::string name =
      "the file " + path_to_text(file.native()) + " of " + (secret == Secret::login ? "--http-login" : "--http-token");
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
    throw RunError(Exit::usage, name + " cannot be read; check its name");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw RunError(Exit::usage, name + " may be read by others than its owner; run chmod 600 on it");
  std::ifstream in(file, std::ios::binary);
  std::string text;
  std::getline(in, text);
  if (text.ends_with('\r')) text.pop_back();
  const bool more = in.good() && in.peek() != std::ifstream::traits_type::eof();
  const bool printable = std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
  if (text.empty() || text.size() > kLongestSecret || more || !printable)
    throw RunError(Exit::usage, name + " must hold one line of printable characters");
  auto login = std::make_shared<Login>();
  if (secret == Secret::token) {
    if (!is_visible(text)) throw RunError(Exit::usage, name + " must hold a token and nothing else");
    login->token = std::move(text);
    return login;
  }
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string::npos)
    throw RunError(Exit::usage, name + " must hold user:password as its only line");
  login->user = text.substr(0, colon);
  login->password = text.substr(colon + 1);
  return login;
}

}  // namespace waybill::web
