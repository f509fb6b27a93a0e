// SPDX-License-Identifier: Apache-2.0
#include "manifest/writer.hpp"

#include "core/json.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "io/descriptor.hpp"
#include "manifest/chain.hpp"
#include "manifest/envelope.hpp"
#include "manifest/header.hpp"
#include "manifest/json_reader.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace waybill::manifest {
namespace {

constexpr std::chrono::seconds kCommitInterval{1};
constexpr std::size_t kCopyBytes = 1U << 20U;

std::uint64_t count_lines(std::string_view lines) {
  return static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
}

[[noreturn]] void misused(const std::string& what) { throw RunError(Exit::internal, "manifest writer: " + what); }

/// Every input whose head the header leaves open is named once, with its head, and nothing else is.
void check_streams(const Header& header, const std::vector<Input>& streams) {
  std::multiset<std::string> open, told;
  for (const Input& input : header.inputs) {
    if (input.head.empty()) open.insert(input.name);
  }
  for (const Input& input : streams) {
    if (input.head.empty()) misused("an end without the head of input " + input.name);
    told.insert(input.name);
  }
  if (open != told) misused("an end whose streamed inputs are not those of the header");
}

/// The first lines of `lines` that make one frame.
std::string_view frame_of(std::string_view lines) {
  std::size_t end = 0;
  for (std::uint64_t n = 0; n < kFlushRecords && end < lines.size(); ++n) {
    const std::size_t next = lines.find('\n', end) + 1;
    if (n > 0 && next > kFlushBytes) break;
    end = next;
  }
  return lines.substr(0, end);
}

/// Opens and locks the manifest; the file locked is the one that bears the name.
io::Descriptor open_locked(const std::filesystem::path& path) {
  for (;;) {
    io::Descriptor fd = io::open_file(path, O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY);
    if (!fd) io::throw_errno("open manifest", path, errno);
    struct stat mine {};
    struct stat named {};
    if (::fstat(fd.get(), &mine) != 0) io::throw_errno("examine", path, errno);
    if (!S_ISREG(mine.st_mode)) {
      throw RunError(Exit::usage, path_to_text(path.native()) +
                                      " is no regular file; name another output, or - for standard output");
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) io::throw_errno("lock", path, errno);
      throw RunError(Exit::usage,
                     "another run writes " + path_to_text(path.native()) + "; wait for its end or name another output");
    }
    if (::stat(path.c_str(), &named) == 0 && named.st_ino == mine.st_ino && named.st_dev == mine.st_dev) return fd;
  }
}

/// Appends the file's last bytes from `offset` to NAME.torn, durable.
void keep_torn(int fd, const std::filesystem::path& path, std::uint64_t offset) {
  const auto torn = torn_path(path);
  const io::Descriptor out = io::open_file(torn, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
  if (!out) io::throw_errno("create", torn, errno);
  if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) io::throw_errno("seek in", path, errno);
  Bytes buffer(kCopyBytes);
  while (const std::size_t n = io::read_some(fd, buffer, path))
    io::write_all(out.get(), ByteView(buffer).first(n), torn);
  io::sync_all(out.get(), torn);
  io::sync_folder(io::folder_of(torn));
}

}  // namespace

struct Writer::State {
  std::filesystem::path path;
  Header header;
  bool to_pipe = false;
  bool resumed = false;
  std::atomic<bool> committed = false;  // at the wish of the stage, from any of its threads
  bool complete = false;                // found complete, or finished

  // Output side, one thread at a time: held over compression, write and sync, so that frames keep the lines' order.
  std::mutex output_mutex;
  io::Descriptor fd;
  std::vector<FrameSize> frames;
  Digest last;
  std::uint64_t offset = 0;            // in the plain manifest
  std::unique_ptr<Envelope> envelope;  // of an encrypted one
  std::uint64_t records = 0;
  std::string content;  // of the frame that is being written; like `memory` kept for the next one
  io::Scratch memory;

  // Line side; taken inside output_mutex, never around it.
  std::mutex line_mutex;
  std::condition_variable wake;
  std::string lines;
  std::uint64_t pending = 0;
  std::optional<RunError> failure;
  bool stopping = false;
  std::thread timer;

