// SPDX-License-Identifier: Apache-2.0
#include "net/tls_stream.hpp"

#include "net/tls.hpp"
#include "net/tls_check.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <stdexcept>

namespace waybill::net {

struct TlsStream::State {
  SSL* ssl = nullptr;
  State() = default;
  ~State() {
    if (ssl != nullptr && SSL_is_init_finished(ssl)) (void)SSL_shutdown(ssl);
    SSL_free(ssl);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void open(int socket, const Tls& tls) {
    ssl = SSL_new(tls.context());
    if (ssl == nullptr || SSL_set_fd(ssl, socket) != 1)
      throw std::runtime_error("OpenSSL cannot be set up: " + openssl_reason());
  }
  /// -1 with errno for what SSL_read, SSL_write and the handshakes give.
  [[nodiscard]] std::ptrdiff_t outcome(int result) const {
    if (result > 0) return result;
    const int reason = SSL_get_error(ssl, result);
    if (reason == SSL_ERROR_ZERO_RETURN) return 0;
    errno = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
    return -1;
  }
  template <typename Step>
  void shake_hands(const Step& step, std::chrono::milliseconds patience) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      ERR_clear_error();
      const std::ptrdiff_t done = outcome(step());
      if (done > 0) return;
      if (done == 0 || errno != EAGAIN) throw std::runtime_error("the TLS handshake failed (" + openssl_reason() + ")");
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the TLS handshake was not made in time");
    }
  }
};

TlsStream::TlsStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsStream::~TlsStream() = default;
TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;

TlsStream TlsStream::accept(int socket, const Tls& tls, std::chrono::milliseconds patience) {
  auto state = std::make_unique<State>();
  state->open(socket, tls);
  state->shake_hands([&] { return SSL_accept(state->ssl); }, patience);
  return TlsStream(std::move(state));
}

TlsStream TlsStream::connect(int socket, const Tls& tls, const std::string& name, std::chrono::milliseconds patience) {
  auto state = std::make_unique<State>();
  state->open(socket, tls);
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(state->ssl), name.c_str()) != 1 &&
      (SSL_set1_host(state->ssl, name.c_str()) != 1 || SSL_set_tlsext_host_name(state->ssl, name.c_str()) != 1))
    throw std::runtime_error("'" + name + "' is no name a certificate can be for");
  state->shake_hands([&] { return SSL_connect(state->ssl); }, patience);
  return TlsStream(std::move(state));
}

std::ptrdiff_t TlsStream::read(std::span<std::byte> into) {
  ERR_clear_error();
  return state_->outcome(
      SSL_read(state_->ssl, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX))));
}

std::ptrdiff_t TlsStream::write(ByteView bytes) {
  ERR_clear_error();
  return state_->outcome(
      SSL_write(state_->ssl, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX))));
}

}  // namespace waybill::net
