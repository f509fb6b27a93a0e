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
#exceptions .soft,.d1,.d2,.d3,.d4,.d5{font-weight:400}
td:not(.w) code{white-space:nowrap}
svg{display:block}
figure{margin:.75rem 0}
.plot{width:100%;height:9rem}
figcaption{color:var(--soft);font-size:.9rem}
.spark{margin:.2rem 0}
.d0,.d1,.d2,.d3,.d4,.d5{display:block;padding-left:calc(var(--d)*1.1rem)}
.d0{--d:0}.d1{--d:1}.d2{--d:2}.d3{--d:3}.d4{--d:4}.d5{--d:5}
.filter p{max-width:none;display:flex;flex-wrap:wrap;gap:.4rem .8rem;align-items:center}
.filter button,.filter select{font:inherit;padding:.3rem .6rem;border:1px solid var(--soft);border-radius:.25rem;background:#fff;color:var(--ink)}
.filter button:disabled{color:#6b7885;border-color:var(--line)}
.filter button:focus-visible,.filter select:focus-visible{outline:3px solid var(--blue);outline-offset:1px}
.bar{margin:.2rem 0 0 auto}
.any{overflow-wrap:anywhere}
@media (max-width:40rem){.d1,.d2,.d3,.d4,.d5{padding-left:calc(var(--d)*.5rem)}h1{font-size:1.4rem}.tiles{grid-template-columns:1fr 1fr;gap:.5rem}.tile dd{font-size:1.3rem}td.w,th.w{min-width:13rem}th,td{padding:.35rem .5rem}thead th,thead th.n{white-space:normal;min-width:5rem}thead th:first-child{min-width:0}}
caption span{position:sticky;left:.6rem;display:inline-block;max-width:min(calc(100vw - 3.5rem),76rem)}
@media print{@page{margin:12mm 12mm 16mm;@bottom-left{content:"Migration report";font:8pt sans-serif;color:#51606f}@bottom-right{content:"Page " counter(page) " of " counter(pages);font:8pt sans-serif;color:#51606f}}
caption span{position:static;max-width:none}thead th,thead th.n{white-space:normal}
.scroll:not(:has(tr:nth-child(22),#exceptions)){break-inside:avoid}tbody tr:nth-child(-n+2){break-after:avoid}tbody tr:first-child,tbody tr:nth-last-child(-n+2){break-before:avoid}thead{break-after:avoid}
body{font-size:9.5pt}nav,.skip,.filter{display:none}main,header,footer{max-width:none;padding:0}
.scroll{overflow:visible;border:0;background:none}table{font-size:8pt}th,td{padding:1mm}td.w,th.w{min-width:0}
#exceptions{font-size:7pt;table-layout:fixed}#exceptions th,#exceptions td{padding:.8mm 1mm;overflow-wrap:anywhere}#exceptions thead th{white-space:normal}
#exceptions th:nth-child(1){width:20%}#exceptions th:nth-child(2){width:7.5%}#exceptions th:nth-child(3){width:10%}#exceptions th:nth-child(4){width:19%}#exceptions th:nth-child(5){width:7.5%}#exceptions th:nth-child(6){width:7.5%}#exceptions th:nth-child(7){width:8%}#exceptions th:nth-child(8){width:9%}#exceptions th:nth-child(9){width:11.5%}
#exceptions code{white-space:normal}
button.sort{display:none}th[data-title]::before{content:attr(data-title)}.tiles{grid-template-columns:repeat(5,1fr)}.tile dd{font-size:14pt}
tr,.tile,.verdict,.whole{break-inside:avoid}thead{display:table-header-group}h2,caption{break-after:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";

/// Filter, sorting and pages of the exceptions: the rows come from the page's data block, a page of them is in the
/// table at a time, so that a hundred thousand stay quick. Without scripts the table holds the first rows in path
/// order.
inline constexpr std::string_view kScript = R"js(
(function () {
  "use strict";
  var table = document.getElementById("exceptions");
  var block = document.getElementById("exceptions-data");
  if (!table || !block) return;
  var data = JSON.parse(block.textContent);
  var byId = function (id) { return document.getElementById(id); };
  var body = table.tBodies[0], head = table.tHead.rows[0].cells;
  var input = byId("filter-text"), count = byId("filter-count"), size = byId("page-size");
  var before = byId("page-before"), after = byId("page-after");
  var FIRST = 3;  // cells of a row before the ones that are numbers of texts: path, member, id
  var SHOWN = [0].concat(["severity", "bucket", "reason", "stage", "modality", "date", "patient", "study"].map(function (name) {
    return FIRST + data.columns.indexOf(name);
  }));
  var CHOICES = { severity: "Severity", bucket: "Bucket", stage: "Last stage", modality: "Modality" };
  var rows = data.rows, fitting = rows, at = 0, chosen = {}, words = null;

  function text(row, column) { return column < FIRST ? row[column] : data.texts[row[column]]; }
  function element(name, content, kind) {
    var made = document.createElement(name);
    if (content !== undefined) made.textContent = content;
    if (kind) made.className = kind;
    return made;
  }
  function code(cell, content) { if (content) cell.appendChild(element("code", content)); }
  function source(row) {
    var cell = element("th", undefined, "w");
    cell.scope = "row";
    code(cell, row[0]);
    if (row[1]) { cell.appendChild(document.createTextNode(" member ")); code(cell, row[1]); }
    cell.appendChild(element("br"));
    var id = cell.appendChild(element("span", "object ", "soft"));
    code(id, row[2]);
    return cell;
  }
  function line(row) {
    var made = element("tr");
    made.appendChild(source(row));
    for (var i = 1; i < SHOWN.length; i += 1) {
      var wide = i === 3 || i === 8, isCode = i === 7 || i === 8;
      var cell = element("td", isCode ? undefined : text(row, SHOWN[i]), wide ? "w" : "");
      if (isCode) code(cell, text(row, SHOWN[i]));
      made.appendChild(cell);
    }
    return made;
  }
  function show(most) {
    var number = most || Number(size.value);
    if (at >= fitting.length) at = 0;
    var part = fitting.slice(at, at + number);
    body.textContent = "";
    part.forEach(function (row) { body.appendChild(line(row)); });
    before.disabled = at === 0;
    after.disabled = at + part.length >= fitting.length;
    var range = part.length ? (at + 1) + " to " + (at + part.length) + " of " : "";
    count.textContent = range + fitting.length + (fitting.length === 1 ? " row" : " rows") +
      (fitting.length === rows.length ? "" : " that fit, " + rows.length + " in all");
  }
  function search() {
    var wanted = input.value.toLowerCase();
    if (wanted && !words) {
      words = new Map();
      rows.forEach(function (row) {
        var all = row[0] + " " + row[1] + " " + row[2];
        for (var i = FIRST; i < row.length; i += 1) all += " " + data.texts[row[i]];
        words.set(row, all.toLowerCase());
      });
    }
    fitting = rows.filter(function (row) {
      for (var name in chosen) if (row[chosen[name].column] !== chosen[name].place) return false;
      return !wanted || words.get(row).indexOf(wanted) >= 0;
    });
    at = 0;
    show();
  }
  function offer(name) {
    var column = FIRST + data.columns.indexOf(name), places = {};
    rows.forEach(function (row) { places[row[column]] = true; });
    var all = Object.keys(places).map(Number).sort(function (a, b) { return data.texts[a] < data.texts[b] ? -1 : 1; });
    if (all.length < 2 || all.length > 200) return;
    var label = element("label", CHOICES[name] + " "), list = element("select");
    label.htmlFor = list.id = "filter-" + name;
    list.appendChild(element("option", "all")).value = "";
    all.forEach(function (place) { list.appendChild(element("option", data.texts[place] || "none")).value = String(place); });
    list.addEventListener("change", function () {
      if (list.value === "") delete chosen[name]; else chosen[name] = { column: column, place: Number(list.value) };
      search();
    });
    byId("filter-choices").appendChild(label);
    byId("filter-choices").appendChild(list);
  }
  function sortable(cell, index) {
    var button = element("button", cell.textContent, "sort");
    button.type = "button";
    cell.setAttribute("data-title", cell.textContent);  // for print, where buttons are missing on later pages
    cell.textContent = "";
    cell.appendChild(button);
    button.addEventListener("click", function () {
      var down = cell.getAttribute("aria-sort") === "ascending", column = SHOWN[index];
      Array.prototype.forEach.call(head, function (other) { other.removeAttribute("aria-sort"); });
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      var order = new Intl.Collator(undefined, { numeric: true }), rank = null;
      if (column >= FIRST) {
        rank = [];
        data.texts.map(function (t, i) { return i; }).sort(function (a, b) { return order.compare(data.texts[a], data.texts[b]); })
          .forEach(function (place, i) { rank[place] = i; });
      }
      rows.sort(function (a, b) {
        var found = rank ? rank[a[column]] - rank[b[column]] : order.compare(a[column], b[column]);
        return down ? -found : found;
      });
      search();
    });
  }
  var timer = 0;
  input.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(search, 120); });
  size.addEventListener("change", function () { at = 0; show(); });
  before.addEventListener("click", function () { at = Math.max(0, at - Number(size.value)); show(); });
  after.addEventListener("click", function () { at += Number(size.value); show(); });
  window.addEventListener("beforeprint", function () { at = 0; show(2000); });
  window.addEventListener("afterprint", function () { show(); });
  Object.keys(CHOICES).forEach(offer);
  Array.prototype.forEach.call(head, sortable);
  byId("filter").hidden = false;
  var more = byId("exceptions-more");
  if (more) more.hidden = true;
  show();
})();
)js";

}  // namespace waybill::report
