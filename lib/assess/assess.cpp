// SPDX-License-Identifier: Apache-2.0
// Headers tell what each manifest is for. The small ones are read first, then the scan: once for its late findings,
// once for everything else, on all cores. What must be known of each study goes through a sorter on disk, so that
// memory is the same for a million objects and for a hundred million.
#include "assess/assess.hpp"

#include "assess/late.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "manifest/intake.hpp"
#include "manifest/member.hpp"
#include "sync/journal.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

namespace waybill::assess {
namespace {

using manifest::Intake;

/// What a part of the scan's lines tells; made on any thread.
struct Part {
  Volumes volumes;
  std::vector<Run> runs;
  std::uint64_t records = 0;
};

int year_in(const std::string& rfc3339) {
  int year = 0;
  const char* end = rfc3339.data() + std::min<std::size_t>(4, rfc3339.size());
  if (std::from_chars(rfc3339.data(), end, year).ptr == end && year > 1990) return year;
  return year_in(utc_now());
}

class Assessor {
 public:
  explicit Assessor(const Options& options) : options_(options) {}

  Assessment assess() {
    open();
    for (const auto& intake : others_) read_other(*intake);
    read_scan();
    finish();
    return std::move(out_);
  }

 private:
  [[noreturn]] static void refuse(const std::string& what) { throw RunError(Exit::usage, what); }

  /// Reads the headers and sorts the manifests by what they are for.
  void open() {
    if (std::count(options_.manifests.begin(), options_.manifests.end(), "-") > 1)
      refuse("standard input is one manifest; save the others to files");
    for (const auto& path : options_.manifests) {
      auto intake = std::make_unique<Intake>(path);
      const std::string& stage = intake->header().stage;
      if (stage == "scan") {
        if (scan_)
          refuse(scan_->name() + " and " + intake->name() +
                 " are both of scan; make one of them with `waybill manifest merge`, or assess one after the other");
        scan_ = std::move(intake);
        continue;
      }
      check_stage(*intake);
      others_.push_back(std::move(intake));
    }
    if (!scan_) refuse("none of the manifests is one of scan, and only that says what there is; add scan.wb");
    if (options_.wants_pilot && scan_->path() == "-")
      refuse("--pilot reads the scan again, so it takes a file; save standard input first");
  }

  static void check_stage(const Intake& intake) {
    const std::string& stage = intake.header().stage;
    if (stage == "reconcile" && manifest::has_member(intake.header().options, "corrections"))
      refuse(intake.name() + " holds corrections of loaded objects, no decisions; name the reconcile.wb of the scan");
    if (stage == "sync" && intake.path() == "-") refuse("a journal of sync is read as a file; name it instead of -");
    if (stage == "reconcile" || stage == "transcode" || stage == "load" || stage == "sync") return;
    refuse(intake.name() + " is a manifest of " + path_to_text(stage) +
           ", which tells nothing here; give the scan, and reconcile.wb, transcode.wb, load.wb or sync.wb where there "
           "are any, and other stages' rates with --rate");
  }

  void note(const Intake& intake, std::uint64_t records) {
    const manifest::Header& header = intake.header();
    Source source{intake.path(),  intake.name(), header.stage, header.run,
                  header.created, intake.head(), records,      intake.end().has_value()};
    if (!source.complete) {
      out_.exit = Exit::interrupted;
      out_.remarks.push_back(source.name + " is an interrupted run: the figures are of the " + std::to_string(records) +
                             " records that it has so far");
    }
    out_.manifests.push_back(std::move(source));
  }

  void read_other(Intake& intake) {
    const std::string stage = intake.header().stage;
    if (stage == "sync") runs_.push_back(sync::read_run(intake.path()));
    if (stage == "reconcile") {
      if (out_.matching) refuse("there are two manifests of reconcile; name the one whose decisions count");
      out_.matching.emplace().minutes_a_study = options_.minutes_a_study;
    }
    if (stage == "load") loads_ += (loads_.empty() ? "" : ", ") + intake.name();
    if (stage == "transcode") sampled_ = true;
    std::uint64_t records = 0;
    const auto look = [](std::string_view lines) {
      std::vector<manifest::Record> found;
      manifest::each_line(lines, [&](std::string_view line) { found.push_back(manifest::parse_record(line)); });
      return found;
    };
    intake.read<manifest::Record>(look, [&](std::vector<manifest::Record>& found) {
      records += found.size();
      for (const auto& record : found) take(record, stage);
    });
    if (stage == "reconcile") reconciled_ = manifest::resolved_inputs(intake.header(), intake.end());
    note(intake, records);
  }

  void take(const manifest::Record& record, const std::string& stage) {
    if (stage == "reconcile") return out_.matching->add(record);
    const auto* object = std::get_if<manifest::Object>(&record);
    if (object == nullptr) return;
    if (stage == "transcode") sample_.add(*object);
    if (stage == "load" && object->load && object->load->outcome == "sent" && is_first_to_tell(object->load->run))
      pulse_.add(*object->load, object->transcode && object->transcode->bytes_out > 0 ? object->transcode->bytes_out
                                                                                      : object->source.size);
  }

  /// A retry and a merge hold the objects of the loads they were made of: those of a run count in one manifest alone.
  bool is_first_to_tell(const std::string& run) {
    return told_by_.try_emplace(run, out_.manifests.size()).first->second == out_.manifests.size();
  }

