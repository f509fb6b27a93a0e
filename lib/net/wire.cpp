// SPDX-License-Identifier: Apache-2.0
#include "net/wire.hpp"

#include "net/tls.hpp"
#include "net/tls_check.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace waybill::net {

namespace {

constexpr std::size_t kAhead = 256 * 1024;  // many PDUs of the usual 16 KiB with one system call
constexpr std::size_t kLarge = 64 * 1024;   // worth a place of its own
constexpr std::size_t kHeads = 512;         // holds a command and the heads around it
constexpr std::size_t kRecord = 16 * 1024;  // the largest TLS record

std::string text_of(int error) { return std::strerror(error); }  // NOLINT(concurrency-mt-unsafe): glibc's is

void set_on(int fd, int level, int option) {
  const int on = 1;
  (void)::setsockopt(fd, level, option, &on, sizeof on);  // only slower without
}

int milliseconds_until(Deadline until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, INT_MAX));
}

[[noreturn]] void unreachable(const Peer& peer, const std::string& reason) {
  throw PeerError(PeerError::Kind::unreachable,
                  peer.url() + " cannot be reached: " + reason +
                      "; check that it is running and that the way is open, then run the same command again");
}

/// A connected, non-blocking socket; none and errno otherwise.
io::Descriptor connect_to(const addrinfo& address, Deadline until) {
  io::Descriptor fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return {};
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) return {};
  pollfd waiting{fd.get(), POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, milliseconds_until(until));
  } while (ready < 0 && errno == EINTR);
  int error = ETIMEDOUT;
  socklen_t size = sizeof error;
  if (ready > 0) (void)::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return fd;
  errno = error;
  return {};
}

}  // namespace

void Wire::FreeTls::operator()(ssl_st* tls) const noexcept { SSL_free(tls); }

Wire::Wire() : reach_(kAhead) {}
Wire::~Wire() = default;
Wire::Wire(Wire&&) noexcept = default;
Wire& Wire::operator=(Wire&&) noexcept = default;

Wire Wire::connect(const Peer& peer, Deadline until) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int looked = ::getaddrinfo(peer.host.c_str(), std::to_string(peer.port).c_str(), &hints, &list);
  if (looked != 0) unreachable(peer, std::string("its name is not known (") + ::gai_strerror(looked) + ")");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  Wire wire;
  int error = ETIMEDOUT;
  for (const addrinfo* address = list; address != nullptr && !wire.fd_; address = address->ai_next) {
    wire.fd_ = connect_to(*address, until);
    if (!wire.fd_) error = errno;
  }
  if (!wire.fd_) unreachable(peer, text_of(error));
  set_on(wire.fd_.get(), IPPROTO_TCP, TCP_NODELAY);
  set_on(wire.fd_.get(), SOL_SOCKET, SO_KEEPALIVE);
  if (peer.tls) wire.shake_hands(peer, until);
  return wire;
}

/// Throws PeerError with a sentence that says what about the certificate or the versions does not fit.
void Wire::shake_hands(const Peer& peer, Deadline until) {
  const TlsOptions& options = peer.tls->options();
  const std::string name = options.server_name.empty() ? peer.host : options.server_name;
  tls_.reset(SSL_new(peer.tls->context()));
  if (!tls_ || SSL_set_fd(tls_.get(), fd_.get()) != 1)
    throw RunError(Exit::internal, "OpenSSL cannot be set up: " + openssl_reason());
  X509_VERIFY_PARAM* wanted = SSL_get0_param(tls_.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool address = X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1;
  if (!address && (X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size()) != 1 ||
                   SSL_set_tlsext_host_name(tls_.get(), name.c_str()) != 1))
    throw RunError(Exit::usage, "'" + name + "' is no name a certificate can be for");
  ERR_clear_error();
  for (;;) {
    const int done = SSL_connect(tls_.get());
    if (done == 1) break;
    const int reason = SSL_get_error(tls_.get(), done);
    try {
      if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
        wait(reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until);
        continue;
      }
    } catch (const WireError& error) {
      unreachable(peer, std::string("the TLS handshake got no answer (") + error.what() + ")");
    }
    const long verified = SSL_get_verify_result(tls_.get());
    if (verified != X509_V_OK) {
      throw PeerError(PeerError::Kind::rejected_permanent,
                      peer.url() + " shows a certificate that is not trusted for '" + name +
                          "': " + X509_verify_cert_error_string(verified) +
                          "; check --tls-ca and the peer's certificate, nothing was sent");
    }
    throw PeerError(PeerError::Kind::rejected_permanent,
                    peer.url() + " does not agree on TLS: " +
                        (reason == SSL_ERROR_SYSCALL ? std::string("it closed the connection") : openssl_reason()) +
                        "; it must speak TLS 1.2 or 1.3 and know our certificate, nothing was sent");
  }
  peer.tls->look_at(tls_.get(), peer.url());
}

