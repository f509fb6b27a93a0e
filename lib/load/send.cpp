// SPDX-License-Identifier: Apache-2.0
#include "load/send.hpp"

#include "core/clock.hpp"
#include "dicom/uids.hpp"
#include "load/commitment.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace waybill::load {

using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::chrono::milliseconds kPauseAfterSilence{1000};

void add_load(Object& object) {
  if (!object.load) object.load.emplace();
}

/// The peer as a whole does not want us.
[[noreturn]] void give_up(const Options& options, const Outgoing& out, const Answer& answer) {
  const std::string url = transfer::url_of(options.target);
  const bool web = std::holds_alternative<web::Endpoint>(options.target);
  throw net::PeerError(net::PeerError::Kind::refused,
                       url + " answered " + answer.service + " with " +
                           (answer.comment.starts_with("HTTP") ? answer.comment : out.object.load->status) +
                           " (not authorised); have " +
                           (web ? std::string("the login or certificate") : "AE title " + options.calling) +
                           " allowed to store there, then run the same command again");
}

}  // namespace

void mark_found(Object& object) {
  add_load(object);
  object.bucket = manifest::Bucket::loaded;
  object.load->status.clear();
  object.load->outcome = "found-after-interruption";
  object.load->at = utc_now();
}

void mark_present(Object& object) {
  add_load(object);
  object.bucket = manifest::Bucket::loaded;
  object.load->outcome = "already-present";
  object.load->at = utc_now();
  object.findings.push_back(
      {"LOAD-DUPLICATE", Severity::s1, "", "the peer declined the object and has it; compare with waybill-verify"});
}

void mark_listed(Object& object) {
  object.load->outcome = "already-present";
  object.load->at = utc_now();
  std::string why;
  std::erase_if(object.findings, [&](const manifest::Finding& f) {
    if (f.code != kUncommitted) return false;
    why = f.detail;
    return true;
  });
  object.findings.push_back(
      {"LOAD-DUPLICATE", Severity::s1, "", "the archive lists the object now; an earlier load said: " + why});
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

/// Objects that an earlier run may have sent: what the peer lists is recorded as found, what it does not list, twice,
/// is sent. Where it cannot be asked, what an earlier load counted as loaded stays what it was. False when the run is
/// to stop.
bool Sender::settle_doubts(Work& work) {
  std::vector<std::size_t> places;
  std::vector<const Object*> objects;
  for (std::size_t i = 0; i < work.parcels.size(); ++i) {
    if (!work.parcels[i].in_doubt || work.settled[i]) continue;
    places.push_back(i);
    objects.push_back(&work.parcels[i].object);
  }
  const auto listed = asker_.ask(objects, Asker::Times::twice);
  if (!listed) return false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    Outgoing out;
    out.place = places[i];
    const Parcel& parcel = work.parcels[out.place];
    const Asker::Listed there = (*listed)[i];
    if (parcel.uncommitted && there != Asker::Listed::no) {
      out.object = *parcel.uncommitted;
      if (there == Asker::Listed::yes) {
        mark_listed(out.object);
        out.object.load->run = run_id_;
      }
    } else {
      out.object = parcel.object;
      if (there == Asker::Listed::yes) make_again(out.object);
      if (!settle_listed(out.object, there, Answer::Kind::none)) continue;
      out.object.load->run = run_id_;
    }
    finish(work, out, Sent::settled);
  }
  return true;
}

/// Whether the peer's list settles it.
bool Sender::settle_listed(Object& object, Asker::Listed listed, Answer::Kind why) {
  if (listed == Asker::Listed::yes) why == Answer::Kind::declined ? mark_present(object) : mark_found(object);
  if (listed == Asker::Listed::unknown) mark_unknown(object);
  return listed != Asker::Listed::no;
}

std::optional<Prepared> Sender::prepare_bytes(Object& object, const std::set<net::Context>& declined) {
  const auto needed = contexts_for(object, options_);
  return preparer_.prepare(object, [&](const net::Context& context) {
    return !declined.contains(context) && way_->grants(needed, context);
  });
}

