// SPDX-License-Identifier: Apache-2.0
// One thread and one poll() for all connections. A round reads what has come, judges each whole message, adds the new
// ones to the journal, makes the journal durable once, and only then gives the replies out: however many senders there
// are, a round costs one fdatasync, and no reply can overtake it.
#include "listen/run.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/result.hpp"
#include "core/stop.hpp"
#include "listen/channel.hpp"
#include "listen/deframer.hpp"
#include "listen/journal.hpp"
#include "listen/reply.hpp"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <optional>

namespace waybill::listen {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kTick{200};
constexpr seconds kBareEnd{1};   // silence after 0x1C that makes up for the missing carriage return
constexpr seconds kFarewell{3};  // a connection that is being closed may still read our last reply
constexpr seconds kRetryDisk{2};
constexpr std::size_t kOwnFiles = 24;                        // standard streams, journal, TLS files, audit
constexpr std::size_t kMostReads = 16;                       // of one connection in a round
constexpr std::size_t kMostUnread = std::size_t{64} * 1024;  // of replies; then nothing more is read
constexpr std::uint64_t kMostStray = std::uint64_t{64} * 1024;
constexpr std::uint64_t kMostDropped = std::uint64_t{1} << 30U;  // of a frame above the limit
constexpr std::size_t kMemory = std::size_t{256} << 20U;         // of open frames, or four of the largest

struct Connection {
  Connection(io::Descriptor socket, const TlsContext* tls, std::size_t largest, Clock::time_point now)
      : peer(peer_name(socket.get())), channel(std::move(socket), tls), deframer(largest), active(now), begun(now) {}

  std::string peer;
  Channel channel;
  Deframer deframer;
  std::string output;
  Clock::time_point active, begun;  // last byte; first byte of the open frame
  bool reads_on_writable = false, writes_on_readable = false, more = false;
  bool ended = false;    // the peer sends no more
  bool closing = false;  // nothing more is taken from it
  bool said_goodbye = false, dead = false;
};

/// A reply that waits for the journal.
struct Waiting {
  Connection* to;
  Head head;
  Judgement judgement;
  hl7::JournalEntry entry;
  bool stored = false, duplicate = false;
};

std::string message_time() {
  std::string out;
  for (const char c : utc_now().substr(0, 19))
    if (c >= '0' && c <= '9') out += c;
  return out + "+0000";
}

std::string options_json(const Options& options) {
  JsonWriter w;
  w.begin_object().key("processing").begin_array();
  for (const auto& id : options.processing) w.value(id);
  w.end_array().end_object();
  return std::move(w).str();
}

/// Makes sure that as many connections as are allowed leave descriptors for the journal: a listener that cannot open
/// its journal refuses everybody.
void need_descriptors(std::size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= connections + kOwnFiles) return;
  throw RunError(Exit::usage, "--connections " + std::to_string(connections) + " needs " +
                                  std::to_string(connections + kOwnFiles) + " open files, the system allows " +
                                  std::to_string(limit.rlim_cur) + "; raise the limit (ulimit -n) or allow fewer");
}

class Server {
 public:
  Server(const Options& options, const Log& log, const Tick& tick)
      : options_(options), log_(log), tick_(tick), journal_(options.output, options_json(options), options.restart) {
    if (!options.tls_certificate.empty()) tls_.emplace(options.tls_certificate, options.tls_key, options.tls_authority);
    need_descriptors(options.connections);
    socket_ = listen_on(options.bind, options.port);
    journal_.open();
    ids_ = random_uuid().substr(0, 8);
  }

  Counts run() {
    greet();
    while (!stop_requested()) round();
    for (auto& c : connections_) stop(c);
    answer();
    for (auto& c : connections_) write(c);
    connections_.clear();
    finish();
    return counts_;
  }

 private:
  void greet() {
    log_("listening on " + local_name(socket_.get()) + (tls_ ? " (TLS)" : "") + ", journal " +
         journal_.path().string() + (journal_.resumed() ? ", continued" : ""));
    if (!tls_ && !is_loopback(options_.bind)) {
      log_(
          "warning: MLLP without TLS shows patients' data to the network and takes messages from anybody; give "
          "--tls-cert, --tls-key and --tls-ca, or bind to loopback");
    }
    if (!journal_.resumed()) return;
    log_(std::to_string(journal_.stored()) + " messages are in the journal already");
  }

