// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// HTML pages for people that stand in one file: no network, nothing of a manifest or a table can run or load anything.
namespace waybill::page {

/// What surrounds a page's content. Style and script stand inside the file; the content security policy allows them by
/// their digests and nothing else.
struct Frame {
  std::string title;        ///< text, not HTML
  std::string skip;         ///< what the first link skips to, e.g. "Skip to the result"; its target is #main
  std::string_view style;   ///< CSS on top of what all pages share
  std::string_view script;  ///< JavaScript at the end of the page
};

/// From the doctype to the link that skips to #main.
[[nodiscard]] std::string opening(const Frame& frame);
/// The script and the ends of body and html.
[[nodiscard]] std::string closing(const Frame& frame);

}  // namespace waybill::page
