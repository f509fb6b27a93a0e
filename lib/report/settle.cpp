// SPDX-License-Identifier: Apache-2.0
#include "manifest/exception.hpp"
#include "manifest/intake.hpp"
#include "report/collect.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace waybill::report {
namespace {

using manifest::Bucket;

constexpr unsigned kCommitted = 2;
constexpr unsigned kTargetChecked = 3;  // from this grade on the target was asked
constexpr std::uint8_t kUntouched = 0xFF;

State state_of(const Entry& entry) {
  const bool graded = entry.grade != Entry::kNone;
  switch (static_cast<Bucket>(entry.bucket)) {
    case Bucket::instance: return State::pending;
    case Bucket::duplicate_identical: return State::duplicate_identical;
    case Bucket::duplicate_conflict: return State::duplicate_conflict;
    case Bucket::dicomdir: return State::dicomdir;
    case Bucket::non_dicom: return State::non_dicom;
    case Bucket::non_instance: return State::non_instance;
    case Bucket::unreadable: return State::unreadable;
    case Bucket::empty: return State::empty;
    case Bucket::quarantined: return State::quarantined;
    case Bucket::excluded: return State::excluded;
    case Bucket::loaded: return graded && entry.grade >= kTargetChecked ? State::verified : State::loaded;
    case Bucket::verified:
      return !graded ? State::pending : entry.grade >= kTargetChecked ? State::verified : State::loaded;
    case Bucket::failed: return State::failed;
    case Bucket::pending: return State::pending;
  }
  return State::pending;
}

/// Objects with a late finding that no later manifest holds: read from the manifests again, the latest first.
void find_witnesses(Collected& c, const Mask& mask) {
  const auto open = [&] { return c.late.size() > c.late_witnesses.size(); };
  for (std::size_t n = c.holdings.size(); n-- > 0 && open();) {
    const Holdings& holdings = c.holdings[n];
    const auto wanted = [&](std::uint64_t id) { return c.late.contains(id) && !c.late_witnesses.contains(id); };
    if (holdings.path == "-" ||
        std::none_of(holdings.entries.begin(), holdings.entries.end(), [&](const Entry& e) { return wanted(e.id); }))
      continue;
    manifest::Intake intake(holdings.path);
    intake.read<Seen>(
        [&](std::string_view lines) { return look_at(lines, intake.name(), intake.header(), c.late, mask); },
        [&](std::vector<Seen>& all) {
          for (Seen& seen : all) {
            if (seen.late_witness && wanted(seen.entry.id))
              c.late_witnesses.emplace(seen.entry.id, std::move(*seen.late_witness));
          }
        });
  }
}

void add_late_findings(Collected& c) {
  for (auto& [id, findings] : c.late) {
    const auto witness = c.late_witnesses.find(id);
    if (witness != c.late_witnesses.end()) c.exceptions.try_emplace(id, std::move(witness->second));
    Exception& e = c.exceptions[id];
    if (e.id.empty()) e.id = id_text(id);
    for (const auto& finding : findings) {
      const std::string codes = with_word(e.codes, finding.code);
      if (codes == e.codes) continue;
      e.codes = codes;
      e.cause = with_cause(e.cause, finding.code);
      e.severity = std::max(e.severity, Interned(to_string(finding.severity)));
      const std::string text = finding.code + ": " + finding.detail;
      e.reason =
          e.reason.view().starts_with("ended in bucket") || e.reason.empty() ? text : e.reason.str() + "; " + text;
    }
  }
}

/// Counts the final record of one object.
void count_final(Collected& c, const Entry& entry) {
  Report& report = c.report;
  Tally& tally = report.buckets[entry.bucket];
  ++tally.objects;
  tally.bytes += entry.bytes;
  if (entry.grade == Entry::kNone) {
    ++report.ungraded;
  } else {
    ++report.grades[entry.grade];
  }
  const State state = state_of(entry);
  Group& group = report.groups[entry.group];
  ++group.objects;
  ++group.states[static_cast<std::size_t>(state)];
  group.bytes += entry.bytes;
  const auto count = [&](std::uint64_t Group::*in_group, std::uint64_t Places::*in_all) {
    ++(group.*in_group);
    ++(report.places.*in_all);
  };
  const auto bucket = static_cast<Bucket>(entry.bucket);
  const auto exception = c.exceptions.find(entry.id);
  if (exception != c.exceptions.end() && bucket == Bucket::failed &&
      manifest::is_bad_verdict(exception->second.verdict.view())) {
    ++report.refuted_by[exception->second.verdict.str()];
    if (entry.grade != Entry::kNone) ++report.refuted[entry.grade];
  }
  if (exception != c.exceptions.end()) {
    count(&Group::exceptions, &Places::exceptions);
  } else if (state == State::verified) {
    count(&Group::verified, &Places::verified);
  } else if (state == State::loaded) {
    count(&Group::loaded, &Places::loaded);
  } else if (state == State::pending) {
    count(&Group::waiting, &Places::waiting);
    if (bucket == Bucket::verified) ++report.files_checked;
  } else {
    count(&Group::no_transfer, &Places::no_transfer);
    ++report.no_transfer[entry.bucket];
  }
}

/// The balance sheet while objects are counted: files and studies stand where their least finished object stands.
class SheetMaker {
 public:
  explicit SheetMaker(const std::vector<Holdings>& holdings) : files_(holdings.size()), holdings_(holdings) {}

