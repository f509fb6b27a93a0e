// SPDX-License-Identifier: Apache-2.0
#include "transcode/message.hpp"

#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace waybill::transcode {
namespace {

constexpr std::size_t kMost = 64;   // descriptors in one packet; the kernel takes 253
constexpr std::uint64_t kMore = 0;  // the length of a packet that only brings descriptors

/// The memory of one control message.
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMost * sizeof(int))> bytes{};
};

bool send_packet(int socket, std::uint64_t size, const int* descriptors, std::size_t count) noexcept {
  Control control;
  iovec part{&size, sizeof(size)};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(head), descriptors, count * sizeof(int));
  }
  for (;;) {
    const ssize_t n = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    return n == static_cast<ssize_t>(sizeof(size));
  }
}

void take_descriptors(msghdr& message, std::vector<io::Descriptor>& out) {
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
      out.emplace_back(fd);
    }
  }
}

}  // namespace

bool send_message(int socket, std::uint64_t size, const std::vector<int>& descriptors) noexcept {
  std::size_t sent = 0;
  for (; descriptors.size() - sent > kMost; sent += kMost)
    if (!send_packet(socket, kMore, descriptors.data() + sent, kMost)) return false;
  return send_packet(socket, size, descriptors.data() + sent, descriptors.size() - sent);
}

std::optional<std::uint64_t> receive_message(int socket, std::vector<io::Descriptor>& descriptors) {
  for (;;) {
    std::uint64_t size = 0;
    Control control;
    iovec part{&size, sizeof(size)};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) return 0;
    if (n != static_cast<ssize_t>(sizeof(size)) || (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0)
      return std::nullopt;
    take_descriptors(message, descriptors);
    if (size != kMore) return size;
  }
}

}  // namespace waybill::transcode
