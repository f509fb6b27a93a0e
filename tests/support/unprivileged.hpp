// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace waybill::test {

/// Takes root's rights from the process while it lives, so that a test of missing rights tests them for root, too; the
/// folder and what is in it belong to the other user from then on. Does nothing for a process without those rights.
class Unprivileged {
 public:
  explicit Unprivileged(const std::filesystem::path& folder) : was_root_(::geteuid() == 0) {
    if (!was_root_) return;
    give(folder);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) give(entry.path());
    if (::setegid(kNobody) != 0 || ::seteuid(kNobody) != 0) throw std::runtime_error("cannot become another user");
  }
  ~Unprivileged() {
    if (was_root_ && (::seteuid(0) != 0 || ::setegid(0) != 0)) std::abort();  // later tests would test something else
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  static constexpr unsigned kNobody = 65534;
  static void give(const std::filesystem::path& path) {
    if (::lchown(path.c_str(), kNobody, kNobody) != 0) throw std::runtime_error("cannot give away " + path.string());
  }
  bool was_root_;
};

}  // namespace waybill::test
