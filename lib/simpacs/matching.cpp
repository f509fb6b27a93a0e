// SPDX-License-Identifier: Apache-2.0
#include "simpacs/matching.hpp"

#include "core/text.hpp"
#include "dicom/file.hpp"
#include "dicom/rewrite.hpp"

#include <algorithm>
#include <set>

namespace waybill::simpacs {

namespace {

using dicom::tag;
using dicom::vr;

constexpr dicom::Tag kLevel = tag(0x0008, 0x0052);
constexpr dicom::Tag kInstance = tag(0x0008, 0x0018);
constexpr dicom::Tag kModality = tag(0x0008, 0x0060);
constexpr dicom::Tag kModalities = tag(0x0008, 0x0061);
constexpr dicom::Tag kStudy = tag(0x0020, 0x000D);
constexpr dicom::Tag kSeries = tag(0x0020, 0x000E);
constexpr dicom::Tag kStudySeries = tag(0x0020, 0x1206);
constexpr dicom::Tag kStudyInstances = tag(0x0020, 0x1208);
constexpr dicom::Tag kSeriesInstances = tag(0x0020, 0x1209);

bool wild(std::string_view pattern, std::string_view value) {
  if (pattern.empty()) return value.empty();
  if (pattern.front() == '*') {
    for (std::size_t skip = 0; skip <= value.size(); ++skip) {
      if (wild(pattern.substr(1), value.substr(skip))) return true;
    }
    return false;
  }
  if (value.empty() || (pattern.front() != '?' && pattern.front() != value.front())) return false;
  return wild(pattern.substr(1), value.substr(1));
}

bool in_range(std::string_view pattern, std::string_view value) {
  const std::size_t dash = pattern.find('-');
  if (dash == std::string_view::npos) return pattern == value;
  const std::string_view from = pattern.substr(0, dash), to = pattern.substr(dash + 1);
  return !value.empty() && (from.empty() || value >= from) && (to.empty() || value.substr(0, to.size()) <= to);
}

/// The values a study, series or image has.
std::map<dicom::Tag, std::string> values_of(const std::vector<InstancePtr>& group) {
  std::map<dicom::Tag, std::string> values = group.front()->values;
  std::set<std::string> modalities, series;
  for (const InstancePtr& one : group) {
    modalities.insert(one->value(kModality));
    series.insert(one->value(kSeries));
  }
  std::string all;
  for (const std::string& modality : modalities) all += (all.empty() ? "" : "\\") + modality;
  values[kModalities] = all;
  values[kStudySeries] = std::to_string(series.size());
  values[kStudyInstances] = values[kSeriesInstances] = std::to_string(group.size());
  return values;
}

bool fits_all(const Query& query, const std::map<dicom::Tag, std::string>& values) {
  return std::ranges::all_of(query.keys, [&](const QueryKey& key) {
    const auto found = values.find(key.tag);
    const std::string_view value = found == values.end() ? std::string_view() : found->second;
    if (key.tag != kModalities) return fits(key.value, value, key.vr);
    const auto each = split(value, '\\');
    return key.value.empty() ||
           std::ranges::any_of(each, [&](std::string_view one) { return fits(key.value, one, key.vr); });
  });
}

}  // namespace

bool fits(std::string_view pattern, std::string_view value, dicom::Vr kind) {
  if (pattern.empty() || pattern == "*") return true;
  if (kind == vr("UI")) {
    const auto list = split(pattern, '\\');
    return std::ranges::any_of(list, [&](std::string_view one) { return trim(one) == value; });
  }
  if (kind == vr("DA") || kind == vr("TM") || kind == vr("DT")) return in_range(pattern, value);
  return wild(pattern, value);
}

const std::string& Query::value(dicom::Tag wanted) const {
  static const std::string kNone;
  const auto found = std::ranges::find(keys, wanted, &QueryKey::tag);
  return found == keys.end() ? kNone : found->value;
}

Result<Query> parse_query(ByteView identifier, std::string_view syntax) {
  const auto parsed = dicom::parse_network_dataset(identifier, syntax);
  if (!parsed) return parsed.error();
  Query query;
  const auto& nodes = parsed->dataset.nodes();
  for (std::size_t i = 0; i < nodes.size(); i = std::max<std::size_t>(nodes[i].next, i + 1)) {
    const dicom::Node& node = nodes[i];
    if (node.kind != dicom::NodeKind::element || node.tag >> 16U == 0 || node.tag == tag(0x0008, 0x0005)) continue;
    const std::string value(trim(as_text(parsed->dataset.value(node))));
    if (node.tag == kLevel) {
      query.level = value;
    } else {
      query.keys.push_back({node.tag, node.vr, value});
    }
  }
  return query;
}

std::vector<Match> matches_of(const Query& query, const Shelf& shelf,
                              const std::function<bool(const std::string&)>& is_hidden) {
  const dicom::Tag by = query.level == "IMAGE" ? kInstance : query.level == "SERIES" ? kSeries : kStudy;
  const auto single = [&](dicom::Tag t) {
    const std::string& value = query.value(t);
    return value.find_first_of("\\*") == std::string::npos ? value : std::string();
  };
  std::map<std::string, std::vector<InstancePtr>> groups;
  for (InstancePtr& one : shelf.select(single(kStudy), single(kSeries))) {
    if (by != kInstance && is_hidden(one->sop_instance)) continue;
    const std::string uid = by == kInstance ? one->sop_instance : one->value(by);
    groups[uid].push_back(std::move(one));
  }
  std::vector<Match> matches;
  for (const auto& [uid, group] : groups) {
    auto values = values_of(group);
    if (by == kInstance) values[kInstance] = uid;
    if (fits_all(query, values)) matches.push_back({uid, std::move(values)});
  }
  return matches;
}

Bytes encode_match(const Query& query, const Match& match, bool explicit_vr) {
  Bytes out;
  bool level = false;
  const auto put = [&](dicom::Tag t, dicom::Vr kind, std::string_view value) {
    put_bytes(out, dicom::encode_element(t, kind, value, explicit_vr));
  };
  for (const QueryKey& key : query.keys) {
    if (!level && key.tag > kLevel) put(kLevel, vr("CS"), query.level);
    level = level || key.tag > kLevel;
    const auto found = match.values.find(key.tag);
    put(key.tag, key.vr, found == match.values.end() ? std::string_view() : found->second);
  }
  if (!level) put(kLevel, vr("CS"), query.level);
  return out;
}

}  // namespace waybill::simpacs
