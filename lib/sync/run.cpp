// SPDX-License-Identifier: Apache-2.0
#include "sync/run.hpp"

#include "core/clock.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "sync/chain.hpp"
#include "sync/child.hpp"
#include "sync/lock.hpp"
#include "sync/metrics.hpp"
#include "sync/project.hpp"
#include "sync/stages.hpp"

#include <chrono>
#include <ctime>

namespace waybill::sync {
namespace {

constexpr std::size_t kMeasuredRuns = 50;

/// The run to work on: the open one or the next.
struct Next {
  RunRecord record;
  Counts before;     ///< of the last complete run
  std::string link;  ///< its head
  bool continued = false;
};

Next next_run(const Plan& plan, const Project& project, const std::string& freeze) {
  Next next;
  const auto last = project.last();
  if (last && !last->complete) {
    next.record = *last;
    next.continued = true;
    if (const auto earlier = project.before(last->number, 1); !earlier.empty()) {
      next.before = *earlier.front().counts;
      next.link = earlier.front().head;
    }
    return next;
  }
  if (last) {
    next.before = *last->counts;
    next.link = last->head;
  }
  next.record.number = last ? last->number + 1 : 1;
  if (next.before.inventory != 0 && can_build_on(plan, project.in_run(next.before.inventory, "scan.wb")))
    next.record.base = next.before.inventory;
  next.record.freeze = freeze;
  return next;
}

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void tell(const Plan& plan, Exit exit, const Chain& chain) {
  if (plan.metrics.empty()) return;
  const double now = now_seconds();
  const bool success = exit == Exit::ok || exit == Exit::exceptions;
  write_metrics(plan, {exit, &chain.record(), chain.counts(), success ? now : earlier_success(plan), now});
}

void go_and_tell(const Plan& plan, Chain& chain) {
  try {
    chain.go();
  } catch (const RunError& error) {
    try {
      tell(plan, error.exit(), chain);
    } catch (const RunError&) {  // the first error is the one to be told
    }
    throw;
  }
  tell(plan, chain.counts().exit, chain);
}

Work work_of(const Outlook& outlook, std::uint64_t retry) {
  return {outlook.files, outlook.fresh_bytes + outlook.changed_bytes, outlook.fresh + outlook.changed + retry,
          outlook.fresh_bytes + outlook.changed_bytes};
}

Forecast predict(const Project& project, const Next& next, const Outlook& outlook) {
  return forecast(project.before(next.record.number, kMeasuredRuns), work_of(outlook, next.before.retry));
}

fs::path inventory_of(const Project& project, const Next& next) {
  return next.record.base == 0 ? fs::path() : project.in_run(next.record.base, "scan.wb");
}

/// Said before a cut-over begins: how long the last gap will be.
void announce(const Options& options, const Plan& plan, const Project& project, const Next& next) {
  const Outlook outlook = look_ahead(plan, inventory_of(project, next));
  const Forecast forecast = predict(project, next, outlook);
  const std::string what = std::to_string(outlook.fresh) + " new and " + std::to_string(outlook.changed) +
                           " changed files of " +
                           spoken_bytes(static_cast<double>(outlook.fresh_bytes + outlook.changed_bytes));
  if (!forecast.measured) {
    options.say("cut-over: " + what + "; no earlier run was measured, so its duration cannot be foretold");
    return;
  }
  options.say("cut-over: " + what + ", about " + spoken_time(forecast.seconds) +
              " by the rates of earlier runs, done at " +
              utc_from(static_cast<std::int64_t>(now_seconds() + forecast.seconds), 0).substr(0, 19) + "Z");
}

/// The stage at which an open run goes on.
std::string unfinished_stage(const RunRecord& record, const Plan& plan) {
  for (const char* stage :
       {"scan", "reconcile", "select", "transcode", "load", "verify", "corrections", "standing", "report", "after"}) {
    std::string name = stage;
    if ((name == "reconcile" || name == "corrections") && !plan.reconcile) continue;
    if (name == "transcode" && !plan.transcode) continue;
    const auto end = record.ends.find(name);
    const bool done =
        end != record.ends.end() && (end->second.exit == Exit::ok || end->second.exit == Exit::exceptions);
    if (!done) return name;
  }
  return "its end";
}

std::string command(const std::string& name, const Words& words) {
  std::string out = "waybill " + name;
  for (const std::string& word : words) {
    const bool plain = word.find_first_of(" '\"$`\\&|;<>()*?[]#~!") == std::string::npos;
    std::string quoted;
    for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    out += plain ? " " + word : " '" + quoted + "'";
  }
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';  // to be read and copied, not to move a cursor
  return repair_utf8(out);
}

std::vector<std::string> commands_of(const Run& run, const std::string& ris) {
  std::vector<std::string> out{command("scan", scan_words(run))};
  const fs::path scan = run.file("scan.wb");
  if (run.plan.reconcile) out.push_back(command("reconcile", reconcile_words(run, ris, scan)));
  if (run.plan.transcode) out.push_back(command("transcode", transcode_words(run)));
  out.push_back(command("load", load_words(run)));
  out.push_back(command("verify", verify_words(run)));
  if (run.plan.reconcile && !run.project.loads_before(run.number).empty())
    out.push_back(command("reconcile", corrections_words(run, ris, scan)));
  out.push_back(command("report", report_words(run, scan)));
  return out;
}

}  // namespace

std::string parse_freeze(const std::string& text) {
  if (text == "now") {
    std::timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return utc_from(now.tv_sec, now.tv_nsec);
  }
  std::tm tm{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &tm);
  if (end == nullptr || *end != '\0')
    throw RunError(Exit::usage, "--cutover takes now or a time in UTC such as 2026-11-27T18:00:00Z");
  return utc_from(static_cast<std::int64_t>(::timegm(&tm)), 0);
}

Outcome run(const Options& options) {
  const Plan plan = Plan::read(options.plan);
  const std::string freeze = options.cutover.empty() ? "" : parse_freeze(options.cutover);
  const Project project(plan.project);
  project.make();
  const Lock lock(project.folder() / "sync.lock");
  install_forwarding();
  for (;;) {
    const Next next = next_run(plan, project, freeze);
    if (next.continued && !freeze.empty() && !next.record.freeze.empty() && options.cutover != "now" &&
        next.record.freeze != freeze)
      throw RunError(Exit::usage, "the cut-over with freeze at " + next.record.freeze +
                                      " is not finished; give that time, or run sync without --cutover to finish it");
    project.make_run(next.record.number);
    if (next.continued) options.say("continuing run " + std::to_string(next.record.number));
    if (!next.continued && next.before.inventory != 0 && next.record.base == 0) {
      options.say(
          "the plan's sources or what it examines of them differ from those of the run before: everything is read "
          "again");
    }
    if (!next.continued && !freeze.empty()) announce(options, plan, project, next);
    Chain chain(plan, project, options, next.record, next.before, next.link);
    go_and_tell(plan, chain);
    // A cut-over is a run of its own behind the one that was left open.
    if (next.continued && !freeze.empty() && next.record.freeze.empty()) continue;
    return {chain.counts().exit, project.run_folder(next.record.number), next.continued, chain.record(),
            chain.counts()};
  }
}

Preview preview(const Options& options) {
  const Plan plan = Plan::read(options.plan);
  if (!options.cutover.empty()) (void)parse_freeze(options.cutover);
  const Project project(plan.project);
  const Next next = next_run(plan, project, {});
  Preview out;
  out.number = next.record.number;
  if (next.continued) {
    out.unfinished = unfinished_stage(next.record, plan);
    return out;
  }
  out.outlook = look_ahead(plan, inventory_of(project, next));
  out.retry = next.before.retry;
  Inputs inputs;
  if (plan.reconcile) inputs = look_at_inputs(*plan.reconcile, project.loads_before(next.record.number));
  const std::string identity = plan.reconcile ? inputs.identity : "none";
  out.identity_changed = identity.empty() || identity != next.before.identity;
  const bool quiet = next.record.base != 0 && out.outlook.fresh + out.outlook.changed + out.outlook.gone == 0;
  out.idle = quiet && out.retry == 0 && !out.identity_changed && !options.retry_failed && options.cutover.empty();
  out.commands = commands_of({plan, project, next.record.number, next.record.base, options.shared}, inputs.ris);
  out.forecast = predict(project, next, out.outlook);
  return out;
}

}  // namespace waybill::sync
