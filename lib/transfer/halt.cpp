// SPDX-License-Identifier: Apache-2.0
#include "transfer/halt.hpp"

namespace waybill::transfer {

void Halt::set(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  set_.store(true);
}

void Halt::rethrow() const {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

}  // namespace waybill::transfer
