// SPDX-License-Identifier: Apache-2.0
#include "report/html_tables.hpp"

#include "manifest/member.hpp"
#include "page/escape.hpp"
#include "report/html_parts.hpp"

#include <algorithm>

namespace waybill::report {

using page::grouped;
using page::html;
using page::size_text;

namespace {

std::string indented(const SheetLine& line) {
  return "<span class=\"d" + std::to_string(line.depth) + "\">" + html(line.label) + "</span>";
}

const char* why_text(ExtraAtTarget::Why why) {
  switch (why) {
    case ExtraAtTarget::Why::before_load: return "there before the first load";
    case ExtraAtTarget::Why::other_manifest: return "of another manifest of the project";
    case ExtraAtTarget::Why::known: return "explained by a person";
    case ExtraAtTarget::Why::unexplained: return "<span class=\"bad\">unexplained</span>";
  }
  return "";
}

}  // namespace

std::string sheet_table(const Report& report) {
  Table table(
      "Balance sheet; each line is the sum of the lines indented below it. A file or study with several objects stands "
      "where its least finished object stands",
      {{"Line"},
       {"Files", Kind::number},
       {"Objects", Kind::number},
       {"Studies", Kind::number},
       {"Bytes", Kind::number}});
  for (const SheetLine& line : sheet_lines()) {
    const Amounts sum = sum_of(report.sheet, line);
    table.row({indented(line), count_cell(sum.files), count_cell(sum.objects), count_cell(sum.studies),
               count_cell(sum.bytes)});
  }
  return std::move(table).str();
}

std::string target_section(const Report& report) {
  const Target& t = report.target;
  if (!t.asked) return {};
  Table table("What the target holds in these studies, by its own listing", {{"Line"}, {"Instances", Kind::number}});
  table.row({"found", grouped(t.found())});
  table.row({"<span class=\"d1\">ours (grade E3 or better)</span>", count_cell(t.ours)});
  table.row({"<span class=\"d1\">there before the first load</span>", count_cell(t.before_load)});
  table.row({"<span class=\"d1\">of another manifest of the project</span>", count_cell(t.other_manifest)});
  table.row({"<span class=\"d1\">explained by a person</span>", count_cell(t.known)});
  table.row({"<span class=\"d1\">unexplained</span>", bad_cell(t.unexplained)});
  std::string body = std::move(table).str();
  if (!t.extras.empty()) {
    Table extras("Instances that only the target has", {{"SOP instance", Kind::wide},
                                                        {"Study", Kind::wide},
                                                        {"Told by"},
                                                        {"Where it comes from"},
                                                        {"Reason", Kind::wide}});
    for (std::size_t i = 0; i < t.extras.size() && i < kMostRows; ++i) {
      const ExtraAtTarget& e = t.extras[i];
      extras.row({code(e.sop_instance), code(e.study), html(e.manifest), why_text(e.why), html(e.reason)});
    }
    body += std::move(extras).str() + cut_note(t.extras.size());
  }
  return section("target", "At the target", body);
}

std::string samples_table(const Report& report) {
  if (report.samples.empty()) return {};
  Table table("Verifications by sample, in their own words", {{"Manifest"},
                                                              {"State"},
                                                              {"What it proves", Kind::wide},
                                                              {"Confidence"},
                                                              {"Defect bound"},
                                                              {"Digest of the list", Kind::wide}});
  for (const SampleResult& s : report.samples) {
    const auto text = [&](std::string_view name) {
      return s.plan.empty() ? std::string() : manifest::text_member(s.plan, name).value_or("");
    };
    table.row({html(s.manifest),
               s.state == "passed" ? "<span class=\"good\">passed</span>"
                                   : "<span class=\"bad\">" + html(s.state) + "</span>",
               html(s.statement), html(text("confidence")), html(text("defect")), code(text("list_sha256"))});
  }
  return std::move(table).str();
}

}  // namespace waybill::report
