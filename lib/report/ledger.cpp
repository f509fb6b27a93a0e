// SPDX-License-Identifier: Apache-2.0
#include "report/collect.hpp"

#include "core/interned.hpp"
#include "core/text.hpp"
#include "manifest/member.hpp"
#include "manifest/split.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace waybill::report {
namespace {

using manifest::Bucket;

/// Index of the given manifest with this head.
std::optional<std::size_t> with_head(const Report& report, const std::string& head) {
  for (std::size_t i = 0; i < report.manifests.size(); ++i) {
    if (report.manifests[i].head == head) return i;
  }
  return std::nullopt;
}

/// Whether another of the given manifests has this name; an older scan behind --since may be named as the newer one is.
bool is_named_among_others(const Report& report, const std::string& name, std::size_t n) {
  for (std::size_t i = 0; i < report.manifests.size(); ++i) {
    if (i != n && report.manifests[i].name == name) return true;
  }
  return false;
}

constexpr std::string_view kStream = "-";

bool has_objects(const ManifestSummary& m) { return m.levels.objects > 0; }

void broken(Report& report, const ManifestSummary& output, const std::string& input, const std::string& why) {
  add_unexplained(report,
                  {"link", output.name, "", output.name, output.name + " does not link to " + input + ": " + why});
}

/// Records every input of manifest `n`; returns the given manifests it was made from.
std::vector<std::size_t> link(Report& report, std::size_t n) {
  const ManifestSummary& output = report.manifests[n];
  std::vector<std::size_t> sources;
  for (const auto& input : output.header.inputs) {
    if (input.head.empty() && !output.complete) {
      report.links.push_back({input.name, output.name, "", Link::State::unknown});
    } else if (const auto at = with_head(report, input.head); at && *at != n) {
      sources.push_back(*at);
      report.links.push_back({report.manifests[*at].name, output.name, input.head, Link::State::linked});
    } else if (input.name != kStream && is_named_among_others(report, input.name, n)) {
      report.links.push_back({input.name, output.name, input.head, Link::State::broken});
      broken(report, output, input.name, "its head is not the one that " + output.name + " was made from");
    } else {
      report.links.push_back({input.name, output.name, input.head, Link::State::not_given});
    }
  }
  return sources;
}

std::string unknown_source(const ManifestSummary& output) {
  if (output.header.inputs.empty()) return "nothing it names";
  const manifest::Input& input = output.header.inputs.front();
  if (input.name != kStream) return input.name + ", which is not among the manifests given; add it";
  return "the stream with head " + input.head +
         ", which is none of the manifests given; add the file that it was kept in (waybill … -o - | tee FILE)";
}

/// The nearest earlier manifest that holds objects, for a message.
const ManifestSummary* earlier_with_objects(const Report& report, std::size_t n) {
  for (std::size_t i = n; i > 0; --i) {
    if (has_objects(report.manifests[i - 1]) &&
        report.manifests[i - 1].header.stage != report.manifests[n].header.stage) {
      return &report.manifests[i - 1];
    }
  }
  return nullptr;
}

/// Source paths of objects, read again from the manifest that knows them; nothing for a pipe.
std::unordered_map<std::uint64_t, std::string> paths_of(const std::filesystem::path& path,
                                                        const std::vector<std::uint64_t>& ids) {
  std::unordered_map<std::uint64_t, std::string> out;
  if (ids.empty() || path == "-") return out;
  const std::unordered_set<std::uint64_t> wanted(ids.begin(), ids.end());
  manifest::Reader reader(path);
  while (auto record = reader.next()) {
    const auto* object = std::get_if<manifest::Object>(&*record);
    if (object == nullptr) continue;
    const std::uint64_t id = id_number(object->id, reader.name());
    if (wanted.contains(id)) out.emplace(id, object->source.path);
  }
  return out;
}

/// What a scan alone can say of an object: a later stage that says it instead has put the object aside.
bool is_settled_by_scan(unsigned bucket) {
  switch (static_cast<Bucket>(bucket)) {
    case Bucket::duplicate_identical:
    case Bucket::dicomdir:
    case Bucket::non_dicom:
    case Bucket::non_instance:
    case Bucket::empty: return true;
    default: return false;
  }
}

/// The ways an object can be wrong between input and output.
struct Mismatch {
  std::vector<std::uint64_t> missing, extra, repeated, changed;
  std::uint64_t fresh = 0, gone = 0;
};

/// Ids of two manifests. In an increment an object that is new, or known to be gone, is no mismatch.
Mismatch compare(const Column<Entry>& before, const Holdings& output, bool increment) {
  const Column<Entry>& after = output.entries;
  Mismatch out;
  std::size_t i = 0, j = 0;
  while (i < before.size() || j < after.size()) {
    const bool only_before = j == after.size() || (i < before.size() && before[i].id < after[j].id);
    const bool only_after = !only_before && (i == before.size() || after[j].id < before[i].id);
    const std::uint64_t id = only_before ? before[i].id : after[j].id;
    if (only_before && increment && output.gone.contains(id)) {
      ++out.gone;
    } else if (only_before) {
      out.missing.push_back(id);
    }
    if (only_after && increment && after[j].fresh != 0) {
      ++out.fresh;
    } else if (only_after) {
      out.extra.push_back(id);
    }
    if (!only_before && !only_after && !increment && before[i].bucket != after[j].bucket &&
        (is_settled_by_scan(before[i].bucket) || is_settled_by_scan(after[j].bucket)))
      out.changed.push_back(id);
    std::size_t times = 0;
    while (i < before.size() && before[i].id == id) ++i;
    while (j < after.size() && after[j].id == id) ++j, ++times;
    if (times > 1) out.repeated.push_back(id);
  }
  return out;
}

void list(Collected& c, const char* kind, const std::vector<std::uint64_t>& ids, const Holdings& known,
          const std::string& manifest, const std::string& what) {
  const auto paths = paths_of(known.path, ids);
  for (const std::uint64_t id : ids) {
    const auto at = paths.find(id);
    const std::string path = at == paths.end() ? "" : at->second;
    add_unexplained(c.report, {kind, id_text(id), path, manifest,
                               "object " + id_text(id) + (path.empty() ? "" : " (" + path + ")") + " " + what});
  }
}

void balance_objects(Collected& c, std::size_t in, std::size_t out) {
  const ManifestSummary& input = c.report.manifests[in];
  const ManifestSummary& output = c.report.manifests[out];
  const bool increment = output.header.stage == "scan";  // of `scan --since`: no scan is made from another otherwise
  Mismatch m = compare(c.holdings[in].entries, c.holdings[out], increment);
  if (!output.complete) m.missing.clear();  // an interrupted run owes them; it is reported as incomplete
  list(c, "missing", m.missing, c.holdings[in], output.name, "is in " + input.name + " but not in " + output.name);
  list(c, "extra", m.extra, c.holdings[out], output.name, "is in " + output.name + " but not in " + input.name);
  list(c, "repeated", m.repeated, c.holdings[out], output.name, "stands more than once in " + output.name);
  list(c, "bucket", m.changed, c.holdings[out], output.name,
       "is of another kind in " + output.name + " than in " + input.name +
           ": what needs no transfer is settled by the scan and by no later stage");
  const Balance balance{input.name,     output.name,       input.levels, output.levels, m.missing.size(),
                        m.extra.size(), m.repeated.size(), increment,    m.fresh,       m.gone};
  const bool ids_agree = m.missing.empty() && m.extra.empty() && m.repeated.empty();
  if (ids_agree && output.complete && !balance.closes()) {
    add_unexplained(c.report, {"levels", output.name, "", output.name,
                               output.name + " holds the objects of " + input.name +
                                   ", but their files, instances, studies or bytes differ"});
  }
  c.report.balances.push_back(balance);
}

void balance_studies(Collected& c, std::size_t in, std::size_t out) {
  const std::string& input = c.report.manifests[in].name;
  const ManifestSummary& output = c.report.manifests[out];
  const auto add = [&](const char* kind, const std::string& study, const std::string& what) {
    add_unexplained(c.report, {kind, study, "", output.name, "study " + study + " " + what});
  };
  std::unordered_set<std::string> seen;
  const auto& known = c.holdings[in].all_studies;
  for (const auto& study : c.holdings[out].study_records) {
    if (study.empty()) continue;
    if (!seen.insert(study).second) add("study-repeated", study, "stands more than once in " + output.name);
    if (!std::binary_search(known.begin(), known.end(), Interned(study).number()))
      add("study-extra", study, "is in " + output.name + " but not in " + input);
  }
  if (!output.complete) return;
  std::vector<std::string> missing;
  for (const std::uint32_t number : c.holdings[in].studies) {
    std::string study = Interned::of(number).str();
    if (!seen.contains(study)) missing.push_back(std::move(study));
  }
  std::sort(missing.begin(), missing.end());
  for (const auto& study : missing) add("study-missing", study, "is in " + input + " but not in " + output.name);
}

void check_repeats_at_source(Collected& c, std::size_t n) {
  const Column<Entry>& entries = c.holdings[n].entries;
  std::vector<std::uint64_t> repeated;
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const std::uint64_t id = entries[i].id;
    if (id == entries[i - 1].id && (repeated.empty() || repeated.back() != id)) repeated.push_back(id);
  }
  list(c, "repeated", repeated, c.holdings[n], c.report.manifests[n].name,
       "stands more than once in " + c.report.manifests[n].name);
}