  void read_scan() {
    const bool stream = scan_->path() == "-";
    Late late;
    if (!stream) late.read(scan_->path());
    const int year = year_in(scan_->header().created);
    const Hash128 key = random_hash_key();
    Studies studies(key);
    std::uint64_t records = 0;
    const auto look = [&](std::string_view lines) {
      std::vector<Part> parts(1);
      Part& part = parts.front();
      Runs runs(key, year);
      manifest::each_line(lines, [&](std::string_view line) {
        ++part.records;
        const manifest::Record record = manifest::parse_record(line);
        if (const auto* object = std::get_if<manifest::Object>(&record)) {
          std::map<std::string, manifest::Severity> codes;
          for (const auto& f : object->findings) codes[f.code] = std::max(codes[f.code], f.severity);
          late.codes_of(*object, scan_->name(), codes);
          part.volumes.add(*object, codes, year);
          runs.add(*object, codes);
        } else if (const auto* finding = std::get_if<manifest::LateFinding>(&record); finding != nullptr && stream) {
          part.volumes.add_late(finding->finding);
        }
      });
      part.runs = runs.take();
      return parts;
    };
    scan_->read<Part>(look, [&](std::vector<Part>& parts) {
      for (const Part& part : parts) {
        records += part.records;
        out_.volumes.add(part.volumes);
        for (const Run& run : part.runs) studies.add(run);
      }
    });
    count_studies(studies);
    note(*scan_, records);
    std::rotate(out_.manifests.begin(), out_.manifests.end() - 1, out_.manifests.end());
    if (stream) {
      out_.remarks.emplace_back(
          "the scan came as a stream: findings that stand behind their objects are counted by objects alone, without "
          "bytes and studies; assess the file to have these");
    }
  }

  void count_studies(Studies& studies) {
    Picker picker(options_.pilot_studies, options_.seed);
    out_.studies = studies.finish([&](const StudySum& study) {
      if (options_.wants_pilot) picker.offer(study);
    });
    if (options_.wants_pilot) out_.pilot = picker.finish(studies);
    for (std::size_t i = 0; i < studies.features().size(); ++i)
      out_.features.emplace_back(studies.features()[i], studies.having()[i]);
    std::sort(out_.features.begin(), out_.features.end());
  }

  void finish() {
    out_.scanned = {{"patients", out_.studies.patients},
                    {"studies", out_.studies.studies},
                    {"series", out_.studies.series},
                    {"objects", out_.volumes.instances.objects},
                    {"bytes", out_.volumes.instances.bytes}};
    out_.counts = options_.counts;
    for (const ControlCount& count : out_.counts) {
      if (differs(count, out_.scanned) && out_.exit == Exit::ok) out_.exit = Exit::exceptions;
    }
    if (sampled_) {
      out_.space = space_of(out_.volumes, sample_);
      out_.space_targets.assign(sample_.targets.begin(), sample_.targets.end());
      if (sample_.targets.size() > 1)
        out_.remarks.emplace_back(
            "the transcodes wrote several transfer syntaxes: the target's size is of this mixture");
    }
    check_link();
    plan();
  }

  void check_link() {
    if (!out_.matching) return;
    const std::string& head = out_.manifests.front().head;
    const bool linked = std::any_of(reconciled_.begin(), reconciled_.end(),
                                    [&](const manifest::Input& input) { return input.head == head; });
    if (!linked && out_.manifests.front().complete) {
      out_.remarks.emplace_back(
          "reconcile did not read this very scan: its shares hold for this archive only if both are of the same "
          "studies");
    }
  }

  void plan() {
    Plan plan;
    for (const std::string_view name : kStages) {
      const std::string stage(name);
      std::optional<Pace> pace;
      if (const auto typed = options_.rates.find(stage); typed != options_.rates.end())
        pace = typed_pace(typed->second);
      if (!pace && stage == "load" && !loads_.empty()) pace = pulse_.pace(loads_);
      if (!pace) pace = pace_of_runs(runs_, stage);
      if (options_.round_trip_seconds > 0 && stage != "transcode") {
        if (!pace) pace.emplace();
        bound_by_round_trips(*pace, options_.round_trip_seconds, options_.associations);
      }
      if (pace) plan.paces.emplace(stage, *pace);
    }
    plan.window = options_.window;
    plan.start = options_.start;
    plan.source = plan.target = out_.volumes.instances;
    if (out_.space) plan.target.bytes = out_.space->target_bytes;
    const double ratio =
        plan.source.bytes == 0 ? 1 : static_cast<double>(plan.target.bytes) / static_cast<double>(plan.source.bytes);
    for (const auto& [group, amount] : out_.volumes.groups)
      plan.by_modality[group.modality] +=
          Amount{amount.objects, static_cast<std::uint64_t>(static_cast<double>(amount.bytes) * ratio)};
    out_.forecast = forecast(plan);
    if (!loads_.empty() && !pulse_.pace(loads_))
      out_.remarks.push_back(loads_ + " has no two objects that were sent at different times, so it tells no rate");
  }

  const Options& options_;
  std::unique_ptr<Intake> scan_;
  std::vector<std::unique_ptr<Intake>> others_;
  Sample sample_;
  bool sampled_ = false;
  Pulse pulse_;
  std::string loads_;
  std::map<std::string, std::size_t> told_by_;  ///< runs of load, by the number of the manifest that told them first
  std::vector<sync::RunRecord> runs_;
  std::vector<manifest::Input> reconciled_;
  Assessment out_;
};

}  // namespace

std::uint64_t Assessment::studies_having(Trait trait, std::string_view value) const {
  const auto at = std::lower_bound(features.begin(), features.end(), Feature{trait, std::string(value)},
                                   [](const auto& entry, const Feature& wanted) { return entry.first < wanted; });
  return at == features.end() || at->first.trait != trait || at->first.value != value ? 0 : at->second;
}

Assessment assess(const Options& options) { return Assessor(options).assess(); }

}  // namespace waybill::assess
