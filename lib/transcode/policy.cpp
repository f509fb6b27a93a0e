// SPDX-License-Identifier: Apache-2.0
#include "transcode/policy.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "pixel/codec.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>

namespace waybill::transcode {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"native", "lossless", "lossy", "video", "unknown"};

[[noreturn]] void refuse(const std::filesystem::path& file, const toml::node& at, const std::string& why) {
  throw RunError(Exit::usage,
                 path_to_text(file.string()) + " line " + std::to_string(at.source().begin.line) + ": " + why);
}

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

/// Reads one table with care for its keys.
class Table {
 public:
  Table(const std::filesystem::path& file, const toml::table& table, std::vector<std::string_view> keys)
      : file_(file), table_(table) {
    for (const auto& [key, value] : table) {
      if (std::find(keys.begin(), keys.end(), key.str()) == keys.end())
        refuse(file_, value, "unknown key `" + std::string(key.str()) + "`");
    }
  }
  std::optional<std::string> text(std::string_view key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_string()) refuse(file_, *node, "`" + std::string(key) + "` is no text");
    return node->value<std::string>();
  }
  std::optional<bool> flag(std::string_view key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_boolean()) refuse(file_, *node, "`" + std::string(key) + "` is neither true nor false");
    return node->value<bool>();
  }
  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> out;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return out;
    if (!node->is_array()) refuse(file_, *node, "`" + std::string(key) + "` is no list");
    for (const toml::node& item : *node->as_array()) {
      if (!item.is_string()) refuse(file_, item, "`" + std::string(key) + "` holds what is no text");
      out.push_back(*item.value<std::string>());
    }
    if (out.empty()) refuse(file_, *node, "`" + std::string(key) + "` is empty, so the rule would fit nothing");
    return out;
  }
  /// The syntax `to` names, `otherwise` without one.
  std::string target(const std::string& otherwise) const {
    const auto name = text("to");
    if (!name) return otherwise;
    const auto names = target_names();
    if (std::find(names.begin(), names.end(), *name) == names.end())
      refuse(file_, *table_.get("to"), "`to` is no target; see waybill transcode --help");
    return syntax_of(*name);
  }
  const toml::node& node(std::string_view key) const { return *table_.get(key); }

 private:
  const std::filesystem::path& file_;
  const toml::table& table_;
};

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
  toml::table all;
  try {
    all = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    throw RunError(Exit::usage, path_to_text(file.string()) + (line > 0 ? " line " + std::to_string(line) : "") + ": " +
                                    std::string(error.description()));
  }
  const Table top(file, all, {"to", "keep_larger", "rule"});
  Order order = asked.value_or(Order{});
  if (!asked) order.syntax = top.target({});
  order.keep_larger = order.keep_larger || top.flag("keep_larger").value_or(false);
  Policy policy;
  policy.rules_.clear();
  const toml::node* rules = all.get("rule");
  if (rules == nullptr) throw RunError(Exit::usage, path_to_text(file.string()) + " has no [[rule]]");
  if (!rules->is_array()) refuse(file, *rules, "`rule` is written [[rule]]");
  for (const toml::node& node : *rules->as_array()) {
    if (!node.is_table()) refuse(file, node, "`rule` is written [[rule]]");
    const Table table(file, *node.as_table(), {"name", "sop_class", "modality", "from", "to", "keep_larger"});
    Rule rule{table.text("name").value_or(""),
              table.texts("sop_class"),
              table.texts("modality"),
              table.texts("from"),
              {table.target(order.syntax), table.flag("keep_larger").value_or(order.keep_larger)}};
    if (rule.name.empty()) refuse(file, node, "a rule without a `name`");
    for (const std::string& from : rule.from) {
      if (!is_uid(from) && std::find(kKinds.begin(), kKinds.end(), from) == kKinds.end())
        refuse(file, table.node("from"),
               "`from` takes native, lossless, lossy, video, unknown and transfer syntax UIDs");
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
