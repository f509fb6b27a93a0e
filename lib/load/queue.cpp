// SPDX-License-Identifier: Apache-2.0
#include "load/queue.hpp"

#include "dicom/uids.hpp"
#include "load/commitment.hpp"
#include "load/prepare.hpp"
#include "manifest/rejection.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace waybill::load {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

int load_rank(std::string_view sop_class) noexcept {
  constexpr std::string_view kReports = "1.2.840.10008.5.1.4.1.1.88.";
  constexpr std::string_view kStates = "1.2.840.10008.5.1.4.1.1.11.";
  if (sop_class == dicom::uid::kKeyObjectSelection) return 2;
  if (sop_class.starts_with(kReports)) return 3;
  return sop_class.starts_with(kStates) ? 1 : 0;
}

namespace {

constexpr int kRejectionRank = 4;  // behind all: what a note rejects must be there before it
constexpr std::size_t kSortMemory = std::size_t{32} << 20U;
constexpr char kCarried = '0';
constexpr char kToSend = '1';

// Keys of the store.
std::string uid_key(const std::string& uid) { return "qu" + uid; }
std::string intent_key(const std::string& id) { return "qi" + id; }
std::string uncommitted_key(const std::string& id) { return "qc" + id; }

/// YYYYMMDDHHMMSS as a number; 0 without a date.
std::uint64_t moment_of(const Object& object) {
  std::string digits;
  const auto take = [&](const std::optional<std::string>& text, std::size_t size) {
    std::string found;
    for (const char c : text.value_or("")) {
      if (c >= '0' && c <= '9' && found.size() < size) found += c;
    }
    found.resize(size, '0');
    digits += found;
  };
  take(object.study_date, 8);
  take(object.study_time, 6);
  return std::strtoull(digits.c_str(), nullptr, 10);
}

std::uint64_t order_of(Order order, const Object& object) {
  if (order == Order::manifest) return 0;
  const std::uint64_t moment = moment_of(object);
  if (moment == 0) return UINT64_MAX;  // without a date: behind the others
  return order == Order::oldest ? moment : UINT64_MAX - 1 - moment;
}

bool is_of_load(const manifest::Finding& finding) { return finding.code.starts_with("LOAD-") || finding.code == "D27"; }

bool has(const Object& object, std::string_view code) {
  return std::ranges::any_of(object.findings, [&](const manifest::Finding& f) { return f.code == code; });
}

/// What the target took and does not list. What it lists and does not give back, or gives back altered, is no matter of
/// sending it again: archives keep the first, or damage it, and a person decides (domain rule 0.5).
bool is_lost(const Object& object) {
  return object.verify && object.verify->verdict == "MISSING" && object.verify->grade == "E0";
}

/// Whether the peer may have an object of an earlier load that is not loaded: it gave no answer, or one that leaves
/// that open (domain rule 9.2: 0110, FE00). What nobody could ask about (LOAD-UNKNOWN) was to be looked up by a person,
/// whose word the retry is.
bool was_left_open(const Object& object) {
  if (is_lost(object)) return true;
  if (!object.load || object.bucket == Bucket::loaded) return false;
  if (has(object, "LOAD-UNKNOWN")) return false;
  return object.load->outcome == "no-answer" || has(object, "LOAD-PROCESSING");
}

}  // namespace

Queue::Queue(const Options& options, const Priority& priority, index::Store& store)
    : options_(options),
      priority_(priority),
      store_(store),
      sorter_(manifest::scratch_beside(options.output), kSortMemory),
      walk_(options.manifest, store) {
  if (options.sample) planner_.emplace(*options.sample);
  const std::string& stage = walk_.header().stage;
  if (options.retry_failed && stage != "load" && stage != "verify") {
    throw RunError(Exit::usage, "--retry failed takes the manifest of an earlier load or of its verification, " +
                                    walk_.name() + " is of " + stage + "; name the load.wb whose objects failed");
  }
  if (options.retry_failed) read_uncommitted();
  walk_.read([&](const manifest::Record& record, std::string_view line) {
    if (const auto* object = std::get_if<Object>(&record))
      add(*object, line);
    else if (std::holds_alternative<manifest::Study>(record))
      sorter_.add(std::string(1, kCarried) + 's', line);
  });
}

void Queue::read_uncommitted() {
  if (options_.manifest == "-")
    throw RunError(Exit::usage,
                   "--retry failed reads its manifest twice, so it takes a file; save standard input first");
  manifest::Reader reader(options_.manifest);
  while (const auto line = reader.next_line()) {
    if (!line->starts_with(R"({"kind":"finding")")) continue;
    const manifest::Record record = manifest::parse_record(*line);
    const auto* late = std::get_if<manifest::LateFinding>(&record);
    if (late != nullptr && late->finding.code == kUncommitted) store_.put(uncommitted_key(late->id), "");
  }
}

