// SPDX-License-Identifier: Apache-2.0
#include "load/send.hpp"

#include "core/clock.hpp"
#include "dicom/uids.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace waybill::load {

using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::chrono::milliseconds kFirstWait{500};
constexpr std::chrono::seconds kMostWait{15};
constexpr std::chrono::milliseconds kPauseAfterSilence{1000};

bool proposes_all(const net::Association& association, const std::vector<net::Context>& contexts) {
  const auto& proposed = association.proposed();
  return std::ranges::all_of(contexts, [&](const auto& context) { return std::ranges::count(proposed, context) != 0; });
}

void add_load(Object& object) {
  if (!object.load) object.load.emplace();
}

bool can_be_asked_about(const Object& object) {
  return object.study && !object.study->empty() && object.series && !object.series->empty();
}

}  // namespace

std::vector<net::Context> contexts_to_propose(std::vector<net::Context> needed,
                                              const std::vector<net::Context>& wanted) {
  for (const net::Context& context : wanted) {
    if (needed.size() >= net::kMaxContexts) break;
    if (std::ranges::count(needed, context) == 0) needed.push_back(context);
  }
  return needed;
}

void mark_found(Object& object) {
  add_load(object);
  object.bucket = manifest::Bucket::loaded;
  object.load->status.clear();
  object.load->outcome = "found-after-interruption";
  object.load->at = utc_now();
}

void mark_unknown(Object& object) {
  add_load(object);
  object.bucket = manifest::Bucket::failed;
  object.load->outcome = "no-answer";
  object.load->at = utc_now();
  object.findings.push_back(
      {"LOAD-UNKNOWN", Severity::s3, "",
       "sent without an answer, and the peer cannot be asked whether it has the object; have it checked there"});
}

/// The association, opened when there is none that fits. A peer that takes no more of them while others of ours stand
/// is full, not broken: then this lane waits for its turn.
net::Association& Sender::association(const std::vector<net::Context>& needed) {
  if (association_ && (!association_->usable() || !proposes_all(*association_, needed))) association_.reset();
  auto wait = kFirstWait;
  for (int tries = 1; !association_; ++tries) {
    try {
      association_ = peers_.open(contexts_to_propose(needed, contexts_));
    } catch (const net::PeerError& error) {
      if (error.kind() != net::PeerError::Kind::rejected_transient || control_.stopping()) throw;
      events_.trouble();
      if (!events_.others_work() && tries > static_cast<int>(options_.retries)) throw;
      control_.wait_for(breaker_.jittered(wait));
      wait = std::min<std::chrono::milliseconds>(2 * wait, kMostWait);
      if (control_.stopping()) throw;
    }
  }
  return *association_;
}

/// Objects that an earlier run may have sent: what the peer lists is recorded as found, what it does not list, twice,
/// is sent; one question serves all objects of a series.
void Sender::settle_doubts(Work& work, std::vector<bool>& settled) {
  for (int round = 1; round <= 2; ++round) {
    std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> doubts;
    for (std::size_t i = 0; i < work.parcels.size(); ++i) {
      const Object& object = work.parcels[i].object;
      if (work.parcels[i].in_doubt && !settled[i])
        doubts[{object.study.value_or(""), object.series.value_or("")}].push_back(i);
    }
    if (doubts.empty()) return;
    if (round == 2) control_.wait_for(options_.ask_again);  // it may still be storing what it did not answer
    for (const auto& [series, places] : doubts) {
      const bool can_ask = can_be_asked_about(work.parcels[places.front()].object);
      const auto there = can_ask ? peers_.instances(series.first, series.second) : std::nullopt;
      // The list may have ended at a limit of the peer's; then only a question for one object proves anything.
      const auto listed = [&](const std::string& uid) {
        if (there->empty() || there->contains(uid)) return !there->empty();
        const auto alone = peers_.instances(series.first, series.second, uid);
        return alone && alone->contains(uid);
      };
      for (const std::size_t i : places) {
        Object& object = work.parcels[i].object;
        if (there && !listed(object.sop_instance.value_or(""))) continue;
        there ? mark_found(object) : mark_unknown(object);
        object.load->run = run_id_;
        settled[i] = true;
      }
    }
  }
}

/// Whether the peer's list settles it. Throws PeerError when the peer is gone.
bool Sender::settle_by_asking(Object& object, bool answered) {
  for (int round = 1;; ++round) {
    const auto there = can_be_asked_about(object)
                           ? peers_.instances(*object.study, *object.series, *object.sop_instance)
                           : std::nullopt;
    if (!there) {
      mark_unknown(object);
      return true;
    }
    if (there->contains(*object.sop_instance)) {
      mark_found(object);
      return true;
    }
    if (answered || round == 2 || control_.stopping()) return false;
    control_.wait_for(options_.ask_again);  // it may still be storing what it did not answer
  }
}