/// Decisions or other records that a stage was made with and that are not here cannot be checked, so they are not
/// assumed. Tables and rules are inputs as well; they are no manifests, and the report reads none of them.
void need_other_inputs(Report& report, const ManifestSummary& output) {
  if (output.header.stage != "transcode" && output.header.stage != "load") return;
  std::vector<std::string> missing;
  for (const Link& l : report.links) {
    if (l.to == output.name && l.state == Link::State::not_given && l.from.ends_with(".wb")) missing.push_back(l.from);
  }
  for (const auto& name : missing) broken(report, output, name, "it is not among the manifests given; add it");
}

void note_edits(Report& report, const std::vector<std::size_t>& sources, const std::string& output) {
  for (const std::size_t at : sources) {
    if (report.manifests[at].header.stage == "reconcile") report.edits_used_by.push_back(output);
  }
}

/// "part-1.wb, part-2.wb and 6 more"
std::string names_of(const Report& report, const std::vector<std::size_t>& manifests) {
  constexpr std::size_t kNamed = 4;
  std::string out;
  for (std::size_t i = 0; i < std::min(manifests.size(), kNamed); ++i)
    out += (out.empty() ? "" : ", ") + report.manifests[manifests[i]].name;
  return manifests.size() <= kNamed ? out : out + " and " + std::to_string(manifests.size() - kNamed) + " more";
}

