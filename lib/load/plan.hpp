// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transfer/contents.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace waybill::load {

/// Objects of one study that travel together, as indices into Contents::objects.
struct Batch {
  std::string study;
  std::vector<std::size_t> objects;
};

/// What happens to each object: sent in batches, or carried into the output as it is.
struct Plan {
  std::vector<std::size_t> carried;
  std::vector<Batch> batches;
};

inline constexpr std::size_t kBatchObjects = 50;

/// Decides. Objects in bucket instance or pending are sent, unless a finding of S3 or S4 or a second object of the
/// same SOP Instance UID quarantines them (the bucket in `contents` changes). Studies stand in manifest order; in a
/// study images come first, then presentation states, key objects and structured reports (domain rule 8.2).
[[nodiscard]] Plan make_plan(transfer::Contents& contents);

/// 0 images, 1 presentation states, 2 key objects, 3 structured reports.
[[nodiscard]] int load_rank(std::string_view sop_class) noexcept;

}  // namespace waybill::load
