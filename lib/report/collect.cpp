// SPDX-License-Identifier: Apache-2.0
#include "report/collect.hpp"

#include "core/interned.hpp"
#include "manifest/commitment.hpp"
#include "manifest/intake.hpp"
#include "manifest/member.hpp"

#include <algorithm>
#include <string_view>

namespace waybill::report {

using manifest::Bucket;
using manifest::Severity;

namespace {

constexpr std::size_t kMostGroups = 20'000;
constexpr unsigned kCommittedGrade = 2;  // E2

std::size_t stage_rank(std::string_view stage) {
  static constexpr std::string_view kOrder[] = {"scan", "pack", "unpack", "reconcile", "transcode", "load", "verify"};
  return static_cast<std::size_t>(std::find(std::begin(kOrder), std::end(kOrder), stage) - std::begin(kOrder));
}

/// Sorts and counts each value once.
std::uint64_t distinct(Column<std::uint64_t> hashes) {
  std::sort(hashes.begin(), hashes.end());
  return static_cast<std::uint64_t>(std::unique(hashes.begin(), hashes.end()) - hashes.begin());
}

void sort_unique(std::vector<std::uint32_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  numbers.shrink_to_fit();
}

/// Numbers of source files. Objects of one file mostly follow one another, so a change of the file is a new number;
/// only when files come back are the numbers of one file brought together. The id of a whole file stands in its entry,
/// so ids are kept for parts of files alone.
class Files {
 public:
  std::uint32_t number(std::uint64_t file, bool whole) {
    if (given_ == 0 || file != last_) {
      ++given_;
      last_ = file;
      if (!whole) of_parts_.push_back(file);
    }
    return given_ - 1;
  }

  /// Gives each file one number in `entries`, which are in the order of the numbers; returns how many there are.
  std::uint32_t settle(Column<Entry>& entries) {
    std::uint64_t files = 0;
    for (std::uint64_t part = 0; part < kParts; ++part) {
      Column<std::uint64_t> some;
      each(entries, [&](std::uint64_t file, std::uint32_t) {
        if (file % kParts == part) some.push_back(file);
      });
      files += distinct(std::move(some));
    }
    if (files == given_) return given_;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> sorted;
    sorted.reserve(given_);
    each(entries, [&](std::uint64_t file, std::uint32_t number) { sorted.emplace_back(file, number); });
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::uint32_t> renumbered(given_);
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (i > 0 && sorted[i].first != sorted[i - 1].first) ++last;
      renumbered[sorted[i].second] = last;
    }
    for (Entry& entry : entries) entry.file = renumbered[entry.file];
    return static_cast<std::uint32_t>(files);
  }

 private:
  static constexpr std::uint64_t kParts = 16;  // counted one after the other, so that no copy of all is needed

  /// Calls `call` with the file of each number, in order.
  template <typename F>
  void each(const Column<Entry>& entries, const F& call) const {
    std::uint32_t number = 0;
    std::size_t part = 0;
    for (const Entry& entry : entries) {
      if (entry.file != number) continue;
      call(entry.whole != 0 ? entry.id : of_parts_[part++], number++);
    }
  }

  Column<std::uint64_t> of_parts_;
  std::uint64_t last_ = 0;
  std::uint32_t given_ = 0;
};

class Collector {
 public:
  explicit Collector(const Mask& mask, const Options& options) : mask_(mask) {
    for (const auto& path : options.keys) keys_.emplace_back(path);
  }

  /// Runs of scan whose findings a merge that is here tells again, as they are of the whole.
  void told_again(const manifest::Header& header) {
    if (header.stage == "scan" && manifest::has_member(header.options, "merge")) merges_.push_back(header.options);
  }

