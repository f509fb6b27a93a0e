// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <thread>

namespace waybill::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kTerminalPeriod = std::chrono::milliseconds(250);
constexpr auto kLogPeriod = std::chrono::minutes(1);
constexpr std::size_t kBarWidth = 20;

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

struct Counts {
  std::uint64_t objects, bytes, exceptions;
};

std::string duration(std::uint64_t seconds) {
  char text[48];
  std::snprintf(text, sizeof text, "%llu:%02llu:%02llu", static_cast<unsigned long long>(seconds / 3600),
                static_cast<unsigned long long>(seconds / 60 % 60), static_cast<unsigned long long>(seconds % 60));
  return text;
}

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "] ";
}

std::string rates(const Counts& now, double seconds) {
  const double per_second = seconds > 0 ? 1.0 / seconds : 0.0;
  char text[96];
  std::snprintf(text, sizeof text, ", %.0f objects/s, %.1f MB/s", static_cast<double>(now.objects) * per_second,
                static_cast<double>(now.bytes) * per_second / 1e6);
  return text;
}

/// "scan: [####................] 1200/6000 objects, 310 objects/s, 42.1 MB/s, ETA 0:00:16, 3 exceptions"
std::string status_line(const std::string& label, std::uint64_t total, const Counts& now, double seconds,
                        bool with_bar) {
  std::string line = label + ": ";
  const double share = total == 0 ? 0.0 : std::min(1.0, static_cast<double>(now.objects) / static_cast<double>(total));
  if (with_bar && total != 0) line += bar(share);
  line += std::to_string(now.objects);
  if (total != 0) line += "/" + std::to_string(total);
  line += " objects" + rates(now, seconds);
  if (total > now.objects && now.objects > 0) {
    line += ", ETA " + duration(static_cast<std::uint64_t>(seconds / share * (1.0 - share)));
  }
  return line + ", " + std::to_string(now.exceptions) + " exceptions";
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace

struct Progress::State {
  std::string label;
  std::uint64_t total = 0;
  bool terminal = false;
  Clock::time_point start = Clock::now();
  std::atomic<std::uint64_t> objects{0}, bytes{0}, exceptions{0};
  std::mutex mutex;
  std::condition_variable wake;
  bool done = false;
  std::thread painter;

  [[nodiscard]] std::string line(bool with_bar) const {
    const Counts now{objects.load(), bytes.load(), exceptions.load()};
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return status_line(label, total, now, seconds, with_bar);
  }

  void paint() {
    std::unique_lock lock(mutex);
    const auto ended = [this] { return done; };
    while (!(terminal ? wake.wait_for(lock, kTerminalPeriod, ended) : wake.wait_for(lock, kLogPeriod, ended))) {
      print(terminal ? "\r\x1b[K" + line(true) : line(false) + "\n");
    }
    if (terminal) print("\r\x1b[K");
    if (objects.load() > 0) print(line(false) + "\n");  // of a run that was refused its error is all there is to say
  }
};

Progress::Progress(std::string label, std::uint64_t total, bool quiet) : state_(std::make_unique<State>()) {
  state_->label = std::move(label);
  state_->total = total;
  state_->terminal = stderr_is_terminal();
  if (!quiet) state_->painter = std::thread([state = state_.get()] { state->paint(); });
}

Progress::~Progress() {
  if (!state_->painter.joinable()) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->done = true;
  }
  state_->wake.notify_one();
  state_->painter.join();
}

void Progress::add(std::uint64_t objects, std::uint64_t bytes, std::uint64_t exceptions) noexcept {
  state_->objects.fetch_add(objects, std::memory_order_relaxed);
  state_->bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (exceptions != 0) state_->exceptions.fetch_add(exceptions, std::memory_order_relaxed);
}

}  // namespace waybill::cli
