// SPDX-License-Identifier: Apache-2.0
#include "cli/run_tool.hpp"

#include "cli/usage.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/version.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <thread>

namespace waybill::cli {
namespace {

constexpr unsigned kMostThreads = 1024;

/// Files private to their owner and no memory image on disk: both would show patient data.
void guard_process() {
  umask(077);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);  // the limit alone does not hold where the kernel pipes cores to a program
}

/// Objects of some megabytes come and go by the thousand; given back to the system each time, their pages would be
/// cleared anew for each, which costs as much as reading them.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc takes
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

/// Occupies closed standard descriptors, so that a manifest never becomes "stdout". Reading-only for 1: a write to it
/// is then an error that check_stdout reports, not a silent loss.
void fill_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) < 0) {
      std::_Exit(static_cast<int>(Exit::internal));
    }
  }
}

/// Text for a terminal: no control characters, so a file name cannot move the cursor.
std::string printable(std::string_view text) {
  std::string out = repair_utf8(text);
  for (char& c : out) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20 || u == 0x7F) c = ' ';
  }
  return out;
}

bool wants_json(const CLI::App& app) {
  const CLI::Option* option = app.get_option_no_throw("--json");
  return option != nullptr && option->count() > 0;
}

int report(const CLI::App& app, Exit exit, std::string_view what) {
  std::string line;
  if (wants_json(app)) {
    JsonWriter json;
    json.begin_object().member("tool", spoken_name(app)).member("exit", static_cast<int>(exit)).member("error", what);
    json.end_object();
    line = std::move(json).str();
  } else {
    line = spoken_name(app) + ": " + printable(what);
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
  return static_cast<int>(exit);
}

/// Why standard output did not take everything; `error` is errno, 0 where it was lost.
std::string why_stdout_failed(int error) {
  pollfd out{STDOUT_FILENO, 0, 0};
  if (error == EPIPE || (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0))
    return "its reader ended before; let it read to the end, or write to a file";
  return (error == 0 ? "write error" : std::string(std::strerror(error))) + "; direct it elsewhere and run again";
}

/// Output that did not arrive is an error even when all the work succeeded.
int check_stdout(const CLI::App& app, int code) {
  errno = 0;
  std::cout.flush();
  const bool arrived = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
  if (arrived || code > static_cast<int>(Exit::exceptions)) return code;
  return report(app, Exit::input, "cannot write all of the output to stdout: " + why_stdout_failed(errno));
}

int run_guarded(const CLI::App& app, const std::function<Exit()>& run) {
  try {
    return static_cast<int>(run());
  } catch (const RunError& error) {
    return report(app, error.exit(), error.what());
  } catch (const std::bad_alloc&) {
    return report(app, Exit::internal, "out of memory; run again with fewer --threads or more memory");
  } catch (const std::filesystem::filesystem_error& error) {
    return report(app, Exit::input, std::string(error.what()) + "; check the path and its rights");
  } catch (const std::exception& error) {
    return report(app, Exit::internal, std::string("internal error: ") + error.what() + "; please report it");
  }
}

int parse_and_run(CLI::App& app, int argc, char** argv, const std::function<Exit()>& run) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);  // --help, --version
    return report(app, Exit::usage, usage_error(app, error));
  }
  return run_guarded(app, run);
}

}  // namespace

int run_tool(CLI::App& app, int argc, char** argv, const std::function<Exit()>& run) {
  fill_standard_descriptors();
  guard_process();
  keep_freed_memory();
  install_stop_handlers();
  if (app.get_name().empty() && argc > 0) app.name(std::filesystem::path(argv[0]).filename().string());
  if (app.get_option_no_throw("--version") == nullptr) {
    app.set_version_flag("--version", std::string(kToolName), "Print the version and exit");
  }
  return check_stdout(app, parse_and_run(app, argc, argv, run));
}

void add_common(CLI::App& app, Common& common) {
  app.add_option("--threads", common.threads, "Worker threads, 0 for all cores")->check(CLI::Range(0U, kMostThreads));
  app.add_flag("--json", common.json, "Print the summary as one JSON object on stdout");
  app.add_flag("--show-phi", common.show_phi, "Show names, patient ids and birth dates instead of keyed hashes");
  app.add_flag("--restart", common.restart, "Start over instead of continuing an existing output");
  app.add_flag("--quiet", common.quiet, "Show no progress");
}

unsigned worker_count(const Common& common) {
  if (common.threads > 0) return common.threads;
  const unsigned cores = std::thread::hardware_concurrency();
  return cores == 0 ? 1 : cores;
}

}  // namespace waybill::cli