bool Queue::is_candidate(const Object& object) const {
  if (object.bucket == Bucket::pending) return true;
  if (options_.retry_failed && object.verify) return is_lost(object);
  if (options_.retry_failed && object.bucket == Bucket::loaded)
    return has(object, kUncommitted) || store_.contains(uncommitted_key(object.id));
  if (!options_.retry_failed) return object.bucket == Bucket::instance;
  return object.load && (object.bucket == Bucket::failed || object.bucket == Bucket::quarantined);
}

void Queue::add(const Object& object, std::string_view line) {
  ++objects_;
  if (!is_candidate(object)) return sorter_.add(std::string(1, kCarried) + 't', line);
  if (planner_) planner_->add(object);
  has_staged_ = has_staged_ || (object.transcode && !object.transcode->path.empty());
  ++needs_.objects;
  needs_.bytes += object.source.size;
  for (const net::Context& context : contexts_for(object, options_)) ++needs_.contexts[context];
  const int rank = object.rejection ? kRejectionRank : load_rank(object.sop_class.value_or(""));
  sorter_.add(study_key(object) + static_cast<char>('0' + rank), line);
}

/// The place of the object's study: priority, order, and then its first appearance in the manifest.
std::string Queue::study_key(const Object& object) {
  using manifest::ordered;
  return walk_.study_key(object.study.value_or(""), [&](std::uint64_t number) {
    ++needs_.studies;
    return kToSend + ordered(priority_.rank(object)) + ordered(order_of(options_.order, object)) + ordered(number);
  });
}

void Queue::remember(const manifest::Record& record) {
  if (const auto* intent = std::get_if<manifest::Intent>(&record)) {
    store_.put(intent_key(intent->id), intent->action == kWithdrawn ? "" : "?");
  } else if (const auto* object = std::get_if<Object>(&record)) {
    if (object->load && object->sop_instance) store_.put(uid_key(*object->sop_instance), object->id);
  }
}

bool Queue::may_be_there(const Object& object) const {
  if (options_.retry_failed && (object.bucket == Bucket::loaded || was_left_open(object))) return true;
  return store_.get(intent_key(object.id)).value_or("") == "?";
}

/// Whether the object is to be sent; sets the bucket of one that must not be.
bool Queue::admit(Object& object) {
  if (!is_candidate(object)) return false;
  if (object.transcode && object.transcode->outcome == "not-staged") {
    object.bucket = Bucket::failed;
    return false;
  }
  if (auto why = manifest::exclusion_of(object)) {
    std::erase_if(object.findings, [&](const manifest::Finding& f) { return f.code == why->code; });
    object.findings.push_back(*std::move(why));
    object.bucket = Bucket::excluded;
    return false;
  }
  if (object.load) std::erase_if(object.findings, is_of_load);  // of an earlier load, whose manifest keeps them
  if (object.load && object.transcode && object.transcode->path.empty()) object.transcode.reset();  // made anew
  object.load.reset();
  object.verify.reset();
  if (std::ranges::any_of(object.findings, manifest::quarantines)) {
    object.bucket = Bucket::quarantined;
    return false;
  }
  if (!object.sop_instance) return true;
  const std::string key = uid_key(*object.sop_instance);
  const auto other = store_.get(key);
  if (other && *other != object.id) {
    object.bucket = Bucket::quarantined;
    object.findings.push_back(
        {"LOAD-UIDCLASH", Severity::s3, "0008,0018",
         "another object of this manifest has the same SOP Instance UID; only the first was sent"});
    return false;
  }
  store_.put(key, object.id);
  return true;
}

std::optional<Parcel> Queue::next_parcel() {
  while (const auto line = sorter_.next()) {
    manifest::Record record = manifest::parse_record(*line);
    if (const auto* study = std::get_if<manifest::Study>(&record)) {
      carry_.study(*study);
      continue;
    }
    Object& object = std::get<Object>(record);
    if (carry_.is_recorded(object.id)) continue;
    walk_.add_late_findings(object);
    Parcel parcel;
    parcel.in_doubt = may_be_there(object);
    if (is_candidate(object) && object.bucket == Bucket::loaded) parcel.uncommitted = object;
    if (!admit(object)) {
      carry_.object(object);
      continue;
    }
    parcel.object = std::move(object);
    return parcel;
  }
  return std::nullopt;
}

std::optional<Piece> Queue::next() {
  if (!ahead_) ahead_ = next_parcel();
  if (!ahead_) return std::nullopt;
  Piece piece{ahead_->object.study.value_or(""), {}};
  while (ahead_ && piece.parcels.size() < kPieceObjects && ahead_->object.study.value_or("") == piece.study) {
    piece.parcels.push_back(*std::move(ahead_));
    ahead_ = next_parcel();
  }
  return piece;
}

}  // namespace waybill::load