  State(std::filesystem::path p, Header h) : path(std::move(p)), header(std::move(h)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { stop_timer(); }

  void open(Restart restart);
  void open_pipe();
  void start_over();
  void refuse_other_stage(const Header& there) const;
  void protect_inputs();
  void resume();
  void adopt(Chain& chain);
  void run_timer();
  void stop_timer();
  bool is_full() const { return lines.size() >= kFlushBytes || pending >= kFlushRecords; }
  void throw_if_failed() const {
    if (failure) throw *failure;
  }
  /// Whether this run began the file and nothing but the header is in it.
  bool is_bare() const {
    return fd && !to_pipe && !resumed && !committed && !complete && frames.size() == 1 && records == 0 && lines.empty();
  }
  void withdraw();
  enum class Durable { now, later };
  void flush(bool only_if_full, Durable durable = Durable::now);
  void write_frame(std::string_view content_lines, Durable durable = Durable::now, std::string_view closing = {});
  void put(std::size_t number, ByteView bytes);
  void seal_to_key();
  [[nodiscard]] std::uint64_t physical() const { return envelope ? Envelope::physical(offset, frames.size()) : offset; }
  void sync();
  template <typename F>
  void guarded(F step);
};

/// Runs an output step; a failure of it is the writer's last: the descriptor is closed and every later call throws.
template <typename F>
void Writer::State::guarded(F step) {
  const auto die = [&](const RunError& error) {
    fd.reset();
    const std::lock_guard lock(line_mutex);
    if (!failure) failure = error;
  };
  try {
    step();
  } catch (const RunError& error) {
    die(error);
    throw;
  } catch (const std::exception& error) {
    die(RunError(Exit::internal, "cannot write manifest " + path_to_text(path.native()) + ": " + error.what()));
    throw_if_failed();
  }
}

/// Record `number` of an encrypted manifest, or the bytes as they are.
void Writer::State::put(std::size_t number, ByteView bytes) {
  io::write_all(fd.get(), envelope ? envelope->seal(static_cast<std::uint32_t>(number), bytes) : bytes, path);
  offset += bytes.size();
}

/// Begins an encrypted file where one is asked for.
void Writer::State::seal_to_key() {
  envelope.reset();
  const auto& key = keys_in_use().write_to;
  if (!key) return;
  envelope = std::make_unique<Envelope>(*key);
  io::write_all(fd.get(), envelope->head(), path);
}

void Writer::State::sync() {
  if (!to_pipe) return io::sync_data(fd.get(), path);
  // Standard output may be a file, then it is synced; a pipe or terminal has nothing to sync.
  if (::fdatasync(fd.get()) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
    io::throw_errno("sync", path, errno);
}

/// Writes a frame of lines, synced and marked unless the caller is about to sync. `closing` is an end line: then the
/// trailer follows.
void Writer::State::write_frame(std::string_view content_lines, Durable durable, std::string_view closing) {
  content.clear();
  if (!frames.empty()) content = block_line(frames.size(), last) + "\n";
  content += content_lines;
  content += closing;
  const ByteView bytes = encode_frame(content, memory);
  last = Sha256::of(bytes);
  frames.push_back({static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(content.size())});
  put(frames.size() - 1, bytes);
  if (!closing.empty()) put(frames.size(), render_trailer(frames, last));
  if (durable == Durable::later) return;
  sync();
  if (!to_pipe) write_mark(path, {offset, frames.size(), last.hex()});
}

void Writer::State::flush(bool only_if_full, Durable durable) {
  const std::lock_guard output(output_mutex);
  std::string taken;
  {
    const std::lock_guard lock(line_mutex);
    throw_if_failed();
    if (only_if_full && !is_full()) return;
    taken.swap(lines);
    lines.reserve(taken.size() + taken.size() / 8);  // the next frame will be about as large
    pending = 0;
  }
  guarded([&] {
    std::string_view rest = taken;
    while (!rest.empty()) {
      const std::string_view part = frame_of(rest);
      write_frame(part, durable);
      records += count_lines(part);
      rest.remove_prefix(part.size());
    }
  });
}

void Writer::State::run_timer() {
  std::unique_lock lock(line_mutex);
  for (;;) {
    wake.wait_for(lock, kCommitInterval, [&] { return stopping || (is_full() && !failure); });
    if (stopping) return;
    if (lines.empty() || failure) continue;
    lock.unlock();
    try {
      flush(false);
    } catch (const RunError&) {  // kept in `failure`; the next call throws it
    }
    lock.lock();
  }
}

void Writer::State::stop_timer() {
  {
    const std::lock_guard lock(line_mutex);
    stopping = true;
  }
  wake.notify_all();
  if (timer.joinable()) timer.join();
}

void Writer::State::open_pipe() {
  to_pipe = true;
  fd.reset(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!fd) io::throw_errno("write", "standard output", errno);
  path = "standard output";
  seal_to_key();
  write_frame(to_json(header) + "\n");
}

void Writer::State::start_over() {
  if (std::filesystem::exists(std::filesystem::symlink_status(mark_path(path)))) {  // gone before what it tells of
    remove_mark(path);
    io::sync_folder(io::folder_of(path));
  }
  if (::ftruncate(fd.get(), 0) != 0) io::throw_errno("empty", path, errno);
  if (::lseek(fd.get(), 0, SEEK_SET) < 0) io::throw_errno("seek in", path, errno);
  seal_to_key();
  write_frame(to_json(header) + "\n");
  io::sync_all(fd.get(), path);
  io::sync_folder(io::folder_of(path));
}

/// A run that was refused before its first record leaves nothing that would stand in the way of the corrected command.
void Writer::State::withdraw() {
  remove_mark(path);
  ::unlink(path.c_str());
}

void Writer::State::refuse_other_stage(const Header& there) const {
  if (there.stage == header.stage) return;
  throw RunError(Exit::usage, path_to_text(path.native()) + " is a manifest of " + there.stage + ", not of " +
                                  header.stage + "; name another output");
}

/// Starting over empties the file. A slip of the hand must not cost another stage's manifest, or one that this run
/// reads.
void Writer::State::protect_inputs() {
  std::optional<Header> there;
  bool is_input = false;
  try {
    Chain chain(io::Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)), path, read_mark(path));
    const auto first = chain.next();
    if (!first) return;
    there = parse_header(first->substr(0, first->find('\n')), path);
    while (there->stage == header.stage && !header.inputs.empty() && chain.next()) {
    }
    is_input = chain.complete() && std::any_of(header.inputs.begin(), header.inputs.end(),
                                               [&](const Input& input) { return input.head == chain.head().hex(); });
  } catch (const RunError&) {  // damaged or not to be decrypted: what starting over is for
  }
  if (there) refuse_other_stage(*there);
  if (is_input)
    throw RunError(Exit::usage, path_to_text(path.native()) + " is what this run reads; name another output");
}

