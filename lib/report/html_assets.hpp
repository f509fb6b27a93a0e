// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// Style and script of the HTML report on top of what all pages share (page/page.hpp).
namespace waybill::report {

inline constexpr std::string_view kStyle = R"css(
.verdict{border-left:.5rem solid var(--good);background:var(--band);padding:.75rem 1rem;margin:1rem 0}
.verdict.v1{border-color:var(--warn)}
.verdict.v5{border-color:var(--bad)}
.verdict strong{font-size:1.2rem}
.verdict ul{margin:.5rem 0 0;padding-left:1.2rem;max-width:60rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:1rem 0;padding:0}
nav a{display:inline-block;padding:.25rem 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem;margin:.75rem 0 1rem}
.tile{border:1px solid var(--line);border-top:.3rem solid #6b7885;border-radius:.25rem;padding:.6rem .8rem}
.tile.t0{border-top-color:var(--good)}
.tile.t1{border-top-color:var(--warn)}
.tile.t5{border-top-color:var(--bad)}
.tile.t5 dd{color:var(--bad)}
.tile dt{color:var(--soft);font-size:.9rem}
.tile dd{margin:0;font-size:1.6rem;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums}
.tile small{display:block;font-size:.85rem;font-weight:400;color:var(--soft);line-height:1.4}
.whole{width:100%;height:1.5rem;border-radius:.25rem}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:.5rem 0 0;padding:0}
.legend svg{display:inline-block;margin-right:.15rem}
th.w code{font-weight:400}
#exceptions .soft{font-weight:400}
td:not(.w) code{white-space:nowrap}
svg{display:block}
.bar{margin:.2rem 0 0 auto}
@media (max-width:40rem){h1{font-size:1.4rem}.tiles{grid-template-columns:1fr 1fr;gap:.5rem}.tile dd{font-size:1.3rem}td.w,th.w{min-width:13rem}th,td{padding:.35rem .5rem}}
@media print{@page{margin:12mm}body{font-size:9.5pt}nav,.skip,.filter{display:none}main,header,footer{max-width:none;padding:0}
.scroll{overflow:visible;border:0;background:none}table{font-size:8.5pt}th,td{padding:1mm 1.5mm}td.w,th.w{min-width:0}
#exceptions{font-size:7pt;table-layout:fixed}#exceptions th,#exceptions td{padding:.8mm 1mm;overflow-wrap:anywhere}#exceptions thead th{white-space:normal}
#exceptions th:nth-child(1){width:20%}#exceptions th:nth-child(2){width:7.5%}#exceptions th:nth-child(3){width:10%}#exceptions th:nth-child(4){width:19%}#exceptions th:nth-child(5){width:7.5%}#exceptions th:nth-child(6){width:7.5%}#exceptions th:nth-child(7){width:8%}#exceptions th:nth-child(8){width:9%}#exceptions th:nth-child(9){width:11.5%}
#exceptions code{white-space:normal}
button.sort{display:none}th[data-title]::before{content:attr(data-title)}.tiles{grid-template-columns:repeat(5,1fr)}.tile dd{font-size:14pt}
tr,.tile,.verdict,.whole{break-inside:avoid}thead{display:table-header-group}h2,caption{break-after:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
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
    cell.setAttribute("data-title", cell.textContent);  // for print, where buttons are missing on later pages
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
