// SPDX-License-Identifier: Apache-2.0
#include "archive/supply.hpp"

namespace waybill::archive {

Supply::Supply(const std::vector<std::string>& sources, const Selection& selection, Judge judge)
    : walk_(sources), selection_(selection), judge_(std::move(judge)) {}

std::optional<Entry> Supply::next() {
  fill();
  if (ahead_.empty()) return std::nullopt;
  Entry entry = std::move(ahead_.front());
  ahead_.pop_front();
  return entry;
}

void Supply::fill() {
  while (!ended_ && ahead_.size() < kAhead) {
    auto entry = walk_.next();
    if (!entry) {
      ended_ = true;
      return;
    }
    if (!selection_.in_shard(*entry)) continue;
    const Plan plan = judge_(*entry);
    if (plan == Plan::pass_over) continue;
    if (plan == Plan::read && entry->kind == EntryKind::file && !selection_.excluded(*entry))
      read_ahead_.want(entry->path);
    ahead_.push_back(*std::move(entry));
  }
}

}  // namespace waybill::archive