/// Several manifests of one stage that are one whole together: their objects, studies and levels. Files and instances
/// of a whole are not the sums of its parts' and are left open.
struct Together {
  Holdings holdings;
  Levels levels;
};

Together together(const Collected& c, const std::vector<std::size_t>& manifests) {
  Together out;
  auto& all = out.holdings.all_studies;
  for (const std::size_t n : manifests) {
    for (const Entry& entry : c.holdings[n].entries) out.holdings.entries.push_back(entry);
    all.insert(all.end(), c.holdings[n].all_studies.begin(), c.holdings[n].all_studies.end());
  }
  std::sort(out.holdings.entries.begin(), out.holdings.entries.end(),
            [](const Entry& a, const Entry& b) { return a.id < b.id; });
  std::sort(all.begin(), all.end());
  out.levels.studies = static_cast<std::uint64_t>(std::unique(all.begin(), all.end()) - all.begin());
  const Entry* last = nullptr;
  for (const Entry& entry : out.holdings.entries) {
    if (last == nullptr || last->id != entry.id) ++out.levels.objects, out.levels.bytes += entry.bytes;
    last = &entry;
  }
  return out;
}

/// A merge against its inputs, or the parts of a split against what was split. `owes_all`: all parts are here.
void balance_shares(Collected& c, const std::vector<std::size_t>& in, const std::vector<std::size_t>& out,
                    bool owes_all) {
  Report& report = c.report;
  const bool merged = in.size() > 1;
  const std::size_t whole = merged ? out.front() : in.front();
  const Together parts = together(c, merged ? in : out);
  const std::string input = names_of(report, in), output = names_of(report, out);
  Mismatch m = merged ? compare(parts.holdings.entries, c.holdings[whole], false)
                      : compare(c.holdings[whole].entries, parts.holdings, false);
  if (!owes_all) m.missing.clear();
  // Scans that are merged settle duplicates between them.
  if (merged && report.manifests[whole].header.stage == "scan") m.changed.clear();
  const Holdings& known = c.holdings[whole];
  list(c, "missing", m.missing, known, output, "is in " + input + " but not in " + output);
  list(c, "extra", m.extra, known, output, "is in " + output + " but not in " + input);
  list(c, "repeated", m.repeated, known, output, "stands more than once in " + output);
  list(c, "bucket", m.changed, known, output, "is of another kind in " + output + " than in " + input);
  if (!owes_all) return;
  Levels levels = report.manifests[whole].levels;  // of the same objects: files and instances are what they say
  levels.objects = parts.levels.objects;
  levels.studies = parts.levels.studies;
  levels.bytes = parts.levels.bytes;
  const Levels& of_whole = report.manifests[whole].levels;
  const Balance balance{
      input,          output,           merged ? levels : of_whole, merged ? of_whole : levels, m.missing.size(),
      m.extra.size(), m.repeated.size()};
  if (m.missing.empty() && m.extra.empty() && m.repeated.empty() && !balance.closes())
    add_unexplained(report, {"levels", output, "", output,
                             output + " holds the objects of " + input + ", but their studies or bytes differ"});
  report.balances.push_back(balance);
}

