// SPDX-License-Identifier: Apache-2.0
#include "listen/channel.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace waybill::listen {
namespace {

std::string tls_error() {
  const unsigned long code = ERR_get_error();
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return text == nullptr ? "TLS error" : std::string("TLS: ") + text;
}

[[noreturn]] void unusable(const char* what, const std::filesystem::path& path) {
  throw RunError(Exit::usage, std::string("the ") + what + " " + path_to_text(path.native()) +
                                  " cannot be used: " + tls_error() + "; give a readable PEM file");
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

bool parse_address(const std::string& text, int port, Address& out) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    out.size = sizeof *v4;
    return true;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) != 1) return false;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(static_cast<std::uint16_t>(port));
  out.size = sizeof *v6;
  return true;
}

std::string name_of(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
}

}  // namespace

struct TlsContext::State {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{nullptr, SSL_CTX_free};
};

TlsContext::TlsContext(const std::filesystem::path& certificate, const std::filesystem::path& key,
                       const std::filesystem::path& authority)
    : state_(std::make_unique<State>()) {
  state_->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = state_->context.get();
  if (context == nullptr) throw RunError(Exit::internal, tls_error());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) unusable("certificate", certificate);
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) unusable("key", key);
  if (SSL_CTX_check_private_key(context) != 1) unusable("key", key);
  if (authority.empty()) return;
  if (SSL_CTX_load_verify_file(context, authority.c_str()) != 1) unusable("authority", authority);
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authority.c_str()));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

TlsContext::~TlsContext() = default;

struct Channel::Tls {
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};

  Moved moved(int result) const {
    if (result > 0) return {Moved::State::some, static_cast<std::size_t>(result), {}};
    switch (SSL_get_error(ssl.get(), result)) {
      case SSL_ERROR_WANT_READ: return {Moved::State::wait_readable, 0, {}};
      case SSL_ERROR_WANT_WRITE: return {Moved::State::wait_writable, 0, {}};
      case SSL_ERROR_ZERO_RETURN: return {Moved::State::closed, 0, {}};
      case SSL_ERROR_SYSCALL:
        if (ERR_peek_error() == 0) return {Moved::State::failed, 0, "the connection was cut"};
        [[fallthrough]];
      default: return {Moved::State::failed, 0, tls_error()};
    }
  }
};

Channel::Channel(io::Descriptor socket, const TlsContext* tls) : socket_(std::move(socket)) {
  const int on = 1;
  (void)::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (tls == nullptr) return;
  tls_ = std::make_unique<Tls>();
  tls_->ssl.reset(SSL_new(tls->state_->context.get()));
  SSL_set_fd(tls_->ssl.get(), socket_.get());
  SSL_set_accept_state(tls_->ssl.get());
}

Channel::~Channel() = default;
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;

Moved Channel::read(std::span<char> into) {
  const auto most = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
  if (tls_) {
    ERR_clear_error();
    return tls_->moved(SSL_read(tls_->ssl.get(), into.data(), most));
  }
  const ssize_t n = ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
  if (n > 0) return {Moved::State::some, static_cast<std::size_t>(n), {}};
  if (n == 0) return {Moved::State::closed, 0, {}};
  if (errno == EAGAIN || errno == EINTR) return {Moved::State::wait_readable, 0, {}};
  return {Moved::State::failed, 0, std::strerror(errno)};
}

Moved Channel::write(std::string_view bytes) {
  if (tls_) {
    ERR_clear_error();
    return tls_->moved(
        SSL_write(tls_->ssl.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX))));
  }
  const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return {Moved::State::some, static_cast<std::size_t>(n), {}};
  if (errno == EAGAIN || errno == EINTR) return {Moved::State::wait_writable, 0, {}};
  return {Moved::State::failed, 0, std::strerror(errno)};
}

void Channel::end_output() {
  if (tls_) {
    ERR_clear_error();
    (void)SSL_shutdown(tls_->ssl.get());
  }
  (void)::shutdown(socket_.get(), SHUT_WR);
}

io::Descriptor listen_on(const std::string& address, int port) {
  Address at;
  if (!parse_address(address, port, at))
    throw RunError(Exit::usage, "--bind " + path_to_text(address) +
                                    " is no numeric address; write 127.0.0.1, ::1 or the address of an interface");
  io::Descriptor fd(::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (fd) (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&at.storage), at.size) != 0 || ::listen(fd.get(), 128) != 0)
    throw RunError(Exit::usage, "cannot listen on " + name_of(at.storage) + ": " + std::strerror(errno) +
                                    "; choose another port or address");
  return fd;
}

std::string local_name(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0 ? name_of(storage) : "?";
}

std::string peer_name(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0 ? name_of(storage) : "?";
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

}  // namespace waybill::listen