/// What was made of the object when it was sent (edits, another syntax) died with the run that sent it; the same comes
/// of it again, and verify must know it. A source that is gone since then does not undo that the peer has the object.
void Sender::make_again(Object& object) {
  Object again = object;
  again.load.emplace();
  if (prepare_bytes(again, {})) object = std::move(again);
}

/// nullopt for an object that cannot be sent; it has its outcome then.
std::optional<Outgoing> Sender::prepare(Work& work, std::size_t place) {
  const Parcel& parcel = work.parcels[place];
  Outgoing out;
  out.place = place;
  out.object = parcel.object;  // an unanswered object stays as it was
  out.was_in_doubt = parcel.in_doubt;
  if (work.round == 0 || !out.object.load) out.object.load.emplace();
  out.object.load->run = run_id_;
  auto prepared = prepare_bytes(out.object, out.declined);
  if (!prepared) {
    finish(work, out, Sent::settled);
    return std::nullopt;
  }
  out.prepared = *std::move(prepared);
  return out;
}

/// Whether an object that was not understood compressed (domain rule 9.2, Cxxx) can be sent natively; then the
/// compressed syntaxes are out of the question from now on.
bool Sender::may_go_native(Outgoing& out) {
  if (out.native || !options_.ladder || dicom::uid::is_native(out.prepared.context.transfer_syntax)) return false;
  const auto needed = contexts_for(out.object, options_);
  const auto is_native = [](const net::Context& context) { return dicom::uid::is_native(context.transfer_syntax); };
  if (std::ranges::none_of(needed, [&](const net::Context& c) { return is_native(c) && way_->grants(needed, c); }))
    return false;
  std::ranges::copy_if(needed, std::inserter(out.declined, out.declined.end()), std::not_fn(is_native));
  return out.native = true;
}

/// The same in another transfer syntax, after the peer has refused the one before. False when there is none left; it
/// has its outcome then.
bool Sender::prepare_again(const Work& work, Outgoing& out) {
  Object object = work.parcels[out.place].object;
  object.load = out.object.load;
  object.load->transfer_syntax.clear();
  if (out.native) {
    object.findings.push_back({"LOAD-NATIVE", Severity::s1, "",
                               "the peer did not understand the object in transfer syntax " +
                                   out.prepared.context.transfer_syntax + " (status " + object.load->status +
                                   "), so it was sent once more in a native one"});
  }
  out.declined.insert(out.prepared.context);
  auto prepared = prepare_bytes(object, out.declined);
  out.object = std::move(object);
  if (!prepared) return false;
  out.prepared = *std::move(prepared);
  return true;
}

void Sender::finish(Work& work, const Outgoing& out, Sent how) {
  if (how == Sent::settled) events_.outcome(out.object);
  if (how == Sent::later) {
    Object& object = work.parcels[out.place].object;
    object.load = out.object.load;  // it is prepared anew
    events_.later(object);
  }
  work.settled[out.place] = true;
  ++work.done;
}

/// Notes what the peer said to an object.
Meaning Sender::take_answer(Work& work, Outgoing& out, const Answer& answer, std::chrono::nanoseconds took) {
  using Kind = Answer::Kind;
  manifest::Load& load = *out.object.load;
  load.association = std::to_string(way_->number());
  load.attempts += answer.kind == Kind::not_granted ? 0 : 1;
  load.status = answer.kind == Kind::status || answer.kind == Kind::syntax ? status_text(answer.status) : "";
  load.comment = answer.comment;
  load.at = utc_now();
  Meaning meaning = meaning_of(answer);
  const bool silent = answer.kind == Kind::none;
  if (is_not_understood(answer) && may_go_native(out)) meaning.next = Meaning::Next::syntax;
  out.refused = meaning.next == Meaning::Next::retry || meaning.next == Meaning::Next::syntax;
  if (out.refused) work.parcels[out.place].in_doubt = out.was_in_doubt;
  if (meaning.scarce || silent) events_.trouble();
  if (!silent && answer.kind != Kind::not_granted) events_.answered(out.prepared.size(), took);
  if (silent) breaker_.silent();
  if (!silent && !meaning.scarce) breaker_.answered();
  return meaning;
}