Wire Wire::accept(io::Descriptor socket, const Tls* tls, Deadline until) {
  Wire wire;
  wire.fd_ = std::move(socket);
  const int flags = ::fcntl(wire.fd_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(wire.fd_.get(), F_SETFL, flags | O_NONBLOCK) != 0) throw WireError(text_of(errno));
  set_on(wire.fd_.get(), IPPROTO_TCP, TCP_NODELAY);
  set_on(wire.fd_.get(), SOL_SOCKET, SO_KEEPALIVE);
  if (tls == nullptr) return wire;
  wire.tls_.reset(SSL_new(tls->context()));
  if (!wire.tls_ || SSL_set_fd(wire.tls_.get(), wire.fd_.get()) != 1)
    throw RunError(Exit::internal, "OpenSSL cannot be set up: " + openssl_reason());
  for (;;) {
    ERR_clear_error();
    const int done = SSL_accept(wire.tls_.get());
    if (done == 1) return wire;
    const int reason = SSL_get_error(wire.tls_.get(), done);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
      wire.wait(reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until);
      continue;
    }
    throw WireError(reason == SSL_ERROR_SYSCALL ? "the peer closed the connection" : openssl_reason());
  }
}

void Wire::wait(short events, Deadline until) const {
  pollfd waiting{fd_.get(), events, 0};
  for (;;) {
    const int ready = ::poll(&waiting, 1, milliseconds_until(until));
    if (ready > 0) return;
    if (ready == 0) throw WireError("time-out");
    if (errno != EINTR) throw WireError(text_of(errno));
  }
}

void Wire::write(std::span<iovec> pieces, std::chrono::milliseconds stall, Deadline until) {
  if (!fd_) throw WireError("it was closed before");
  if (!tls_) return write_plain(pieces, stall, until);
  small_.clear();
  const auto flush = [&] {
    write_tls(small_, stall, until);
    small_.clear();
  };
  for (const iovec& piece : pieces) {
    const ByteView bytes(static_cast<const std::byte*>(piece.iov_base), piece.iov_len);
    if (small_.size() + bytes.size() > kRecord) flush();
    if (bytes.size() > kRecord) {
      write_tls(bytes, stall, until);
    } else {
      put_bytes(small_, bytes);
    }
  }
  flush();
}

void Wire::write_plain(std::span<iovec> pieces, std::chrono::milliseconds stall, Deadline until) {
  while (!pieces.empty()) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = std::min<std::size_t>(pieces.size(), IOV_MAX);
    ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) throw WireError(text_of(errno));
      wait(POLLOUT, std::min(until, Clock::now() + stall));
      continue;
    }
    while (!pieces.empty() && static_cast<std::size_t>(sent) >= pieces.front().iov_len) {
      sent -= static_cast<ssize_t>(pieces.front().iov_len);
      pieces = pieces.subspan(1);
    }
    if (sent == 0) continue;
    pieces.front().iov_base = static_cast<std::byte*>(pieces.front().iov_base) + sent;
    pieces.front().iov_len -= static_cast<std::size_t>(sent);
  }
}

void Wire::write_tls(ByteView bytes, std::chrono::milliseconds stall, Deadline until) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
    const int sent = SSL_write(tls_.get(), bytes.data(), size);
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    const int reason = SSL_get_error(tls_.get(), sent);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
      wait(reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, std::min(until, Clock::now() + stall));
      continue;
    }
    throw WireError(reason == SSL_ERROR_SYSCALL ? "the peer closed the connection" : openssl_reason());
  }
}

