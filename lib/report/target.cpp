// SPDX-License-Identifier: Apache-2.0
// What the target holds in the studies of the project: our objects, and others that must have an explanation. One that
// a verification before the first load listed was there before; one that another manifest of the project holds came by
// another way, e.g. with an increment; for the rest somebody has to speak, in a file of `UID,reason` lines.
#include "report/collect.hpp"

#include "core/interned.hpp"
#include "core/text.hpp"
#include "io/read_file.hpp"
#include "manifest/intake.hpp"

#include <algorithm>
#include <map>

namespace waybill::report {
namespace {

constexpr std::uint64_t kMostKnown = 256U << 20U;

/// Instance or study UID → reason.
std::unordered_map<std::string, std::string> read_known(const std::filesystem::path& path) {
  std::unordered_map<std::string, std::string> out;
  if (path.empty()) return out;
  const auto bytes = io::read_file(path, kMostKnown);
  if (!bytes) throw RunError(Exit::input, path_to_text(path.native()) + " " + bytes.error().what + "; check the path");
  std::size_t number = 0;
  manifest::each_line(as_text(*bytes), [&](std::string_view line) {
    ++number;
    line = trim(line.substr(0, line.find('\r')));
    if (line.empty() || line.front() == '#') return;
    const std::size_t comma = line.find(',');
    const std::string_view uid = trim(line.substr(0, comma));
    const std::string_view reason = comma == std::string_view::npos ? "" : trim(line.substr(comma + 1));
    if (uid.empty() || uid.find_first_not_of("0123456789.") != std::string_view::npos || reason.empty()) {
      throw RunError(Exit::usage, path_to_text(path.native()) + " line " + std::to_string(number) +
                                      " is no UID, comma and reason; mend it");
    }
    out.emplace(uid, reason);
  });
  return out;
}

bool has_study(const Holdings& holdings, const std::string& study) {
  return std::binary_search(holdings.all_studies.begin(), holdings.all_studies.end(), Interned(study).number());
}

using Extras = std::map<std::string, ExtraAtTarget>;  // by SOP Instance UID

/// The instances that only the target had when its study was asked about for the last time, after the first load; with
/// those of the verifications before it in `before`.
Extras extras_now(const Collected& c, Extras& before) {
  std::string first_load;
  for (const auto& m : c.report.manifests) {
    if (m.header.stage == "load" && (first_load.empty() || m.header.created < first_load))
      first_load = m.header.created;
  }
  Extras now;
  for (std::size_t n = c.holdings.size(); n-- > 0;) {
    const auto& summary = c.report.manifests[n];
    const bool early = !first_load.empty() && summary.header.created < first_load;
    for (const Extra& extra : c.holdings[n].extras) {
      ExtraAtTarget item{extra.sop_instance, extra.study, summary.name, ExtraAtTarget::Why::unexplained, {}};
      if (early) {
        before.emplace(extra.sop_instance, std::move(item));
        continue;
      }
      const bool asked_again =
          std::any_of(c.holdings.begin() + static_cast<std::ptrdiff_t>(n) + 1, c.holdings.end(),
                      [&](const Holdings& later) { return later.asks_target && has_study(later, extra.study); });
      if (!asked_again || now.contains(extra.sop_instance)) now.emplace(extra.sop_instance, std::move(item));
    }
  }
  return now;
}

/// Marks those that an object of any manifest explains; reads the manifests again.
void explain_by_manifests(Collected& c, Extras& extras, const Mask& mask) {
  std::unordered_map<std::uint64_t, ExtraAtTarget*> open;
  for (auto& [uid, extra] : extras) {
    if (extra.why == ExtraAtTarget::Why::unexplained) open.emplace(std::hash<std::string>{}(uid), &extra);
  }
  std::size_t scans = 0;
  for (const auto& h : c.holdings) scans += h.origin ? 1 : 0;
  if (open.empty() || scans < 2) return;  // a verification compares with all objects of its own chain already
  for (const auto& h : c.holdings) {
    if (!h.origin || h.path == "-") continue;
    manifest::Intake intake(h.path);
    intake.read<Seen>([&](std::string_view lines) { return look_at(lines, intake.name(), intake.header(), {}, mask); },
                      [&](std::vector<Seen>& all) {
                        for (const Seen& seen : all) {
                          const auto at = open.find(seen.instance);
                          if (at == open.end() || seen.instance == 0) continue;
                          at->second->why = ExtraAtTarget::Why::other_manifest;
                          at->second->reason = "an object of " + intake.name();
                        }
                      });
  }
}

void count(Target& target, const ExtraAtTarget& extra) {
  switch (extra.why) {
    case ExtraAtTarget::Why::before_load: ++target.before_load; break;
    case ExtraAtTarget::Why::other_manifest: ++target.other_manifest; break;
    case ExtraAtTarget::Why::known: ++target.known; break;
    case ExtraAtTarget::Why::unexplained: ++target.unexplained; break;
  }
}

}  // namespace

void settle_target(Collected& c, const Options& options, const Mask& mask) {
  const auto known = read_known(options.known);
  Extras before;
  Extras extras = extras_now(c, before);
  for (auto& [uid, extra] : extras) {
    const auto by_instance = known.find(uid), by_study = known.find(extra.study);
    if (before.contains(uid)) {
      extra.why = ExtraAtTarget::Why::before_load;
      extra.reason = "there before the first load, by " + before.at(uid).manifest;
    } else if (by_instance != known.end() || by_study != known.end()) {
      extra.why = ExtraAtTarget::Why::known;
      extra.reason = by_instance != known.end() ? by_instance->second : by_study->second;
    }
  }
  explain_by_manifests(c, extras, mask);
  Target& target = c.report.target;
  target.ours = c.report.grades[3] + c.report.grades[4] + c.report.grades[5];
  target.asked = target.ours > 0 || !extras.empty();
  for (auto& [uid, extra] : extras) {
    count(target, extra);
    if (extra.why == ExtraAtTarget::Why::unexplained) {
      add_unexplained(c.report, {"extra-at-target", uid, "", extra.manifest,
                                 "the target holds instance " + uid + " in study " + extra.study +
                                     ", which is no object of this project and which nobody explains"});
    }
    if (target.extras.size() < kMostListed) target.extras.push_back(std::move(extra));
  }
}

}  // namespace waybill::report
