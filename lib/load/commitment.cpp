// SPDX-License-Identifier: Apache-2.0
#include "load/commitment.hpp"

#include "core/stop.hpp"

namespace waybill::load {

namespace {

bool has_uids(const manifest::Object& object) { return object.sop_class && object.sop_instance; }

commit::Item item_of(const manifest::Object& object) {
  return {object.id, object.study.value_or(""), *object.sop_class, *object.sop_instance, 0};
}

}  // namespace

Commitments::Commitments(const Options& options)
    : options_(options),
      committer_(options.commitment,
                 {[this](std::string_view line) { output_->append(line); }, [this] { output_->commit(); },
                  [this](const commit::Verdict& verdict) { note(verdict); }}) {
  if (!transfer::starts_anew(options)) run_ = manifest::Reader(options.output).header().run;
}

void Commitments::replay(const manifest::Record& record) {
  if (const auto* object = std::get_if<manifest::Object>(&record)) {
    const bool ours = object->load && object->load->run == run_ && object->bucket == manifest::Bucket::loaded;
    if (ours && has_uids(*object)) committer_.replay_item(item_of(*object));
  } else if (const auto* late = std::get_if<manifest::LateFinding>(&record)) {
    if (late->finding.code == kUncommitted) noted_.insert(late->id);
  } else if (const auto* other = std::get_if<manifest::Other>(&record); other && other->kind == "commitment") {
    committer_.replay(manifest::commitment_from(other->json));
  }
}

void Commitments::start(transfer::Output& output) {
  output_ = &output;
  for (const commit::Verdict& verdict : replayed_) note(verdict);
  replayed_.clear();
  committer_.start();
}

void Commitments::sent(const manifest::Object& object) {
  if (object.bucket == manifest::Bucket::loaded && has_uids(object)) committer_.add(item_of(object));
}

void Commitments::note(const commit::Verdict& verdict) {
  if (verdict.committed) return;
  if (output_ == nullptr) return replayed_.push_back(verdict);
  if (!noted_.insert(verdict.item.id).second) return;
  const bool silent = verdict.reason == commit::kNoReport;
  output_->append(to_json(manifest::LateFinding{
      verdict.item.id,
      {std::string(kUncommitted), silent ? manifest::Severity::s2 : manifest::Severity::s3, "",
       "the archive does not commit itself to the object: " + verdict.reason + "; see whether it is there"}}));
}

bool Commitments::finish(Tally& tally) {
  const bool all = committer_.finish();
  if (!all && options_.finish_uncommitted && !stop_requested()) committer_.give_up();
  tally.commitment = committer_.counts();
  if (tally.commitment->open > 0) {
    output_->commit();
    tally.interrupted = true;
    return false;
  }
  tally.exceptions += tally.commitment->failed + tally.commitment->contradictions;
  if (!tally.closes() && options_.await_commit) tally.interrupted = true;
  return !tally.interrupted;
}

}  // namespace waybill::load
