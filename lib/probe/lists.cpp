// SPDX-License-Identifier: Apache-2.0
#include "probe/lists.hpp"

#include "commit/ledger.hpp"
#include "load/status.hpp"
#include "transfer/peers.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace waybill::probe {

namespace {

using Clock = std::chrono::steady_clock;
using Values = std::map<std::uint32_t, std::string>;

constexpr std::uint32_t kSopInstance = 0x00080018, kDate = 0x00080020, kLevel = 0x00080052, kStudy = 0x0020000D,
                        kSeries = 0x0020000E, kInstances = 0x00201208;
constexpr std::uint16_t kCancelled = 0xFE00;
constexpr std::size_t kMostSeries = 16;      // of a study whose objects are counted
constexpr std::chrono::minutes kLongest{1};  // of one list

struct Optional {
  std::uint32_t tag;
  const char* vr;
  const char* name;
};
constexpr std::array kOptional{
    Optional{0x00080056, "CS", "InstanceAvailability"},
    Optional{0x00080061, "CS", "ModalitiesInStudy"},
    Optional{0x00080062, "UI", "SOPClassesInStudy"},
    Optional{0x00201206, "IS", "NumberOfStudyRelatedSeries"},
    Optional{kInstances, "IS", "NumberOfStudyRelatedInstances"},
};

std::size_t number_of(const std::string& text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Asks over one association.
class Finder {
 public:
  Finder(const Options& options, Lists& lists)
      : association_(transfer::Peers(std::get<net::Peer>(options.peer), options.calling, options.timeouts)
                         .request(net::Association::find_contexts(), net::AskLevel::all)),
        most_(options.most_listed),
        lists_(lists) {
    lists_.relational_agreed = association_.facts().relational;
  }

  void ask_for_nothing();
  void list_studies();
  void prove_limit();
  void look_into_one();

 private:
  struct List {
    net::Found found;
    std::vector<Values> answers;
    bool cut = false;  ///< by us: there is more
  };
  /// At most that many answers, and for a minute.
  List list(const std::vector<net::Key>& keys, std::size_t most) {
    List out;
    const auto until = Clock::now() + kLongest;
    out.found = association_.find(keys, [&](const Values& answer) {
      out.cut = out.answers.size() >= most || Clock::now() > until;
      if (!out.cut) out.answers.push_back(answer);
      return !out.cut;
    });
    return out;
  }
  [[nodiscard]] std::size_t count_days(const std::string& range) {
    return list({{kDate, "DA", range}, {kLevel, "CS", "STUDY"}, {kStudy, "UI", ""}}, most_).answers.size();
  }
  [[nodiscard]] std::vector<std::string> values(const std::vector<net::Key>& keys, std::uint32_t tag) {
    std::vector<std::string> out;
    for (Values& answer : list(keys, most_).answers) {
      if (!answer[tag].empty()) out.push_back(answer[tag]);
    }
    return out;
  }

  net::Association association_;
  const std::size_t most_;
  Lists& lists_;
  std::vector<Values> studies_;
};

/// A peer that does not look at the key would answer load's questions with whatever it has.
void Finder::ask_for_nothing() {
  const List nothing = list({{kLevel, "CS", "STUDY"}, {kStudy, "UI", commit::new_transaction()}}, 1);
  lists_.status = load::status_text(nothing.found.status);
  if (nothing.found.status == 0 || !nothing.answers.empty()) lists_.honours_uid = nothing.answers.empty();
}

void Finder::list_studies() {
  std::vector<net::Key> keys{{kDate, "DA", ""}, {kLevel, "CS", "STUDY"}, {kStudy, "UI", ""}};
  for (const Optional& key : kOptional) keys.push_back({key.tag, key.vr, ""});
  std::ranges::sort(keys, {}, &net::Key::tag);
  List all = list(keys, most_);
  lists_.asked = most_;
  lists_.listed = all.answers.size();
  lists_.status = load::status_text(all.found.status);
  lists_.keys_unsupported = all.found.keys_unsupported;
  const bool failed = all.found.status != 0 && all.found.status != kCancelled;  // B001, and what older ones say for it
  if (failed && !all.answers.empty()) lists_.limit = all.answers.size();
  studies_ = std::move(all.answers);
  for (const Optional& key : kOptional) {
    if (studies_.empty()) return;
    lists_.keys[key.name] = std::ranges::any_of(studies_, [&](const Values& one) {
      const auto value = one.find(key.tag);
      return value != one.end() && !value->second.empty();
    });
  }
  if (!all.cut && !failed) prove_limit();
}

/// A list that ends in silence: where its two halves hold more, it was cut at a limit of the peer's.
void Finder::prove_limit() {
  std::vector<std::string> days;
  for (const Values& study : studies_) {
    const auto day = study.find(kDate);
    if (day != study.end()) days.push_back(day->second);
  }
  const auto halves = halves_of(std::move(days));
  if (!halves) return;
  const std::size_t both = count_days("-" + halves->until) + count_days(halves->from + "-");
  if (both > studies_.size()) lists_.limit = studies_.size();
}

/// The smallest study that has something, down to one object.
void Finder::look_into_one() {
  const auto size_of = [](const Values& study) {
    const auto value = study.find(kInstances);
    const std::size_t size = value == study.end() ? 0 : number_of(value->second);
    return size == 0 ? std::size_t(-1) : size;
  };
  std::map<std::string, int> times;
  for (const Values& one : studies_) ++times[one.contains(kStudy) ? one.at(kStudy) : ""];
  std::erase_if(studies_, [&](const Values& one) {  // of two patients, or nameless
    return !one.contains(kStudy) || one.at(kStudy).empty() || times[one.at(kStudy)] > 1;
  });
  const auto smallest = std::ranges::min_element(studies_, {}, size_of);
  if (smallest == studies_.end()) return;
  const std::string& study = smallest->at(kStudy);
  const auto series = values({{kLevel, "CS", "SERIES"}, {kStudy, "UI", study}, {kSeries, "UI", ""}}, kSeries);
  std::string instance;
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min(series.size(), kMostSeries); ++i) {
    const auto found =
        values({{kSopInstance, "UI", ""}, {kLevel, "CS", "IMAGE"}, {kStudy, "UI", study}, {kSeries, "UI", series[i]}},
               kSopInstance);
    count += found.size();
    if (instance.empty() && !found.empty()) instance = found.front();
  }
  const bool whole = series.size() <= kMostSeries && count < std::min(most_, lists_.limit.value_or(most_));
  if (size_of(*smallest) != std::size_t(-1) && whole) lists_.counts_right = count == size_of(*smallest);
  if (instance.empty()) return;
  const List alone = list({{kSopInstance, "UI", instance}, {kLevel, "CS", "IMAGE"}}, 1);
  lists_.relational = !alone.answers.empty();
}

}  // namespace

