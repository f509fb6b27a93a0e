// SPDX-License-Identifier: Apache-2.0
#include "simpacs/scenario.hpp"

#include "config/table.hpp"

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
                                        {"elements", "store"},
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

constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
constexpr double kMostSeconds = 864000;

using config::Table;

template <typename T>
void number(const Table& table, std::string_view key, T& into, std::int64_t least, std::int64_t most) {
  if (const auto value = table.number(key, least, most)) into = static_cast<T>(*value);
}
template <typename T>
void number(const Table& table, std::string_view key, std::optional<T>& into, std::int64_t least, std::int64_t most) {
  if (table.has(key)) number(table, key, into.emplace(), least, most);
}

void share(const Table& table, std::string_view key, double& into) { into = table.real(key, 0, 1).value_or(into); }

void seconds(const Table& table, std::string_view key, std::chrono::milliseconds& into) {
  if (const auto value = table.real(key, 0, kMostSeconds))
    into = std::chrono::milliseconds(static_cast<std::int64_t>(*value * 1000));
}

template <typename T, typename Into>
void choice(const Table& table, std::string_view key, const Names<T>& names, Into& into) {
  const auto name = table.text(key);
  if (!name) return;
  const auto found = std::ranges::find(names, *name, &std::pair<std::string_view, T>::first);
  std::string all;
  for (const auto& [one, value] : names) all += (all.empty() ? "" : ", ") + std::string(one);
  if (found == names.end()) table.refuse(key, "`" + std::string(key) + "` takes one of " + all);
  into = found->second;
}

void read_node(const Table& table, Scenario& s) {
  table.only({"title", "called", "calling", "associations", "pdu", "window", "idle", "duplicates", "classes",
              "syntaxes", "contexts", "receive_buffer", "storage_level"});
  s.title = table.text("title").value_or(s.title);
  s.called = table.texts("called");
  s.calling = table.texts("calling");
  number(table, "associations", s.associations, 0, 10000);
  number(table, "pdu", s.pdu, 0, 0xFFFFFFFFLL);
  number(table, "window", s.window, 1, 0xFFFF);
  number(table, "storage_level", s.storage_level, 0, 3);
  seconds(table, "idle", s.idle);
  choice(table, "duplicates", kDuplicates, s.duplicates);
  s.classes = table.texts("classes");
  s.syntaxes = table.texts("syntaxes");
  number(table, "contexts", s.contexts, 0, 128);
  number(table, "receive_buffer", s.receive_buffer, 0, 1 << 30);
}

/// Refuses keys that do not go with what the rule speaks of.
void check_keys(const Table& table, std::string_view on) {
  for (const std::string& key : table.keys()) {
    if (std::ranges::find(kEveryRule, key) != kEveryRule.end()) continue;
    const auto found = std::ranges::find(kRuleKeys, key, &std::pair<std::string_view, std::string_view>::first);
    if (found == kRuleKeys.end() || found->second.find(on) == std::string_view::npos)
      table.refuse(key, "`" + key + "` has no place in a rule on " + std::string(on));
  }
}

/// "0010,0020" as a number.
std::uint32_t tag_of(const Table& table, const std::string& text) {
  const Bytes bytes = from_hex(text.size() == 9 && text[4] == ',' ? text.substr(0, 4) + text.substr(5) : "");
  if (bytes.size() != 4) table.refuse("elements", "`elements` takes tags such as \"0010,0020\"");
  return load_u32(bytes.data(), true);
}

Rule read_rule(const Table& table) {
  Rule rule;
  if (!table.has("on")) table.refuse("", "a rule without `on`");
  choice(table, "on", kOn, rule.on);
  check_keys(table, *table.text("on"));
  rule.name = table.text("name").value_or("");
  rule.instances = table.texts("instance");
  rule.classes = table.texts("class");
  rule.calling = table.texts("calling");
  share(table, "rate", rule.rate);
  number(table, "skip", rule.skip, 0, kAny);
  number(table, "first", rule.first, 0, kAny);
  choice(table, "per", kPer, rule.per);
  number(table, "status", rule.status, 0, 0xFFFF);
  rule.comment = table.text("comment").value_or("");
  for (const std::string& text : table.texts("elements")) rule.elements.push_back(tag_of(table, text));
  choice(table, "keep", kKeep, rule.keep);
  choice(table, "answer", kAnswers, rule.answer);
  if (const auto hex = table.text("raw")) {
    rule.raw = from_hex(*hex);
    rule.answer = Answer::raw;
    if (rule.raw.empty()) table.refuse("raw", "`raw` takes hex digits");
  }
  seconds(table, "delay", rule.delay);
  number(table, "pace", rule.pace, 0, kAny);
  number(table, "abort_after", rule.abort_after, 0, kAny);
  choice(table, "reject", kReject, rule.reject);
  number(table, "reason", rule.reason, 0, 255);
  number(table, "most", rule.most, 0, kAny);
  share(table, "omit", rule.omit);
  rule.new_uids = table.flag("new_uids").value_or(false);
  number(table, "completed", rule.completed, -65535, 65535);
  rule.early = table.flag("early").value_or(false);
  share(table, "fail", rule.fail);
  number(table, "failure", rule.failure, 0, 0xFFFF);
  number(table, "times", rule.times, 0, 100);
  rule.new_association = table.flag("new_association").value_or(false);
  rule.wrong_transaction = table.flag("wrong_transaction").value_or(false);
  return rule;
}

}  // namespace

Scenario Scenario::read(const std::filesystem::path& file) {
  Scenario scenario;
  const Table top = Table::read(file);
  top.only({"seed", "node", "peer", "rule"});
  number(top, "seed", scenario.seed, 0, kAny);
  if (const auto node = top.table("node")) read_node(*node, scenario);
  for (const Table& table : top.tables("peer")) {
    table.only({"title", "host", "port", "tls"});
    Destination where;
    const std::string title = table.text("title").value_or("");
    where.host = table.text("host").value_or("");
    number(table, "port", where.port, 1, 65535);
    where.tls = table.flag("tls").value_or(false);
    if (title.empty() || where.host.empty()) table.refuse("", "a peer needs `title` and `host`");
    scenario.peers[title] = where;
  }
  for (const Table& table : top.tables("rule")) {
    scenario.rules.push_back(read_rule(table));
    if (scenario.rules.back().name.empty())
      scenario.rules.back().name = "rule " + std::to_string(scenario.rules.size());
  }
  return scenario;
}

}  // namespace waybill::simpacs
