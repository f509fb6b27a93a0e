// SPDX-License-Identifier: Apache-2.0
#include "load/run.hpp"

#include "core/stop.hpp"
#include "load/plan.hpp"
#include "load/resume.hpp"
#include "load/send.hpp"
#include "transfer/lanes.hpp"
#include "transfer/output.hpp"

#include <algorithm>

namespace waybill::load {

void Tally::add(const manifest::Object& object) {
  count(object);
  if (object.load) ++outcomes[object.load->outcome];
  fixity += std::ranges::any_of(object.findings, [](const auto& f) { return f.code == "LOAD-FIXITY"; }) ? 1 : 0;
}

std::string Tally::counts_json() const {
  JsonWriter json;
  json.begin_object();
  write(json, "outcomes", outcomes);
  return std::move(json.member("fixity", fixity).end_object()).str();
}

namespace {

std::string settings_of(const Options& options) {
  JsonWriter json;
  json.begin_object().member("to", options.target.url()).member("calling", options.calling).end_object();
  return std::move(json).str();
}

/// The run once plan and peer are known: writes intents, sends, records.
class Loader {
 public:
  Loader(const Options& options, const transfer::Contents& contents, const std::vector<Batch>& batches,
         transfer::Peers& peers, transfer::Output& output)
      : options_(options), contents_(contents), batches_(batches), output_(output), sender_(options, peers, halt_) {}

  void run() {
    transfer::run_lanes<Work>(
        options_.associations, [&] { return next(); }, [&](Work& work) { sender_.send(work); },
        [&](const Work& work) { write(work); });
    output_.commit();
    halt_.rethrow();
  }

 private:
  /// The next batch, its intents on disk before anything of it is sent.
  std::shared_ptr<Work> next() {
    if (next_batch_ == batches_.size() || halt_.is_set() || stop_requested()) return nullptr;
    const Batch& batch = batches_[next_batch_++];
    auto work = std::make_shared<Work>();
    work->study = batch.study;
    for (const std::size_t i : batch.objects) {
      const manifest::Object& object = contents_.objects[i];
      work->objects.push_back(object);
      output_.append(to_json(manifest::Intent{object.id, object.sop_instance.value_or(""), "store"}));
    }
    output_.commit();
    return work;
  }

  void write(const Work& work) {
    for (std::size_t i = 0; i < work.answered; ++i) output_.record(work.objects[i]);
  }

  const Options& options_;
  const transfer::Contents& contents_;
  const std::vector<Batch>& batches_;
  transfer::Output& output_;
  transfer::Halt halt_;
  Sender sender_;
  std::size_t next_batch_ = 0;
};

/// Takes out what has its record already.
void leave_out_recorded(const transfer::Output& output, const transfer::Contents& contents,
                        std::vector<Batch>& batches) {
  for (Batch& batch : batches)
    std::erase_if(batch.objects, [&](std::size_t i) { return output.has(contents.objects[i].id); });
  std::erase_if(batches, [](const Batch& batch) { return batch.objects.empty(); });
}

}  // namespace

Tally run(const Options& options) {
  net::check_ae_title(options.calling, "calling AE title");
  transfer::Contents contents = transfer::read_manifest(options.manifest);
  Plan plan = make_plan(contents);
  Tally tally;
  tally.input = contents.objects.size();
  std::unordered_set<std::string> intents;

  transfer::Output output(options, "load", settings_of(options), contents,
                          {[&](const manifest::Object& object) { tally.add(object); },
                           [&](const manifest::Record& record) {
                             if (const auto* intent = std::get_if<manifest::Intent>(&record))
                               intents.insert(intent->id);
                           }});
  if (output.already_complete()) {
    tally.already_complete = true;
    return tally;
  }
  transfer::Peers peers(options.target, options.calling, options.timeouts);
  if (!plan.batches.empty()) peers.check();
  output.carry(contents.studies);
  for (const std::size_t i : plan.carried) output.carry(contents.objects[i]);
  settle_doubts(options, contents, intents, peers, output);
  leave_out_recorded(output, contents, plan.batches);
  Loader(options, contents, plan.batches, peers, output).run();
  output.finish(tally, [&] { return tally.counts_json(); });
  return tally;
}

}  // namespace waybill::load
