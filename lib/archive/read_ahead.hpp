// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace waybill::archive {

/// Asks the system to fetch files that will be read soon, so that the latency of a network file system or a slow disk
/// is waited for by many files at once and not by one worker a file. Only a hint: no byte is kept here, errors are
/// left for the real read. Fast storage needs none of it, so fetches are timed, and while their mean is below kFast
/// most hints are dropped.
class ReadAhead {
 public:
  static constexpr std::size_t kThreads = 16;
  static constexpr std::chrono::microseconds kFast{200};

  ReadAhead();
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// Never waits. The one thread that walks calls it.
  void want(const std::string& path);

 private:
  void serve(const std::stop_token& stop);
  void fetch(const std::string& path);

  std::mutex mutex_;  // guards what stands below
  std::condition_variable_any wake_;
  std::deque<std::string> wanted_;
  std::chrono::duration<double, std::micro> mean_{0};  // of a fetch, decaying
  std::size_t asked_ = 0;
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace waybill::archive
