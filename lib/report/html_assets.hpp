// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// Style and script of the HTML report. Both stand inside the file; the content security policy allows them by digest
/// and nothing else, so no text of a manifest can run or load anything.
namespace waybill::report {

inline constexpr std::string_view kStyle = R"css(
:root{--ink:#1a2430;--soft:#51606f;--line:#d5dce3;--band:#f4f7f9;--blue:#1f5f99;--good:#1b6e3c;--warn:#8a5200;--bad:#a31621}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--ink);background:#fff}
main,header,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.6rem;margin:1.5rem 0 .25rem}
h2{font-size:1.2rem;margin:2.25rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
p{max-width:48rem;margin:.4rem 0}
.soft{color:var(--soft)}
.verdict{border-left:.4rem solid var(--good);background:var(--band);padding:.75rem 1rem;margin:1rem 0}
.verdict.v1{border-color:var(--warn)}
.verdict.v5{border-color:var(--bad)}
.verdict strong{font-size:1.1rem}
.verdict ul{margin:.5rem 0 0;padding-left:1.2rem}
.good{color:var(--good);font-weight:600}
.bad{color:var(--bad);font-weight:600}
.scroll{overflow-x:auto;margin:.5rem 0;border:1px solid var(--line);border-radius:.25rem}
.scroll:focus-visible,button:focus-visible,input:focus-visible{outline:3px solid var(--blue);outline-offset:1px}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;padding:.5rem .6rem;color:var(--soft)}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{background:var(--band);white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:.85em/1.4 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere;unicode-bidi:isolate}
td code{min-width:9rem;display:inline-block}
svg{display:block}
button.sort{all:unset;cursor:pointer;font-weight:600}
button.sort::after{content:" \2195";color:var(--soft)}
.filter{margin:.5rem 0}
.filter input{font:inherit;padding:.3rem .5rem;border:1px solid var(--soft);border-radius:.25rem;width:min(24rem,100%)}
footer{margin:3rem auto 2rem;color:var(--soft);font-size:.85rem}
@media print{body{font-size:10pt}.scroll{overflow:visible;border:0}.filter{display:none}button.sort::after{content:""}
tr{break-inside:avoid}thead{display:table-header-group}h2{break-after:avoid}main,header,footer{max-width:none;padding:0}}
)css";

/// Filter and sorting of the exceptions; without scripts the table is simply whole and in path order.
inline constexpr std::string_view kScript = R"js(
(function () {
  "use strict";
  var table = document.getElementById("exceptions");
  if (!table) return;
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var box = document.getElementById("filter");
  var input = document.getElementById("filter-text");
  var count = document.getElementById("filter-count");
  box.hidden = false;
  input.addEventListener("input", function () {
    var wanted = input.value.toLowerCase();
    var shown = 0;
    rows.forEach(function (row) {
      var fits = row.textContent.toLowerCase().indexOf(wanted) >= 0;
      row.hidden = !fits;
      if (fits) shown += 1;
    });
    count.textContent = shown + " of " + rows.length + " rows shown";
  });
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = cell.textContent;
    cell.textContent = "";
    cell.appendChild(button);
    button.addEventListener("click", function () {
      var down = cell.getAttribute("aria-sort") === "ascending";
      Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) { other.removeAttribute("aria-sort"); });
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort(function (a, b) {
        var order = a.cells[column].textContent.localeCompare(b.cells[column].textContent, undefined, {numeric: true});
        return down ? -order : order;
      });
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
})();
)js";

}  // namespace waybill::report