std::optional<Halves> halves_of(std::vector<std::string> days) {
  using namespace std::chrono;
  std::erase_if(days, [](const std::string& day) {
    return day.size() != 8 || !std::ranges::all_of(day, [](char c) { return c >= '0' && c <= '9'; });
  });
  if (days.size() < 2) return std::nullopt;
  std::ranges::sort(days);
  auto middle = days[(days.size() - 1) / 2];
  if (middle == days.back()) {  // most are of one day: the cut goes before it
    const auto first = std::ranges::lower_bound(days, middle);
    if (first == days.begin()) return std::nullopt;
    middle = *(first - 1);
  }
  const auto part = [&](std::size_t at, std::size_t size) {
    return static_cast<int>(number_of(middle.substr(at, size)));
  };
  const year_month_day day{year{part(0, 4)}, month{static_cast<unsigned>(part(4, 2))},
                           std::chrono::day{static_cast<unsigned>(part(6, 2))}};
  if (!day.ok()) return std::nullopt;
  const year_month_day next{sys_days{day} + std::chrono::days{1}};
  const auto number = static_cast<int>(next.year()) * 10000 +
                      static_cast<int>(static_cast<unsigned>(next.month())) * 100 +
                      static_cast<int>(static_cast<unsigned>(next.day()));
  std::string from = std::to_string(number);
  from.insert(0, 8 - std::min<std::size_t>(8, from.size()), '0');
  return Halves{middle, from};
}

Lists ask_lists(const Options& options) {
  Lists lists;
  lists.service = "C-FIND";
  Finder finder(options, lists);
  finder.ask_for_nothing();
  if (options.most_listed == 0) return lists;
  finder.list_studies();
  finder.look_into_one();
  return lists;
}

}  // namespace waybill::probe
