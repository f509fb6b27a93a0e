// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "simpacs/shelf.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// C-FIND in the Study Root model over what is on the shelf (PS3.4 C.2).
namespace waybill::simpacs {

/// One attribute asked for: with a value it must match, without it is only returned.
struct QueryKey {
  dicom::Tag tag = 0;
  dicom::Vr vr = 0;
  std::string value;
};

struct Query {
  std::string level;  ///< STUDY, SERIES or IMAGE
  std::vector<QueryKey> keys;
  [[nodiscard]] const std::string& value(dicom::Tag tag) const;
};

/// A query from an identifier; Fault::malformed when it is no dataset.
[[nodiscard]] Result<Query> parse_query(ByteView identifier, std::string_view syntax);

struct Match {
  std::string uid;                           ///< of the study, series or instance
  std::map<dicom::Tag, std::string> values;  ///< of the keys asked for
};

/// Everything that fits, by UID. Instances that `is_hidden` says yes to of their UID do not count in what is told of
/// their series and study.
[[nodiscard]] std::vector<Match> matches_of(const Query& query, const Shelf& shelf,
                                            const std::function<bool(const std::string&)>& is_hidden);

/// The identifier of a match.
[[nodiscard]] Bytes encode_match(const Query& query, const Match& match, bool explicit_vr);

/// Single value, list of UIDs, wildcard and range matching (PS3.4 C.2.2.2); an empty pattern fits everything.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view value, dicom::Vr vr);

}  // namespace waybill::simpacs
