// SPDX-License-Identifier: Apache-2.0
#include "load/lanes.hpp"

#include "manifest/exception.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace waybill::load {

namespace {

constexpr std::size_t kWorkObjects = 64;  // with intents of their own; twice as many may be asked about after a crash
constexpr std::size_t kWebWorkObjects = 1000;  // as many as one request may hold
constexpr std::size_t kAheadObjects = 32;      // of a piece, while the disk is waited for
constexpr std::size_t kPoolObjects = 16;       // a lane, of pieces that no lane has begun
constexpr std::uint64_t kPoolBytes = std::uint64_t{64} << 20U;
constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::seconds kFresh{30};  // a peer that answered so long ago works

std::int64_t now_count() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

/// Most wanted first.
std::vector<net::Context> ranked(const std::map<net::Context, std::uint64_t>& contexts) {
  std::vector<std::pair<std::uint64_t, net::Context>> all;
  all.reserve(contexts.size());
  for (const auto& [context, count] : contexts) all.emplace_back(count, context);
  std::ranges::stable_sort(all, std::greater{}, &std::pair<std::uint64_t, net::Context>::first);
  std::vector<net::Context> out;
  out.reserve(all.size());
  for (auto& [count, context] : all) out.push_back(std::move(context));
  return out;
}

}  // namespace

Committer::Committer(transfer::Output& output) : output_(output), thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  asked_cv_.notify_all();
  thread_.join();
}

std::uint64_t Committer::ask() {
  const std::lock_guard lock(mutex_);
  asked_cv_.notify_one();
  return ++asked_;
}

void Committer::wait(std::uint64_t ticket) {
  std::unique_lock lock(mutex_);
  done_cv_.wait(lock, [&] { return done_ >= ticket || failure_; });
  if (failure_) std::rethrow_exception(failure_);
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_cv_.wait(lock, [&] { return ending_ || asked_ > done_; });
    if (ending_) return;
    const std::uint64_t all = asked_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      output_.commit();
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) failure_ = failure;
    done_ = all;
    done_cv_.notify_all();
    if (failure) return;
  }
}

Lanes::Lanes(const Options& options, Queue& queue, const Preparer& preparer, Target& target, transfer::Output& output)
    : options_(options),
      queue_(queue),
      preparer_(preparer),
      target_(target),
      output_(output),
      contexts_(ranked(queue.needs().contexts)),
      work_objects_(std::holds_alternative<web::Endpoint>(options.target) ? kWebWorkObjects : kWorkObjects),
      transfers_(transfer::route_to(options.target, options.calling)),
      control_(options, halt_),
      breaker_(options.waits),
      committer_(output),
      tuner_(options.associations, std::chrono::steady_clock::now()),
      allowed_(options.find_associations ? tuner_.associations() : std::max(1U, options.associations)) {}

void Lanes::run_round() {
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < std::max(1U, options_.associations); ++i) threads.emplace_back([this, i] { lane(i); });
}

void Lanes::run() {
  run_round();
  while (!later_.empty() && !control_.stopping()) {
    constexpr std::array kTimes{2, 10, 60};
    const int times = kTimes[std::min<std::size_t>(round_, kTimes.size() - 1)];
    control_.wait_for(breaker_.jittered(options_.waits.first * times));
    begin_next_round();
    run_round();
  }
  try {
    for (const Begun& begun : pool_) take_back(begun.work);
  } catch (const std::exception&) {  // the intents stand, the next run asks
  }
  halt_.rethrow();
  output_.commit();
}

