// SPDX-License-Identifier: Apache-2.0
#include "load/run.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "load/resume.hpp"
#include "load/send.hpp"

#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#include <algorithm>
#include <memory>

namespace waybill::load {

void Tally::add(const manifest::Object& object) {
  ++output;
  ++buckets[std::string(to_string(object.bucket))];
  if (object.load) ++outcomes[object.load->outcome];
  fixity += std::ranges::any_of(object.findings, [](const auto& f) { return f.code == "LOAD-FIXITY"; }) ? 1 : 0;
}

Exit Tally::exit() const {
  if (interrupted) return Exit::interrupted;
  if (fixity > 0 || !closes()) return Exit::integrity;
  const bool exceptions = buckets.contains("failed") || buckets.contains("pending") || buckets.contains("quarantined");
  return exceptions ? Exit::exceptions : Exit::ok;
}

std::string Tally::counts_json() const {
  JsonWriter json;
  json.begin_object().member("input", input).member("output", output).key("buckets").begin_object();
  for (const auto& [bucket, count] : buckets) json.member(bucket, count);
  json.end_object().key("outcomes").begin_object();
  for (const auto& [outcome, count] : outcomes) json.member(outcome, count);
  return std::move(json.end_object().member("fixity", fixity).end_object()).str();
}

namespace {

manifest::Header header_of(const Options& options, const Contents& contents) {
  manifest::Header header;
  header.stage = "load";
  header.run = random_uuid();
  header.tool = options.tool;
  header.created = utc_now();
  JsonWriter json;
  json.begin_object().member("to", options.target.url()).member("calling", options.calling).end_object();
  header.options = std::move(json).str();
  header.inputs = {contents.input};
  return header;
}

/// The run once plan, past and peers are known: writes intents, sends, records.
class Loader {
 public:
  Loader(const Options& options, const Contents& contents, const Plan& plan, const Past& past, manifest::Writer& writer,
         Peers& peers, Tally& tally)
      : options_(options),
        contents_(contents),
        plan_(plan),
        past_(past),
        writer_(writer),
        tally_(tally),
        sender_(options, peers, halt_) {}

  void run() {
    const std::size_t lanes = std::max(1U, options_.associations);
    const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, lanes + 1);
    tbb::task_arena arena(static_cast<int>(lanes + 1));
    arena.execute([&] {
      using Item = std::shared_ptr<Work>;
      const auto take = tbb::make_filter<void, Item>(tbb::filter_mode::serial_in_order,
                                                     [&](tbb::flow_control& flow) { return next(flow); });
      const auto send = tbb::make_filter<Item, Item>(tbb::filter_mode::parallel, [&](const Item& work) {
        sender_.send(*work);
        return work;
      });
      const auto record =
          tbb::make_filter<Item, void>(tbb::filter_mode::serial_in_order, [&](const Item& work) { write(*work); });
      tbb::parallel_pipeline(lanes, take & send & record);
    });
    writer_.commit();
    halt_.rethrow();
  }

 private:
  /// The next batch, its intents on disk before anything of it is sent.
  std::shared_ptr<Work> next(tbb::flow_control& flow) {
    while (next_batch_ < plan_.batches.size() && !halt_.is_set() && !stop_requested()) {
      const Batch& batch = plan_.batches[next_batch_++];
      auto work = std::make_shared<Work>();
      work->study = batch.study;
      for (const std::size_t i : batch.objects) {
        if (!past_.done.contains(contents_.objects[i].id)) work->objects.push_back(contents_.objects[i]);
      }
      if (work->objects.empty()) continue;
      for (const auto& object : work->objects) {
        writer_.append_record(manifest::Intent{object.id, object.sop_instance.value_or(""), "store"});
      }
      writer_.commit();
      return work;
    }
    flow.stop();
    return nullptr;
  }

  void write(const Work& work) {
    for (std::size_t i = 0; i < work.answered; ++i) {
      writer_.append_record(work.objects[i]);
      tally_.add(work.objects[i]);
    }
  }

  const Options& options_;
  const Contents& contents_;
  const Plan& plan_;
  const Past& past_;
  manifest::Writer& writer_;
  Tally& tally_;
  Halt halt_;
  Sender sender_;
  std::size_t next_batch_ = 0;
};

void write_carried(const Contents& contents, const Plan& plan, const Past& past, manifest::Writer& writer,
                   Tally& tally) {
  for (const auto& study : contents.studies) {
    if (!past.studies.contains(study.study)) writer.append_record(study);
  }
  for (const std::size_t i : plan.carried) {
    const manifest::Object& object = contents.objects[i];
    if (past.done.contains(object.id)) continue;
    writer.append_record(object);
    tally.add(object);
  }
}

}  // namespace

Tally run(const Options& options) {
  net::check_ae_title(options.calling, "calling AE title");
  Contents contents = read_manifest(options.manifest);
  const Plan plan = make_plan(contents);
  Tally tally;
  tally.input = contents.objects.size();

  manifest::Writer writer(options.output, header_of(options, contents),
                          options.restart ? manifest::Restart::yes : manifest::Restart::no);
  Past past;
  if (writer.resumed() || writer.already_complete()) past = read_past(options.output, tally);
  if (writer.already_complete()) {
    tally.already_complete = true;
    return tally;
  }
  Peers peers(options.target, options.calling, options.timeouts);
  if (!plan.batches.empty()) peers.check();
  write_carried(contents, plan, past, writer, tally);
  settle_doubts(options, contents, peers, past, writer, tally);
  Loader(options, contents, plan, past, writer, peers, tally).run();
  if (stop_requested() && !tally.closes()) {
    tally.interrupted = true;
    return tally;
  }
  if (!tally.closes())
    throw RunError(Exit::integrity, "the ledger of " + options.output.string() + " does not close; report this");
  writer.finish(tally.counts_json());
  return tally;
}

}  // namespace waybill::load