  void read(manifest::Intake& intake) {
    told_again_ = std::any_of(merges_.begin(), merges_.end(), [&](const std::string& options) {
      return options.find("\"run\":\"" + intake.header().run + "\"") != std::string::npos;
    });
    ManifestSummary summary;
    summary.name = intake.name();
    summary.header = intake.header();
    summary.rule_set = manifest::text_member(summary.header.options, "rule_set").value_or("");
    Holdings holdings;
    holdings.path = intake.path();
    holdings.verifies = summary.header.stage == "verify";
    const auto level = manifest::text_member(summary.header.options, "level");
    holdings.asks_target = !holdings.verifies || (level != "fixity" && level != "commitment");
    files_ = {};
    instances_ = {};
    out.report.activities.push_back({summary.name, summary.header.stage, summary.header.created, {}});
    if (summary.header.stage == "reconcile") out.report.by_run.push_back({summary.name, {}});
    const LateFindings late = out.late;  // only read while threads look; what this manifest adds goes to out.late
    intake.read<Seen>([&](std::string_view lines) { return look_at(lines, summary.name, summary.header, late, mask_); },
                      [&](std::vector<Seen>& all) {
                        for (Seen& seen : all) take(seen, summary, holdings);
                      });
    finish(intake, summary, holdings);
    out.report.manifests.push_back(std::move(summary));
    out.holdings.push_back(std::move(holdings));
  }

  Collected out;

 private:
  void finish(const manifest::Intake& intake, ManifestSummary& summary, Holdings& holdings) {
    for (Entry& entry : holdings.entries) {
      const bool better = entry.grade == Entry::kNone || entry.grade < kCommittedGrade;
      if (better && committed_.contains(entry.id)) entry.grade = kCommittedGrade;
    }
    committed_.clear();
    asked_.clear();
    summary.head = intake.head();
    summary.complete = intake.end() && intake.end()->state == "complete";
    summary.header.inputs = manifest::resolved_inputs(intake.header(), intake.end());
    for (const auto& signature : intake.signatures()) summary.signers.push_back(tried(signature, summary.name));
    summary.levels.instances = distinct(std::move(instances_));
    holdings.files = files_.settle(holdings.entries);
    summary.levels.files = holdings.files;
    sort_unique(holdings.studies);
    sort_unique(holdings.all_studies);
    summary.levels.studies = holdings.all_studies.size();
    std::sort(holdings.entries.begin(), holdings.entries.end(),
              [](const Entry& a, const Entry& b) { return a.id < b.id; });
  }