void Writer::State::adopt(Chain& chain) {
  resumed = true;
  frames = chain.frames();
  last = chain.last();
  offset = chain.offset();
  if (Envelope* sealed = chain.envelope()) envelope = std::make_unique<Envelope>(sealed->head(), path);
  if (chain.torn()) {
    keep_torn(fd.get(), path, physical());
    if (::ftruncate(fd.get(), static_cast<off_t>(physical())) != 0)
      io::throw_errno("cut the torn tail of", path, errno);
  }
  if (::lseek(fd.get(), static_cast<off_t>(physical()), SEEK_SET) < 0) io::throw_errno("seek in", path, errno);
  io::sync_all(fd.get(), path);
  write_mark(path, {offset, frames.size(), last.hex()});
  if (!chain.torn()) return;
  JsonWriter w;
  w.begin_object().member("kind", "recovered").member("bytes", chain.torn_bytes()).end_object();
  write_frame(w.str() + "\n");
  ++records;
}

void Writer::State::resume() {
  Chain chain(io::Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)), path, read_mark(path));
  const auto first = chain.next();
  if (!first) {  // the very first frame was torn: nothing was ever confirmed
    keep_torn(fd.get(), path, 0);
    return start_over();
  }
  const Header there = parse_header(first->substr(0, first->find('\n')), path);
  refuse_other_stage(there);
  const std::string difference = header_difference(there, header);
  if (!difference.empty()) {
    throw RunError(Exit::usage, "cannot continue " + path_to_text(path.native()) +
                                    ", it was begun with other settings (" + difference +
                                    "); use the same settings, name another output, or start over with --restart");
  }
  const auto& key = keys_in_use().write_to;
  const Envelope* sealed = chain.envelope();
  if ((sealed == nullptr) != (key == nullptr) || (sealed != nullptr && sealed->key_id() != key->id())) {
    throw RunError(Exit::usage,
                   "cannot continue " + path_to_text(path.native()) + ", it was begun " +
                       (sealed == nullptr ? "without encryption" : "encrypted to key " + sealed->key_id()) +
                       "; give the same --encrypt-to, or start over with --restart");
  }
  records = count_lines(*first) - 1;
  while (const auto next = chain.next()) records += count_lines(*next);
  if (!chain.complete()) return adopt(chain);
  complete = true;
  resumed = true;
  remove_mark(path);
}

