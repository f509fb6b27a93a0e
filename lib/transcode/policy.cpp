// SPDX-License-Identifier: Apache-2.0
#include "transcode/policy.hpp"

#include "config/table.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "pixel/codec.hpp"

#include <algorithm>
#include <array>

namespace waybill::transcode {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"native", "lossless", "lossy", "video", "unknown"};

std::string_view kind_of(std::string_view syntax) {
  switch (pixel::fidelity_of(syntax)) {
    case pixel::Fidelity::native: return "native";
    case pixel::Fidelity::lossless: return "lossless";
    case pixel::Fidelity::lossy: return "lossy";
    case pixel::Fidelity::video: return "video";
    default: return "unknown";
  }
}

bool is_uid(std::string_view text) {
  return text.find('.') != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

/// The syntax `to` names, `otherwise` without one.
std::string target(const config::Table& table, const std::string& otherwise) {
  const auto name = table.text("to");
  if (!name) return otherwise;
  const auto names = target_names();
  if (std::find(names.begin(), names.end(), *name) == names.end())
    table.refuse("to", "`to` is no target; see waybill transcode --help");
  return syntax_of(*name);
}

bool holds(const std::vector<std::string>& list, const std::optional<std::string>& value) {
  return list.empty() || (value && std::find(list.begin(), list.end(), *value) != list.end());
}

}  // namespace

Policy::Policy(Order order) { rules_.push_back({{}, {}, {}, {}, std::move(order)}); }

bool Policy::Rule::fits(const manifest::Object& object) const {
  const std::string syntax = object.transfer_syntax.value_or("");
  const bool source = from.empty() || std::any_of(from.begin(), from.end(), [&](const std::string& f) {
                        return f == syntax || f == kind_of(syntax);
                      });
  return source && holds(sop_class, object.sop_class) && holds(modality, object.modality);
}

Policy Policy::read(const std::filesystem::path& file, const std::optional<Order>& asked) {
  const auto top = config::Table::read(file);
  top.only({"to", "keep_larger", "rule"});
  Order order = asked.value_or(Order{});
  if (!asked) order.syntax = target(top, {});
  order.keep_larger = order.keep_larger || top.flag("keep_larger").value_or(false);
  Policy policy;
  policy.rules_.clear();
  if (!top.has("rule")) throw RunError(Exit::usage, path_to_text(file.string()) + " has no [[rule]]");
  for (const config::Table& table : top.tables("rule")) {
    table.only({"name", "sop_class", "modality", "from", "to", "keep_larger"});
    Rule rule{table.text("name").value_or(""),
              table.texts("sop_class"),
              table.texts("modality"),
              table.texts("from"),
              {target(table, order.syntax), table.flag("keep_larger").value_or(order.keep_larger)}};
    if (rule.name.empty()) table.refuse({}, "a rule without a `name`");
    for (const std::string& from : rule.from) {
      if (!is_uid(from) && std::find(kKinds.begin(), kKinds.end(), from) == kKinds.end())
        table.refuse("from", "`from` takes native, lossless, lossy, video, unknown and transfer syntax UIDs");
    }
    policy.rules_.push_back(std::move(rule));
  }
  return policy;
}

Decision Policy::decide(const manifest::Object& object) const {
  const auto at = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& rule) { return rule.fits(object); });
  if (at == rules_.end()) return {{}, "no rule"};
  return {at->order, at->name};
}

}  // namespace waybill::transcode
