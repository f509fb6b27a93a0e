// SPDX-License-Identifier: Apache-2.0
#include "transcode/pool.hpp"

#include "core/text.hpp"
#include "transcode/buffers.hpp"
#include "transcode/message.hpp"
#include "transcode/serve.hpp"
#include "transcode/wire.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <new>
#include <system_error>
#include <type_traits>

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace waybill::transcode {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

struct Allowance {
  std::uint64_t memory = 0, seconds = 0;
};

Allowance allowance(const CodecLimits& limits, const pixel::PixelData& data) {
  const std::uint64_t frame = frame_size(data.info);
  const std::uint64_t all = pixel::native_length(data.info).value_or(frame);
  return {limits.memory + 16 * frame + 4 * all + 2 * data.value.size(), limits.seconds + 5 * (all / kMiB)};
}

/// How a process ended, as the reason why an object keeps its source.
Failure ended_by(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGXCPU) return {Fault::limit, "a codec ran longer than an object of its size may take"};
    return {Fault::limit, "a codec crashed (signal " + std::to_string(signal) + ")"};
  }
  return {Fault::limit, "a codec ended its process (exit code " + std::to_string(WEXITSTATUS(status)) + ")"};
}

}  // namespace

/// One codec process with its memory. One thread at a time.
class CodecPool::Process {
 public:
  explicit Process(const std::filesystem::path& program)
      : requests_(Region::create("waybill-requests")), answers_(Region::create("waybill-answers")) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw RunError(Exit::input, "cannot talk to a codec process: " + std::generic_category().message(errno));
    socket_.reset(ends[0]);
    const io::Descriptor low(ends[1]);
    const io::Descriptor theirs(::fcntl(low.get(), F_DUPFD_CLOEXEC, 16));
    start(program, theirs.get());
  }

  ~Process() {
    end();
    if (pid_ > 0) (void)wait();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] Region& requests() noexcept { return requests_; }

  /// The answer to the first `size` bytes of requests(), which may speak of all `buffers`. After a Failure the process
  /// is gone.
  Result<ByteView> ask(std::uint64_t size, const Buffers& buffers, std::uint64_t seconds) {
    const auto fresh = buffers.since(known_);
    if (!send_message(socket_.get(), size, fresh)) return ended_by(wait());
    known_ += fresh.size();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd ready{socket_.get(), POLLIN, 0};
      const int n =
          left.count() > 0 ? ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 1 << 30))) : 0;
      if (n < 0 && errno == EINTR) continue;
      if (n == 0) {
        ::kill(pid_, SIGKILL);
        (void)wait();
        hung_ = true;
        return Failure{Fault::limit, "a codec did not answer in time"};
      }
      break;
    }
    std::uint64_t answer = 0;
    if (::recv(socket_.get(), &answer, sizeof(answer), 0) != static_cast<ssize_t>(sizeof(answer))) {
      Failure failure = ended_by(wait());
      hung_ = failure.what.find("longer") != std::string::npos;
      return failure;
    }
    const ByteView view = answers_.view(answer);
    if (view.empty()) return Failure{Fault::limit, "a codec had no memory to answer"};
    return view;
  }

  /// Between two requests it holds nothing that its own end would have to tidy up.
  void end() noexcept {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
  }
  [[nodiscard]] bool gone() const noexcept { return pid_ <= 0; }
  [[nodiscard]] bool hung() const noexcept { return hung_; }
  void release() noexcept {
    // Large messages are rare, and their memory is more than a core may keep.
    constexpr std::size_t kKept = std::size_t{8} << 20U;
    requests_.release(kKept);
    answers_.release(kKept);
  }

 private:
  void start(const std::filesystem::path& program, int socket) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, kSocket);
    posix_spawn_file_actions_adddup2(&actions, requests_.fd(), kRequests);
    posix_spawn_file_actions_adddup2(&actions, answers_.fd(), kAnswers);
    // Frames of megabytes come and go: in large pages, kept from one to the next up to 32 MiB, or the system clears
    // and maps thousands of small ones for each. More than that would add up to more than the largest object.
    std::string tunables =
        "GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=33554432";
    std::vector<char*> environment;
    for (char** at = environ; *at != nullptr; ++at)
      if (!std::string_view(*at).starts_with("GLIBC_TUNABLES=")) environment.push_back(*at);
    environment.push_back(tunables.data());
    environment.push_back(nullptr);
    std::string name = program.string();
    std::array<char*, 2> arguments{name.data(), nullptr};
    // Ctrl-C reaches the whole group: a codec process ends with its owner, not before.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int error =
        ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, arguments.data(), environment.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
      throw RunError(Exit::internal,
                     "cannot start " + path_to_text(program.string()) + ": " + std::generic_category().message(error));
  }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

  Region requests_;
  Region answers_;
  io::Descriptor socket_;
  pid_t pid_ = 0;
  std::size_t known_ = 0;  // buffers it has the descriptors of
  bool hung_ = false;
};

