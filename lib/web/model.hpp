// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::web {

struct Item;

/// The values of an element as text, or the items of a sequence.
struct Attribute {
  std::vector<std::string> values;
  std::vector<Item> items;
};

/// A dataset of a service's answer, by tag as eight upper-case hex digits.
struct Item {
  std::map<std::string, Attribute, std::less<>> elements;
  /// The first value without padding; "" when there is none.
  [[nodiscard]] std::string value(std::string_view tag) const;
  /// The items of a sequence; empty when there is none.
  [[nodiscard]] const std::vector<Item>& items(std::string_view tag) const;
};

/// Deeper than this nothing is read: answers are flat.
inline constexpr int kMostDepth = 16;

/// The DICOM JSON Model (PS3.18 F): one dataset or an array of them. Fault::malformed otherwise.
[[nodiscard]] Result<std::vector<Item>> parse_json(std::string_view text);

/// One dataset of the Native DICOM Model (PS3.19 A.1); no document type, no entities but XML's own. Fault::malformed
/// otherwise.
[[nodiscard]] Result<Item> parse_xml(std::string_view text);

}  // namespace waybill::web