bool is_merge(const ManifestSummary& m) { return manifest::has_member(m.header.options, "merge"); }

/// A merge whose inputs are here, all or some.
void balance_merge(Collected& c, std::size_t n, const std::vector<std::size_t>& sources) {
  Report& report = c.report;
  const ManifestSummary output = report.manifests[n];
  if (sources.size() < output.header.inputs.size()) {
    c.holdings[n].origin = output.header.stage == "scan";
    for (const auto& input : output.header.inputs) {
      if (!with_head(report, input.head))
        broken(report, output, input.name, "it is not among the manifests given; add it");
    }
    return;
  }
  report.manifests[n].share = ManifestSummary::Share::merged;
  balance_shares(c, sources, {n}, true);
  if (output.header.stage != "scan") return;
  for (const std::size_t at : sources) {  // an instance of two shards is one of the whole
    if (c.holdings[at].origin) report.scanned.instances -= report.manifests[at].levels.instances;
  }
  report.scanned.instances += output.levels.instances;
}

/// Parts by what was split and into how many.
using Parts = std::map<std::pair<std::size_t, std::uint64_t>, std::vector<std::size_t>>;

void balance_parts(Collected& c, const Parts& all) {
  Report& report = c.report;
  for (const auto& [of, parts] : all) {
    std::set<std::uint64_t> here;
    for (const std::size_t n : parts) here.insert(manifest::part_number(report.manifests[n].header)->part);
    balance_shares(c, {of.first}, parts, here.size() == of.second);
    std::string absent;
    for (std::uint64_t part = 1; part <= of.second && here.size() < of.second; ++part) {
      if (!here.contains(part)) absent += (absent.empty() ? "" : ", ") + std::to_string(part);
    }
    const std::string& whole = report.manifests[of.first].name;
    if (!absent.empty())
      add_unexplained(report, {"link", whole, "", whole,
                               whole + " was split in " + std::to_string(of.second) + " and part " + absent +
                                   " is not among the manifests given; add it, or leave " + whole +
                                   " out to balance the parts that are here alone"});
  }
}

/// A merge or a part whose inputs are here says again what these say: it is no run of its own.
void drop_echoes(Report& report) {
  for (std::size_t n = report.manifests.size(); n-- > 0;) {  // an activity stands beside each manifest
    if (report.manifests[n].share != ManifestSummary::Share::none)
      report.activities.erase(report.activities.begin() + static_cast<std::ptrdiff_t>(n));
  }
}

}  // namespace

void balance(Collected& c) {
  Report& report = c.report;
  Parts parts;
  for (std::size_t n = 0; n < report.manifests.size(); ++n) {
    const ManifestSummary output = report.manifests[n];
    const std::vector<std::size_t> sources = link(report, n);
    note_edits(report, sources, output.name);
    std::optional<std::size_t> source;
    for (const std::size_t at : sources) {
      if (has_objects(report.manifests[at]) && (!source || at > *source)) source = at;
    }
    if (const auto part = manifest::part_number(output.header); part && source) {
      report.manifests[n].share = ManifestSummary::Share::part;
      parts[{*source, part->of}].push_back(n);
    } else if (source && is_merge(output)) {
      balance_merge(c, n, sources);
    } else if (!source) {
      const ManifestSummary* earlier = earlier_with_objects(report, n);
      const bool told = std::any_of(report.links.begin(), report.links.end(), [&](const Link& l) {
        return l.to == output.name && (l.state == Link::State::broken || l.state == Link::State::unknown);
      });
      const bool names_source = has_objects(output) && !output.header.inputs.empty();
      if ((earlier != nullptr || names_source) && !told && output.header.stage != "scan")
        broken(report, output, earlier != nullptr ? earlier->name : "the manifests given",
               "it was made from " + unknown_source(output));
      if (earlier == nullptr || output.header.stage == "scan") {
        c.holdings[n].origin = true;
        report.scanned.instances += output.levels.instances;
      }
      check_repeats_at_source(c, n);
    } else if (output.header.stage == "reconcile") {
      balance_studies(c, *source, n);
    } else {
      need_other_inputs(report, output);
      balance_objects(c, *source, n);
      c.holdings[n].origin = report.balances.back().increment;
      if (c.holdings[n].origin) report.scanned.instances += report.balances.back().fresh;
    }
  }
  balance_parts(c, parts);
  drop_echoes(report);
}

}  // namespace waybill::report
