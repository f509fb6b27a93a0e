// SPDX-License-Identifier: Apache-2.0
#include "transfer/output.hpp"

#include "core/clock.hpp"
#include "core/stop.hpp"

namespace waybill::transfer {

namespace {

manifest::Header header_of(std::string stage, std::string settings, const Contents& contents) {
  manifest::Header header;
  header.stage = std::move(stage);
  header.run = random_uuid();
  header.tool = kToolName;
  header.created = utc_now();
  header.options = std::move(settings);
  header.inputs = {contents.input};
  return header;
}

}  // namespace

Output::Output(const Options& options, std::string stage, std::string settings, const Contents& contents, Watch watch)
    : watch_(std::move(watch)),
      name_(options.output.string()),
      writer_(options.output, header_of(std::move(stage), std::move(settings), contents),
              options.restart ? manifest::Restart::yes : manifest::Restart::no) {
  if (!writer_.resumed() && !writer_.already_complete()) return;
  manifest::Reader reader(options.output);
  while (const auto record = reader.next()) {
    if (const auto* object = std::get_if<manifest::Object>(&*record)) {
      recorded_.insert(object->id);
      watch_.object(*object);
    } else if (const auto* study = std::get_if<manifest::Study>(&*record)) {
      studies_.insert(study->study);
    } else {
      watch_.other(*record);
    }
  }
}

void Output::record(const manifest::Object& object) {
  writer_.append_record(object);
  recorded_.insert(object.id);
  watch_.object(object);
}

void Output::carry(const std::vector<manifest::Study>& studies) {
  for (const auto& study : studies) {
    if (studies_.insert(study.study).second) writer_.append_record(study);
  }
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
