// SPDX-License-Identifier: Apache-2.0
// A node that takes every C-STORE, answers 0000 and keeps nothing: what a sender can do when the peer costs nothing.
//
// Usage: discard_peer PORTFILE [--latency MS] [--split]   --split answers in two writes with Nagle's algorithm, as
// nodes built with DCMTK do. Ends when its standard input ends. Only for measuring: it trusts its caller.
#include "core/bytes.hpp"
#include "net/command.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

namespace {

using waybill::Bytes;

struct Settings {
  std::chrono::microseconds latency{0};
  bool split = false;
};

bool read_all(int fd, std::byte* into, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(fd, into, size, 0);
    if (got <= 0) return false;
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int fd, const std::byte* from, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(fd, from, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    from += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

void put_big(Bytes& out, std::size_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
}

/// An A-ASSOCIATE-AC that grants every context its first syntax.
Bytes accept(const Bytes& request) {
  Bytes body(request.begin(), request.begin() + 68);
  for (std::size_t at = 68; at + 4 <= request.size();) {
    const std::size_t length = waybill::load_u16(request.data() + at + 2, true);
    const std::byte* item = request.data() + at + 4;
    if (request[at] == std::byte{0x10}) body.insert(body.end(), request.data() + at, item + length);
    if (request[at] == std::byte{0x20}) {
      std::size_t sub = 4;
      while (item[sub] != std::byte{0x40}) sub += 4U + waybill::load_u16(item + sub + 2, true);
      const std::size_t size = 4U + waybill::load_u16(item + sub + 2, true);
      put_big(body, 0x2100, 2);
      put_big(body, 4 + size, 2);
      body.insert(body.end(), {item[0], std::byte{0}, std::byte{0}, std::byte{0}});
      body.insert(body.end(), item + sub, item + sub + size);
    }
    at += 4 + length;
  }
  put_big(body, 0x5000, 2);
  put_big(body, 8, 2);
  put_big(body, 0x5100, 2);
  put_big(body, 4, 2);
  put_big(body, 131072, 4);
  Bytes out;
  put_big(out, 0x0200, 2);
  put_big(out, body.size(), 4);
  waybill::put_bytes(out, body);
  return out;
}

Bytes answer(const waybill::net::Command& request, std::byte context) {
  namespace field = waybill::net::field;
  const auto type = static_cast<std::uint16_t>(request.number(field::kCommand) | waybill::net::kResponse);
  const Bytes command = waybill::net::Command::make(type, false)
                            .set(field::kAffectedClass, request.text(field::kAffectedClass))
                            .set(field::kRespondedTo, request.number(field::kMessageId))
                            .set(field::kStatus, std::uint16_t{0})
                            .set(field::kAffectedInstance, request.text(field::kAffectedInstance))
                            .encode();
  Bytes out;
  put_big(out, 0x0400, 2);
  put_big(out, command.size() + 6, 4);
  put_big(out, command.size() + 2, 4);
  out.push_back(context);
  out.push_back(std::byte{3});
  waybill::put_bytes(out, command);
  return out;
}

void serve(int fd, Settings settings) {
  const int on = settings.split ? 0 : 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Bytes pdu, command;
  for (std::array<std::byte, 6> head{}; read_all(fd, head.data(), head.size());) {
    pdu.resize(waybill::load_u32(head.data() + 2, true));
    if (!read_all(fd, pdu.data(), pdu.size())) break;
    Bytes out;
    if (head[0] == std::byte{1}) out = accept(pdu);
    if (head[0] == std::byte{5}) out = {std::byte{6}, {}, {}, {}, {}, std::byte{4}, {}, {}, {}, {}};
    for (std::size_t at = 0; head[0] == std::byte{4} && at < pdu.size();) {
      const std::size_t length = waybill::load_u32(pdu.data() + at, true);
      const unsigned flags = std::to_integer<unsigned>(pdu[at + 5]);
      if ((flags & 1U) != 0) command.insert(command.end(), pdu.data() + at + 6, pdu.data() + at + 4 + length);
      if ((flags & 2U) != 0) {
        const auto request = waybill::net::Command::parse(command);
        if (!request) return;
        if ((flags & 1U) == 0 || !request->data_follows()) {
          out = answer(*request, pdu[at + 4]);
          command.clear();
        }
      }
      at += 4 + length;
    }
    if (out.empty()) continue;
    if (settings.latency.count() > 0) std::this_thread::sleep_for(settings.latency);
    const std::size_t first = settings.split ? 6 : out.size();
    if (!write_all(fd, out.data(), first) || !write_all(fd, out.data() + first, out.size() - first)) break;
  }
  ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--split") settings.split = true;
    if (std::string_view(argv[i]) == "--latency" && i + 1 < argc)
      settings.latency = std::chrono::microseconds(static_cast<long>(1000 * std::atof(argv[++i])));
  }
  if (argc < 2) return 2;
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 128) != 0) return 1;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  {
    const std::string name = argv[1];
    std::ofstream(name + ".new") << ntohs(address.sin_port) << '\n';
    if (::rename((name + ".new").c_str(), name.c_str()) != 0) return 1;
  }
  for (;;) {
    std::array<pollfd, 2> waiting{{{listener, POLLIN, 0}, {0, POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    char byte = 0;
    if (waiting[1].revents != 0 && ::read(0, &byte, 1) <= 0) std::_Exit(0);
    if ((waiting[0].revents & POLLIN) == 0) continue;
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd >= 0) std::thread(serve, fd, settings).detach();
  }
}
