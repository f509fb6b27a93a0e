// SPDX-License-Identifier: Apache-2.0
#include "archive/read_ahead.hpp"

#include "io/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace waybill::archive {

ReadAhead::ReadAhead() = default;

ReadAhead::~ReadAhead() {
  for (std::jthread& thread : threads_) thread.request_stop();
  wake_.notify_all();
}

void ReadAhead::want(const std::string& path) {
  constexpr std::size_t kSample = 64;  // on fast storage one file in so many is timed still
  {
    const std::lock_guard lock(mutex_);
    if (mean_ < kFast && asked_++ % kSample != 0) return;
    wanted_.push_back(path);
    const std::size_t threads = mean_ < kFast ? 1 : kThreads;
    while (threads_.size() < threads) {
      threads_.emplace_back([this](const std::stop_token& stop) { serve(stop); });
    }
  }
  wake_.notify_one();
}

void ReadAhead::serve(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stop, [this] { return !wanted_.empty(); })) {
    const std::string path = std::move(wanted_.front());
    wanted_.pop_front();
    lock.unlock();
    fetch(path);
    lock.lock();
  }
}

void ReadAhead::fetch(const std::string& path) {
  const auto start = std::chrono::steady_clock::now();
  const io::Descriptor fd = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd) {
    (void)::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_WILLNEED);
    char first = 0;  // waits until the first bytes are there, which is the latency to hide
    (void)!::pread(fd.get(), &first, 1, 0);
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  const std::lock_guard lock(mutex_);
  mean_ = mean_ * 0.75 + took * 0.25;
}

}  // namespace waybill::archive