/// What becomes of the object. Throws PeerError when the peer is gone or takes nothing from us.
Sender::Sent Sender::settle(Outgoing& out, const Answer& answer, const Meaning& meaning, bool last_try) {
  using Next = Meaning::Next;
  const bool silent = answer.kind == Answer::Kind::none;
  if (meaning.next == Next::stop) give_up(options_, out, answer);
  if (meaning.next == Next::ask) {
    const auto listed = asker_.ask({&out.object}, silent ? Asker::Times::twice : Asker::Times::once);
    if (!listed) return Sent::stopped;
    if (settle_listed(out.object, listed->front(), answer.kind)) return Sent::settled;
  }
  if (meaning.next != Next::done && !last_try) return silent ? Sent::again : Sent::later;
  out.object.bucket = meaning.bucket;
  out.object.load->outcome = meaning.outcome;
  if (meaning.finding) out.object.findings.push_back(*meaning.finding);
  return Sent::settled;
}

Sender::Sent Sender::send_alone(Work& work, Outgoing& out) {
  using Kind = Answer::Kind;
  for (;;) {
    if (!has_room(breaker_, control_, options_)) return Sent::stopped;
    if (out.refused && !control_.admit(0, [&] { rest(); })) return Sent::stopped;
    if (std::exchange(out.busy, false)) {
      const auto listed = asker_.ask({&out.object}, Asker::Times::once);
      if (!listed) return Sent::stopped;
      if (settle_listed(out.object, listed->front(), Kind::busy)) return Sent::settled;
    }
    work.parcels[out.place].in_doubt = true;
    const auto begin = std::chrono::steady_clock::now();
    const Answer answer = way_->store({&out, 1}).front();
    const Meaning meaning = take_answer(work, out, answer, std::chrono::steady_clock::now() - begin);
    if (meaning.next == Meaning::Next::syntax) {
      if (!prepare_again(work, out)) return Sent::settled;
      continue;
    }
    out.busy = answer.kind == Kind::busy;
    if (out.busy) breaker_.busy(answer.retry_after);
    if (out.busy || (meaning.scarce && work.round == 0 && breaker_.refused(out.object.id))) {
      rest();
      continue;
    }
    const bool silent = answer.kind == Kind::none;
    const bool declined = answer.kind == Kind::declined || answer.kind == Kind::too_large;
    const bool last = silent ? out.repeated || options_.retries == 0 : declined || work.round >= options_.retries;
    const Sent how = settle(out, answer, meaning, last);
    if (how != Sent::again) return how;
    out.repeated = true;
    control_.wait_for(std::min(kPauseAfterSilence, options_.waits.first));
    if (control_.stopping()) return Sent::stopped;  // its intent stands: the next run asks about it
  }
}

bool Sender::ship_alone(Work& work, Outgoing& out) {
  const Sent how = send_alone(work, out);
  if (how != Sent::stopped) finish(work, out, how);
  return how != Sent::stopped;
}

/// One request for all, and what its answer settles.
Sender::Shipped Sender::store_together(Work& work, std::vector<Outgoing> batch) {
  using Next = Meaning::Next;
  for (const Outgoing& out : batch) work.parcels[out.place].in_doubt = true;
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Answer> answers = way_->store(batch);
  const auto took = (std::chrono::steady_clock::now() - begin) / static_cast<int>(batch.size());
  Shipped shipped;
  const std::pair<Outgoing*, const Answer*> nobody{nullptr, nullptr};
  auto stop = nobody;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Outgoing& out = batch[i];
    const Meaning meaning = take_answer(work, out, answers[i], took);
    if (meaning.next == Next::done) {
      finish(work, out, settle(out, answers[i], meaning, true));
    } else if (meaning.next == Next::stop) {
      stop = {&out, &answers[i]};
    } else if (meaning.next == Next::ask && answers[i].kind != Answer::Kind::status) {
      shipped.why = answers[i].kind;
      shipped.retry_after = answers[i].retry_after;
      shipped.rest.push_back(std::move(out));
    } else if (meaning.next == Next::syntax) {
      if (prepare_again(work, out)) {
        shipped.alone.push_back(std::move(out));
      } else {
        finish(work, out, Sent::settled);
      }
    } else if (meaning.scarce && work.round == 0 && breaker_.refused(out.object.id)) {
      shipped.alone.push_back(std::move(out));
    } else {
      const Sent how = settle(out, answers[i], meaning, work.round >= options_.retries);
      if (how != Sent::stopped) finish(work, out, how);
    }
  }
  if (stop != nobody) give_up(options_, *stop.first, *stop.second);
  return shipped;
}