void Writer::State::open(Restart restart) {
  if (path == "-") return open_pipe();
  fd = open_locked(path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) io::throw_errno("examine", path, errno);
  Bytes head(std::min<std::size_t>(4, static_cast<std::size_t>(info.st_size)));
  if (!head.empty() && ::pread(fd.get(), head.data(), head.size(), 0) < 0) io::throw_errno("read", path, errno);
  if (measure_frame(head).shape == Shape::invalid && !is_sealed(head) && !read_mark(path)) {
    throw RunError(Exit::usage,
                   path_to_text(path.native()) + " exists and is no manifest; name another output or remove it");
  }
  const bool nothing_there = info.st_size == 0 && !read_mark(path);
  if (nothing_there) {
    try {
      return start_over();
    } catch (...) {  // what holds nothing would stand in the way of the same command
      try {
        withdraw();
      } catch (const RunError&) {  // then it stays, and is resumable
      }
      throw;
    }
  }
  if (restart == Restart::no) return resume();
  protect_inputs();
  start_over();
}

Writer::Writer(const std::filesystem::path& path, Header header, Restart restart)
    : state_(std::make_unique<State>(path, std::move(header))) {
  state_->open(restart);
  if (!state_->complete) state_->timer = std::thread([state = state_.get()] { state->run_timer(); });
}

Writer::~Writer() {
  if (!state_) return;
  state_->stop_timer();
  try {
    if (state_->is_bare())
      state_->withdraw();
    else if (!state_->complete)
      state_->flush(false);
  } catch (const std::exception&) {  // what was confirmed before stays resumable
  }
}

Writer::Writer(Writer&&) noexcept = default;

Writer& Writer::operator=(Writer&& other) noexcept {
  Writer old(std::move(other));
  state_.swap(old.state_);
  return *this;
}

bool Writer::resumed() const noexcept { return state_->resumed; }
bool Writer::already_complete() const noexcept { return state_->complete; }
const std::filesystem::path& Writer::path() const noexcept { return state_->path; }

void Writer::append(std::string_view json_line) {
  const std::string_view kind = kind_of(json_line);
  if (kind.empty() || kind == "header" || kind == "block" || kind == "end" || kind == "signature")
    misused("a line of no record kind");
  if (json_line.find('\n') != std::string_view::npos) misused("a line feed inside a record");
  if (json_line.size() > kMaxLine) misused("a record of " + std::to_string(json_line.size()) + " bytes");
  bool full = false;
  bool behind = false;
  {
    const std::lock_guard lock(state_->line_mutex);
    state_->throw_if_failed();
    if (state_->complete) misused("a record after the end");
    state_->lines += json_line;
    state_->lines += '\n';
    ++state_->pending;
    full = state_->is_full();
    behind = state_->pending >= 2 * kFlushRecords || state_->lines.size() >= 2 * kFlushBytes;
  }
  // The writer's own thread compresses and syncs while the caller goes on; one that is a frame ahead waits for it.
  if (behind)
    state_->flush(true);
  else if (full)
    state_->wake.notify_all();
}

void Writer::commit() {
  state_->flush(false);
  state_->committed = true;
}

void Writer::finish(std::string_view counts, const std::vector<Input>& streams) {
  State& s = *state_;
  if (s.complete) misused("a second end");
  check_streams(s.header, streams);
  {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(counts.data(), counts.size()).get(object) != simdjson::SUCCESS)
      misused("counts are no JSON object");
  }
  s.stop_timer();
  s.flush(false, State::Durable::later);  // one wait for the disk is enough for the last two frames
  const std::lock_guard output(s.output_mutex);
  s.guarded([&] {
    JsonWriter w;
    w.begin_object().member("kind", "end").member("state", "complete").member("records", s.records);
    w.key("counts").raw(counts);
    if (!streams.empty()) write_inputs(w, streams);
    w.member("prev", s.last.hex()).end_object();
    s.write_frame({}, State::Durable::later, w.str() + "\n");
    if (s.to_pipe) return s.sync();
    io::sync_all(s.fd.get(), s.path);
    io::sync_folder(io::folder_of(s.path));
    remove_mark(s.path);
  });
  const std::lock_guard lock(s.line_mutex);
  s.complete = true;
}

}  // namespace waybill::manifest
