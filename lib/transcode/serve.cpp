// SPDX-License-Identifier: Apache-2.0
#include "transcode/serve.hpp"

#include "transcode/message.hpp"
#include "transcode/wire.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include <new>

namespace waybill::transcode {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kBoundMemory = false;  // sanitizers reserve terabytes of address space
#else
constexpr bool kBoundMemory = true;
#endif

/// Sets a soft limit that is counted from what the process has used already.
void bound(__rlimit_resource what, std::uint64_t most) {
  rlimit now{};
  if (::getrlimit(what, &now) != 0) return;
  now.rlim_cur = now.rlim_max == RLIM_INFINITY || most < now.rlim_max ? most : now.rlim_max;
  ::setrlimit(what, &now);
}

/// Bytes of address space in use; asked for each request, so the file stays open.
std::uint64_t address_space() {
  static const int statm = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  std::array<char, 32> text{};
  if (::pread(statm, text.data(), text.size() - 1, 0) <= 0) return 0;
  return std::strtoull(text.data(), nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void keep_within(const Request& request) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  bound(RLIMIT_CPU, static_cast<std::uint64_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1 + request.seconds);
  if (kBoundMemory) bound(RLIMIT_AS, address_space() + request.memory);
}

template <typename T, typename F>
std::size_t answer(Region& region, F call) {
  try {
    const Result<T> result = call();
    if (const std::size_t size = put(region, result); size != 0) return size;
  } catch (const std::bad_alloc&) {  // below
  }
  return put(region, Result<T>(Failure{Fault::limit, "a codec needs more memory than an object of its size may take"}));
}

std::size_t work(const Request& request, Region& answers) {
  CodecsHere codecs;
  if (request.written)
    return answer<std::string>(answers, [&] { return codecs.compare(request.source, *request.written); });
  return answer<Encoded>(answers, [&] { return codecs.encode(request.source, request.syntax); });
}

}  // namespace

int serve_codecs() {
  ::prctl(PR_SET_DUMPABLE, 0);  // no core files: they would hold pixels and could hold names
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  Region requests{io::Descriptor(kRequests)};
  Region answers{io::Descriptor(kAnswers)};
  std::deque<Region> buffers;
  const auto view = [&](const Place& place) -> ByteView {
    if (place.buffer >= buffers.size() || place.size > ~std::uint64_t{0} - place.offset) return {};
    const ByteView all = buffers[place.buffer].view(place.offset + place.size);
    return all.empty() ? all : all.subspan(place.offset, place.size);
  };
  for (;;) {
    std::vector<io::Descriptor> fresh;
    const auto size = receive_message(kSocket, fresh);
    if (!size) return 1;
    if (*size == 0) return 0;  // the owner is gone
    for (io::Descriptor& fd : fresh) buffers.emplace_back(std::move(fd), Region::Access::read);
    if (kBoundMemory) bound(RLIMIT_AS, RLIM_INFINITY);
    const auto request = get_request(requests.view(*size), view);
    if (!request) return 1;
    keep_within(*request);
    const std::uint64_t out = work(*request, answers);
    if (::send(kSocket, &out, sizeof(out), MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof(out))) return 1;
  }
}

}  // namespace waybill::transcode