/// Settles what the peer lists; the others are left in the batch. False when the run is to stop.
bool Sender::settle_listed_of(Work& work, std::vector<Outgoing>& batch, Answer::Kind why) {
  std::vector<const Object*> objects;
  objects.reserve(batch.size());
  for (const Outgoing& out : batch) objects.push_back(&out.object);
  const auto listed = asker_.ask(objects, why == Answer::Kind::none ? Asker::Times::twice : Asker::Times::once);
  if (!listed) return false;
  std::vector<Outgoing> absent;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (settle_listed(batch[i].object, (*listed)[i], why)) {
      finish(work, batch[i], Sent::settled);
    } else {
      absent.push_back(std::move(batch[i]));
    }
  }
  batch = std::move(absent);
  return true;
}

/// What an answer left open. False when the run is to stop.
bool Sender::ship_rest(Work& work, std::vector<Outgoing> batch, Answer::Kind why) {
  using Kind = Answer::Kind;
  std::uint64_t bytes = 0;
  for (const Outgoing& out : batch) bytes += out.prepared.size();
  if (why == Kind::too_large) way_->shrink(bytes);
  if (!settle_listed_of(work, batch, why)) return false;
  if (why != Kind::too_large) return std::ranges::all_of(batch, [&](Outgoing& out) { return ship_alone(work, out); });
  const auto middle = batch.begin() + static_cast<std::ptrdiff_t>((batch.size() + 1) / 2);
  std::vector<Outgoing> second(std::make_move_iterator(middle), std::make_move_iterator(batch.end()));
  batch.erase(middle, batch.end());
  return ship(work, std::move(batch)) && ship(work, std::move(second));
}

/// Sends the batch until each object has its outcome or is put off. False when the run is to stop.
bool Sender::ship(Work& work, std::vector<Outgoing> batch) {
  bool ask_first = false;
  while (batch.size() > 1) {
    if (!has_room(breaker_, control_, options_)) return false;
    if (ask_first && !settle_listed_of(work, batch, Answer::Kind::busy)) return false;
    if (batch.size() <= 1) {
      breaker_.asked();
      break;
    }
    Shipped shipped = store_together(work, std::move(batch));
    for (Outgoing& out : shipped.alone) {
      if (!ship_alone(work, out)) return false;
    }
    batch = std::move(shipped.rest);
    if (batch.empty()) return true;
    if (shipped.why != Answer::Kind::busy) return ship_rest(work, std::move(batch), shipped.why);
    breaker_.busy(shipped.retry_after);
    rest();
    ask_first = true;
    if (batch.size() == 1) batch.front().busy = true;
  }
  return batch.empty() || ship_alone(work, batch.front());
}

void Sender::send(Work& work) {
  work.settled.resize(work.parcels.size());
  if (!settle_doubts(work)) return;
  std::vector<Outgoing> batch;
  std::uint64_t bytes = 0;
  const auto ship_batch = [&] {
    bytes = 0;
    return batch.empty() || ship(work, std::exchange(batch, {}));
  };
  for (std::size_t place = 0; place < work.parcels.size(); ++place) {
    if (work.settled[place]) continue;
    if (!control_.admit(work.parcels[place].object.source.size, [&] { rest(); })) return;
    auto out = prepare(work, place);
    if (!out) continue;
    const Way::Room room = way_->room();
    const std::uint64_t size = out->prepared.size();
    if (bytes + size > room.bytes && !ship_batch()) return;
    batch.push_back(*std::move(out));
    bytes += size;
    if ((batch.size() >= room.objects || bytes >= room.bytes) && !ship_batch()) return;
  }
  if (!ship_batch()) return;
  // Many peers begin their work on a study when the association ends.
  if (work.ends_study && options_.release_each_study) rest();
  if (work.ends_study) events_.study_over(work.study);
}

}  // namespace waybill::load
