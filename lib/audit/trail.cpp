// SPDX-License-Identifier: Apache-2.0
#include "audit/trail.hpp"

#include "audit/event.hpp"
#include "audit/spool.hpp"
#include "audit/syslog.hpp"
#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "net/stream.hpp"

#include <fcntl.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace waybill::audit {
namespace {

constexpr std::string_view kSyslog = "syslog+tls://";
constexpr std::string_view kFile = "file://";
constexpr std::uint16_t kPort = 6514;
constexpr std::chrono::milliseconds kTimeout{3000};
constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLongestPause{30'000};

using Clock = std::chrono::steady_clock;

[[noreturn]] void no_target(const std::string& url) {
  throw RunError(Exit::usage,
                 "'" + url + "' is no place for audit messages; write syslog+tls://host:port or file:///path");
}

std::uint64_t microseconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

std::atomic<Trail*>& current() {
  static std::atomic<Trail*> trail{nullptr};
  return trail;
}

}  // namespace

Target target_from(const std::string& url) {
  Target target;
  target.url = url;
  if (url.starts_with(kFile)) {
    target.file = url.substr(kFile.size());
    if (!target.file.is_absolute()) no_target(url);
    return target;
  }
  if (!url.starts_with(kSyslog)) no_target(url);
  std::string host = url.substr(kSyslog.size());
  target.collector.port = kPort;
  target.collector.secure = true;
  target.collector.service = "syslog over TLS";
  const std::size_t colon = host.rfind(':');
  const bool address6 = host.starts_with('[') && host.ends_with(']');
  if (colon != std::string::npos && !address6) {
    const char* end = host.data() + host.size();
    const auto parsed = std::from_chars(host.data() + colon + 1, end, target.collector.port);
    if (parsed.ec != std::errc() || parsed.ptr != end || target.collector.port == 0) no_target(url);
    host.erase(colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("/@ ") != std::string::npos) no_target(url);
  target.collector.host = host;
  return target;
}

struct Trail::State {
  Trail* self = nullptr;
  Target target;
  std::function<void(const std::string&)> say;
  std::string run = random_uuid();
  std::optional<Spool> spool;
  io::Descriptor file;

  std::mutex mutex;  // guards what stands below
  std::condition_variable wake;
  std::uint64_t messages = 0, lost = 0, last_time = 0;
  bool closing = false, news = false;
  Clock::time_point until{};  // of the last try

  // Of the delivering thread alone.
  std::optional<net::Stream> stream;
  struct Sent {
    std::string name;
    Clock::time_point at;
  };
  std::deque<Sent> sent;
  std::set<std::string> on_the_way;  // their names
  bool told = false, looked_for_gaps = false;
  std::thread thread;

  void keep(const std::string& message);
  void deliver();
  [[nodiscard]] bool round();
  void send(const std::string& name);
  void settle();
  void disconnect();
  void look_for_gaps(const std::vector<std::string>& names);
};

Trail::Trail(Target target, std::function<void(const std::string&)> say) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.self = this;
  s.target = std::move(target);
  s.say = std::move(say);
  if (!s.target.file.empty()) {
    s.file = io::open_file(s.target.file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY);
    if (!s.file) io::throw_errno("open the audit file", s.target.file, errno);
    return;
  }
  s.spool.emplace(s.target.spool);
  s.thread = std::thread([&s] { s.deliver(); });
}

Trail::~Trail() { (void)close(); }

/// Under the mutex, so that file and spool hold the messages in the order of their numbers.
void Trail::State::keep(const std::string& message) {
  if (file) return io::write_all(file.get(), as_bytes(message + "\n"), target.file);
  spool->put(last_time, run, messages, message);
}

void Trail::record(const Message& message) noexcept {
  State& s = *state_;
  try {
    const std::string xml = to_xml(message, process_name());
    const std::string program = process_name();
    const std::lock_guard lock(s.mutex);
    ++s.messages;
    s.last_time = std::max(s.last_time + 1, microseconds_now());
    try {
      s.keep(to_syslog({utc_now(), host_name(), program.substr(0, program.find('@')), s.run, s.messages}, xml));
    } catch (const RunError& error) {
      if (s.lost++ == 0) s.say(std::string("audit messages are lost: ") + error.what());
    }
    s.news = true;
    s.wake.notify_one();
  } catch (const std::exception&) {  // no memory: the number is missing, which is seen
  }
}

void Trail::State::disconnect() {
  stream.reset();
  sent.clear();  // still in the spool: they go once more
  on_the_way.clear();
}

/// Sends one message; what is sent stays in the spool for now.
void Trail::State::send(const std::string& name) {
  const std::string message = framed(spool->read(name));
  stream->write(as_bytes(message));
  sent.push_back({name, Clock::now()});
  on_the_way.insert(name);
}

/// Removes what was sent a moment ago over a connection that stands.
void Trail::State::settle() {
  if (sent.empty() || !stream) return;
  if (!stream->stands()) return disconnect();
  while (!sent.empty() && Clock::now() - sent.front().at >= kSettled) {
    spool->remove(sent.front().name);
    on_the_way.erase(sent.front().name);
    sent.pop_front();
  }
}

void Trail::State::look_for_gaps(const std::vector<std::string>& names) {
  if (std::exchange(looked_for_gaps, true)) return;
  for (const std::string& gap : Spool::gaps(names)) {
    say("audit: " + gap + " in " + path_to_text(spool->folder().string()) + "; somebody removed it");
    self->record(security_alert(Alert::recording_gap, spool->folder().string(), gap));
  }
}

/// Delivers what waits. Whether there is nothing left to do before the next message.
bool Trail::State::round() {
  if (!spool->lock()) return true;  // another run delivers, ours too
  const auto names = spool->names();
  look_for_gaps(names);
  if (names.empty()) return true;
  if (stream && !stream->stands()) disconnect();
  if (!stream) stream.emplace(target.collector, target.url, kTimeout);
  for (const std::string& name : names) {
    if (!on_the_way.contains(name)) send(name);
  }
  settle();
  told = false;
  return false;
}

void Trail::State::deliver() {
  auto pause = kFirstPause;
  for (;;) {
    bool idle = true, away = false;
    try {
      idle = round();
      pause = kFirstPause;
    } catch (const RunError& error) {
      disconnect();
      away = true;
      if (!std::exchange(told, true))
        say(std::string("audit: messages wait in ") + path_to_text(target.spool.string()) + ": " + error.what());
    }
    std::unique_lock lock(mutex);
    if (closing && ((idle && !news) || Clock::now() >= until)) return;  // news came behind this round's look
    const auto moment = closing ? std::chrono::milliseconds(50) : away ? pause : idle ? kLongestPause : kSettled;
    wake.wait_for(lock, moment, [&] { return closing || (news && !away); });
    news = false;
    if (away && !closing) pause = std::min(pause * 2, kLongestPause);
    if (!closing) continue;
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::uint64_t Trail::close() noexcept {
  State& s = *state_;
  if (!s.spool) return 0;
  try {
    {
      const std::lock_guard lock(s.mutex);
      if (s.closing) return s.spool->names().size();
      s.closing = true;
      s.until = Clock::now() + kLastTry;
    }
    s.wake.notify_one();
    s.thread.join();
    s.stream.reset();
    if (s.lost > 0)
      s.say("audit: " + std::to_string(s.lost) + " of " + std::to_string(s.messages) +
            " messages of this run are lost; the collector will show their numbers as a gap");
    const std::uint64_t waiting = s.spool->names().size();
    if (waiting > 0)
      s.say("audit: " + std::to_string(waiting) + " messages wait in " + path_to_text(s.target.spool.string()) +
            "; the next run delivers them, or waybill audit flush");
    return waiting;
  } catch (const std::exception&) {
    return 0;
  }
}

std::uint64_t Trail::messages() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->messages;
}
std::uint64_t Trail::lost() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->lost;
}
const std::string& Trail::run() const noexcept { return state_->run; }

void record(const Message& message) noexcept {
  if (Trail* trail = current().load()) trail->record(message);
}
bool is_recording() noexcept { return current().load() != nullptr; }
void set_trail(Trail* trail) noexcept { current().store(trail); }

}  // namespace waybill::audit