/// One read of what has come, first into `into`, then into `more`, which TLS leaves alone; waits for the first byte.
std::size_t Wire::some_from_peer(std::span<std::byte> into, Deadline until, std::span<std::byte> more) {
  // A peer with Nagle's algorithm holds the second piece of a PDU back until the first is acknowledged, and our
  // kernel, left alone, waits 40 ms before it does that. The wish is good for what has arrived, not for what will.
  set_on(fd_.get(), IPPROTO_TCP, TCP_QUICKACK);
  for (;;) {
    if (tls_) {
      ERR_clear_error();
      const int got = SSL_read(tls_.get(), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX)));
      if (got > 0) return static_cast<std::size_t>(got);
      const int reason = SSL_get_error(tls_.get(), got);
      if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
        wait(reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until);
        continue;
      }
      throw WireError(reason == SSL_ERROR_SSL ? openssl_reason() : "the peer closed the connection");
    }
    std::array<iovec, 2> pieces{iovec{into.data(), into.size()}, iovec{more.data(), more.size()}};
    const ssize_t got = ::readv(fd_.get(), pieces.data(), more.empty() ? 1 : 2);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) throw WireError("the peer closed the connection");
    if (errno == EINTR) continue;
    if (errno != EAGAIN) throw WireError(text_of(errno));
    wait(POLLIN, until);
  }
}

/// Reads until `least` bytes stand one behind the other in the buffer, which has room for them.
void Wire::read_ahead(std::size_t least, Deadline until) {
  if (ahead_.empty()) ahead_.resize(kAhead);
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ + least > ahead_.size()) {
    std::memmove(ahead_.data(), ahead_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < least) {
    const std::size_t most = std::max(reach_, begin_ + least - end_);
    end_ += some_from_peer(std::span(ahead_).subspan(end_, std::min(most, ahead_.size() - end_)), until);
  }
}

ByteView Wire::take(std::size_t size, Bytes& room, Deadline until) {
  if (!fd_) throw WireError("it was closed before");
  if (size <= kAhead) {
    read_ahead(size, until);
    const ByteView bytes = ByteView(ahead_).subspan(begin_, size);
    begin_ += size;
    return bytes;
  }
  room.resize(size);
  std::span<std::byte> into(room);
  const std::size_t there = end_ - begin_;
  std::memcpy(into.data(), ahead_.data() + begin_, there);
  begin_ = end_ = 0;
  for (into = into.subspan(there); !into.empty();) into = into.subspan(some_from_peer(into, until));
  return room;
}

void Wire::read_into(std::span<std::byte> into, Deadline until) {
  if (!fd_) throw WireError("it was closed before");
  if (into.empty()) return;
  const std::size_t there = std::min(end_ - begin_, into.size());
  std::memcpy(into.data(), ahead_.data() + begin_, there);
  begin_ += there;
  if (ahead_.empty()) ahead_.resize(kAhead);
  reach_ = into.size() < kLarge ? kAhead : kHeads;
  for (into = into.subspan(there); !into.empty();) {
    const std::size_t got = some_from_peer(into, until, std::span(ahead_).first(reach_));
    const std::size_t placed = std::min(got, into.size());
    begin_ = 0;
    end_ = got - placed;
    into = into.subspan(placed);
  }
}

bool Wire::quiet() {
  if (!fd_ || begin_ < end_) return false;
  if (tls_) {  // what waits may be a session ticket, which is no message
    char byte = 0;
    ERR_clear_error();
    const int got = SSL_peek(tls_.get(), &byte, 1);
    return got <= 0 && SSL_get_error(tls_.get(), got) == SSL_ERROR_WANT_READ;
  }
  pollfd waiting{fd_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 0;
}

bool Wire::await(Deadline until) {
  for (;;) {
    if (!quiet()) return true;
    pollfd waiting{fd_.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, milliseconds_until(until));
    if (ready == 0) return false;
    if (ready < 0 && errno != EINTR) return true;  // the next read says why
  }
}

void Wire::close() noexcept {
  if (!fd_) return;
  if (tls_) SSL_shutdown(tls_.get());
  tls_.reset();
  fd_.reset();
}

}  // namespace waybill::net
