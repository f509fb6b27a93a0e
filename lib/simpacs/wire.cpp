// SPDX-License-Identifier: Apache-2.0
#include "simpacs/wire.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

namespace waybill::simpacs {

namespace {

constexpr std::size_t kBuffer = std::size_t{256} * 1024;
constexpr std::size_t kMaxCommand = std::size_t{64} * 1024;
constexpr auto kTick = std::chrono::milliseconds(50);

std::string errno_text() { return std::strerror(errno); }

}  // namespace

Wire::Wire(io::Descriptor socket, std::chrono::milliseconds idle)
    : socket_(std::move(socket)), idle_(idle), buffer_(kBuffer) {
  const int on = 1;
  (void)::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // only slower without
  const timeval tick{0, std::chrono::duration_cast<std::chrono::microseconds>(kTick).count()};
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) != 0 ||
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof tick) != 0)
    throw Lost{"the socket takes no time-outs: " + errno_text()};
}

void Wire::accept_tls(const net::Tls& tls) {
  try {
    tls_ = net::TlsStream::accept(socket_.get(), tls, idle_);
  } catch (const std::runtime_error& error) {
    throw Lost{error.what()};
  }
}

void Wire::connect_tls(const net::Tls& tls, const std::string& name) {
  try {
    tls_ = net::TlsStream::connect(socket_.get(), tls, name, idle_);
  } catch (const std::runtime_error& error) {
    throw Lost{error.what()};
  }
}

/// At least one byte, 0 at the end of the stream.
std::size_t Wire::receive(std::span<std::byte> into, int flags) {
  const auto until = std::chrono::steady_clock::now() + idle_;
  for (;;) {
    const ssize_t got = tls_ ? tls_->read(into) : ::recv(socket_.get(), into.data(), into.size(), flags);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) throw Lost{errno_text()};
    if (std::chrono::steady_clock::now() > until) throw Lost{"nothing came for too long"};
    if (on_wait) on_wait();
  }
}

/// Waits for as long as `count` bytes take at the pace.
void Wire::spend(std::size_t count) {
  if (pace_ == 0) return;
  auto left = std::chrono::microseconds(count * 1'000'000 / pace_);
  while (left.count() > 0) {
    const auto now = std::min<std::chrono::microseconds>(left, kTick);
    std::this_thread::sleep_for(now);
    left -= now;
    if (on_wait) on_wait();
  }
}

/// Fetches what has arrived into the empty buffer; false at the end of the stream.
bool Wire::fill() {
  const std::size_t most = pace_ == 0 ? kBuffer : std::clamp<std::size_t>(pace_ / 20, 1, kBuffer);
  from_ = 0;
  to_ = receive(std::span(buffer_).first(most), 0);
  spend(to_);
  return to_ > 0;
}

bool Wire::read(std::span<std::byte> into, bool first) {
  for (std::size_t got = 0; !into.empty(); into = into.subspan(got), first = false) {
    const bool direct = from_ == to_ && into.size() >= kBuffer && pace_ == 0;
    const bool more = direct ? (got = receive(into, 0)) > 0 : from_ < to_ || fill();
    if (!more && first) return false;
    if (!more) throw Lost{"the peer closed the connection in the middle of a PDU"};
    if (direct) continue;
    got = std::min(into.size(), to_ - from_);
    std::memcpy(into.data(), buffer_.data() + from_, got);
    from_ += got;
  }
  return true;
}

void Wire::skip(std::size_t count) {
  while (count > 0) {
    std::size_t got = 0;
    if (from_ == to_ && pace_ == 0 && count >= kBuffer / 4 && is_plain()) {
      // MSG_TRUNC: the kernel drops the bytes of a TCP stream itself (tcp(7)), twice as fast as copying them.
      got = receive({buffer_.data(), count}, MSG_TRUNC);
    } else if (from_ < to_ || fill()) {
      got = std::min(count, to_ - from_);
      from_ += got;
    }
    if (got == 0) throw Lost{"the peer closed the connection in the middle of a PDU"};
    count -= got;
  }
}

void Wire::write(ByteView bytes) {
  auto until = std::chrono::steady_clock::now() + idle_;
  while (!bytes.empty()) {
    const ssize_t sent = tls_ ? tls_->write(bytes) : ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      until = std::chrono::steady_clock::now() + idle_;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) throw Lost{errno_text()};
    if (std::chrono::steady_clock::now() > until) throw Lost{"the peer reads nothing for too long"};
    if (on_wait) on_wait();
  }
}

