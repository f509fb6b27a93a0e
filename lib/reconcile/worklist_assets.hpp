// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// Style and script of the worklist on top of what all pages share (page/page.hpp).
namespace waybill::reconcile {

inline constexpr std::string_view kWorklistStyle = R"css(
main{max-width:none}
.bar{position:sticky;top:0;z-index:1;background:var(--band);border:1px solid var(--line);border-radius:.25rem;padding:.5rem .75rem;margin:1rem 0;display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:end}
.bar label{display:block;font-size:.85rem;color:var(--soft)}
input[type=text],select{font:inherit;padding:.25rem .4rem;border:1px solid var(--soft);border-radius:.25rem;background:#fff;color:var(--ink);max-width:100%}
button.do{font:inherit;padding:.3rem .8rem;border:1px solid var(--blue);border-radius:.25rem;background:var(--blue);color:#fff;cursor:pointer}
button.do.plain{background:#fff;color:var(--blue)}
button.do:disabled{background:#fff;color:var(--soft);border-color:var(--soft);cursor:default}
button.do:focus-visible,select:focus-visible{outline:3px solid var(--blue);outline-offset:1px}
#status{margin:.25rem 0;min-height:1.5rem}
fieldset{border:0;margin:0;padding:0;min-width:18rem;max-width:32rem}
fieldset label{display:block;padding:.1rem 0}
fieldset .two{color:var(--bad);font-weight:600}
legend{position:absolute;left:-99rem}
tr.done td,tr.done th{background:#eef6f0}
dl{margin:0;display:grid;grid-template-columns:max-content 1fr;gap:0 .5rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
table.both{width:auto;font-size:inherit}
table.both th,table.both td{border:0;padding:0 .6rem 0 0}
table.both td{min-width:8rem;max-width:16rem;overflow-wrap:anywhere}
table.both th{font-weight:400;color:var(--soft);white-space:nowrap}
table.both .differs{font-weight:600}
.kind{white-space:nowrap}
@media (max-width:60rem){.bar{position:static}}
@media print{.bar{display:none}}
)css";

inline constexpr std::string_view kWorklistScript = R"js(
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var at = {};
  data.columns.forEach(function (name, i) { at[name] = i; });
  var PAGE = 50, page = 0, order = data.rows.map(function (row, i) { return i; }), shown = order;
  var answers = {}, saved = true, sortBy = null, down = false, search = null;
  function $(id) { return document.getElementById(id); }
  function value(row, name) {
    var v = data.rows[row][at[name]];
    return typeof v === "number" ? data.texts[v] : v;
  }
  // Signs that turn the direction of text or hide it are made visible.
  function visible(text) { return text.replace(/[\u0000-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2066-\u2069]/g, "\uFFFD"); }
  function make(tag, text, parent, name) {
    var e = document.createElement(tag);
    if (text !== "") e.textContent = visible(text);
    if (name) e.className = name;
    if (parent) parent.appendChild(e);
    return e;
  }
  function isCase(row) { return ["review", "unmatched", "conflict"].indexOf(value(row, "KIND")) >= 0; }
  function facts(cell, row, pairs) {
    var list = make("dl", "", cell);
    pairs.forEach(function (pair) {
      var text = value(row, pair[1]);
      if (text === "") return;
      make("dt", pair[0], list);
      make("bdi", text, make("dd", "", list));
    });
  }
  // What the images and the RIS say, side by side; values that differ are marked by more than their weight.
  function both(cell, row) {
    var table = make("table", "", cell, "both"), head = make("tr", "", make("thead", "", table)), body = make("tbody", "", table);
    ["", "images", "RIS"].forEach(function (text) { make("th", text, head).scope = "col"; });
    [["name", "NAME", "EXAM_NAME"], ["ID", "PATIENT_ID", "EXAM_PATIENT_ID"], ["issuer", "ISSUER"], ["born", "DOB", "EXAM_DOB"], ["sex", "SEX"],
      ["accession", "ACCESSION", "EXAM_ACCESSION"], ["date", "STUDY_DATE", "EXAM_STUDY_DATE"], ["modality", "MODALITIES"],
      ["objects", "INSTANCES"]].forEach(function (names) {
      var here = value(row, names[1]), there = names[2] ? value(row, names[2]) : "";
      if (here === "" && there === "") return;
      var line = make("tr", "", body), differs = here !== "" && there !== "" && here.toUpperCase() !== there.toUpperCase();
      make("th", names[0], line).scope = "row";
      make("bdi", here, make("td", "", line));
      var cell = make("td", "", line, differs ? "differs" : "");
      make("bdi", there, cell);
      if (differs) make("span", " \u2260", cell).title = "differs";
    });
  }
  function twoPeople(row, n) { return (data.two[row] || []).indexOf(n) >= 0; }
  function remember(row, answer) {
    if (answer.decision === "" && answer.remark === "") delete answers[row];
    else answers[row] = answer;
    saved = false;
    tell();
  }
  function tell() {
    var rows = Object.keys(answers).filter(function (row) { return answers[row].decision !== ""; });
    var needed = rows.filter(function (row) { return twoPeople(row, +answers[row].decision) && $("second").value.trim() === ""; });
    var text = rows.length + " answered; " + shown.length + " of " + order.length + " rows fit the filter.";
    if (rows.length > 0 && $("by").value.trim() === "") text += " Write who decides before you save.";
    if (needed.length > 0) text += " " + needed.length + " of the answers change whose images they are: a second person must agree.";
    $("status").textContent = text;
    $("save").disabled = rows.length === 0 || $("by").value.trim() === "" || needed.length > 0;
  }
  function choices(cell, row, line) {
    var answer = answers[row] || { decision: "", remark: "" };
    var field = make("fieldset", "", cell);
    make("legend", "Answer for study " + value(row, "STUDY_UID"), field);
    function choice(decision, text, note) {
      var label = make("label", "", field), radio = make("input", "", label);
      radio.type = "radio";
      radio.name = "row" + row;
      radio.value = decision;
      radio.checked = answer.decision === decision;
      label.appendChild(document.createTextNode(" "));
      make("bdi", text, label);
      if (note) make("span", " " + note, label, "soft");
      if (/^[123]$/.test(decision) && twoPeople(row, +decision)) make("span", " another patient: two people", label, "two");
      radio.addEventListener("change", function () {
        answer.decision = decision === "other" ? other.value.trim() : decision;
        line.className = answer.decision === "" ? "" : "done";
        remember(row, answer);
      });
      return radio;
    }
    choice("", "leave open", "");
    [1, 2, 3].forEach(function (n) {
      var key = value(row, "PROPOSAL_" + n);
      if (key !== "") choice(String(n), key, "score " + value(row, "SCORE_" + n) + ", " + value(row, "REASON_" + n));
    });
    choice("NONE", "no exam belongs to this study", "");
    var radio = choice("other", "another exam:", "");
    var other = make("input", "", field);
    other.type = "text";
    other.setAttribute("aria-label", "key of another exam");
    if (answer.decision !== "" && !/^([123]|NONE)$/.test(answer.decision)) { radio.checked = true; other.value = answer.decision; }
    other.addEventListener("input", function () {
      radio.checked = true;
      answer.decision = other.value.trim();
      line.className = answer.decision === "" ? "" : "done";
      remember(row, answer);
    });
    var label = make("label", "Remark ", field), remark = make("input", "", label);
    remark.type = "text";
    remark.value = answer.remark;
    remark.addEventListener("input", function () { answer.remark = remark.value; remember(row, answer); });
  }
  function draw() {
    var body = $("cases").tBodies[0];
    body.textContent = "";
    shown.slice(page * PAGE, (page + 1) * PAGE).forEach(function (row) {
      var line = make("tr", "", body);
      if (answers[row] && answers[row].decision !== "") line.className = "done";
      make("td", value(row, "RANK"), line, "n");
      var what = make("th", "", line, "w");
      what.scope = "row";
      make("span", value(row, "KIND"), what, "kind");
      make("br", "", what);
      make("code", value(row, "STUDY_UID"), what);
      var why = make("td", "", line, "w");
      make("span", (value(row, "RULE") === "" ? "" : value(row, "RULE") + ": ") + value(row, "REASON"), why);
      facts(why, row, [["vetoes", "VETOES"], ["codes", "DISCREPANCIES"], ["line", "LINE"]]);
      both(make("td", "", line), row);
      var cell = make("td", "", line);
      if (isCase(row)) choices(cell, row, line);
      else make("span", "to be corrected at its source", cell, "soft");
    });
    var pages = Math.max(1, Math.ceil(shown.length / PAGE));
    $("page").textContent = "page " + (page + 1) + " of " + pages;
    $("back").disabled = page === 0;
    $("next").disabled = page + 1 >= pages;
    tell();
  }
  function filter() {
    var wanted = $("text").value.toLowerCase(), kind = $("kind").value, open = $("open").checked;
    if (wanted !== "" && search === null)
      search = data.rows.map(function (row) {
        return row.map(function (v) { return typeof v === "number" ? data.texts[v] : v; }).join("\u0001").toLowerCase();
      });
    shown = order.filter(function (row) {
      return (kind === "" || value(row, "KIND") === kind) && (wanted === "" || search[row].indexOf(wanted) >= 0) &&
        !(open && answers[row] && answers[row].decision !== "");
    });
    page = 0;
    draw();
  }
  function sort(name, cell) {
    down = sortBy === name && !down;
    sortBy = name;
    var compare = new Intl.Collator(undefined, { numeric: true }).compare;
    var keys = data.rows.map(function (row, i) { return value(i, name); });
    order.sort(function (a, b) { return (down ? -1 : 1) * compare(keys[a], keys[b]) || a - b; });
    Array.prototype.forEach.call($("cases").tHead.rows[0].cells, function (other) { other.removeAttribute("aria-sort"); });
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    filter();
  }
  // As the tools write CSV: a cell that a spreadsheet would run gets an apostrophe, which --decisions takes off again.
  function cell(text) { return "\"" + (/^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? "'" : "") + text.replace(/"/g, "\"\"") + "\""; }
  function decided() {
    var names = ["STUDY_UID", "PROPOSAL_1", "PROPOSAL_2", "PROPOSAL_3", "DECISION", "DECIDED_BY", "SECOND_PERSON", "REMARK"];
    var by = $("by").value.trim(), second = $("second").value.trim();
    return [names.join(",")].concat(order.slice().sort(function (a, b) { return a - b; }).filter(function (row) {
      return answers[row] && answers[row].decision !== "";
    }).map(function (row) {
      return names.map(function (name) {
        return cell(name === "DECISION" ? answers[row].decision : name === "DECIDED_BY" ? by : name === "SECOND_PERSON" ? second :
          name === "REMARK" ? answers[row].remark : value(row, name));
      }).join(",");
    })).join("\r\n") + "\r\n";
  }
  $("save").addEventListener("click", function () {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([decided()], { type: "text/csv" }));
    link.download = "decided.csv";
    document.body.appendChild(link);
    link.click();
    link.remove();
    saved = true;
    $("status").textContent = "decided.csv was saved; give it back with --decisions decided.csv.";
  });
  Array.prototype.forEach.call($("cases").tHead.rows[0].cells, function (head) {
    var name = head.getAttribute("data-by");
    if (!name) return;
    var button = make("button", head.textContent, null, "sort");
    button.type = "button";
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () { sort(name, head); });
  });
  var kinds = {};
  data.rows.forEach(function (row, i) { kinds[value(i, "KIND")] = (kinds[value(i, "KIND")] || 0) + 1; });
  Object.keys(kinds).sort().forEach(function (kind) {
    var option = make("option", kind + " (" + kinds[kind] + ")", $("kind"));
    option.value = kind;
  });
  $("text").addEventListener("input", filter);
  $("kind").addEventListener("change", filter);
  $("open").addEventListener("change", filter);
  $("by").addEventListener("input", tell);
  $("second").addEventListener("input", tell);
  $("back").addEventListener("click", function () { page -= 1; draw(); });
  $("next").addEventListener("click", function () { page += 1; draw(); });
  window.addEventListener("beforeunload", function (event) { if (!saved) event.preventDefault(); });
  $("bar").hidden = false;
  draw();
})();
)js";

}  // namespace waybill::reconcile
