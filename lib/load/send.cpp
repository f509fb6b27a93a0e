// SPDX-License-Identifier: Apache-2.0
#include "load/send.hpp"

#include "core/clock.hpp"
#include "core/stop.hpp"
#include "dicom/uids.hpp"
#include "manifest/exception.hpp"
#include "transfer/bytes.hpp"

#include <algorithm>

namespace waybill::load {

using manifest::Bucket;
using manifest::Finding;
using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::chrono::milliseconds kPauseAfterSilence{1000};

void mark_not_sent(Object& object, std::string_view code, Severity severity, const std::string& detail) {
  object.bucket = Bucket::failed;
  object.load->outcome = "not-sent";
  object.load->at = utc_now();
  object.findings.push_back({std::string(code), severity, "", detail});
}

net::Context context_of(const Object& object) {
  const auto file = transfer::file_to_send(object);
  return {object.sop_class.value_or(""), file ? file->transfer_syntax : "", false};
}

bool is_sendable(const Object& object, const net::Context& context) {
  return !context.sop_class.empty() && !context.transfer_syntax.empty() && object.sop_instance &&
         !object.sop_instance->empty() && object.sop_instance->size() <= 64 && context.sop_class.size() <= 64 &&
         context.transfer_syntax.size() <= 64;
}

std::vector<net::Context> contexts_of(const std::vector<Object>& objects) {
  std::set<net::Context> contexts;
  for (const Object& object : objects) {
    const net::Context context = context_of(object);
    if (is_sendable(object, context)) contexts.insert(context);
  }
  return {contexts.begin(), contexts.end()};  // at most kBatchObjects, so below net::kMaxContexts
}

/// The checked dataset, even as the network wants it; on failure the object is marked and nullopt given.
std::optional<Bytes> dataset_for(Object& object, const net::Context& context) {
  const auto file = transfer::file_to_send(object);
  if (!file) {
    mark_not_sent(object, "LOAD-UNREADABLE", Severity::s3, file.error().what);
    return std::nullopt;
  }
  auto bytes = transfer::read_checked(*file);
  if (!bytes) {
    const bool mismatch = bytes.error().fault == Fault::mismatch;
    mark_not_sent(object, mismatch ? "LOAD-FIXITY" : "LOAD-UNREADABLE", Severity::s4, bytes.error().what);
    return std::nullopt;
  }
  const auto offset = transfer::dataset_offset(*bytes);
  if (!offset) {
    mark_not_sent(object, "LOAD-UNREADABLE", Severity::s4, offset.error().what);
    return std::nullopt;
  }
  bytes->erase(bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(*offset));
  if (bytes->size() % 2 == 0) return *std::move(bytes);
  // A fragment of odd length is no legal message (PS3.8 E.2), and peers drop it without an answer.
  if (!dicom::uid::is_deflated(context.transfer_syntax)) {
    mark_not_sent(object, "LOAD-ODDLENGTH", Severity::s3,
                  "the dataset has an odd length, which the network cannot carry; waybill-transcode writes it anew");
    return std::nullopt;
  }
  bytes->push_back(std::byte{0});  // what PS3.5 A.5 asks for behind a deflated stream
  return *std::move(bytes);
}

}  // namespace

void mark_found(Object& object) {
  if (!object.load) object.load.emplace();
  object.bucket = Bucket::loaded;
  object.load->status.clear();
  object.load->outcome = "found-after-interruption";
  object.load->at = utc_now();
}

void mark_unknown(Object& object) {
  if (!object.load) object.load.emplace();
  object.bucket = Bucket::failed;
  object.load->outcome = "no-answer";
  object.load->at = utc_now();
  object.findings.push_back(
      {"LOAD-UNKNOWN", Severity::s3, "",
       "sent without an answer, and the peer cannot be asked whether it has the object; have it checked there"});
}

/// The association of a batch, opened again when it died.
struct Sender::Lane {
  transfer::Peers& peers;
  std::vector<net::Context> contexts;
  std::string study;
  unsigned round = 0;
  std::optional<net::Association> association;

  net::Association& get() {
    if (association && !association->usable()) association.reset();
    if (!association) association = peers.acquire(contexts, study);
    return *association;
  }
};

bool Sender::stopping() const { return halt_.is_set() || stop_requested(); }