  void round() {
    wait();
    const auto now = Clock::now();
    if (!journal_.is_open() && now >= retry_disk_) reopen(now);
    accept(now);
    for (auto& c : connections_) {
      if (may_read(c)) read(c, now);
      check_time(c, now);
    }
    answer();
    for (auto& c : connections_) {
      if (!c.output.empty()) write(c);
      part(c, now);
    }
    connections_.remove_if([](const Connection& c) { return c.dead; });
  }

  /// Memory is bounded: when many large messages are under way, only the oldest one goes on.
  bool may_read(const Connection& c) const {
    if (c.dead || c.ended || c.output.size() > kMostUnread) return false;
    return c.closing || held_ <= std::max(kMemory, 4 * options_.largest) || &c == oldest_;
  }

  void wait() {
    held_ = 0;
    oldest_ = nullptr;
    bool more = false;
    for (const auto& c : connections_) {
      held_ += c.deframer.held();
      more = more || c.more;
      if (c.deframer.inside() && (oldest_ == nullptr || c.begun < oldest_->begun)) oldest_ = &c;
    }
    std::vector<pollfd> fds{{Clock::now() < accept_again_ ? -1 : socket_.get(), POLLIN, 0}};
    for (const auto& c : connections_) {
      short events = 0;
      if (may_read(c)) events |= c.reads_on_writable ? POLLOUT : POLLIN;
      if (!c.output.empty()) events |= c.writes_on_readable ? POLLIN : POLLOUT;
      fds.push_back({events == 0 ? -1 : c.channel.fd(), events, 0});
    }
    (void)::poll(fds.data(), fds.size(), more ? 0 : static_cast<int>(kTick.count()));
  }

