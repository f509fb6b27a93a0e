// SPDX-License-Identifier: Apache-2.0
#include "commit/ledger.hpp"

#include "core/clock.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace waybill::commit {

using manifest::Commitment;

namespace {

constexpr std::string_view kInNeither = "in neither list of the report";
constexpr std::string_view kInBoth = "in both lists of the report";

/// Whether asking again may help: not where the archive says that it never will commit itself to this.
bool may_pass(std::string_view reason) { return !reason.starts_with("0122") && !reason.starts_with("0119"); }

Commitment step_of(const std::string& transaction, const char* state) {
  Commitment step;
  step.transaction = transaction;
  step.state = state;
  step.at = utc_now();
  return step;
}

}  // namespace

std::string new_transaction() {
  unsigned __int128 number = 0;
  for (const char c : random_uuid()) {
    if (c == '-') continue;
    number = number * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  std::string digits;
  for (; number != 0; number /= 10) digits += static_cast<char>('0' + static_cast<int>(number % 10));
  std::ranges::reverse(digits);
  return "2.25." + digits;
}

void Ledger::say(const std::string& text) const {
  if (options_.say) options_.say(text);
}

void Ledger::append(const Commitment& step) { books_.append(to_json(step)); }

void Ledger::replay_item(Item item) {
  const std::string uid = item.sop_instance;
  if (waiting_.emplace(uid, std::move(item)).second) ++counts_.open;
}

void Ledger::replay(const Commitment& step) {
  if (step.state == "requested") {
    Open& open = open_[step.transaction];
    for (const auto& asked : step.objects) {
      const auto known = waiting_.find(asked.sop_instance);
      Item item{asked.id, step.study, asked.sop_class, asked.sop_instance, 0};
      known == waiting_.end() ? void(++counts_.open) : void(item.requests = known->second.requests);
      if (known != waiting_.end()) waiting_.erase(known);
      ++item.requests;
      open.items.push_back(std::move(item));
    }
    return;
  }
  if (step.state == "contradicted") ++counts_.contradictions;
  const auto found = open_.find(step.transaction);
  if (found == open_.end()) return;
  if (step.state == "accepted") {
    found->second.accepted = true;
    return;
  }
  const std::vector<Item> items = std::move(found->second.items);
  open_.erase(found);
  auto& failures = ended_[step.transaction];
  std::map<std::string, std::string> failed(step.failed.begin(), step.failed.end());
  for (const auto& [uid, reason] : step.failed) failures.push_back(uid);
  for (Item item : items) {
    const auto reason = failed.find(item.sop_instance);
    if (step.state != "reported") --item.requests;
    if (step.state != "reported") {
      waiting_.emplace(item.sop_instance, item);
    } else {
      settle(std::move(item), reason == failed.end() ? "" : reason->second, step.transaction, true);
    }
  }
}

void Ledger::restart() {
  std::vector<std::string> unanswered;
  for (const auto& [transaction, open] : open_) {
    if (!open.accepted) unanswered.push_back(transaction);
  }
  for (const std::string& transaction : unanswered) abandon(transaction);
  for (auto& [uid, item] : waiting_) gathering_[item.study].push_back(std::move(item));
  waiting_.clear();
  flush_all();
}

void Ledger::add(Item item) {
  ++counts_.open;
  auto& items = gathering_[item.study];
  items.push_back(std::move(item));
  if (items.size() >= limit_) flush(std::string(items.front().study));
}

void Ledger::flush(const std::string& study) {
  const auto found = gathering_.find(study);
  if (found == gathering_.end()) return;
  ready_.push_back(std::move(found->second));
  gathering_.erase(found);
}

void Ledger::flush_all() {
  while (!gathering_.empty()) flush(std::string(gathering_.begin()->first));
}

bool Ledger::has_request(Clock::time_point now) {
  std::map<std::string, std::vector<Item>> due;
  while (!later_.empty() && later_.front().due <= now) {
    due[later_.front().item.study].push_back(std::move(later_.front().item));
    later_.pop_front();
  }
  for (auto& [study, items] : due) ready_.push_back(std::move(items));
  return !ready_.empty();
}

Request Ledger::begin() {
  std::vector<Item> items = std::move(ready_.front());
  ready_.pop_front();
  if (items.size() > limit_) {
    ready_.emplace_front(items.begin() + static_cast<std::ptrdiff_t>(limit_), items.end());
    items.resize(limit_);
  }
  Commitment step = step_of(new_transaction(), "requested");
  step.study = items.front().study;
  for (Item& item : items) {
    ++item.requests;
    step.objects.push_back({item.id, item.sop_class, item.sop_instance});
  }
  const std::string transaction = step.transaction;
  append(step);
  open_[transaction] = {items, false};
  books_.commit();
  return {transaction, std::move(items)};
}

void Ledger::accepted(const std::string& transaction) {
  last_accepted_ = Clock::now();
  const auto found = open_.find(transaction);
  if (found == open_.end()) return;  // its report came before
  found->second.accepted = true;
  append(step_of(transaction, "accepted"));
}

/// The UID is used up; its objects are asked for under another.
void Ledger::burn(const std::string& transaction, Commitment step) {
  const auto found = open_.find(transaction);
  if (found == open_.end()) return;
  std::vector<Item> items = std::move(found->second.items);
  open_.erase(found);
  ended_[transaction];
  append(step);
  for (Item& item : items) --item.requests;
  ready_.push_front(std::move(items));
}

void Ledger::refused(const std::string& transaction, std::uint16_t status) {
  const auto found = open_.find(transaction);
  if (found == open_.end()) return;
  limit_ = std::max<std::size_t>(1, std::min(limit_, found->second.items.size() / 2));
  Commitment step = step_of(transaction, "refused");
  step.status = net::commitment_reason(status).substr(0, 4);
  burn(transaction, std::move(step));
}

void Ledger::abandon(const std::string& transaction) { burn(transaction, step_of(transaction, "abandoned")); }

/// A report of a transaction that has ended: the same again, or one that takes back what the first said.
std::uint16_t Ledger::take_again(const net::CommitmentReport& report) {
  const auto ended = ended_.find(report.transaction);
  if (ended == ended_.end()) {
    say("a report of storage commitment for transaction " + report.transaction +
        ", which is not ours, was left to its owner");
    return net::kUnknownTransaction;
  }
  Commitment step = step_of(report.transaction, "contradicted");
  for (const auto& failure : report.failed) {
    if (std::ranges::count(ended->second, failure.object.sop_instance) != 0) continue;
    step.failed.emplace_back(failure.object.sop_instance, net::commitment_reason(failure.reason));
    ended->second.push_back(failure.object.sop_instance);
  }
  if (step.failed.empty()) return net::kTaken;
  say("the archive takes back its commitment to " + std::to_string(step.failed.size()) + " objects of transaction " +
      report.transaction);
  ++counts_.contradictions;
  append(step);
  books_.commit();
  return net::kTaken;
}

std::uint16_t Ledger::take(const net::CommitmentReport& report) {
  const auto found = open_.find(report.transaction);
  if (found == open_.end()) return take_again(report);
  std::map<std::string, std::string> committed, failed;  // class, reason by SOP Instance UID
  for (const auto& object : report.committed) committed.emplace(object.sop_instance, object.sop_class);
  for (const auto& failure : report.failed)
    failed.emplace(failure.object.sop_instance, net::commitment_reason(failure.reason));
  const auto reason_of = [&](const Item& item) -> std::string {
    const auto good = committed.find(item.sop_instance);
    const auto bad = failed.find(item.sop_instance);
    if (bad != failed.end()) return good == committed.end() ? bad->second : std::string(kInBoth);
    if (good == committed.end()) return std::string(kInNeither);
    return good->second == item.sop_class ? "" : net::commitment_reason(0x0119);
  };
  Commitment step = step_of(report.transaction, "reported");
  std::vector<std::pair<Item, std::string>> judged;
  std::size_t met = 0;
  for (const Item& item : found->second.items) {
    met += committed.count(item.sop_instance) + failed.count(item.sop_instance);
    std::string reason = reason_of(item);
    reason.empty() ? void(++step.committed) : void(step.failed.emplace_back(item.sop_instance, reason));
    judged.emplace_back(item, std::move(reason));
  }
  step.unrequested = report.committed.size() + report.failed.size() - met;
  std::vector<std::string> failures;
  for (const auto& [uid, reason] : step.failed) failures.push_back(uid);
  append(step);
  for (auto& [item, reason] : judged) settle(std::move(item), reason, report.transaction, false);
  open_.erase(found);
  ended_[report.transaction] = std::move(failures);
  books_.commit();
  return net::kTaken;
}

void Ledger::settle(Item item, const std::string& reason, const std::string& transaction, bool replaying) {
  if (reason.empty() || !may_pass(reason) || item.requests >= options_.requests)
    return conclude(std::move(item), reason.empty(), reason, transaction);
  if (!replaying) return later_.push_back({Clock::now() + options_.pause, std::move(item)});
  const std::string uid = item.sop_instance;
  waiting_.emplace(uid, std::move(item));
}

void Ledger::give_up() {
  flush_all();
  for (Later& later : later_) ready_.push_back({std::move(later.item)});
  later_.clear();
  for (auto& [transaction, open] : open_) {
    for (Item& item : open.items) conclude(std::move(item), false, std::string(kNoReport), transaction);
  }
  open_.clear();
  for (auto& items : ready_) {
    for (Item& item : items) conclude(std::move(item), false, std::string(kNoReport), "");
  }
  ready_.clear();
}

void Ledger::conclude(Item item, bool committed, const std::string& reason, const std::string& transaction) {
  --counts_.open;
  ++(committed ? counts_.committed : counts_.failed);
  books_.verdict({std::move(item), committed, reason, transaction});
}

}  // namespace waybill::commit
