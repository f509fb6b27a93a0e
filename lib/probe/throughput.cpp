// SPDX-License-Identifier: Apache-2.0
#include "probe/throughput.hpp"

#include "core/stop.hpp"
#include "load/status.hpp"
#include "probe/sender.hpp"

#include <algorithm>
#include <latch>
#include <mutex>
#include <thread>

namespace waybill::probe {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint16_t kEdge = 512;  // half a megabyte, as an image of CT

/// What the lanes of one measurement have in common.
struct Course {
  explicit Course(std::ptrdiff_t lanes) : start(lanes) {}
  std::latch start;  // all connections stand, or do not
  std::mutex mutex;
  Rate rate;
  std::vector<double> answers;
  Clock::time_point begin = Clock::time_point::max(), end = Clock::time_point::min();
};

/// As many as travel together.
std::size_t next_size(const load::Way& way, std::span<const load::Outgoing> left) {
  const load::Way::Room room = way.room();
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  while (count < left.size() && count < std::max<std::size_t>(1, room.objects)) {
    bytes += left[count].prepared.size();
    if (count > 0 && bytes > room.bytes) break;
    ++count;
  }
  return count;
}

void send(load::Way& way, std::span<const load::Outgoing> objects, Course& course) {
  course.start.arrive_and_wait();
  const auto begin = Clock::now();
  std::vector<double> answers;
  std::uint64_t taken = 0, bytes = 0, refused = 0;
  while (!objects.empty() && !stop_requested()) {
    const auto some = objects.first(next_size(way, objects));
    const auto asked = Clock::now();
    std::vector<load::Answer> said;
    try {
      said = way.store(some);
    } catch (const net::PeerError&) {
      refused += objects.size();
      break;
    }
    const double took = std::chrono::duration<double, std::milli>(Clock::now() - asked).count();
    for (std::size_t i = 0; i < some.size(); ++i) {
      const bool good = load::meaning_of(said[i]).bucket == manifest::Bucket::loaded;
      (good ? taken : refused) += 1;
      if (good) bytes += some[i].prepared.size();
      answers.push_back(took / static_cast<double>(some.size()));
    }
    objects = objects.subspan(some.size());
  }
  const std::lock_guard lock(course.mutex);
  course.rate.objects += taken;
  course.rate.bytes += bytes;
  course.rate.refused += refused;
  course.answers.insert(course.answers.end(), answers.begin(), answers.end());
  course.begin = std::min(course.begin, begin);
  course.end = std::max(course.end, Clock::now());
}

/// One connection: opens it, waits for the others, sends its share.
void lane(Sender& sender, const std::vector<Made>& share, Course& course) {
  try {
    const auto way = sender.way();
    std::vector<load::Outgoing> objects;
    const auto context = sender.context(*way);
    if (!context) throw net::PeerError(net::PeerError::Kind::refused, "made objects are not taken");
    objects.reserve(share.size());
    for (const Made& made : share) objects.push_back(outgoing(made, *context));
    send(*way, objects, course);
  } catch (const net::PeerError&) {
    course.start.count_down();
    const std::lock_guard lock(course.mutex);
    ++course.rate.rejected;
  }
}

std::vector<Made> share_of(std::size_t objects, const std::string& patient_id, Left& left) {
  std::vector<Made> share(objects);
  const std::string study = new_uid(), series = new_uid();
  left.studies.push_back(study);
  for (std::size_t i = 0; i < objects; ++i) {
    share[i].study = study;
    share[i].series = series;
    share[i].instance = new_uid();
    share[i].patient_id = patient_id;
    share[i].edge = kEdge;
    share[i].number = static_cast<std::uint32_t>(i + 1);
    share[i].seed = static_cast<std::uint32_t>(i + 1);
    left.instances.push_back(share[i].instance);
  }
  return share;
}

Rate measure_with(unsigned lanes, const Options& options, const std::string& patient_id, Left& left) {
  Sender sender(options);
  Course course(lanes);
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < lanes; ++i) {
      const std::size_t share = options.objects * (i + 1) / lanes - options.objects * i / lanes;
      threads.emplace_back(
          [&sender, &course, made = share_of(share, patient_id, left)] { lane(sender, made, course); });
    }
  }
  Rate rate = course.rate;
  rate.associations = lanes;
  if (course.end > course.begin) rate.seconds = std::chrono::duration<double>(course.end - course.begin).count();
  std::ranges::sort(course.answers);
  if (!course.answers.empty()) rate.answer = course.answers[course.answers.size() / 2];
  return rate;
}

}  // namespace

std::vector<Rate> measure(const Options& options, const std::string& patient_id, Left& left) {
  std::vector<Rate> rates;
  for (unsigned lanes = 1; lanes <= options.at_once && lanes <= options.objects && !stop_requested(); lanes *= 2) {
    if (options.say)
      options.say("measures with " + std::to_string(lanes) + (lanes == 1 ? " connection" : " connections"));
    rates.push_back(measure_with(lanes, options, patient_id, left));
    if (rates.back().objects == 0 || rates.back().rejected > 0) break;
  }
  return rates;
}

}  // namespace waybill::probe