  void add(std::size_t manifest, const Entry& first, const Entry& last, Report& report) {
    const State state = state_of(last);
    Amounts& amounts = report.sheet[static_cast<std::size_t>(state)];
    ++amounts.objects;
    amounts.bytes += last.bytes;
    auto& files = files_[manifest];
    if (files.empty()) files.resize(holdings_[manifest].files, kUntouched);
    worsen(files[first.file], state);
    const bool at_source = holdings_[manifest].origin;
    if (first.study != 0) {
      auto& study = studies_.try_emplace(first.study, Study{}).first->second;
      worsen(study.state, state);
      study.at_source = study.at_source || at_source;
    }
    if (!at_source) return;
    ++report.scanned.objects;
    report.scanned.bytes += first.bytes;
  }

  void finish(Report& report) const {
    for (std::size_t n = 0; n < files_.size(); ++n) {
      for (const std::uint8_t state : files_[n]) {
        if (state == kUntouched) continue;
        ++report.sheet[state].files;
        if (holdings_[n].origin) ++report.scanned.files;
      }
    }
    for (const auto& [number, study] : studies_) {
      ++report.sheet[study.state].studies;
      if (study.at_source) ++report.scanned.studies;
    }
  }

 private:
  struct Study {
    std::uint8_t state = kUntouched;
    bool at_source = false;
  };
  static void worsen(std::uint8_t& worst, State state) { worst = std::min(worst, static_cast<std::uint8_t>(state)); }

  std::vector<std::vector<std::uint8_t>> files_;
  std::unordered_map<std::uint32_t, Study> studies_;
  const std::vector<Holdings>& holdings_;
};

/// The record of one object that counts, of those that all manifests have of it in their order: the last, but of
/// several verifications the closest that still stands.
class Final {
 public:
  void take(const Holdings& holdings, const Entry& entry) {
    last_ = &entry;
    if (!holdings.verifies) return;
    const auto defect = holdings.defects.find(entry.id);
    if (defect != holdings.defects.end()) {
      open_.found(defect->second);
      found_[static_cast<std::size_t>(defect->second)] = &entry;
      if (defect->second != Checked::files) proved_ = nullptr;  // what was there is not there as it was
    } else if (static_cast<Bucket>(entry.bucket) == Bucket::verified) {
      open_.settled(level_of(entry));
      if (proved_ == nullptr || level_of(entry) >= level_of(*proved_)) proved_ = &entry;
    }
  }

  [[nodiscard]] const Entry& entry() const {
    const Checked open = open_.closest();
    if (open != Checked::nothing) return *found_[static_cast<std::size_t>(open)];
    return proved_ != nullptr ? *proved_ : *last_;
  }

 private:
  /// How closely a verification looked that found the object good.
  static Checked level_of(const Entry& entry) {
    if (entry.grade == Entry::kNone || entry.grade < kCommitted) return Checked::files;
    if (entry.grade == kCommitted) return Checked::commitment;
    return entry.grade == kTargetChecked ? Checked::presence : Checked::content;
  }

  const Entry* last_ = nullptr;
  const Entry* proved_ = nullptr;
  std::array<const Entry*, kCheckedLevels> found_{};
  Defects open_;
};

/// Walks all manifests in step of their ids and calls `each(first manifest, first entry, last entry)` once an object;
/// the first is the first of those where the ledger starts, if it has one.
template <typename F>
void each_object(const std::vector<Holdings>& holdings, F each) {
  std::vector<std::size_t> at(holdings.size());
  for (;;) {
    const Entry* first = nullptr;
    std::size_t manifest = 0;
    for (std::size_t n = 0; n < holdings.size(); ++n) {
      if (at[n] == holdings[n].entries.size()) continue;
      const Entry& entry = holdings[n].entries[at[n]];
      if (first == nullptr || entry.id < first->id) first = &entry, manifest = n;
    }
    if (first == nullptr) return;
    Final last;
    for (std::size_t n = manifest; n < holdings.size(); ++n) {
      const auto& entries = holdings[n].entries;
      const Entry* entry = nullptr;
      while (at[n] < entries.size() && entries[at[n]].id == first->id) entry = &entries[at[n]++];
      if (entry == nullptr) continue;
      last.take(holdings[n], *entry);
      if (holdings[n].origin && !holdings[manifest].origin) first = entry, manifest = n;
    }
    each(manifest, *first, last.entry());
  }
}

void list_exceptions(Collected& c) {
  Report& report = c.report;
  for (auto& [id, e] : c.exceptions) report.exceptions.push_back(std::move(e));
  c.exceptions.clear();
  std::sort(report.exceptions.begin(), report.exceptions.end(), [](const Exception& a, const Exception& b) {
    return std::tie(a.path, a.member, a.offset, a.id) < std::tie(b.path, b.member, b.offset, b.id);
  });
}

}  // namespace

void settle(Collected& c, const Mask& mask) {
  find_witnesses(c, mask);
  add_late_findings(c);
  SheetMaker sheet(c.holdings);
  each_object(c.holdings, [&](std::size_t manifest, const Entry& first, const Entry& last) {
    count_final(c, last);
    sheet.add(manifest, first, last, c.report);
  });
  sheet.finish(c.report);
  auto& groups = c.report.groups;
  std::erase_if(groups, [](const Group& group) { return group.objects == 0; });
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::tie(a.modality, a.year, a.site) < std::tie(b.modality, b.year, b.site);
  });
  list_exceptions(c);
}

}  // namespace waybill::report