struct CodecPool::State {
  std::filesystem::path program;
  CodecLimits limits;
  mutable std::mutex mutex;
  std::vector<std::unique_ptr<Process>> idle;
  Buffers buffers;  // goes before it is waited for the processes, which end at the same time

  std::unique_ptr<Process> take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        auto process = std::move(idle.back());
        idle.pop_back();
        return process;
      }
    }
    return std::make_unique<Process>(program);
  }

  void give(std::unique_ptr<Process> process) noexcept {
    if (process->gone()) return;
    process->release();
    try {
      const std::lock_guard lock(mutex);
      idle.push_back(std::move(process));
    } catch (const std::bad_alloc&) {  // then it ends here
    }
  }
};

CodecPool::CodecPool(std::filesystem::path program, CodecLimits limits, unsigned ahead)
    : state_(std::make_shared<State>()) {
  state_->program = std::move(program);
  state_->limits = limits;
  for (unsigned i = 0; i < ahead; ++i) state_->idle.push_back(std::make_unique<Process>(state_->program));
}

CodecPool::~CodecPool() {
  for (const auto& process : state_->idle) process->end();  // all of them before any is waited for
}

std::unique_ptr<Buffer> CodecPool::buffer() { return state_->buffers.lend(); }

template <typename T>
Result<T> CodecPool::call(const pixel::PixelData& source, const pixel::PixelData* written, const std::string& syntax,
                          Result<T> (*read)(ByteView)) {
  const Allowance may = allowance(state_->limits, source);
  Request request{source, std::nullopt, syntax, may.memory, may.seconds};
  if (written != nullptr) request.written = *written;
  for (bool again = false;; again = true) {
    auto process = state_->take();
    const std::size_t size =
        put(process->requests(), request, [&](ByteView bytes) { return state_->buffers.find(bytes); });
    if (size == 0)
      throw RunError(
          Exit::input,
          "no shared memory for the pixels of an object; free memory, use fewer --threads or raise the limit of "
          "file sizes (ulimit -f), which bounds it too");
    const auto answer = process->ask(size, state_->buffers, (may.seconds + 1) * state_->limits.wall_factor);
    if (answer) {
      Result<T> out = read(*answer);
      if constexpr (std::is_same_v<T, Encoded>) {
        if (out) {
          // The answer stands in the memory of the process, which takes other work when that is let go.
          out->memory = std::shared_ptr<const Process>(
              process.release(), [state = state_](Process* back) { state->give(std::unique_ptr<Process>(back)); });
          return out;
        }
      }
      state_->give(std::move(process));
      return out;
    }
    if (again || process->hung() || !process->gone()) return answer.error();
  }
}

Result<Encoded> CodecPool::encode(const pixel::PixelData& data, const std::string& syntax) {
  return call<Encoded>(data, nullptr, syntax, get_encoded);
}

Result<std::string> CodecPool::compare(const pixel::PixelData& source, const pixel::PixelData& written) {
  return call<std::string>(source, &written, {}, get_name);
}

std::vector<pid_t> CodecPool::idle() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<pid_t> out;
  for (const auto& process : state_->idle) out.push_back(process->pid());
  return out;
}

std::filesystem::path codec_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  auto program = self.parent_path() / "waybill_codec";
  if (error || !std::filesystem::exists(program))
    throw RunError(Exit::internal, "waybill_codec is not beside " + path_to_text(self.string()) + "; install it there");
  return program;
}

}  // namespace waybill::transcode
