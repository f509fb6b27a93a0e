// SPDX-License-Identifier: Apache-2.0
#include "verify/studies.hpp"

#include <algorithm>

namespace waybill::verify {

using manifest::Bucket;
using manifest::Object;

bool is_checked(const Object& object) noexcept {
  return object.bucket == Bucket::loaded || object.bucket == Bucket::instance;
}

namespace {

constexpr std::size_t kSortMemory = std::size_t{32} << 20U;
constexpr char kCarried = '0';
constexpr char kOfStudy = '1';

// Keys of the store.
std::string uid_key(const std::string& uid) { return "vu" + uid; }  // of objects that the peer should have

/// Objects that the peer should not have from us: held back, excluded or failed. One that it had before the load, or
/// that sync lists because an earlier run has loaded it, whether or not it is gone since, is known to be there.
bool is_held_back(const Object& object) {
  const bool kept = object.bucket == Bucket::quarantined || object.bucket == Bucket::excluded ||
                    object.bucket == Bucket::failed || object.bucket == Bucket::pending;
  if (!kept || !object.sop_instance || (object.load && object.load->outcome == "already-present")) return false;
  return std::ranges::none_of(object.findings, [](const auto& f) { return f.code.starts_with("SYNC-"); });
}

}  // namespace

Studies::Studies(const Options& options, index::Store& store)
    : options_(options),
      store_(store),
      walk_(options.manifest, store),
      by_study_(manifest::scratch_beside(options.output), kSortMemory) {
  if (walk_.header().stage == "verify") {
    throw RunError(Exit::usage, walk_.name() +
                                    " is a verification, of which nothing would be verified again; name the manifest "
                                    "that it was made from");
  }
  if (options.sample) checked_.emplace(manifest::scratch_beside(options.output), kSortMemory);
  const bool of_load = walk_.header().stage == "load";
  walk_.read([&](const manifest::Record& record, std::string_view line) {
    if (const auto* object = std::get_if<Object>(&record))
      add(*object, line);
    else if (std::holds_alternative<manifest::Study>(record))
      by_study_.add(std::string(1, kCarried) + 's', line);
    else if (of_load)
      committed_.see(record);
  });
}

void Studies::add(const Object& object, std::string_view line) {
  ++objects_;
  const bool checked = is_checked(object);
  any_ = any_ || checked || is_held_back(object);
  if (checked && checked_) checked_->add("", line);
  if (checked && object.sop_instance) store_.put(uid_key(*object.sop_instance), "");
  const std::string study = object.study.value_or("");
  if (study.empty() && !checked) return by_study_.add(std::string(1, kCarried) + 't', line);
  by_study_.add(walk_.study_key(study, [](std::uint64_t n) { return kOfStudy + manifest::ordered(n); }), line);
}

sample::Plan Studies::plan() {
  const auto& asked = *options_.sample;
  std::optional<sample::Committed> committed;
  if (!asked.options) {
    if (!committed_.any()) {
      throw RunError(Exit::usage,
                     walk_.name() +
                         " has no sample that was committed before the load; load with --sample, or give a demand and "
                         "--seed here");
    }
    committed = committed_.committed();
  }
  sample::Planner planner(committed ? committed->options : *asked.options);
  while (const auto line = checked_->next()) {
    manifest::Record record = manifest::parse_record(*line);
    Object& object = std::get<Object>(record);
    walk_.add_late_findings(object);
    planner.add(object);
  }
  checked_.reset();
  return planner.finish(committed ? &*committed : nullptr);
}

/// The next object of a study; records that are of none are carried on the way.
std::optional<Object> Studies::take_object(transfer::Output& output) {
  if (ahead_) return std::exchange(ahead_, std::nullopt);
  while (const auto line = by_study_.next()) {
    manifest::Record record = manifest::parse_record(*line);
    if (const auto* study = std::get_if<manifest::Study>(&record)) {
      output.carry(*study);
      continue;
    }
    Object& object = std::get<Object>(record);
    walk_.add_late_findings(object);
    if (is_checked(object) || object.study.value_or("") != "") return std::move(object);
    output.carry(object);
  }
  return std::nullopt;
}

std::unique_ptr<StudyWork> Studies::next_group(const sample::Plan* plan, transfer::Output& output) {
  auto object = take_object(output);
  if (!object) return nullptr;
  auto work = std::make_unique<StudyWork>();
  work->study = object->study.value_or("");
  if (plan != nullptr) work->sampled.emplace();
  bool any_checked = false;
  for (; object; object = take_object(output)) {
    if (object->study.value_or("") != work->study) {
      ahead_ = std::move(object);
      break;
    }
    if (plan != nullptr && plan->has(object->id)) work->sampled->insert(object->id);
    if (object->sop_instance) work->known.insert(*object->sop_instance);
    if (is_held_back(*object) && !store_.contains(uid_key(*object->sop_instance)))
      work->held_back[*object->sop_instance].push_back(object->id);
    const bool checked = is_checked(*object);
    any_checked = any_checked || checked;
    if (!checked)
      output.carry(*object);
    else if (!output.has(object->id))
      work->objects.push_back(*std::move(object));
  }
  // A study whose objects the run that this one continues has all recorded is done, what was held back included.
  if (work->objects.empty() && (any_checked || work->study.empty() || !options_.against)) work->held_back.clear();
  return work;
}

std::unique_ptr<StudyWork> Studies::next(const sample::Plan* plan, transfer::Output& output) {
  while (auto work = next_group(plan, output)) {
    if (!work->objects.empty() || !work->held_back.empty()) return work;
  }
  return nullptr;
}

}  // namespace waybill::verify