void Lanes::lane(unsigned index) {
  Hand hand;
  const Events events{[&](const manifest::Object& object) {
                        record(object);
                        look_ahead(hand);
                      },
                      [&](const manifest::Object& object) {
                        put_off(object);
                        look_ahead(hand);
                      },
                      [&](std::uint64_t bytes, std::chrono::nanoseconds took) { note_answer(bytes, took); },
                      [&] { note_trouble(); },
                      [&](const std::string& study) {
                        if (watch_.study_over) watch_.study_over(study);
                      },
                      [&] { return now_count() - last_answer_.load() < std::chrono::nanoseconds(kFresh).count(); }};
  try {
    Sender sender({options_, contexts_, control_, breaker_, events}, output_.run_id(), preparer_, target_);
    work_on(index, hand, sender);
  } catch (...) {
    halt_.set(std::current_exception());
  }
  try {
    for (const Work& work : hand.works) take_back(work);
  } catch (const std::exception&) {  // as in run()
  }
  lane_cv_.notify_all();
}

void Lanes::work_on(unsigned index, Hand& hand, Sender& sender) {
  while (!control_.stopping()) {
    if (hand.works.empty() && !hand.rest.empty()) look_ahead(hand);
    if (hand.works.empty() && !(may_take(index) && begin_piece(hand))) {
      if (!wait_for_turn(index, sender)) return;
      continue;
    }
    Work& work = hand.works.front();  // stays in the hand, so that what is left of it can be taken back
    committer_.wait(work.ticket);
    sender.send(work);
    if (work.done < work.parcels.size()) return;
    hand.works.pop_front();
  }
}

bool Lanes::may_take(unsigned index) { return index < allowed_.load(); }

/// A lane without work: false at the end. One that is too many gives its association up meanwhile.
bool Lanes::wait_for_turn(unsigned index, Sender& sender) {
  if (finished_.load() || control_.stopping()) return false;
  if (may_take(index)) return true;
  sender.rest();
  std::unique_lock lock(lane_mutex_);
  lane_cv_.wait_for(lock, kLook, [&] { return may_take(index) || finished_.load(); });
  return true;
}

/// Cuts the next work of the piece early enough for the disk to be waited for while this one travels; looks after the
/// pool for the same reason.
void Lanes::look_ahead(Hand& hand) {
  const std::size_t left = hand.works.empty() ? 0 : hand.works.front().parcels.size() - hand.works.front().done;
  if (!hand.rest.empty() && hand.works.size() < 2 && left <= kAheadObjects) {
    hand.works.push_back(cut(hand.rest));
    hand.works.back().ticket = committer_.ask();
  }
  if (pool_objects_.load() >= kPoolObjects * allowed_.load() / 2) return;
  const std::unique_lock lock(queue_mutex_, std::try_to_lock);
  if (lock.owns_lock()) fill_pool();
}

/// Under queue_mutex_.
std::optional<Piece> Lanes::next_piece() {
  if (round_ == 0) return queue_.next();
  if (again_.empty()) return std::nullopt;
  Piece piece = std::move(again_.front());
  again_.pop_front();
  return piece;
}

/// The peer certainly did not store it, so nobody need ask about it after a crash.
void Lanes::put_off(const manifest::Object& object) {
  transfers_.end(object, false);
  const std::lock_guard lock(record_mutex_);
  output_.append(to_json(manifest::Intent{object.id, object.sop_instance.value_or(""), std::string(kWithdrawn)}));
  later_.push_back(object);
}

/// Between rounds, when no lane runs: what was put off, in pieces of one study.
void Lanes::begin_next_round() {
  std::map<std::string, std::size_t> places;
  for (manifest::Object& object : later_) {
    const std::string study = object.study.value_or("");
    const auto [place, added] = places.emplace(study, again_.size());
    if (added) again_.push_back({study, {}});
    again_[place->second].parcels.push_back({std::move(object), false});
  }
  later_.clear();
  ++round_;
  exhausted_ = false;
  finished_.store(false);
}

