// SPDX-License-Identifier: Apache-2.0
#include "assess/sections.hpp"

#include "assess/meaning.hpp"
#include "dicom/sop_class.hpp"
#include "page/escape.hpp"

#include <algorithm>
#include <set>

namespace waybill::assess {
namespace {

using page::grouped;
using page::percent;
using page::size_text;
using Row = std::vector<std::string>;

constexpr std::size_t kModalityColumns = 6;

std::string named(const std::string& uid) {
  const std::string name = dicom::uid_name(uid);
  return name.empty() ? uid : name;
}

Amount in_bucket(const Assessment& a, manifest::Bucket bucket) {
  const auto at = a.volumes.buckets.find(std::string(to_string(bucket)));
  return at == a.volumes.buckets.end() ? Amount() : at->second;
}

/// Sums of the groups by one of their parts.
std::map<std::string, Amount> sums_by(const Assessment& a, std::string Group::*part) {
  std::map<std::string, Amount> sums;
  for (const auto& [group, amount] : a.volumes.groups) sums[group.*part] += amount;
  return sums;
}

std::vector<std::pair<std::string, Amount>> largest_first(const std::map<std::string, Amount>& sums) {
  std::vector<std::pair<std::string, Amount>> out(sums.begin(), sums.end());
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& x, const auto& y) { return x.second.bytes > y.second.bytes; });
  return out;
}

Table shares(const Assessment& a, const char* caption, const char* title, std::string Group::*part, Trait trait) {
  Table table{caption,
              {{title},
               {"objects", Shape::number},
               {"studies", Shape::number},
               {"size", Shape::number},
               {"share", Shape::number},
               {"mean", Shape::number}},
              {}};
  for (const auto& [name, amount] : largest_first(sums_by(a, part))) {
    table.rows.push_back({name, grouped(amount.objects), grouped(a.studies_having(trait, name)),
                          size_text(amount.bytes), percent(amount.bytes, a.volumes.instances.bytes),
                          size_text(amount.objects == 0 ? 0 : amount.bytes / amount.objects)});
  }
  return table;
}

std::string quantiles(const Sizes& sizes, const std::function<std::string(std::uint64_t)>& text) {
  return "median " + text(sizes.quantile(0.5)) + ", nine in ten up to " + text(sizes.quantile(0.9)) + ", largest " +
         text(sizes.largest());
}

/// How a year compares with the one before, where both are whole years of some size.
std::string growth(std::uint64_t before, std::uint64_t now) {
  if (before == 0) return "";
  const double change = (static_cast<double>(now) / static_cast<double>(before) - 1) * 100;
  char text[32];
  std::snprintf(text, sizeof text, "%+.0f %%", change);
  return change > 999 ? "> +999 %" : text;
}

}  // namespace

Section volume_section(const Assessment& a) {
  const Volumes& v = a.volumes;
  Section out{"volumes", "What there is", {}, {}};
  auto& say = out.sentences;
  say.push_back(grouped(v.all.objects) + " entries were scanned, " + size_text(v.all.bytes) + "; to be moved are " +
                grouped(v.instances.objects) + " objects in " +
                grouped(a.studies.studies - a.studies.without_instances) + " studies, " + size_text(v.instances.bytes) +
                ".");
  say.push_back("Studies with any object: " + grouped(a.studies.studies) + ", with " + grouped(a.studies.series) +
                " series, of " + grouped(a.studies.patients) + " patient numbers.");
  if (a.studies.without_instances > 0)
    say.push_back(grouped(a.studies.without_instances) + " studies hold nothing that can be moved as it is.");
  if (v.without_study.objects > 0)
    say.push_back(grouped(v.without_study.objects) + " objects to be moved name no study.");
  say.push_back("Duplicates: " + grouped(in_bucket(a, manifest::Bucket::duplicate_identical).objects) + " identical (" +
                size_text(in_bucket(a, manifest::Bucket::duplicate_identical).bytes) + " that need not be moved), " +
                grouped(in_bucket(a, manifest::Bucket::duplicate_conflict).objects) +
                " in conflict, about which people decide.");
  say.push_back("Objects: " + quantiles(v.sizes, size_text) + ".");
  say.push_back("Studies: " + quantiles(a.studies.objects, grouped) + " objects; " +
                quantiles(a.studies.bytes, size_text) + ".");
  say.push_back("Multi-frame: " + grouped(v.multi_frame.objects) + " objects, " +
                percent(v.multi_frame.bytes, v.instances.bytes) + " of the bytes.");
  Table buckets{"Entries by bucket", {{"bucket"}, {"objects", Shape::number}, {"size", Shape::number}}, {}};
  for (const auto& [name, amount] : v.buckets)
    buckets.rows.push_back({name, grouped(amount.objects), size_text(amount.bytes)});
  Table loss{"What the transfer syntax may have lost",
             {{"pixels"}, {"objects", Shape::number}, {"size", Shape::number}, {"share", Shape::number}},
             {}};
  for (const auto& [name, amount] : v.fidelity)
    loss.rows.push_back(
        {name, grouped(amount.objects), size_text(amount.bytes), percent(amount.bytes, v.instances.bytes)});
  out.tables = {std::move(buckets), shares(a, "By modality", "modality", &Group::modality, Trait::modality),
                shares(a, "By site (issuer of the patient ID)", "site", &Group::site, Trait::site), std::move(loss)};
  return out;
}

