// SPDX-License-Identifier: Apache-2.0
#include "simpacs/scenario.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace waybill::simpacs {
namespace {

template <typename T>
using Names = std::vector<std::pair<std::string_view, T>>;

const Names<On> kOn{{"associate", On::associate}, {"echo", On::echo}, {"store", On::store},
                    {"find", On::find},           {"get", On::get},   {"move", On::move},
                    {"commit", On::commit}};
const Names<Keep> kKeep{{"all", Keep::all},         {"nothing", Keep::nothing}, {"flipped", Keep::flipped},
                        {"renamed", Keep::renamed}, {"cut", Keep::cut},         {"empty", Keep::empty},
                        {"other", Keep::other}};
const Names<Answer> kAnswers{{"normal", Answer::normal},      {"silence", Answer::silence},
                             {"abort", Answer::abort},        {"reset", Answer::reset},
                             {"close", Answer::close},        {"release", Answer::release},
                             {"half", Answer::half},          {"twice", Answer::twice},
                             {"wrong-id", Answer::wrong_id},  {"wrong-context", Answer::wrong_context},
                             {"no-status", Answer::no_status}};
const Names<Per> kPer{{"run", Per::run}, {"instance", Per::instance}, {"association", Per::association}};
const Names<Duplicates> kDuplicates{
    {"ignore", Duplicates::ignore}, {"overwrite", Duplicates::overwrite}, {"refuse", Duplicates::refuse}};
const Names<std::uint8_t> kReject{{"permanent", 1}, {"transient", 2}};

/// Keys of a rule besides those every rule has, and what they go with.
const Names<std::string_view> kRuleKeys{{"instance", "store get move commit find"},
                                        {"class", "store"},
                                        {"status", "echo store find get move commit"},
                                        {"comment", "store find get move commit"},
                                        {"keep", "store get move"},
                                        {"answer", "associate echo store find get move commit"},
                                        {"raw", "associate echo store find get move commit"},
                                        {"delay", "associate echo store find get move commit"},
                                        {"pace", "store"},
                                        {"abort_after", "store"},
                                        {"reject", "associate"},
                                        {"reason", "associate"},
                                        {"most", "find"},
                                        {"omit", "find get move commit"},
                                        {"new_uids", "get move"},
                                        {"completed", "get move"},
                                        {"early", "move commit"},
                                        {"fail", "commit"},
                                        {"failure", "commit"},
                                        {"times", "commit"},
                                        {"new_association", "commit"},
                                        {"wrong_transaction", "commit"}};
constexpr std::array kEveryRule{"name", "on", "calling", "rate", "skip", "first", "per"};

/// One table, read with care: every key must be one that was asked for, every value within its bounds.
class Table {
 public:
  Table(const std::filesystem::path& file, const toml::table& table) : file_(file), table_(table) {}

  [[noreturn]] void refuse(const toml::node& at, const std::string& why) const {
    throw RunError(Exit::usage, path_to_text(file_.string()) + " line " + std::to_string(at.source().begin.line) +
                                    ": " + why + "; see manifests/examples/simpacs.toml");
  }
  [[noreturn]] void refuse(const std::string& why) const { refuse(table_, why); }
  template <typename Allowed>
  void only(const Allowed& allowed) const {
    for (const auto& [key, value] : table_) {
      if (!allowed(std::string_view(key.str()))) refuse(value, "`" + std::string(key.str()) + "` has no place here");
    }
  }

  template <typename T>
  void integer(std::string_view key, T& into, std::int64_t least, std::int64_t most) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto value = node->is_integer() ? node->value<std::int64_t>() : std::nullopt;
    if (!value || *value < least || *value > most)
      refuse(*node, "`" + std::string(key) + "` takes a whole number from " + std::to_string(least) + " to " +
                        std::to_string(most));
    into = static_cast<T>(*value);
  }
  void share(std::string_view key, double& into) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!value || *value < 0 || *value > 1) refuse(*node, "`" + std::string(key) + "` takes a share from 0 to 1");
    into = *value;
  }
  void seconds(std::string_view key, std::chrono::milliseconds& into) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!value || *value < 0 || *value > 864000) refuse(*node, "`" + std::string(key) + "` takes seconds, 0 to 864000");
    into = std::chrono::milliseconds(static_cast<std::int64_t>(*value * 1000));
  }
  void flag(std::string_view key, bool& into) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    if (!node->is_boolean()) refuse(*node, "`" + std::string(key) + "` takes true or false");
    into = *node->value<bool>();
  }
  void text(std::string_view key, std::string& into) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    if (!node->is_string()) refuse(*node, "`" + std::string(key) + "` takes a text");
    into = *node->value<std::string>();
  }
  void texts(std::string_view key, std::vector<std::string>& into) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    if (!node->is_array()) refuse(*node, "`" + std::string(key) + "` takes a list of texts");
    for (const toml::node& item : *node->as_array()) {
      if (!item.is_string()) refuse(item, "`" + std::string(key) + "` takes a list of texts");
      into.push_back(*item.value<std::string>());
    }
  }
  template <typename T, typename Into>
  void choice(std::string_view key, const Names<T>& names, Into& into) const {
    std::string name;
    text(key, name);
    if (table_.get(key) == nullptr) return;
    const auto found = std::ranges::find(names, name, &std::pair<std::string_view, T>::first);
    std::string all;
    for (const auto& [one, value] : names) all += (all.empty() ? "" : ", ") + std::string(one);
    if (found == names.end()) refuse(*table_.get(key), "`" + std::string(key) + "` takes one of " + all);
    into = found->second;
  }
  void bytes(std::string_view key, Bytes& into) const {
    std::string hex;
    text(key, hex);
    into = from_hex(hex);
    if (table_.get(key) != nullptr && into.empty())
      refuse(*table_.get(key), "`" + std::string(key) + "` takes hex digits");
  }
  [[nodiscard]] const toml::node* get(std::string_view key) const { return table_.get(key); }

 private:
  const std::filesystem::path& file_;
  const toml::table& table_;
};

constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();

void read_node(const Table& table, Scenario& s) {
  constexpr std::array kKeys{"title", "called",     "calling", "associations", "pdu",      "window",
                             "idle",  "duplicates", "classes", "syntaxes",     "contexts", "receive_buffer"};
  table.only([&](std::string_view key) { return std::ranges::find(kKeys, key) != kKeys.end(); });
  table.text("title", s.title);
  table.texts("called", s.called);
  table.texts("calling", s.calling);
  table.integer("associations", s.associations, 0, 10000);
  table.integer("pdu", s.pdu, 0, 0xFFFFFFFFLL);
  table.integer("window", s.window, 1, 0xFFFF);
  table.seconds("idle", s.idle);
  table.choice("duplicates", kDuplicates, s.duplicates);
  table.texts("classes", s.classes);
  table.texts("syntaxes", s.syntaxes);
  table.integer("contexts", s.contexts, 0, 128);
  table.integer("receive_buffer", s.receive_buffer, 0, 1 << 30);
}

Rule read_rule(const Table& table) {
  Rule rule;
  if (table.get("on") == nullptr) table.refuse("a rule without `on`");
  table.choice("on", kOn, rule.on);
  std::string on;
  table.text("on", on);
  table.only([&](std::string_view key) {
    const auto found = std::ranges::find(kRuleKeys, key, &std::pair<std::string_view, std::string_view>::first);
    return std::ranges::find(kEveryRule, key) != kEveryRule.end() ||
           (found != kRuleKeys.end() && found->second.find(on) != std::string_view::npos);
  });
  table.text("name", rule.name);
  table.texts("instance", rule.instances);
  table.texts("class", rule.classes);
  table.texts("calling", rule.calling);
  table.share("rate", rule.rate);
  table.integer("skip", rule.skip, 0, kAny);
  table.integer("first", rule.first, 0, kAny);
  table.choice("per", kPer, rule.per);
  if (table.get("status") != nullptr) table.integer("status", rule.status.emplace(), 0, 0xFFFF);
  table.text("comment", rule.comment);
  table.choice("keep", kKeep, rule.keep);
  table.choice("answer", kAnswers, rule.answer);
  table.bytes("raw", rule.raw);
  if (!rule.raw.empty()) rule.answer = Answer::raw;
  table.seconds("delay", rule.delay);
  table.integer("pace", rule.pace, 0, kAny);
  if (table.get("abort_after") != nullptr) table.integer("abort_after", rule.abort_after.emplace(), 0, kAny);
  table.choice("reject", kReject, rule.reject);
  if (table.get("reason") != nullptr) table.integer("reason", rule.reason.emplace(), 0, 255);
  if (table.get("most") != nullptr) table.integer("most", rule.most.emplace(), 0, kAny);
  table.share("omit", rule.omit);
  table.flag("new_uids", rule.new_uids);
  table.integer("completed", rule.completed, -65535, 65535);
  table.flag("early", rule.early);
  table.share("fail", rule.fail);
  table.integer("failure", rule.failure, 0, 0xFFFF);
  table.integer("times", rule.times, 0, 100);
  table.flag("new_association", rule.new_association);
  table.flag("wrong_transaction", rule.wrong_transaction);
  return rule;
}

/// The tables of an array written [[key]].
template <typename Each>
void each_table(const std::filesystem::path& file, const Table& top, std::string_view key, const Each& each) {
  const toml::node* node = top.get(key);
  if (node == nullptr) return;
  const auto wrong = [&](const toml::node& at) {
    top.refuse(at, "`" + std::string(key) + "` is written [[" + std::string(key) + "]]");
  };
  if (!node->is_array()) wrong(*node);
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_table()) wrong(item);
    each(Table(file, *item.as_table()));
  }
}

}  // namespace

Scenario Scenario::read(const std::filesystem::path& file) {
  toml::table all;
  try {
    all = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    throw RunError(Exit::usage, path_to_text(file.string()) + (line > 0 ? " line " + std::to_string(line) : "") + ": " +
                                    std::string(error.description()));
  }
  Scenario scenario;
  const Table top(file, all);
  top.only([](std::string_view key) { return key == "seed" || key == "node" || key == "peer" || key == "rule"; });
  top.integer("seed", scenario.seed, 0, kAny);
  if (const toml::node* node = top.get("node"); node != nullptr) {
    if (!node->is_table()) top.refuse(*node, "`node` is written [node]");
    read_node(Table(file, *node->as_table()), scenario);
  }
  each_table(file, top, "peer", [&](const Table& table) {
    table.only([](std::string_view key) { return key == "title" || key == "host" || key == "port"; });
    std::string title;
    Destination where;
    table.text("title", title);
    table.text("host", where.host);
    table.integer("port", where.port, 1, 65535);
    if (title.empty() || where.host.empty()) table.refuse("a peer needs `title` and `host`");
    scenario.peers[title] = where;
  });
  each_table(file, top, "rule", [&](const Table& table) {
    scenario.rules.push_back(read_rule(table));
    if (scenario.rules.back().name.empty())
      scenario.rules.back().name = "rule " + std::to_string(scenario.rules.size());
  });
  return scenario;
}

}  // namespace waybill::simpacs