void Wire::set_pace(std::uint64_t bytes_a_second) { pace_ = bytes_a_second; }

void Wire::reset() {
  const linger now{1, 0};
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket_.reset();
}

void Wire::close_half() { (void)::shutdown(socket_.get(), SHUT_WR); }

Messages::Event Messages::next_pdu() {
  std::byte head[6];
  if (!wire_.read(head, true)) return Event::closed;
  const auto type = static_cast<PduType>(head[0]);
  const std::size_t length = load_u32(head + 2, true);
  switch (type) {
    case PduType::data:
      if (max_pdu_ != 0 && length > max_pdu_)
        throw Lost{"a P-DATA of " + std::to_string(length) + " bytes, longer than the " + std::to_string(max_pdu_) +
                   " agreed on"};
      left_ = length;
      return Event::message;
    case PduType::release_request: wire_.skip(std::min<std::size_t>(length, kBuffer)); return Event::release;
    case PduType::abort: return Event::abort;
    default: throw Lost{"a PDU of a type that does not belong here"};
  }
}

PdvHead Messages::next_pdv() {
  while (left_ == 0) {
    if (next_pdu() != Event::message) throw Lost{"the association ended in the middle of a message"};
  }
  std::byte head[6];
  if (left_ < sizeof head) throw Lost{"a P-DATA too short for a PDV"};
  wire_.read(head);
  const std::size_t length = load_u32(head, true);
  left_ -= sizeof head;
  if (length < 2 || length - 2 > left_) throw Lost{"a PDV that does not fit its PDU"};
  left_ -= length - 2;
  const auto flags = std::to_integer<unsigned>(head[5]);
  return {std::to_integer<std::uint8_t>(head[4]), (flags & 1U) != 0, (flags & 2U) != 0, length - 2};
}

Messages::Event Messages::next(net::Command& command, std::uint8_t& context) {
  while (left_ == 0) {
    if (const Event event = next_pdu(); event != Event::message) return event;
  }
  command_.clear();
  for (bool last = false, first = true; !last; first = false) {
    const PdvHead pdv = next_pdv();
    if (!pdv.command) throw Lost{"a dataset where a command belongs"};
    if (!first && pdv.context != context) throw Lost{"two messages mixed"};
    if (command_.size() + pdv.length > kMaxCommand) throw Lost{"a command set of more than 64 KiB"};
    context = pdv.context;
    const std::size_t before = command_.size();
    command_.resize(before + pdv.length);
    wire_.read(std::span(command_).subspan(before));
    last = pdv.last;
  }
  auto parsed = net::Command::parse(command_);
  if (!parsed) throw Lost{parsed.error().what};
  command = *std::move(parsed);
  return Event::message;
}

std::uint64_t Messages::dataset(std::uint8_t context, Bytes* take, std::uint64_t most) {
  std::uint64_t total = 0;
  for (bool last = false; !last;) {
    const PdvHead pdv = next_pdv();
    if (pdv.command) throw Lost{"a command where a dataset belongs"};
    if (pdv.context != context) throw Lost{"two messages mixed"};
    total += pdv.length;
    if (total > most) throw Lost{"a dataset of more than " + std::to_string(most) + " bytes"};
    last = pdv.last;
    if (take == nullptr) {
      wire_.skip(pdv.length);
      continue;
    }
    const std::size_t before = take->size();
    take->resize(before + pdv.length);
    wire_.read(std::span(*take).subspan(before));
  }
  return total;
}

void Messages::part_of_dataset(std::uint64_t count) {
  while (count > 0) {
    const PdvHead pdv = next_pdv();
    const std::size_t now = std::min<std::size_t>(pdv.length, count);
    wire_.skip(now);
    count -= now;
    if (pdv.last || now < pdv.length) return;
  }
}

void Messages::put(Bytes& out, std::uint8_t context, const net::Command& command, ByteView dataset) const {
  put_data(out, context, true, command.encode(), peer_pdu);
  if (command.data_follows()) put_data(out, context, false, dataset, peer_pdu);
}

void Messages::send(std::uint8_t context, const net::Command& command, ByteView dataset) {
  Bytes out;
  put(out, context, command, dataset);
  wire_.write(out);
}

}  // namespace waybill::simpacs