  void accept(Clock::time_point now) {
    for (;;) {
      io::Descriptor fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd) {  // out of descriptors or memory, it would be tried without end
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) accept_again_ = now + kTick;
        return;
      }
      ++counts_.connections;
      if (connections_.size() >= options_.connections && !make_room()) {
        log_("a connection from " + peer_name(fd.get()) + " was closed: as many as --connections allows are busy");
        continue;
      }
      connections_.emplace_back(std::move(fd), tls_ ? &*tls_ : nullptr, options_.largest, now);
    }
  }

  /// Closes the connection that has been idle longest, if one is.
  bool make_room() {
    auto longest = connections_.end();
    for (auto at = connections_.begin(); at != connections_.end(); ++at) {
      const bool busy = at->deframer.inside() || !at->output.empty();
      if (!busy && (longest == connections_.end() || at->active < longest->active)) longest = at;
    }
    if (longest == connections_.end()) return false;
    connections_.erase(longest);
    return true;
  }

  void read(Connection& c, Clock::time_point now) {
    c.more = c.reads_on_writable = false;
    for (std::size_t n = 0; n < kMostReads; ++n) {
      const Moved moved = c.channel.read(buffer_);
      switch (moved.state) {
        case Moved::State::some:
          counts_.bytes += moved.bytes;
          if (!c.closing) take(c, {buffer_.data(), moved.bytes}, now);
          continue;
        case Moved::State::wait_writable: c.reads_on_writable = true; return;
        case Moved::State::wait_readable: return;
        case Moved::State::failed:
          if (!c.closing) log_("the connection from " + c.peer + " failed: " + moved.error);
          c.dead = true;
          [[fallthrough]];
        case Moved::State::closed:
          c.ended = true;
          if (!c.closing) end_of_stream(c, "the connection ended before the end of the message");
          return;
      }
    }
    c.more = true;
  }

  void take(Connection& c, std::string_view bytes, Clock::time_point now) {
    if (now - c.active > kBareEnd) accept_bare_end(c);
    c.active = now;
    const bool was_inside = c.deframer.inside();
    frames_.clear();
    c.deframer.feed(bytes, frames_);
    if (c.deframer.inside() && (!was_inside || !frames_.empty())) c.begun = now;
    take_frames(c, "the next message began before the end of this one");
    if (c.closing) return;
    if (c.deframer.greets_by_tls() || (!c.deframer.inside() && c.deframer.pending() > kMostStray))
      return end_of_stream(c, "");
    if (c.deframer.pending() > kMostDropped) end_of_stream(c, "the message does not end");
  }

  void accept_bare_end(Connection& c) {
    frames_.clear();
    c.deframer.accept_bare_end(frames_);
    take_frames(c, "");
  }

  void end_of_stream(Connection& c, const char* why) {
    frames_.clear();
    c.deframer.finish(frames_);
    take_frames(c, why);
    c.closing = true;
  }

  void take_frames(Connection& c, const char* why_unended) {
    for (auto& frame : frames_) {
      if (c.closing) return;  // what comes behind a lost end is not taken: the sender would count replies wrongly
      switch (frame.kind) {
        case FrameKind::whole: take_message(c, std::move(frame)); break;
        case FrameKind::stray: take_stray(c, std::move(frame)); break;
        case FrameKind::oversize:
          ++counts_.frames;
          refuse(c, std::move(frame),
                 {Outcome::reject, 207, "the message is larger than " + std::to_string(options_.largest) + " bytes"});
          break;
        case FrameKind::unended:
          ++counts_.frames;
          refuse(c, std::move(frame), {Outcome::reject, 207, why_unended});
          c.closing = true;
          break;
      }
    }
  }

  static hl7::JournalEntry entry_of(const Connection& c, const Head& head, Frame&& frame) {
    hl7::JournalEntry entry;
    entry.received = utc_now();
    entry.peer = c.peer;
    entry.type = head.type();
    entry.control_id = head.control_id;
    entry.bytes = std::move(frame.bytes);
    entry.size = frame.size;
    return entry;
  }

  void take_message(Connection& c, Frame&& frame) {
    ++counts_.frames;
    Head head = read_head(frame.bytes);
    if (head.is_reply()) {  // never answered: two systems would thank each other for ever
      ++counts_.replies;
      return;
    }
    const Judgement judgement = judge(head, options_.processing);
    if (judgement.outcome != Outcome::accept) return refuse(c, std::move(frame), judgement);
    auto entry = entry_of(c, head, std::move(frame));
    waiting_.push_back({&c, std::move(head), judgement, std::move(entry)});
  }

  void refuse(Connection& c, Frame&& frame, Judgement judgement) {
    Head head = read_head(frame.bytes);
    auto entry = entry_of(c, head, std::move(frame));
    entry.bytes.resize(std::min(entry.bytes.size(), hl7::JournalEntry::kMostKept));
    entry.refused = true;
    entry.reason = judgement.text;
    entry.answer = answer_of(head, judgement.outcome);
    waiting_.push_back({&c, std::move(head), std::move(judgement), std::move(entry)});
  }

  void take_stray(Connection& c, Frame&& frame) {
    ++counts_.broken;
    const bool tls = frame.bytes.starts_with("\x16\x03");
    const bool bare = frame.bytes.starts_with("MSH");
    Head head;
    auto entry = entry_of(c, head, std::move(frame));
    entry.refused = true;
    entry.answer = "none";
    entry.reason = std::string("bytes outside any frame") + (tls    ? ": the sender speaks TLS, this port does not"
                                                             : bare ? ": a message without its start block 0x0B"
                                                                    : "");
    c.closing = c.closing || tls;
    log_(c.peer + ": " + std::to_string(entry.size) + " " + entry.reason);
    strays_.push_back(std::move(entry));
  }

  void check_time(Connection& c, Clock::time_point now) {
    if (c.dead || c.closing) return;
    if (c.deframer.ends_bare() && now - c.active >= kBareEnd) accept_bare_end(c);
    if (c.deframer.inside()) {
      if (now - c.begun >= options_.message_time) end_of_stream(c, "the message did not end within the time limit");
    } else if (now - c.active >= options_.idle) {
      end_of_stream(c, "");
    }
  }

  void stop(Connection& c) {
    if (c.dead || c.closing) return;
    accept_bare_end(c);
    end_of_stream(c, "the listener stopped before the end of the message");
  }

  /// Adds what came to the journal, makes it durable and gives the replies out.
  void answer() {
    if (waiting_.empty() && strays_.empty()) return;
    const bool safe = persist();
    for (auto& w : waiting_) {
      if (!safe && !w.entry.refused)
        w.judgement = {Outcome::error, 207, "the journal cannot be written; send the message again later"};
      const bool taken = w.judgement.outcome == Outcome::accept;
      ++(!taken ? counts_.refused : w.duplicate ? counts_.duplicates : counts_.stored);
      tick_(taken && !w.duplicate ? 1 : 0, w.entry.size, taken ? 0 : 1);
      if (!taken) log_(w.to->peer + ": a message was refused: " + w.judgement.text);
      const std::vector<std::string> ids{ids_ + std::to_string(++replies_), ids_ + std::to_string(++replies_)};
      for (const auto& text : replies(w.head, w.judgement, ids, message_time()))
        w.to->output += '\x0B' + text + "\x1C\r";
    }
    waiting_.clear();
    strays_.clear();
  }

  bool persist() {
    if (!journal_.is_open()) return false;
    std::uint64_t reused = 0;
    try {
      bool any = false;
      for (auto& w : waiting_) {
        if (w.entry.refused) {
          journal_.add_refused(w.entry);
          continue;
        }
        const auto added = journal_.add(w.head.key(), w.entry);
        w.duplicate = added == Journal::Added::duplicate;
        if (added == Journal::Added::reused_id) ++reused;
        any = any || !w.duplicate;
      }
      for (const auto& entry : strays_) journal_.add_refused(entry);
      if (any) journal_.commit();
    } catch (const RunError& error) {
      disk_failed(error);
      return false;
    }
    counts_.reused_ids += reused;
    return true;
  }

  void disk_failed(const RunError& error) {
    ++counts_.disk_failures;
    log_(std::string(error.what()) + "; messages are refused until the journal can be written");
    journal_.drop();
    retry_disk_ = Clock::now() + kRetryDisk;
  }

  void reopen(Clock::time_point now) {
    retry_disk_ = now + kRetryDisk;
    try {
      journal_.open();
      journal_.commit();
      log_("the journal can be written again; messages are taken");
    } catch (const RunError& error) {
      if (error.exit() == Exit::integrity) throw;
      journal_.drop();
    }
  }

  void write(Connection& c) {
    c.writes_on_readable = false;
    while (!c.output.empty() && !c.dead) {
      const Moved moved = c.channel.write(c.output);
      switch (moved.state) {
        case Moved::State::some: c.output.erase(0, moved.bytes); break;
        case Moved::State::wait_readable: c.writes_on_readable = true; return;
        case Moved::State::wait_writable: return;
        default: c.dead = true;
      }
    }
  }

  /// Closes a connection whose replies are out, or that does not read them. What the peer sends meanwhile is read and
  /// thrown away: unread bytes would make its system throw our last reply away.
  void part(Connection& c, Clock::time_point now) {
    if (!c.closing || c.dead) return;
    if (c.ended && c.output.empty()) {
      c.dead = true;
      return;
    }
    if (!c.said_goodbye) {
      c.active = now;
      c.said_goodbye = true;
    }
    if (c.output.empty() && !c.ended) c.channel.end_output();
    if (now - c.active >= kFarewell) c.dead = true;
  }

  void finish() {
    counts_.journal = journal_.path();
    if (counts_.frames != counts_.stored + counts_.duplicates + counts_.refused + counts_.replies)
      throw RunError(Exit::integrity, "the ledger of the listener does not close; keep the journal and report it");
    if (!journal_.is_open()) journal_.open();  // a disk that is still full ends with its reason
    counts_.journal_stored = journal_.stored();
    counts_.journal_refused = journal_.refused();
    journal_.close(to_json(counts_));
  }

  const Options& options_;
  const Log& log_;
  const Tick& tick_;
  Journal journal_;
  std::optional<TlsContext> tls_;
  io::Descriptor socket_;
  std::list<Connection> connections_;  // their addresses stay
  std::vector<Frame> frames_;
  std::vector<Waiting> waiting_;
  std::vector<hl7::JournalEntry> strays_;
  std::array<char, 65536> buffer_{};
  std::size_t held_ = 0;
  const Connection* oldest_ = nullptr;
  Clock::time_point retry_disk_{}, accept_again_{};
  std::string ids_;
  std::uint64_t replies_ = 0;
  Counts counts_;
};

}  // namespace

std::string to_json(const Counts& c) {
  JsonWriter w;
  w.begin_object().member("connections", c.connections).member("frames", c.frames).member("stored", c.stored);
  w.member("duplicates", c.duplicates).member("refused", c.refused).member("replies", c.replies);
  w.member("reused_ids", c.reused_ids).member("broken", c.broken).member("disk_failures", c.disk_failures);
  w.member("bytes", c.bytes).key("journal").begin_object().member("stored", c.journal_stored);
  w.member("refused", c.journal_refused).end_object().end_object();
  return std::move(w).str();
}

Counts run(const Options& options, const Log& log, const Tick& tick) { return Server(options, log, tick).run(); }

}  // namespace waybill::listen
