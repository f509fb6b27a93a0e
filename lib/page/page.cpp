// SPDX-License-Identifier: Apache-2.0
#include "page/page.hpp"

#include "core/sha256.hpp"
#include "page/escape.hpp"

namespace waybill::page {
namespace {

/// Colours (contrast of text at least 4.5), type, tables that scroll in their own box and can be sorted, focus.
constexpr std::string_view kStyle = R"css(
:root{--ink:#1a2430;--soft:#51606f;--line:#d5dce3;--band:#f4f7f9;--blue:#1f5f99;--good:#1b6e3c;--warn:#8a5200;--bad:#a31621}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--ink);background:#fff}
main,header,footer{max-width:80rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.6rem;margin:1.5rem 0 .25rem}
h2{font-size:1.25rem;margin:2.5rem 0 .5rem;border-bottom:2px solid var(--line);padding-bottom:.25rem}
p{max-width:48rem;margin:.4rem 0}
a{color:var(--blue)}
.soft{color:var(--soft)}
.skip{position:absolute;left:-99rem;background:#fff;padding:.5rem 1rem}
.skip:focus{left:1rem;top:.5rem}
.good{color:var(--good);font-weight:600}
.bad{color:var(--bad);font-weight:600}
.scroll{overflow-x:auto;margin:.75rem 0;border:1px solid var(--line);border-radius:.25rem;
background:linear-gradient(90deg,#fff 30%,#fff0) 0/2.5rem 100% no-repeat local,linear-gradient(270deg,#fff 30%,#fff0) 100%/2.5rem 100% no-repeat local,
linear-gradient(90deg,#1a243038,#1a243000) 0/.8rem 100% no-repeat scroll,linear-gradient(270deg,#1a243038,#1a243000) 100%/.8rem 100% no-repeat scroll}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;padding:.5rem .6rem;color:var(--soft)}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-top:1px solid var(--line);unicode-bidi:isolate;overflow-wrap:break-word}
thead th{white-space:nowrap;border-top:2px solid var(--line)}
tbody th{font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.w,th.w{min-width:16rem;max-width:30rem;overflow-wrap:anywhere}
code{font:.85em/1.4 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere;unicode-bidi:isolate}
button.sort{all:unset;cursor:pointer;font-weight:600}
button.sort::after{content:" \2195";color:var(--soft)}
[aria-sort=ascending] button.sort::after{content:" \2191";color:var(--ink)}
[aria-sort=descending] button.sort::after{content:" \2193";color:var(--ink)}
.scroll:focus-visible,button.sort:focus-visible,input:focus-visible,a:focus-visible{outline:3px solid var(--blue);outline-offset:1px}
.filter{margin:1rem 0 .5rem}
.filter input{font:inherit;padding:.3rem .5rem;border:1px solid var(--soft);border-radius:.25rem;width:min(24rem,100%)}
footer{margin:3rem auto 2rem;color:var(--soft);font-size:.85rem}
)css";

std::string source_digest(std::string_view asset) { return "'sha256-" + base64(Sha256::of(asset).bytes) + "'"; }

std::string style_of(const Frame& frame) { return std::string(kStyle) + std::string(frame.style); }

}  // namespace

std::string opening(const Frame& frame) {
  const std::string style = style_of(frame);
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src " +
         source_digest(style) + "; script-src " + source_digest(frame.script) +
         "; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
         "content=\"no-referrer\">\n"
         "<meta name=\"color-scheme\" content=\"light\">\n<title>" +
         html(frame.title) + "</title>\n<style>" + style +
         "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">" + html(frame.skip) + "</a>\n";
}

std::string closing(const Frame& frame) {
  return "<script>" + std::string(frame.script) + "</script>\n</body>\n</html>\n";
}

}  // namespace waybill::page