/// Whether the object's outcome stands now. Throws PeerError when the peer is gone or takes nothing from us.
bool Sender::settle(Object& object, const Meaning& meaning, bool last_try) {
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

/// Waits until the peer is worth a try; false when the run is to stop. Throws PeerError when patience has ended.
bool Sender::has_room() {
  const Breaker::Pass pass = breaker_.pass(control_);
  if (pass != Breaker::Pass::tired) return pass == Breaker::Pass::go;
  throw net::PeerError(net::PeerError::Kind::refused,
                       options_.target.url() +
                           " has no room for anything (out of resources), and --patience has ended; have its storage "
                           "looked at, then run the same command again");
}

Sender::Sent Sender::send_bytes(Object& object, const Prepared& prepared, unsigned round) {
  using Next = Meaning::Next;
  for (bool repeated = false;;) {
    if (!has_room() || (refused_ && !control_.admit(0, [&] { rest(); }))) return Sent::stopped;
    net::Association& way = association({prepared.context});
    const auto begin = std::chrono::steady_clock::now();
    const net::StoreResult result = way.store(prepared.context, *object.sop_instance, prepared.dataset);
    const auto took = std::chrono::steady_clock::now() - begin;
    object.load->association = std::to_string(way.number());
    object.load->attempts += result.sent ? 1 : 0;
    object.load->status = result.status ? status_text(*result.status) : "";
    object.load->comment = result.comment;
    object.load->at = utc_now();
    const Meaning meaning = meaning_of(result);
    const bool silent = result.sent && !result.status;
    refused_ = meaning.next == Next::retry;
    if (refused_ || silent) events_.trouble();
    if (result.status) events_.answered(prepared.dataset.size(), took);
    if (silent) breaker_.silent();
    if (!silent && !refused_) breaker_.answered();
    if (refused_ && round == 0 && breaker_.refused(object.id)) {
      rest();
      continue;
    }
    const bool last = silent ? repeated || options_.retries == 0 : round >= options_.retries;
    if (settle(object, meaning, last)) return Sent::settled;
    if (!silent) return Sent::later;
    repeated = true;
    control_.wait_for(std::min(kPauseAfterSilence, options_.waits.first));
    if (control_.stopping()) return Sent::stopped;  // its intent stands: the next run asks about it
  }
}

/// Once more in a native syntax, where the peer did not understand a compressed one (domain rule 9.2, Cxxx). `sent` is
/// how the first try ended, `source` the object before it.
Sender::Sent Sender::send_native(Object& sent, const Object& source, unsigned round) {
  const net::Context used = sent_context_;
  const auto contexts = contexts_for(source, options_);
  const bool other = std::ranges::any_of(contexts, [&](const net::Context& context) {
    return dicom::uid::is_native(context.transfer_syntax) && association_ && association_->accepted(context);
  });
  if (!options_.ladder || dicom::uid::is_native(used.transfer_syntax) || !other) return Sent::settled;
  Object native = source;
  native.load = sent.load;
  native.load->transfer_syntax.clear();
  const Sent how = send_one(native, std::max(round, 1U), used.transfer_syntax);
  if (how != Sent::settled || native.bucket == manifest::Bucket::loaded) {
    native.findings.push_back({"LOAD-NATIVE", Severity::s1, "",
                               "the peer did not understand the object in transfer syntax " + used.transfer_syntax +
                                   " (status " + sent.load->status + "), so it was sent in a native one"});
    sent = std::move(native);
  } else {
    sent.load->attempts = std::max(sent.load->attempts, native.load->attempts);
  }
  return how;
}

Sender::Sent Sender::send_one(Object& object, unsigned round, const std::string& avoided) {
  refused_ = false;
  if (round == 0 || !object.load) object.load.emplace();
  object.load->run = run_id_;
  const net::Association* way = nullptr;
  const auto granted = [&](const net::Context& context) {
    if (way == nullptr) way = &association(contexts_for(object, options_));
    return context.transfer_syntax != avoided && way->accepted(context);
  };
  const auto prepared = preparer_.prepare(object, granted);
  if (!prepared) return Sent::settled;
  sent_context_ = prepared->context;
  return send_bytes(object, *prepared, round);
}

void Sender::send(Work& work) {
  std::vector<bool> settled(work.parcels.size());
  settle_doubts(work, settled);
  for (; work.done < work.parcels.size(); ++work.done) {
    Parcel& parcel = work.parcels[work.done];
    if (!settled[work.done]) {
      if (!control_.admit(parcel.object.source.size, [&] { rest(); })) return;
      const bool was_in_doubt = std::exchange(parcel.in_doubt, true);
      Object sent = parcel.object;  // an unanswered object stays as it was
      Sent how = Sent::stopped;
      try {
        how = send_one(sent, work.round);
        if (how == Sent::settled && sent.load && is_not_understood(*sent.load))
          how = send_native(sent, parcel.object, work.round);
      } catch (...) {
        if (refused_) parcel.in_doubt = was_in_doubt;
        throw;
      }
      if (refused_) parcel.in_doubt = was_in_doubt;
      if (how == Sent::stopped) return;
      if (how == Sent::later) {
        parcel.object.load = std::move(sent.load);  // it is prepared anew
        events_.later(parcel.object);
        continue;
      }
      parcel = {std::move(sent), was_in_doubt};
    }
    events_.outcome(parcel.object);
  }
  // Many peers begin their work on a study when the association ends.
  if (work.ends_study && options_.release_each_study) rest();
  if (work.ends_study) events_.study_over(work.study);
}

}  // namespace waybill::load
