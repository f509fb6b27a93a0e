// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/descriptor.hpp"

#include <filesystem>

namespace waybill::sync {

/// Keeps a second run out of a project, as long as the object lives and as long as a stage that it started still runs:
/// stages inherit the lock, so after a kill the next run waits for what is still being committed. The lock is the
/// kernel's (flock), so one of a process that died is none; the file says in JSON who holds it.
class Lock {
 public:
  /// Makes the file when it is not there. Throws RunError(Exit::interrupted) that names the holder when there is one.
  explicit Lock(const std::filesystem::path& file);

 private:
  io::Descriptor fd_;
};

}  // namespace waybill::sync
