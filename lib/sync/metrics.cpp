// SPDX-License-Identifier: Apache-2.0
#include "sync/metrics.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "io/descriptor.hpp"
#include "io/read_file.hpp"

#include <sys/stat.h>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace waybill::sync {
namespace {

constexpr std::string_view kSuccess = "waybill_sync_last_success_timestamp_seconds";
constexpr std::size_t kMostRead = 1U << 20U;

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : repair_utf8(value)) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    out += c;
  }
  return out;
}

std::string number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, value == std::floor(value) && std::fabs(value) < 1e15 ? "%.0f" : "%.3f", value);
  return text;
}

class Text {
 public:
  explicit Text(const std::string& project) : labels_("project=\"" + escaped(project) + "\"") {}
  void head(std::string_view name, const char* type, std::string_view help) {
    name_ = name;
    out_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + type + "\n";
  }
  void value(double v, const std::string& label = {}) {
    out_ += name_ + "{" + labels_ + (label.empty() ? "" : "," + label) + "} " + number(v) + "\n";
  }
  void one(std::string_view name, const char* type, std::string_view help, double v) {
    head(name, type, help);
    value(v);
  }
  std::string take() && { return std::move(out_); }

 private:
  std::string labels_, name_, out_;
};

void add_archive(Text& text, const Counts& counts) {
  text.head("waybill_sync_archive_entries", "gauge", "Entries of the archive by what the last scan found of them.");
  for (const auto& [state, value] : {std::pair{"new", counts.fresh},
                                     {"changed", counts.changed},
                                     {"unchanged", counts.unchanged},
                                     {"gone", counts.gone}})
    text.value(static_cast<double>(value), std::string("state=\"") + state + "\"");
  text.head("waybill_sync_open", "gauge", "What waits for a person or another run, by reason.");
  for (const auto& [reason, value] : {std::pair{"exceptions", counts.exceptions},
                                      {"retry", counts.retry},
                                      {"conflicts", counts.conflicts},
                                      {"corrections", counts.corrections},
                                      {"corrections_to_decide", counts.corrections_open},
                                      {"lost", counts.lost},
                                      {"after_freeze", counts.late},
                                      {"extra_at_target", counts.extra}})
    text.value(static_cast<double>(value), std::string("reason=\"") + reason + "\"");
  text.one("waybill_sync_target_objects", "gauge", "Objects that the runs have brought to the target.",
           static_cast<double>(counts.at_target));
  text.one("waybill_sync_loaded_objects_total", "counter", "Objects loaded over all runs.",
           static_cast<double>(counts.total_loaded));
  text.one("waybill_sync_loaded_bytes_total", "counter", "Bytes of these objects.",
           static_cast<double>(counts.total_loaded_bytes));
}

void add_stages(Text& text, const RunRecord& run) {
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    if (run.ends.empty()) return;
    text.head(name, "gauge", help);
    for (const auto& [stage, end] : run.ends) text.value(value(end), "stage=\"" + stage + "\"");
  };
  each("waybill_sync_stage_duration_seconds", "Time that the stage took in its last go.",
       [](const StageEnd& end) { return end.seconds; });
  each("waybill_sync_stage_exit_code", "Exit code of the stage.",
       [](const StageEnd& end) { return static_cast<double>(static_cast<int>(end.exit)); });
  each("waybill_sync_stage_objects", "Objects that the stage worked on.",
       [](const StageEnd& end) { return static_cast<double>(end.objects); });
  each("waybill_sync_stage_bytes", "Bytes of these objects.",
       [](const StageEnd& end) { return static_cast<double>(end.bytes); });
}

}  // namespace

std::string metrics_text(const Plan& plan, const Measured& measured) {
  Text text(plan.name);
  text.one("waybill_sync_last_exit_code", "gauge", "Exit code of the last call of waybill sync.",
           static_cast<int>(measured.exit));
  text.one("waybill_sync_last_end_timestamp_seconds", "gauge", "When the last call ended.", measured.now);
  text.one(kSuccess, "gauge", "When a call last ended with exit code 0 or 1.", measured.success_at);
  if (measured.run != nullptr) {
    text.one("waybill_sync_run_number", "gauge", "Number of the last run.", static_cast<double>(measured.run->number));
    text.one("waybill_sync_run_unfinished", "gauge", "1 while the last run waits to be continued.",
             measured.run->complete ? 0 : 1);
    add_stages(text, *measured.run);
  }
  text.one("waybill_sync_run_objects", "gauge", "Objects that the last run handed to the stages.",
           static_cast<double>(measured.counts.handled));
  text.one("waybill_sync_run_duration_seconds", "gauge", "Time that the last call took.",
           static_cast<double>(measured.counts.milliseconds) / 1000);
  add_archive(text, measured.counts);
  return std::move(text).take();
}

void write_metrics(const Plan& plan, const Measured& measured) {
  if (plan.metrics.empty()) return;
  io::AtomicFile file(plan.metrics);
  file.write(as_bytes(metrics_text(plan, measured)));
  // The collector runs as another user, and the figures tell nothing of patients.
  if (::chmod(file.part_path().c_str(), 0644) != 0) io::throw_errno("give rights to", file.part_path(), errno);
  file.commit();
}

double earlier_success(const Plan& plan) {
  if (plan.metrics.empty()) return 0;
  const auto bytes = io::read_file(plan.metrics, kMostRead);
  if (!bytes) return 0;
  const std::string text(as_text(*bytes));
  const std::size_t at = text.find("\n" + std::string(kSuccess) + "{");
  const std::size_t value = at == std::string::npos ? at : text.find("} ", at);
  return value == std::string::npos ? 0 : std::strtod(text.c_str() + value + 2, nullptr);
}

}  // namespace waybill::sync