  Signer tried(const manifest::Signature& signature, const std::string& manifest) {
    const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const auto& k) { return k.id() == signature.key; });
    if (key == keys_.end()) return {signature.key, Signer::State::not_tried};
    if (key->verifies(signature)) return {signature.key, Signer::State::verified};
    add_unexplained(out.report, {"signature", manifest, "", manifest,
                                 "the signature of " + manifest + " by key " + signature.key + " does not verify"});
    return {signature.key, Signer::State::bad};
  }

  void take(Seen& seen, ManifestSummary& summary, Holdings& holdings) {
    if (seen.kind == Seen::Kind::object) {
      take_object(seen, summary, holdings);
    } else if (seen.kind == Seen::Kind::study) {
      take(std::get<manifest::Study>(*seen.record), summary, holdings);
    } else if (seen.kind == Seen::Kind::late) {
      take(std::get<manifest::LateFinding>(*seen.record), summary);
    } else if (seen.kind == Seen::Kind::gone) {
      holdings.gone.insert(id_number(std::get<manifest::Gone>(*seen.record).id, summary.name));
    } else {
      take(std::get<manifest::Other>(*seen.record), summary, holdings);
    }
  }

  void take_object(Seen& seen, ManifestSummary& summary, Holdings& holdings) {
    Entry& entry = seen.entry;
    entry.group = group_of(seen.group) & 0xFFFFU;
    entry.file = files_.number(seen.file, entry.whole != 0);
    if (!seen.study.empty()) {
      entry.study = Interned(seen.study).number();
      note(holdings.all_studies, entry.study);
      if (entry.bucket == static_cast<unsigned>(Bucket::instance)) note(holdings.studies, entry.study);
    }
    holdings.entries.push_back(entry);
    ++summary.levels.objects;
    summary.levels.bytes += entry.bytes;
    Tally& tally = summary.buckets[entry.bucket];
    ++tally.objects;
    tally.bytes += entry.bytes;
    if (seen.instance != 0) instances_.push_back(seen.instance);
    if (seen.loaded_at >= 0) {
      Tally& minute = out.report.activities.back().minutes[seen.loaded_at];
      ++minute.objects;
      minute.bytes += entry.bytes;
    }
    take_exception(seen, holdings);
    if (seen.late_witness) out.late_witnesses.insert_or_assign(entry.id, std::move(*seen.late_witness));
    for (const auto& [code, severity] : seen.findings) count(entry.id, code, severity);
  }

  /// The latest record says whether its object is an exception, but a verification settles only what it looked at.
  void take_exception(Seen& seen, Holdings& holdings) {
    const std::uint64_t id = seen.entry.id;
    const auto [level, good] = seen.outcome;
    Checked before = Checked::nothing;
    if (!good) {
      Defects& open = open_[id];
      before = open.closest();
      open.found(level);
      holdings.defects.insert_or_assign(id, level);
    } else if (const auto open = holdings.verifies ? open_.find(id) : open_.end(); open != open_.end()) {
      open->second.settled(level);
      if (open->second.closest() != Checked::nothing) return;
      open_.erase(open);
    }
    if (before > level) {  // what was found more closely stays the first reason
      Exception& e = out.exceptions[id];
      e.reason = e.reason.str() + "; " + seen.exception->reason.str();
    } else if (seen.exception) {
      out.exceptions.insert_or_assign(id, std::move(*seen.exception));
    } else if (!out.exceptions.empty()) {
      out.exceptions.erase(id);
    }
  }

  static void note(std::vector<std::uint32_t>& studies, std::uint32_t study) {
    if (studies.empty() || studies.back() != study) studies.push_back(study);
    if (studies.size() > 1'000'000 && studies.size() == studies.capacity()) sort_unique(studies);
  }

  void take(const manifest::Study& study, ManifestSummary& summary, Holdings& holdings) {
    ++summary.study_records;
    holdings.study_records.push_back(study.study);
    if (summary.header.stage != "reconcile") return;
    Report& report = out.report;
    if (study.rule) ++report.rules[*study.rule];
    if (study.decision) ++report.decisions[*study.decision];
    for (const auto& code : study.discrepancies) count_discrepancy(code, study.study_date.value_or(""));
    for (const auto& veto : study.vetoes) ++report.vetoes[veto];
    if (study.decision != "auto" && study.decision != "person") return;
    for (const auto& edit : study.edits) {
      EditCount& edits = report.edits[edit.tag];
      ++edits.studies;
      edits.instances += study.instances;
    }
  }

  void count_discrepancy(const std::string& code, const std::string& date) {
    ++out.report.discrepancies[code];
    ++out.report.trends[code][year_of(date)];
    ++out.report.by_run.back().second[code];
  }

  void take(const manifest::Other& other, const ManifestSummary& summary, Holdings& holdings) {
    const auto text = [&](std::string_view name) { return manifest::text_member(other.json, name).value_or(""); };
    if (other.kind == "exam" && summary.header.stage == "reconcile") {  // written for every exam without images
      count_discrepancy("D01", text("study_date"));
    } else if (other.kind == "extra") {
      holdings.extras.push_back({text("study"), text("sop_instance")});
    } else if (other.kind == "sample") {
      plan_ = other.json;
    } else if (other.kind == "commitment") {
      take(manifest::commitment_from(other.json), summary.name);
    } else if (other.kind == "sample-result") {
      out.report.samples.push_back({summary.name, text("state"), text("statement"), std::exchange(plan_, {})});
    }
  }

  /// An object is committed when a report of a transaction that names it does not list it as failed.
  void take(const manifest::Commitment& step, const std::string& manifest) {
    auto& asked = asked_[step.transaction];
    if (step.state == "requested") {
      for (const auto& object : step.objects)
        asked.emplace_back(std::hash<std::string>{}(object.sop_instance), id_number(object.id, manifest));
    }
    if (step.state == "reported") {
      for (const auto& [instance, id] : asked) committed_.insert(id);
    }
    if (step.state != "reported" && step.state != "contradicted") return;
    for (const auto& [failed, reason] : step.failed) {
      for (const auto& [instance, id] : asked) {
        if (instance == std::hash<std::string>{}(failed)) committed_.erase(id);
      }
    }
  }

  void take(const manifest::LateFinding& late, const ManifestSummary& summary) {
    const std::uint64_t id = id_number(late.id, summary.name);
    count(id, late.finding.code, late.finding.severity);
    if (late.finding.severity < Severity::s3) return;
    auto& list = out.late[id];
    const auto same = [&](const manifest::Finding& f) { return f.code == late.finding.code; };
    if (std::none_of(list.begin(), list.end(), same)) {
      list.push_back(late.finding);
      list.back().detail = shown_detail(late.finding, mask_);
    }
  }

  /// Counts a finding once an object, although every later stage carries it on.
  void count(std::uint64_t id, const std::string& finding, Severity worst) {
    if (told_again_) return;
    if (!counted_.insert(std::hash<std::string>{}(finding)*31 + id)) return;
    CodeCount& code = out.report.codes[finding];
    ++code.findings;
    const std::string severity(to_string(worst));
    if (severity > code.severity) code.severity = severity;
  }

  std::uint32_t group_of(std::string& key) {
    if (groups_.size() >= kMostGroups && !groups_.contains(key)) key = "(other)\nunknown\n";
    const auto [at, fresh] = groups_.try_emplace(key, static_cast<std::uint32_t>(groups_.size()));
    if (fresh) {
      const std::size_t year = key.find('\n') + 1, site = key.find('\n', year) + 1;
      Group group;
      group.modality = key.substr(0, year - 1);
      group.year = key.substr(year, site - 1 - year);
      group.site = key.substr(site);
      out.report.groups.push_back(std::move(group));
    }
    return at->second;
  }

  const Mask& mask_;
  std::vector<manifest::PublicKey> keys_;
  std::unordered_map<std::string, std::uint32_t> groups_;
  HashSet counted_;
  std::unordered_map<std::uint64_t, Defects> open_;  ///< by object, of all verifications so far
  // Storage commitment of the manifest at hand: hashes of UIDs with their ids by transaction, and ids of what was
  // given.
  std::unordered_map<std::string, std::vector<std::pair<std::size_t, std::uint64_t>>> asked_;
  std::unordered_set<std::uint64_t> committed_;
  std::vector<std::string> merges_;  ///< options of merged scans
  bool told_again_ = false;          ///< the manifest at hand is one of their inputs
  Files files_;
  Column<std::uint64_t> instances_;
  std::string plan_;
};

}  // namespace

Collected collect(const Options& options, const Mask& mask) {
  std::vector<std::unique_ptr<manifest::Intake>> opened;
  for (const auto& path : options.manifests) opened.push_back(std::make_unique<manifest::Intake>(path));
  std::stable_sort(opened.begin(), opened.end(), [](const auto& a, const auto& b) {
    const auto &x = a->header(), &y = b->header();
    return std::pair(stage_rank(x.stage), x.created) < std::pair(stage_rank(y.stage), y.created);
  });
  Collector collector(mask, options);
  for (const auto& one : opened) collector.told_again(one->header());
  for (auto& one : opened) {
    for (const auto& earlier : collector.out.report.manifests) {
      if (earlier.header.run == one->header().run) {
        throw RunError(Exit::usage,
                       earlier.name + " and " + one->name() + " are the same run; give each manifest once");
      }
    }
    collector.read(*one);
    one.reset();
  }
  collector.out.report.phi_shown = mask.shows_phi();
  return std::move(collector.out);
}

}  // namespace waybill::report
