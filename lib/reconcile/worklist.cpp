// SPDX-License-Identifier: Apache-2.0
#include "reconcile/worklist.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/version.hpp"
#include "page/escape.hpp"
#include "page/page.hpp"
#include "reconcile/worklist_assets.hpp"

#include <algorithm>
#include <array>

namespace waybill::reconcile {
namespace {

/// Columns whose texts repeat from row to row.
constexpr std::array<std::string_view, 13> kRepeating = {
    "RANK", "KIND",       "RULE",    "REASON",   "VETOES",   "DISCREPANCIES", "ISSUER",
    "SEX",  "MODALITIES", "SCORE_1", "REASON_1", "REASON_2", "REASON_3"};

/// JSON inside a script element: no `<` may stand there, or a name could end the element.
std::string inside_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

std::string list(const std::vector<std::string>& texts) {
  JsonWriter w;
  w.begin_array();
  for (const auto& text : texts) w.value(text);
  w.end_array();
  return std::move(w).str();
}

constexpr std::string_view kForm =
    R"html(<noscript><p>This page needs its script to show the rows; exceptions.csv holds the same.</p></noscript>
<div class="bar" id="bar" hidden>
<div><label for="by">Who decides</label><input type="text" id="by" autocomplete="name"></div>
<div><label for="second">Second person</label><input type="text" id="second"></div>
<div><label for="text">Show rows that hold</label><input type="text" id="text" autocomplete="off"></div>
<div><label for="kind">Kind</label><select id="kind"><option value="">all</option></select></div>
<div><label><input type="checkbox" id="open"> only those not answered</label></div>
<div><button type="button" class="do plain" id="back">Back</button> <span id="page"></span> <button type="button" class="do plain" id="next">Next</button></div>
<div><button type="button" class="do" id="save" disabled>Save decided.csv</button></div>
</div>
<p id="status" role="status"></p>
<div class="scroll" tabindex="0" role="region" aria-label="Cases">
<table id="cases">
<caption>One row a case, the most dangerous first. A heading sorts by its column.</caption>
<thead><tr><th scope="col" class="n" data-by="RANK">Rank</th><th scope="col" data-by="STUDY_UID">Study</th><th scope="col" data-by="REASON">Why</th><th scope="col" data-by="NAME">Images and RIS</th><th scope="col" data-by="SCORE_1">Answer</th></tr></thead>
<tbody></tbody>
</table>
</div>
)html";

}  // namespace

Worklist::Worklist(std::vector<std::string> columns) : columns_(std::move(columns)), texts_{""} {
  for (const auto& column : columns_)
    shared_.push_back(std::find(kRepeating.begin(), kRepeating.end(), column) != kRepeating.end());
}

std::size_t Worklist::text_number(const std::string& text) {
  if (text.empty()) return 0;
  const auto [at, fresh] = numbers_.try_emplace(text, texts_.size());
  if (fresh) texts_.push_back(text);
  return at->second;
}

void Worklist::add(const std::vector<std::string>& cells, const std::set<int>& two_people) {
  JsonWriter w;
  w.begin_array();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (shared_[i])
      w.value(text_number(cells[i]));
    else
      w.value(cells[i]);
  }
  w.end_array();
  (rows_ += count_ > 0 ? ",\n" : "") += std::move(w).str();
  if (!two_people.empty()) {
    (two_ += two_.empty() ? "" : ",") += '"' + std::to_string(count_) + "\":[";
    for (const int n : two_people) (two_ += two_.back() == '[' ? "" : ",") += std::to_string(n);
    two_ += ']';
  }
  ++count_;
}

std::string Worklist::html() const {
  const page::Frame frame{"Worklist of the reconciliation", "Skip to the cases", kWorklistStyle, kWorklistScript};
  std::string out = page::opening(frame);
  out += "<header><h1>Worklist of the reconciliation</h1>\n<p class=\"soft\">Made " + page::time_text(utc_now()) +
         " by " + page::html(kToolName) + ", " + page::grouped(count_) + (count_ == 1 ? " row" : " rows") +
         ". It shows patients' data: keep it as you keep patient records. Nothing is sent anywhere; your answers leave "
         "this "
         "page only as the file you save, which <code>waybill reconcile --decisions</code> reads.</p></header>\n"
         "<main id=\"main\">\n";
  out += kForm;
  out += "</main>\n<script type=\"application/json\" id=\"data\">{\"columns\":" + inside_script(list(columns_)) +
         ",\"texts\":" + inside_script(list(texts_)) + ",\n\"two\":{" + two_ + "},\n\"rows\":[" + inside_script(rows_) +
         "]}</script>\n";
  return out + page::closing(frame);
}

}  // namespace waybill::reconcile