/// Whether the peer's list settles it. Throws PeerError when the peer is gone.
bool Sender::settle_by_asking(Object& object, bool answered) const {
  const bool can_ask = object.study && !object.study->empty() && object.series && !object.series->empty();
  for (int round = 1;; ++round) {
    const auto there = can_ask ? peers_.instances(*object.study, *object.series, *object.sop_instance) : std::nullopt;
    if (!there) {
      mark_unknown(object);
      return true;
    }
    if (there->contains(*object.sop_instance)) {
      mark_found(object);
      return true;
    }
    if (answered || round == 2 || stopping()) return false;
    wait_for(options_.ask_again, halt_);  // it may still be storing what it did not answer
  }
}

/// Whether the object's outcome stands now. Throws PeerError when the peer is gone or takes nothing from us.
bool Sender::settle(Object& object, const Meaning& meaning, bool last_try) const {
  using Next = Meaning::Next;
  if (meaning.next == Next::stop) {
    throw net::PeerError(net::PeerError::Kind::refused,
                         options_.target.url() + " answered C-STORE with 0124 (not authorised); have AE title " +
                             options_.calling + " allowed to store there, then run the same command again");
  }
  if (meaning.next == Next::ask && settle_by_asking(object, !object.load->status.empty())) return true;
  if (meaning.next != Next::done && !last_try) return false;
  object.bucket = meaning.bucket;
  object.load->outcome = meaning.outcome;
  if (meaning.finding) object.findings.push_back(*meaning.finding);
  return true;
}

/// Comes back when the peer is worth another try or a stop is asked for. Throws PeerError when patience has ended.
void Sender::wait_for_room() const {
  if (breaker_.pass(halt_) != Breaker::Pass::tired) return;
  throw net::PeerError(net::PeerError::Kind::refused,
                       options_.target.url() +
                           " has no room for anything (out of resources), and --patience has ended; have its storage "
                           "looked at, then run the same command again");
}

Sender::Sent Sender::send_bytes(Object& object, const net::Context& context, ByteView dataset, Lane& lane) const {
  using Next = Meaning::Next;
  for (bool repeated = false;;) {
    wait_for_room();
    if (stopping()) return Sent::stopped;  // its intent stands: the next run asks about it
    net::StoreResult result;
    {
      net::Association& association = lane.get();
      result = association.store(context, *object.sop_instance, dataset);
      object.load->association = std::to_string(association.number());
    }
    peers_.touch();
    object.load->attempts += result.sent ? 1 : 0;
    object.load->status = result.status ? status_text(*result.status) : "";
    object.load->comment = result.comment;
    object.load->at = utc_now();
    const Meaning meaning = meaning_of(result);
    if (result.sent && !result.status) {
      breaker_.silent();
    } else if (meaning.next != Next::retry) {
      breaker_.answered();
    } else if (lane.round == 0 && breaker_.refused(object.id)) {
      lane.association.reset();
      continue;
    }
    const bool last = result.status ? lane.round >= options_.retries : repeated || options_.retries == 0;
    if (settle(object, meaning, last)) return Sent::settled;
    if (result.status) return Sent::later;
    repeated = true;
    wait_for(std::min(kPauseAfterSilence, options_.waits.first), halt_);
  }
}

Sender::Sent Sender::send_one(Object& object, Lane& lane) const {
  if (lane.round == 0) object.load.emplace();
  const net::Context context = context_of(object);
  if (!is_sendable(object, context)) {
    mark_not_sent(object, "LOAD-NOUID", Severity::s3,
                  "SOP class, SOP instance or transfer syntax UID is missing or too long");
    return Sent::settled;
  }
  const auto dataset = dataset_for(object, context);
  return dataset ? send_bytes(object, context, *dataset, lane) : Sent::settled;
}

void Sender::send(Work& work) const {
  Lane lane{peers_, contexts_of(work.objects), work.study, work.round, std::nullopt};
  try {
    for (Object& object : work.objects) {
      if (stopping()) break;
      Object sent = object;  // an unanswered object stays as it was
      const Sent how = send_one(sent, lane);
      if (how == Sent::stopped) break;
      object = std::move(sent);
      if (how == Sent::later) work.later.push_back(work.answered);
      ++work.answered;
      if (how == Sent::later) continue;
      if (options_.progress) options_.progress(1, object.source.size, manifest::is_exception(object) ? 1 : 0);
    }
  } catch (const net::PeerError&) {
    halt_.set(std::current_exception());
  }
  if (lane.association) peers_.give_back(*std::move(lane.association), work.study);
}

}  // namespace waybill::load