/// Under queue_mutex_.
void Lanes::fill_pool() {
  const std::size_t wanted = kPoolObjects * allowed_.load();
  std::size_t added = 0;
  while (!exhausted_ && !control_.stopping() &&
         (pool_.empty() || (pool_objects_.load() < wanted && pool_bytes_ < kPoolBytes))) {
    auto piece = next_piece();
    if (!piece) {
      exhausted_ = true;
      break;
    }
    Begun begun{{}, {*std::move(piece), 0}};
    begun.work = cut(begun.rest);
    pool_objects_ += begun.work.parcels.size();
    for (const Parcel& parcel : begun.work.parcels) pool_bytes_ += parcel.object.source.size;
    pool_.push_back(std::move(begun));
    ++added;
  }
  if (added > 0) {
    const std::uint64_t ticket = committer_.ask();
    for (std::size_t i = pool_.size() - added; i < pool_.size(); ++i) pool_[i].work.ticket = ticket;
  }
  if (!exhausted_ || !pool_.empty()) return;
  finished_.store(true);
  lane_cv_.notify_all();
}

bool Lanes::begin_piece(Hand& hand) {
  if (!take_piece(hand)) return false;
  std::vector<const manifest::Object*> objects;
  for (const Parcel& parcel : hand.works.back().parcels) objects.push_back(&parcel.object);
  for (std::size_t i = hand.rest.at; i < hand.rest.piece.parcels.size(); ++i)
    objects.push_back(&hand.rest.piece.parcels[i].object);
  transfers_.begin(objects);
  return true;
}

bool Lanes::take_piece(Hand& hand) {
  const std::lock_guard lock(queue_mutex_);
  fill_pool();
  if (pool_.empty()) return false;
  Begun begun = std::move(pool_.front());
  pool_.pop_front();
  pool_objects_ -= begun.work.parcels.size();
  for (const Parcel& parcel : begun.work.parcels) pool_bytes_ -= parcel.object.source.size;
  hand.works.push_back(std::move(begun.work));
  hand.rest = std::move(begun.rest);
  return true;
}

/// The next objects of the piece, whose contexts fit into one association, with their intents.
Work Lanes::cut(Cut& cut) {
  Work work;
  work.study = cut.piece.study;
  work.round = round_;
  std::set<net::Context> contexts;
  auto& parcels = cut.piece.parcels;
  while (cut.at < parcels.size() && work.parcels.size() < work_objects_) {
    std::set<net::Context> with = contexts;
    for (net::Context& context : contexts_for(parcels[cut.at].object, options_)) with.insert(std::move(context));
    if (with.size() > net::kMaxContexts && !work.parcels.empty()) break;
    contexts = std::move(with);
    const Parcel& parcel = work.parcels.emplace_back(std::move(parcels[cut.at++]));
    if (parcel.in_doubt) continue;  // its intent stands
    output_.append(to_json(manifest::Intent{parcel.object.id, parcel.object.sop_instance.value_or(""), "store"}));
  }
  work.ends_study = cut.empty();
  return work;
}

/// The intents of what was not sent.
void Lanes::take_back(const Work& work) {
  for (std::size_t i = 0; i < work.parcels.size(); ++i) {
    const Parcel& parcel = work.parcels[i];
    if (parcel.in_doubt || work.is_settled(i)) continue;
    const std::string action(kWithdrawn);
    output_.append(to_json(manifest::Intent{parcel.object.id, parcel.object.sop_instance.value_or(""), action}));
  }
}

void Lanes::record(const manifest::Object& object) {
  {
    const std::lock_guard lock(record_mutex_);
    output_.record(object);
  }
  transfers_.end(object, object.bucket == manifest::Bucket::loaded);
  if (watch_.recorded) watch_.recorded(object);
  if (options_.progress) options_.progress(1, object.source.size, manifest::is_exception(object) ? 1 : 0);
}

void Lanes::note_answer(std::uint64_t bytes, std::chrono::nanoseconds took) {
  last_answer_.store(now_count());
  if (!options_.find_associations) return;
  const std::lock_guard lock(lane_mutex_);
  tuner_.sent(bytes, took);
  if (allowed_.exchange(tuner_.decide(std::chrono::steady_clock::now())) != tuner_.associations())
    lane_cv_.notify_all();
}

void Lanes::note_trouble() {
  if (!options_.find_associations) return;
  const std::lock_guard lock(lane_mutex_);
  tuner_.trouble();
}

}  // namespace waybill::load