Section year_section(const Assessment& a) {
  Section out{"years", "Year by year", {}, {}};
  Table table{"By year of the study and modality",
              {{"year"},
               {"objects", Shape::number},
               {"studies", Shape::number},
               {"size", Shape::number},
               {"growth", Shape::number}},
              {}};
  const auto modalities = largest_first(sums_by(a, &Group::modality));
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(kModalityColumns, modalities.size()); ++i) {
    shown.push_back(modalities[i].first);
    table.columns.push_back({modalities[i].first, Shape::number});
  }
  const bool more = modalities.size() > shown.size();
  if (more) table.columns.push_back({"others", Shape::number});
  std::map<std::pair<std::string, std::string>, std::uint64_t> cells;
  for (const auto& [group, amount] : a.volumes.groups) {
    const bool own = std::find(shown.begin(), shown.end(), group.modality) != shown.end();
    cells[{group.year, own ? group.modality : ""}] += amount.bytes;
  }
  std::uint64_t before = 0;
  std::string last;
  for (const auto& [year, amount] : sums_by(a, &Group::year)) {
    const bool follows = !last.empty() && year.size() == 4 && std::stoi("0" + year) == std::stoi("0" + last) + 1;
    Row row{year, grouped(amount.objects), grouped(a.studies_having(Trait::year, year)), size_text(amount.bytes),
            follows ? growth(before, amount.bytes) : ""};
    for (const auto& modality : shown) row.push_back(size_text(cells[{year, modality}]));
    if (more) row.push_back(size_text(cells[{year, ""}]));
    table.rows.push_back(std::move(row));
    before = amount.bytes;
    last = year.size() == 4 && year[0] >= '0' && year[0] <= '9' ? year : "";
  }
  out.tables.push_back(std::move(table));
  out.sentences.emplace_back(
      "Growth compares bytes with the year before; the last year may not be whole. Studies of year none have no date, "
      "those "
      "of year implausible one that cannot be.");
  return out;
}

Section kind_section(const Assessment& a) {
  Section out{"kinds", "What the target must take", {}, {}};
  Table table{"SOP classes and transfer syntaxes",
              {{"SOP class"}, {"transfer syntax"}, {"objects", Shape::number}, {"size", Shape::number}, {"UIDs"}},
              {}};
  std::vector<std::pair<Kind, Amount>> kinds(a.volumes.kinds.begin(), a.volumes.kinds.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& x, const auto& y) { return x.second.bytes > y.second.bytes; });
  std::set<std::string> classes, syntaxes;
  for (const auto& [kind, amount] : kinds) {
    classes.insert(kind.sop_class);
    syntaxes.insert(kind.transfer_syntax);
    table.rows.push_back({named(kind.sop_class), named(kind.transfer_syntax), grouped(amount.objects),
                          size_text(amount.bytes), kind.sop_class + " " + kind.transfer_syntax});
  }
  constexpr std::size_t kMostContexts = 128;  // of an association, PS3.8
  out.sentences.push_back(grouped(classes.size()) + " SOP classes in " + grouped(syntaxes.size()) +
                          " transfer syntaxes make " + grouped(kinds.size()) + " pairs" +
                          (kinds.size() > kMostContexts ? ", more than the 128 contexts of one association." : "."));
  Table scripts{"Script of the patient's name, for want of a character set in the manifest",
                {{"script"}, {"studies", Shape::number}},
                {}};
  for (const auto& [feature, studies] : a.features)
    if (feature.trait == Trait::script) scripts.rows.push_back({feature.value, grouped(studies)});
  out.tables = {std::move(table), std::move(scripts)};
  return out;
}

Section finding_section(const Assessment& a) {
  Section out{"findings", "What is wrong with it", {}, {}};
  std::vector<std::pair<std::string, Code>> codes(a.volumes.codes.begin(), a.volumes.codes.end());
  std::stable_sort(codes.begin(), codes.end(), [](const auto& x, const auto& y) {
    return x.second.severity != y.second.severity ? x.second.severity > y.second.severity
                                                  : x.second.amount.objects > y.second.amount.objects;
  });
  Table table{"Findings, the gravest first",
              {{"code"},
               {"severity"},
               {"objects", Shape::number},
               {"studies", Shape::number},
               {"share", Shape::number},
               {"meaning", Shape::long_text},
               {"what the tools do", Shape::long_text},
               {"what a person can do", Shape::long_text}},
              {}};
  for (const auto& [name, code] : codes) {
    const Meaning& meaning = meaning_of(name);
    table.rows.push_back({name, std::string(to_string(code.severity)), grouped(code.amount.objects),
                          grouped(a.studies_having(Trait::finding, name)),
                          percent(code.amount.objects, a.volumes.all.objects), meaning.meaning, meaning.tools,
                          meaning.person});
  }
  out.sentences.push_back(codes.empty() ? "The scan has found nothing wrong."
                                        : grouped(codes.size()) +
                                              " codes. S0 informs, S1 and S2 are mended when objects "
                                              "are rewritten, S3 needs a person, S4 cannot be saved.");
  out.tables.push_back(std::move(table));
  return out;
}

std::vector<Section> sections_of(const Assessment& a) {
  std::vector<Section> out = {volume_section(a),   count_section(a),    year_section(a),
                              kind_section(a),     finding_section(a),  space_section(a),
                              forecast_section(a), matching_section(a), pilot_section(a)};
  Section remarks{"remarks", "Mind", a.remarks, {}};
  out.push_back(std::move(remarks));
  std::erase_if(out, [](const Section& section) { return section.sentences.empty() && section.tables.empty(); });
  return out;
}

}  // namespace waybill::assess
