// SPDX-License-Identifier: Apache-2.0
#include "load/run.hpp"

#include "core/stop.hpp"
#include "load/plan.hpp"
#include "load/resume.hpp"
#include "load/send.hpp"
#include "transfer/lanes.hpp"
#include "transfer/output.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

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

/// The run once plan and peer are known: writes intents, sends, records. Objects that the peer refused for the moment
/// come again in rounds of their own, when everything else is done.
class Loader {
 public:
  Loader(const Options& options, const transfer::Contents& contents, std::vector<Batch> batches, transfer::Peers& peers,
         transfer::Output& output)
      : options_(options),
        contents_(contents),
        batches_(std::move(batches)),
        output_(output),
        breaker_(options.waits),
        sender_(options, peers, halt_, breaker_) {}

  void run() {
    for (round_ = 0;; ++round_) {
      transfer::run_lanes<Work>(
          options_.associations, [&] { return next(); }, [&](Work& work) { sender_.send(work); },
          [&](const Work& work) { write(work); });
      output_.commit();
      halt_.rethrow();
      if (later_.empty() || stop_requested()) return;
      keep_later();
      constexpr std::array kTimes{2, 10, 60};
      wait_for(breaker_.jittered(options_.waits.first * kTimes[std::min<std::size_t>(round_, kTimes.size() - 1)]),
               halt_);
    }
  }

 private:
  /// The next batch, its intents on disk before anything of it is sent.
  std::shared_ptr<Work> next() {
    if (next_batch_ == batches_.size() || halt_.is_set() || stop_requested()) return nullptr;
    const Batch& batch = batches_[next_batch_++];
    auto work = std::make_shared<Work>();
    work->study = batch.study;
    work->round = round_;
    for (const std::size_t i : batch.objects) {
      const auto again = put_off_.find(i);
      const manifest::Object& object = again == put_off_.end() ? contents_.objects[i] : again->second;
      work->objects.push_back(object);
      work->places.push_back(i);
      output_.append(to_json(manifest::Intent{object.id, object.sop_instance.value_or(""), "store"}));
    }
    output_.commit();
    return work;
  }

  void write(const Work& work) {
    for (std::size_t i = 0, later = 0; i < work.answered; ++i) {
      if (later < work.later.size() && work.later[later] == i) {
        const manifest::Object& object = work.objects[i];
        output_.append(to_json(manifest::Intent{object.id, object.sop_instance.value_or(""), "refused"}));
        later_.emplace(work.places[i], object);
        ++later;
      } else {
        output_.record(work.objects[i]);
      }
    }
  }

  /// Leaves the objects of the next round.
  void keep_later() {
    put_off_ = std::move(later_);
    later_.clear();
    for (Batch& batch : batches_) std::erase_if(batch.objects, [&](std::size_t i) { return !put_off_.contains(i); });
    std::erase_if(batches_, [](const Batch& batch) { return batch.objects.empty(); });
    next_batch_ = 0;
  }

  const Options& options_;
  const transfer::Contents& contents_;
  std::vector<Batch> batches_;
  transfer::Output& output_;
  transfer::Halt halt_;
  Breaker breaker_;
  Sender sender_;
  unsigned round_ = 0;
  std::size_t next_batch_ = 0;
  std::unordered_map<std::size_t, manifest::Object> put_off_;  ///< of this round, as the last one left them
  std::unordered_map<std::size_t, manifest::Object> later_;    ///< of the next
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
  transfer::Peers peers(options.target, options.calling, options.timeouts);
  const bool asks = !plan.batches.empty();
  const bool anew = transfer::starts_anew(options);
  if (asks && anew) peers.check();

  transfer::Output output(options, "load", settings_of(options), contents,
                          {[&](const manifest::Object& object) { tally.add(object); },
                           [&](const manifest::Record& record) {
                             const auto* intent = std::get_if<manifest::Intent>(&record);
                             if (intent == nullptr) return;
                             // What was certainly not stored need not be asked about.
                             intent->action == "refused" ? (void)intents.erase(intent->id)
                                                         : (void)intents.insert(intent->id);
                           }});
  if (output.already_complete()) {
    tally.already_complete = true;
    return tally;
  }
  if (asks && !anew) peers.check();
  output.carry(contents.studies);
  for (const std::size_t i : plan.carried) output.carry(contents.objects[i]);
  settle_doubts(options, contents, intents, peers, output);
  leave_out_recorded(output, contents, plan.batches);
  Loader(options, contents, std::move(plan.batches), peers, output).run();
  output.finish(tally, [&] { return tally.counts_json(); });
  return tally;
}

}  // namespace waybill::load
