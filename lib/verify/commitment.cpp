// SPDX-License-Identifier: Apache-2.0
#include "verify/commitment.hpp"

#include "core/stop.hpp"
#include "manifest/exception.hpp"

namespace waybill::verify {

using manifest::Object;
using manifest::Severity;

namespace {

/// The objects that wait for their verdict, and how they get it.
class Waiting {
 public:
  Waiting(const Options& options, index::Store& store, transfer::Output& output)
      : options_(options), store_(store), output_(output) {}

  void add(const Object& object) { store_.put(key(object.id), manifest::to_json(object)); }
  void conclude(const commit::Verdict& verdict) {
    const auto line = store_.get(key(verdict.item.id));
    if (!line || line->empty()) return;  // recorded already, or by the run that this one continues
    store_.put(key(verdict.item.id), "");
    manifest::Record record = manifest::parse_record(*line);
    Object& object = std::get<Object>(record);
    if (verdict.committed) {
      verify::conclude(object, "E2", "COMMITTED", true);
    } else if (verdict.reason == commit::kNoReport) {
      note(object, Severity::s2, "the peer was asked to commit itself to the object, and " + verdict.reason);
      object.verify = manifest::Verify{"E1", "UNREPORTED", {}};
    } else {
      note(object, Severity::s3, "the peer does not commit itself to the object: " + verdict.reason);
      verify::conclude(object, "E1", "UNCOMMITTED", false);
    }
    this->record(object);
  }
  /// It has no UIDs to be asked about by.
  void conclude_nameless(Object& object) {
    note(object, Severity::s3, "an object without SOP Class and Instance UID cannot be committed to");
    verify::conclude(object, "E0", "UNCOMMITTED", false);
    record(object);
  }

 private:
  static std::string key(const std::string& id) { return "vc" + id; }
  static void note(Object& object, Severity severity, const std::string& detail) {
    object.findings.push_back({"VERIFY-UNCOMMITTED", severity, "", detail});
  }
  void record(const Object& object) {
    output_.record(object);
    if (options_.progress) options_.progress(1, object.source.size, manifest::is_exception(object) ? 1 : 0);
  }
  const Options& options_;
  index::Store& store_;
  transfer::Output& output_;
};

}  // namespace

bool check_commitment(const Options& options, Studies& studies, const std::vector<manifest::Commitment>& steps,
                      index::Store& store, transfer::Output& output) {
  Waiting waiting(options, store, output);
  commit::Committer committer(options.commitment,
                              {[&](std::string_view line) { output.append(line); }, [&] { output.commit(); },
                               [&](const commit::Verdict& verdict) { waiting.conclude(verdict); }});
  while (const auto study = studies.next(nullptr, output)) {
    for (Object& object : study->objects) {
      if (!object.sop_class || !object.sop_instance) {
        waiting.conclude_nameless(object);
        continue;
      }
      waiting.add(object);
      committer.replay_item({object.id, study->study, *object.sop_class, *object.sop_instance, 0});
    }
  }
  for (const manifest::Commitment& step : steps) committer.replay(step);
  committer.start();
  bool all = committer.finish();
  if (!all && options.finish_uncommitted && !stop_requested()) {
    committer.give_up();
    all = true;
  }
  return all;
}

}  // namespace waybill::verify
