// SPDX-License-Identifier: Apache-2.0
#include "assess/late.hpp"

#include "assess/volumes.hpp"
#include "manifest/id.hpp"
#include "manifest/intake.hpp"

#include <algorithm>

namespace waybill::assess {

void Late::add(const manifest::LateFinding& late, const std::string& manifest) {
  const std::string& name = numbers_.size() < kMostRows ? late.finding.code : std::string(kOther);
  const auto [at, fresh] = numbers_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
  if (fresh) names_.push_back(name);
  entries_.push_back(
      {manifest::id_number(late.id, manifest), at->second, static_cast<std::uint32_t>(late.finding.severity)});
}

void Late::read(const std::filesystem::path& path) {
  manifest::Intake intake(path);
  const auto look = [](std::string_view lines) {
    std::vector<manifest::LateFinding> found;
    manifest::each_line(lines, [&](std::string_view line) {
      if (!line.starts_with(R"({"kind":"finding")")) return;
      if (auto record = manifest::parse_record(line); std::holds_alternative<manifest::LateFinding>(record))
        found.push_back(std::get<manifest::LateFinding>(std::move(record)));
    });
    return found;
  };
  intake.read<manifest::LateFinding>(look, [&](std::vector<manifest::LateFinding>& found) {
    for (const auto& late : found) add(late, intake.name());
  });
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.id < b.id; });
}

void Late::codes_of(const manifest::Object& object, const std::string& manifest,
                    std::map<std::string, manifest::Severity>& codes) const {
  if (entries_.empty()) return;
  const std::uint64_t id = manifest::id_number(object.id, manifest);
  auto at =
      std::lower_bound(entries_.begin(), entries_.end(), id, [](const Entry& e, std::uint64_t n) { return e.id < n; });
  for (; at != entries_.end() && at->id == id; ++at) {
    manifest::Severity& severity = codes[names_[at->code]];
    severity = std::max(severity, static_cast<manifest::Severity>(at->severity));
  }
}

}  // namespace waybill::assess
