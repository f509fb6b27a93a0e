// SPDX-License-Identifier: Apache-2.0
// Evaluates to a list of what in the open page breaks a rule that can be checked by machine (WCAG 2.1 A and AA): names of
// controls, language, title, one h1, order of headings, landmarks, tables, references, contrast, nothing wider than the page.
(function () {
  "use strict";
  var found = [];
  var all = function (selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); };
  var tell = function (element, what) {
    found.push(what + ": " + (element.outerHTML || String(element)).slice(0, 120));
  };
  var visible = function (element) {
    var style = getComputedStyle(element);
    return style.visibility !== "hidden" && style.display !== "none" && element.getClientRects().length > 0;
  };

  if (!document.documentElement.lang) tell(document.documentElement, "no language");
  if (!document.title.trim()) tell(document.documentElement, "no title");
  if (all("h1").length !== 1) tell(document.body, "not exactly one h1");
  if (all("main").length !== 1) tell(document.body, "not exactly one main");
  var level = 0;
  all("h1,h2,h3,h4,h5,h6").forEach(function (heading) {
    var own = Number(heading.tagName[1]);
    if (own > level + 1) tell(heading, "a level of headings is left out");
    if (!heading.textContent.trim()) tell(heading, "empty heading");
    level = own;
  });
  var ids = {};
  all("[id]").forEach(function (element) {
    if (ids[element.id]) tell(element, "an id twice");
    ids[element.id] = true;
  });
  ["aria-labelledby", "aria-describedby", "aria-controls"].forEach(function (name) {
    all("[" + name + "]").forEach(function (element) {
      element.getAttribute(name).split(/\s+/).forEach(function (id) {
        if (!document.getElementById(id)) tell(element, name + " names nothing");
      });
    });
  });
  all("label[for]").forEach(function (label) {
    if (!document.getElementById(label.htmlFor)) tell(label, "a label for nothing");
  });
  all("a[href^='#']").forEach(function (link) {
    if (!document.getElementById(link.getAttribute("href").slice(1))) tell(link, "a link to nothing");
  });

  var nameOf = function (element) {
    var by = element.getAttribute("aria-labelledby");
    if (by) return by.split(/\s+/).map(function (id) { return (document.getElementById(id) || {}).textContent || ""; }).join(" ").trim();
    if (element.getAttribute("aria-label")) return element.getAttribute("aria-label").trim();
    if (element.labels && element.labels.length) return element.labels[0].textContent.trim();
    return element.textContent.trim();
  };
  all("a[href],button,input,select,textarea,[role=region],[role=img],section,nav").forEach(function (element) {
    if (element.type !== "hidden" && !nameOf(element)) tell(element, "no name");
  });
  all("img,svg").forEach(function (picture) {
    if (picture.getAttribute("aria-hidden") !== "true" && !nameOf(picture) && !picture.getAttribute("alt")) tell(picture, "a picture without text");
  });
  all("[tabindex]").forEach(function (element) {
    if (element.tabIndex > 0) tell(element, "an order of its own for the keyboard");
  });
  all("*").forEach(function (element) {
    var style = getComputedStyle(element);
    var scrolls = /auto|scroll/.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
    if (scrolls && visible(element) && element.tabIndex < 0) tell(element, "scrolls and cannot be reached by keyboard");
  });
  all("table").forEach(function (table) {
    if (!table.caption || !table.caption.textContent.trim()) tell(table, "a table without caption");
    if (!table.querySelector("thead th[scope=col]")) tell(table, "a table without headers of columns");
    Array.prototype.forEach.call(table.querySelectorAll("th"), function (th) {
      if (!th.scope) tell(th, "a header without scope");
      if (!th.textContent.trim()) tell(th, "an empty header");
    });
    Array.prototype.forEach.call(table.rows, function (row) {
      if (row.cells.length !== table.tHead.rows[0].cells.length) tell(row, "a row with other cells than headers");
    });
  });
  all("ul,ol").forEach(function (list) {
    Array.prototype.forEach.call(list.children, function (item) { if (item.tagName !== "LI") tell(item, "no item in a list"); });
  });

  var channels = function (colour) {
    var parts = (colour.match(/[\d.]+/g) || []).map(Number);
    return { r: parts[0] || 0, g: parts[1] || 0, b: parts[2] || 0, a: parts.length > 3 ? parts[3] : 1 };
  };
  var over = function (front, back) {
    var mix = function (x) { return front[x] * front.a + back[x] * (1 - front.a); };
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  var light = function (colour) {
    var part = function (value) {
      var v = value / 255;
      return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * part(colour.r) + 0.7152 * part(colour.g) + 0.0722 * part(colour.b);
  };
  var behind = function (element) {
    var layers = [];
    for (var at = element; at; at = at.parentElement) {
      var colour = channels(getComputedStyle(at).backgroundColor);
      layers.push(colour);
      if (colour.a === 1) break;
    }
    return layers.reverse().reduce(function (back, front) { return over(front, back); }, { r: 255, g: 255, b: 255, a: 1 });
  };
  var walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), node, seen = new Set();
  while ((node = walker.nextNode())) {
    var element = node.parentElement;
    if (!node.textContent.trim() || seen.has(element) || !visible(element) || /^(SCRIPT|STYLE|OPTION)$/.test(element.tagName)) continue;
    seen.add(element);
    var style = getComputedStyle(element), back = behind(element), text = over(channels(style.color), back);
    var a = light(text), b = light(back), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    var size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5) && !element.closest(":disabled")) tell(element, "contrast " + ratio.toFixed(2));
  }
  if (document.documentElement.scrollWidth > window.innerWidth + 1) tell(document.documentElement, "wider than the page: " + document.documentElement.scrollWidth);
  return found;
})()
