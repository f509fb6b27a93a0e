// SPDX-License-Identifier: Apache-2.0
#include "report/html_tables.hpp"

#include "core/json.hpp"
#include "page/escape.hpp"
#include "report/html_parts.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace waybill::report {

using page::grouped;
using page::html;

namespace {

constexpr std::size_t kShownRows = 100;  // in the page as it is loaded; the script shows the others of the data block

/// The folder that all exceptions' paths share, with its slash; empty when that would save nothing.
std::string common_folder(const std::vector<Exception>& exceptions) {
  if (exceptions.size() < 2) return {};
  std::string folder = exceptions.front().path;
  for (const Exception& e : exceptions) {
    const auto end = std::mismatch(folder.begin(), folder.end(), e.path.begin(), e.path.end()).first;
    folder.erase(end, folder.end());
  }
  const std::size_t slash = folder.rfind('/');
  return slash == std::string::npos || slash == 0 ? std::string() : folder.substr(0, slash + 1);
}

/// Exceptions by bucket and cause, the most frequent first: what there is to decide.
std::string causes_table(const std::vector<Exception>& exceptions) {
  struct Row {
    std::uint64_t n = 0;
    std::string severity;
    std::set<std::uint32_t> studies;
  };
  std::map<std::pair<std::string, std::string>, Row> rows;
  for (const Exception& e : exceptions) {
    Row& row = rows[{e.bucket.str(), e.cause.str()}];
    ++row.n;
    row.severity = std::max(row.severity, e.severity.str());
    if (!e.study.empty()) row.studies.insert(e.study.number());
  }
  std::vector<std::pair<std::pair<std::string, std::string>, Row>> sorted(rows.begin(), rows.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second.n > b.second.n; });
  Table table("What there is to decide; S3 waits for a person, S4 cannot be recovered from this source",
              {{"Cause"},
               {"Bucket"},
               {"Objects", Kind::number},
               {"Studies", Kind::number},
               {"Severity"},
               {"What the bucket means", Kind::wide}});
  for (std::size_t i = 0; i < sorted.size() && i < kMostRows; ++i) {
    const auto& [key, row] = sorted[i];
    const auto bucket = manifest::bucket_from(key.first);
    table.row({key.second.empty() ? "none stated" : html(key.second), html(key.first), grouped(row.n),
               grouped(row.studies.size()), html(row.severity), bucket ? html(bucket_meaning(*bucket)) : ""});
  }
  return std::move(table).str() + cut_note(sorted.size());
}

constexpr std::string_view kColumns[] = {"severity", "bucket", "reason",  "stage",
                                         "modality", "date",   "patient", "study"};

/// All exceptions as data for the script: each text once, rows of numbers.
std::string rows_as_data(const std::vector<Exception>& exceptions, std::size_t folder) {
  std::unordered_map<std::uint32_t, std::size_t> places;
  std::vector<std::string> texts;
  const auto place = [&](Interned text) {
    const auto [at, fresh] = places.try_emplace(text.number(), texts.size());
    if (fresh) texts.push_back(page::shown(text));
    return at->second;
  };
  JsonWriter w;
  w.begin_object().key("columns").begin_array();
  for (const auto name : kColumns) w.value(name);
  w.end_array().key("rows").begin_array();
  for (std::size_t i = 0; i < exceptions.size() && i < kMostListed; ++i) {
    const Exception& e = exceptions[i];
    w.begin_array()
        .value(page::shown(std::string_view(e.path).substr(folder)))
        .value(page::shown(e.member))
        .value(e.id);
    for (const Interned* text :
         {&e.severity, &e.bucket, &e.reason, &e.stage, &e.modality, &e.study_date, &e.patient, &e.study})
      w.value(place(*text));
    w.end_array();
  }
  w.end_array().key("texts").begin_array();
  for (const auto& text : texts) w.value(text);
  w.end_array().end_object();
  return "<script type=\"application/json\" id=\"exceptions-data\">" + page::data_block(w.str()) + "</script>\n";
}

std::string exceptions_table(const Report& report) {
  const std::string folder = common_folder(report.exceptions);
  Table table("Objects that did not reach their target state",
              {{"Source", Kind::wide},
               {"Severity"},
               {"Bucket"},
               {"Reason", Kind::wide},
               {"Last stage"},
               {"Modality"},
               {"Study date"},
               {"Patient"},
               {"Study", Kind::wide}},
              "exceptions");
  for (std::size_t i = 0; i < report.exceptions.size() && i < kShownRows; ++i) {
    const Exception& e = report.exceptions[i];
    std::string source = code(std::string_view(e.path).substr(folder.size()));
    if (!e.member.empty()) source += " member " + code(e.member);
    source += "<br><span class=\"soft\">object " + code(e.id) + "</span>";
    table.row({source, html(e.severity), html(e.bucket), html(e.reason), html(e.stage), html(e.modality),
               html(e.study_date), code(e.patient), code(e.study)});
  }
  std::string more;
  if (report.exceptions.size() > kShownRows) {
    more = "<p id=\"exceptions-more\">Without scripts the first " + grouped(kShownRows) + " of " +
           grouped(report.exceptions.size()) + " rows are shown; the CSV and JSON reports hold all.</p>\n";
  }
  if (report.exceptions.size() > kMostListed) {
    more += "<p>This page holds the first " + grouped(kMostListed) + " of " + grouped(report.exceptions.size()) +
            " exceptions; the CSV and JSON reports hold all.</p>\n";
  }
  const std::string where = folder.empty() ? "" : "<p>Sources are below " + code(folder) + "</p>\n";
  return where + std::move(table).str() + more + rows_as_data(report.exceptions, folder.size());
}

/// Controls that only the script brings to life, so they are hidden without it.
constexpr std::string_view kControls = R"html(<div class="filter" id="filter" hidden>
<p><label for="filter-text">Filter the list</label> <input id="filter-text" type="search" autocomplete="off"></p>
<p id="filter-choices"></p>
<p><button type="button" id="page-before">Previous rows</button> <button type="button" id="page-after">Next rows</button>
<label for="page-size">Rows at a time</label> <select id="page-size"><option>100</option><option>500</option><option>2000</option></select>
<span id="filter-count" class="soft" role="status"></span></p></div>
)html";

}  // namespace

std::string exceptions_section(const Report& report) {
  std::string body = "<p>There are none.</p>\n";
  if (!report.exceptions.empty()) {
    body = causes_table(report.exceptions) + std::string(kControls) + exceptions_table(report);
  }
  return section("exceptions-title", "Exceptions", body);
}

}  // namespace waybill::report
