// SPDX-License-Identifier: Apache-2.0
#include "sync/outlook.hpp"

#include "archive/selection.hpp"
#include "archive/walk.hpp"
#include "core/result.hpp"
#include "core/stop.hpp"
#include "manifest/options.hpp"
#include "scan/run.hpp"
#include "scan/since.hpp"

#include <algorithm>
#include <optional>

namespace waybill::sync {

bool can_build_on(const Plan& plan, const std::filesystem::path& inventory) {
  scan::Options options;
  options.sources = plan.scan.sources;
  options.deep = plan.scan.deep;
  options.selection = {plan.scan.include, plan.scan.exclude, {}};
  const auto differing =
      manifest::differing_options(manifest::Reader(inventory).header().options, scan::header_of(options).options);
  return std::all_of(differing.begin(), differing.end(),
                     [](const std::string& name) { return name == "since" || name == "recheck" || name == "seed"; });
}

Outlook look_ahead(const Plan& plan, const std::filesystem::path& inventory) {
  Outlook out;
  const archive::Selection selection{plan.scan.include, plan.scan.exclude, {}};
  archive::Walk walk(plan.scan.sources);
  std::optional<scan::Since> since;
  if (!inventory.empty()) since.emplace(inventory, plan.scan.sources, 0, 1);
  while (auto entry = walk.next()) {
    if (stop_requested()) throw RunError(Exit::interrupted, "stopped; nothing was done");
    archive::examine(*entry);
    scan::Known known;
    if (since) {
      (void)since->judge(*entry);
      known = since->take();
    }
    out.gone += known.gone.size();
    if (entry->kind != archive::EntryKind::file || selection.excluded(*entry)) continue;
    ++out.files;
    if (known.same) {
      ++out.unchanged;
    } else if (known.objects.empty()) {
      ++out.fresh;
      out.fresh_bytes += entry->size;
    } else {
      ++out.changed;
      out.changed_bytes += entry->size;
    }
  }
  if (since) out.gone += since->rest().size();
  return out;
}

}  // namespace waybill::sync
