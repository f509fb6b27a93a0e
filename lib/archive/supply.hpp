// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/read_ahead.hpp"
#include "archive/selection.hpp"
#include "archive/walk.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace waybill::archive {

/// What is to happen with an entry of the walk.
enum class Plan {
  pass_over,  ///< not handed out
  keep,       ///< handed out, its bytes are not needed
  read,
};

/// The entries of a walk that belong to this run, in walk order; keeps some entries ahead of its caller and has them
/// fetched meanwhile. Single-threaded.
class Supply {
 public:
  using Judge = std::function<Plan(Entry&)>;

  /// Throws RunError(Exit::input) for a source that does not exist. `judge` is asked once for every entry of the shard,
  /// in walk order. `selection` must outlive the object.
  Supply(const std::vector<std::string>& sources, const Selection& selection, Judge judge);
  [[nodiscard]] std::optional<Entry> next();

 private:
  void fill();

  static constexpr std::size_t kAhead = 64;
  Walk walk_;
  const Selection& selection_;
  Judge judge_;
  std::deque<Entry> ahead_;
  bool ended_ = false;
  ReadAhead read_ahead_;
};

}  // namespace waybill::archive
