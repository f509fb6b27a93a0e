// SPDX-License-Identifier: Apache-2.0
#include "sync/child.hpp"

#include "core/stop.hpp"
#include "io/descriptor.hpp"
#include "transfer/pause.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace waybill::sync {
namespace {

constexpr int kLookMilliseconds = 100;

std::atomic<pid_t> g_child{0};
static_assert(std::atomic<pid_t>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void forward(int signal) {
  const int kept = errno;
  if (const pid_t child = g_child.load(std::memory_order_relaxed); child > 0) (void)::kill(child, signal);
  errno = kept;
}

[[noreturn]] void become(const std::filesystem::path& program, std::vector<char*>& words, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(static_cast<int>(Exit::interrupted));  // it died before the line above
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGXFSZ, SIG_DFL);
  std::signal(SIGUSR1, SIG_DFL);
  std::signal(SIGUSR2, SIG_DFL);
  ::dup2(log, STDOUT_FILENO);
  ::execv(program.c_str(), words.data());
  ::_exit(127);
}

/// Waits for the end of the child, and passes a stop request on once.
int wait_for(pid_t child) {
  const io::Descriptor end(static_cast<int>(
      ::syscall(SYS_pidfd_open, child, 0)));  // readable when it has ended; without one, the time-out serves
  bool told = false;
  for (;;) {
    if (stop_requested() && !told) {
      told = true;
      (void)::kill(child, SIGTERM);
    }
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR)
      throw RunError(Exit::internal,
                     std::string("cannot wait for a stage: ") + std::strerror(errno) + "; please report it");
    pollfd watched{end.get(), POLLIN, 0};
    (void)::poll(&watched, 1, kLookMilliseconds);
  }
}

}  // namespace

void install_forwarding() { transfer::handle_pause_signals(forward); }

Exit run_program(const std::filesystem::path& program, const std::vector<std::string>& words,
                 const std::filesystem::path& log) {
  const io::Descriptor out = io::open_file(log, O_WRONLY | O_CREAT | O_APPEND);
  if (!out) io::throw_errno("write", log, errno);
  std::vector<std::string> all{program.string()};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> arguments(all.size() + 1, nullptr);
  std::transform(all.begin(), all.end(), arguments.begin(), [](std::string& word) { return word.data(); });
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0)
    throw RunError(Exit::internal,
                   std::string("cannot start a process: ") + std::strerror(errno) + "; run again later");
  if (child == 0) become(program, arguments, out.get(), parent);
  g_child.store(child, std::memory_order_relaxed);
  const int status = wait_for(child);
  g_child.store(0, std::memory_order_relaxed);
  const std::string name = program.filename().string();
  if (WIFSIGNALED(status))
    throw RunError(Exit::internal, name + " was ended by signal " + std::to_string(WTERMSIG(status)) +
                                       "; what it had committed is safe, run sync again to continue");
  const int code = WEXITSTATUS(status);
  if (code == 127) throw RunError(Exit::input, "cannot start " + program.string() + "; check the installation");
  return code >= 0 && code <= static_cast<int>(Exit::internal) ? static_cast<Exit>(code) : Exit::internal;
}

std::filesystem::path program_beside(const std::string& name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return self.parent_path() / ("waybill-" + name);
}

}  // namespace waybill::sync
