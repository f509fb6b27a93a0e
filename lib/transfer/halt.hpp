// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <exception>
#include <mutex>

namespace waybill::transfer {

/// The first error that concerns the whole run; after it no new work is taken. Any thread.
class Halt {
 public:
  void set(std::exception_ptr error);
  [[nodiscard]] bool is_set() const noexcept { return set_.load(); }
  void rethrow() const;

 private:
  std::atomic<bool> set_{false};
  mutable std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace waybill::transfer
