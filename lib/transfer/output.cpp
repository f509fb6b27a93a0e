// SPDX-License-Identifier: Apache-2.0
#include "transfer/output.hpp"

#include "core/clock.hpp"
#include "core/stop.hpp"

namespace waybill::transfer {

namespace {

manifest::Header header_of(std::string stage, std::string settings, const std::string& run,
                           std::vector<manifest::Input> inputs) {
  manifest::Header header;
  header.stage = std::move(stage);
  header.run = run;
  header.tool = kToolName;
  header.created = utc_now();
  header.options = std::move(settings);
  header.inputs = std::move(inputs);
  return header;
}

}  // namespace

bool starts_anew(const Options& options) { return options.restart || !std::filesystem::exists(options.output); }

Output::Output(const Options& options, std::string stage, std::string settings, std::vector<manifest::Input> inputs,
               index::Store& store, Watch watch)
    : watch_(std::move(watch)),
      name_(options.output.string()),
      store_(store),
      run_id_(random_uuid()),
      writer_(options.output, header_of(std::move(stage), std::move(settings), run_id_, std::move(inputs)),
              options.restart ? manifest::Restart::yes : manifest::Restart::no) {
  if (!writer_.resumed() && !writer_.already_complete()) return;
  resumed_ = true;
  manifest::Reader reader(options.output);
  run_id_ = reader.header().run;
  while (const auto record = reader.next()) {
    if (const auto* object = std::get_if<manifest::Object>(&*record)) {
      store_.put("ro" + object->id, "");
      watch_.object(*object);
    } else if (const auto* study = std::get_if<manifest::Study>(&*record)) {
      store_.put("rs" + study->study, "");
    }
    if (watch_.any) watch_.any(*record);
  }
}

void Output::record(const manifest::Object& object) {
  writer_.append_record(object);
  watch_.object(object);
}

void Output::carry(const manifest::Study& study) {
  if (!has_study(study.study)) writer_.append_record(study);
}

void Output::carry(const manifest::Object& object) {
  if (!has(object.id)) record(object);
}

void Output::finish(Ledger& ledger, const std::function<std::string()>& counts) {
  if (stop_requested() && !ledger.closes()) {
    ledger.interrupted = true;
    return;
  }
  if (!ledger.closes()) throw RunError(Exit::integrity, "the ledger of " + name_ + " does not close; report this");
  writer_.finish(counts());
}

}  // namespace waybill::transfer
