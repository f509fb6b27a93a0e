// SPDX-License-Identifier: Apache-2.0
#include "transfer/throttle.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>

namespace waybill::transfer {

namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw RunError(Exit::usage,
                 "'" + std::string(text) + "' is no limit; write it as 80MB/s, 300obj/s or 80MB/s,300obj/s");
}

double factor_of(std::string_view unit) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"B", 1},    {"kB", 1e3},     {"KB", 1e3},        {"MB", 1e6},
      {"GB", 1e9}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}};
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) return factor;
  }
  return 0;
}

}  // namespace

Limit parse_limit(std::string_view text) {
  Limit limit;
  for (const std::string_view raw : split(text, ',')) {
    const std::string_view part = trim(raw);
    double number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    std::string_view unit(end, static_cast<std::size_t>(part.data() + part.size() - end));
    if (error != std::errc() || !(number > 0) || number > 1e12 || !unit.ends_with("/s")) refuse(text);
    unit.remove_suffix(2);
    unit = trim(unit);
    double& into = unit == "obj" ? limit.objects : limit.bytes;
    const double factor = unit == "obj" ? 1 : factor_of(unit);
    if (factor == 0 || into != 0) refuse(text);
    into = number * factor;
  }
  return limit;
}

void Throttle::set(Limit limit) {
  const std::lock_guard lock(mutex_);
  if (limit == limit_) return;
  limit_ = limit;
  bytes_free_ = objects_free_ = {};
}

Limit Throttle::limit() {
  const std::lock_guard lock(mutex_);
  return limit_;
}

std::chrono::nanoseconds Throttle::take(std::uint64_t bytes, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  constexpr std::chrono::seconds kSaved{1};
  Clock::time_point go = now;
  const auto charge = [&](Clock::time_point& free, double rate, double amount) {
    if (rate <= 0) return;
    free = std::max(free, now - kSaved);
    go = std::max(go, free);
    free += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(amount / rate));
  };
  charge(bytes_free_, limit_.bytes, static_cast<double>(bytes));
  charge(objects_free_, limit_.objects, 1);
  return go - now;
}

}  // namespace waybill::transfer
