// SPDX-License-Identifier: Apache-2.0
#include "simpacs/server.hpp"

#include "core/result.hpp"
#include "core/stop.hpp"
#include "simpacs/session.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>
#include <list>
#include <thread>

namespace waybill::simpacs {

namespace {

constexpr int kTick = 100;  // milliseconds between looks at the stop flag

[[noreturn]] void no_port(const Options& options, const char* why) {
  throw RunError(Exit::input, "cannot listen on " + options.bind + " port " + std::to_string(options.port) + ": " +
                                  why + "; choose another --port or --bind");
}

sockaddr_in address_of(const Options& options) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  if (::inet_pton(AF_INET, options.bind.c_str(), &address.sin_addr) != 1)
    throw RunError(Exit::usage, "--bind takes an IPv4 address such as 127.0.0.1, not " + options.bind);
  return address;
}

io::Descriptor listen_on(const Options& options, int receive_buffer, std::uint16_t& port) {
  sockaddr_in address = address_of(options);
  io::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  socklen_t size = sizeof address;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      (receive_buffer > 0 &&
       ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer) != 0) ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 512) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    no_port(options, std::strerror(errno));
  port = ntohs(address.sin_port);
  return socket;
}

std::optional<std::filesystem::path> log_of(const Options& options) {
  if (options.log || !options.store) return options.log;
  std::error_code error;
  std::filesystem::create_directories(*options.store, error);
  if (error) io::throw_errno("make", *options.store, error.value());
  return *options.store / "log.jsonl";
}

/// A thread an association; those that ended are joined as new ones come.
class Associations {
 public:
  explicit Associations(Node& node) : node_(node) {}
  ~Associations() {
    for (One& one : all_) one.thread.join();
  }
  Associations(const Associations&) = delete;
  Associations& operator=(const Associations&) = delete;

  void start(io::Descriptor socket) {
    std::erase_if(all_, [](One& one) {
      if (!one.done) return false;
      one.thread.join();
      return true;
    });
    One& one = all_.emplace_back();
    ++node_.open;
    one.thread = std::thread([this, &one, number = ++count_, connection = std::move(socket)]() mutable {
      try {
        Session(node_, std::move(connection), number).run();
      } catch (const Lost&) {  // the socket was dead before it began
      }
      --node_.open;
      one.done = true;
    });
  }

 private:
  struct One {
    std::thread thread;
    std::atomic<bool> done{false};
  };
  Node& node_;
  std::list<One> all_;
  std::uint64_t count_ = 0;
};

}  // namespace

Totals serve(const Options& options, const std::function<void(std::uint16_t)>& ready) {
  Scenario scenario = options.scenario ? Scenario::read(*options.scenario) : Scenario();  // or it throws, with no trace
  Node node(std::move(scenario), log_of(options));
  if (!options.tls.certificate.empty()) {
    const bool certified = !options.tls.authorities.empty();
    node.tls = net::Tls::make_server(options.tls, certified ? net::Tls::Clients::certified : net::Tls::Clients::any);
    node.caller_tls = net::Tls::make(options.tls);
  }
  if (options.store) {
    node.shelf.emplace(*options.store / "objects");
    node.committer.emplace(node, *options.store / "commitments");
  }
  std::uint16_t port = 0;
  const io::Descriptor listener = listen_on(options, node.scenario.receive_buffer, port);
  ready(port);
  {
    Associations associations(node);
    while (!stop_requested()) {
      pollfd waiting{listener.get(), POLLIN, 0};
      if (::poll(&waiting, 1, kTick) <= 0) continue;
      io::Descriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket) associations.start(std::move(socket));
    }
  }
  node.committer.reset();
  return {node.tallies.associations, node.tallies.objects, node.tallies.bytes, node.tallies.instances(),
          node.shelf ? node.shelf->size() : 0};
}

}  // namespace waybill::simpacs
