// SPDX-License-Identifier: Apache-2.0
#include "report/collect.hpp"

#include <algorithm>
#include <tuple>

namespace waybill::report {
namespace {

using manifest::Bucket;

constexpr std::int8_t kTargetChecked = 3;  // from this grade on the target was asked

/// Objects with a late finding become exceptions; their details are read again from the latest manifest that has them.
void describe_late(Collected& c, const Mask& mask) {
  for (const auto& holdings : c.holdings) {
    if (c.late.empty() || holdings.path == "-") continue;
    manifest::Reader reader(holdings.path);
    while (auto record = reader.next()) {
      const auto* object = std::get_if<manifest::Object>(&*record);
      if (object == nullptr) continue;
      const std::uint64_t id = id_number(object->id, reader.name());
      if (c.late.contains(id)) c.exceptions.insert_or_assign(id, exception_of(*object, reader.header().stage, mask));
    }
  }
}

void add_late_findings(Collected& c) {
  for (auto& [id, findings] : c.late) {
    Exception& e = c.exceptions[id];
    if (e.id.empty()) e.id = id_text(id);
    for (const auto& finding : findings) {
      if (std::find(e.codes.begin(), e.codes.end(), finding.code) != e.codes.end()) continue;
      e.codes.push_back(finding.code);
      e.cause = with_cause(e.cause, finding.code);
      e.severity = std::max(e.severity, std::string(to_string(finding.severity)));
      const std::string text = finding.code + ": " + finding.detail;
      e.reason = e.reason.starts_with("ended in bucket") || e.reason.empty() ? text : e.reason + "; " + text;
    }
  }
}

/// Counts the final record of one object.
void count_final(Collected& c, const Entry& entry) {
  Report& report = c.report;
  Tally& tally = report.buckets[entry.bucket];
  ++tally.objects;
  tally.bytes += entry.bytes;
  if (entry.grade == kNoGrade) {
    ++report.ungraded;
  } else {
    ++report.grades[static_cast<std::size_t>(entry.grade)];
  }
  Group& group = report.groups[entry.group];
  ++group.objects;
  group.bytes += entry.bytes;
  const auto bucket = static_cast<Bucket>(entry.bucket);
  const auto count = [&](std::uint64_t Group::*in_group, std::uint64_t Places::*in_all) {
    ++(group.*in_group);
    ++(report.places.*in_all);
  };
  if (c.exceptions.contains(entry.id)) {
    count(&Group::exceptions, &Places::exceptions);
  } else if (bucket == Bucket::verified && entry.grade >= kTargetChecked) {
    count(&Group::verified, &Places::verified);
  } else if (bucket == Bucket::loaded || (bucket == Bucket::verified && entry.grade != kNoGrade)) {
    count(&Group::loaded, &Places::loaded);
  } else if (bucket == Bucket::instance || bucket == Bucket::verified) {
    count(&Group::waiting, &Places::waiting);
    if (bucket == Bucket::verified) ++report.files_checked;
  } else {
    count(&Group::no_transfer, &Places::no_transfer);
    ++report.no_transfer[entry.bucket];
  }
}

void list_exceptions(Collected& c) {
  Report& report = c.report;
  for (auto& [id, e] : c.exceptions) report.exceptions.push_back(std::move(e));
  std::sort(report.exceptions.begin(), report.exceptions.end(), [](const Exception& a, const Exception& b) {
    return std::tie(a.path, a.member, a.offset, a.id) < std::tie(b.path, b.member, b.offset, b.id);
  });
}

}  // namespace

void settle(Collected& c, const Mask& mask) {
  std::vector<Entry> all;
  for (auto& holdings : c.holdings) {
    all.insert(all.end(), holdings.entries.begin(), holdings.entries.end());
    std::vector<Entry>().swap(holdings.entries);
  }
  std::stable_sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.id < b.id; });
  describe_late(c, mask);
  add_late_findings(c);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool later_record_follows = i + 1 < all.size() && all[i + 1].id == all[i].id;
    if (!later_record_follows) count_final(c, all[i]);
  }
  auto& groups = c.report.groups;
  std::erase_if(groups, [](const Group& group) { return group.objects == 0; });
  std::sort(groups.begin(), groups.end(),
            [](const Group& a, const Group& b) { return std::tie(a.modality, a.year) < std::tie(b.modality, b.year); });
  list_exceptions(c);
}

}  // namespace waybill::report
