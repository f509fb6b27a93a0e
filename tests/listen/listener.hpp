// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hl7/journal.hpp"
#include "support/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

/// A real `waybill listen` and senders that talk to it.
namespace waybill::test {

inline std::string adt(const std::string& id, const std::string& rest = "", const std::string& trigger = "A08") {
  return "MSH|^~\\&|APP|FAC|WB|H|20240101120000||ADT^" + trigger + "|" + id + "|P|2.5" + rest + "\rPID|1||77^^^H\r";
}
inline std::string framed(const std::string& text) { return "\x0B" + text + "\x1C\r"; }

class Sender {
 public:
  explicit Sender(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~Sender() { ::close(fd_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  /// False when the peer has closed.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void end() const { ::shutdown(fd_, SHUT_WR); }
  /// The next `frames` replies without their frames; fewer when the peer closes or is silent for `seconds`.
  std::vector<std::string> receive(std::size_t frames, int seconds = 20) {
    std::vector<std::string> out;
    for (;;) {
      for (std::size_t end; out.size() < frames && (end = text_.find("\x1C\r")) != std::string::npos;) {
        out.push_back(text_.substr(1, end - 1));
        text_.erase(0, end + 2);
      }
      if (out.size() >= frames || !fill(seconds)) return out;
    }
  }
  /// Whether the peer closes within the time.
  bool closed(int seconds = 20) {
    while (fill(seconds)) {
    }
    return closed_;
  }
  /// MSA-1 and MSA-2 of the answer to one message.
  std::string ask(const std::string& text) {
    send(framed(text));
    const auto all = receive(1);
    return all.empty() ? "" : msa(all[0]);
  }
  static std::string msa(const std::string& reply) {
    const std::size_t at = reply.find("\rMSA|");
    return at == std::string::npos ? "" : reply.substr(at + 5, reply.find_first_of("|\r", at + 8) - at - 5);
  }

 private:
  bool fill(int seconds) {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, seconds * 1000) <= 0) return false;
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) closed_ = true;
    if (n > 0) text_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }
  int fd_;
  bool connected_ = false, closed_ = false;
  std::string text_;
};

class Listener {
 public:
  Listener(const fs::path& journal, const fs::path& log, std::vector<std::string> options = {},
           std::vector<std::string> before = {})
      : log_(log) {
    fs::remove(log);
    std::vector<std::string> words = std::move(before);
    words.insert(words.end(), {tool("listen"), "--mllp", "0", "-o", journal.string()});
    words.insert(words.end(), options.begin(), options.end());
    child_ = spawn(words, log);
    wait_until([&] {
      const std::string text = slurp(log);
      const std::size_t at = text.find("listening on 127.0.0.1:");
      if (at != std::string::npos && text.find('\n', at) != std::string::npos) port_ = std::stoi(text.substr(at + 23));
      return port_ != 0 || has_ended(child_);
    });
  }
  ~Listener() {
    if (child_ == 0) return;
    ::kill(child_, SIGKILL);
    (void)wait_for(child_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return child_; }
  [[nodiscard]] std::string log() const { return slurp(log_); }
  int stop(int signal = SIGTERM) {
    ::kill(child_, signal);
    const int exit = wait_for(std::exchange(child_, 0));
    return exit;
  }

 private:
  fs::path log_;
  pid_t child_ = 0;
  int port_ = 0;
};

inline std::vector<hl7::JournalEntry> entries_of(const fs::path& journal) {
  std::vector<hl7::JournalEntry> out;
  EXPECT_TRUE(hl7::read_journal(journal, [&](hl7::JournalEntry&& entry) { out.push_back(std::move(entry)); }));
  return out;
}

/// Control IDs of the stored messages, in order.
inline std::vector<std::string> ids_of(const fs::path& journal) {
  std::vector<std::string> out;
  for (const auto& entry : entries_of(journal))
    if (!entry.refused) out.push_back(entry.control_id);
  return out;
}

}  // namespace waybill::test
