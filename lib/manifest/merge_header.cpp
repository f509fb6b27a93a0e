// SPDX-License-Identifier: Apache-2.0
#include "manifest/merge_header.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "manifest/derived.hpp"
#include "manifest/json_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

namespace waybill::manifest {
namespace {

namespace fs = std::filesystem;
using detail::Members;
using detail::value_of;

constexpr std::size_t kMostInputs = 10'000;
constexpr std::array<std::string_view, 4> kStages = {"scan", "transcode", "load", "verify"};
/// Options that speak of one input alone.
constexpr std::array<std::string_view, 4> kOwn = {"shard", "split", "merge", "sources"};

bool is_own(std::string_view name) { return std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end(); }

void check_stages(const std::vector<MergeInput>& inputs) {
  const std::string& stage = inputs.front().header.stage;
  if (stage == "reconcile")
    throw RunError(Exit::usage, inputs.front().name +
                                    " holds decisions, which are made over all studies at once; merge the scans and "
                                    "reconcile the merged one");
  if (std::find(kStages.begin(), kStages.end(), stage) == kStages.end())
    throw RunError(Exit::usage, inputs.front().name + " is a manifest of " + stage +
                                    "; merge takes those of scan, transcode, load or verify");
  for (const MergeInput& input : inputs) {
    if (input.header.stage != stage)
      throw RunError(Exit::usage, inputs.front().name + " is a manifest of " + stage + ", " + input.name + " one of " +
                                      input.header.stage + "; merge manifests of one stage");
  }
}

/// Verifications that asked for different things do not become one.
void check_levels(const std::vector<MergeInput>& inputs, const std::vector<Members>& options) {
  if (inputs.front().header.stage != "verify") return;
  for (const char* name : {"level", "against"}) {
    const auto said = [&](std::size_t n) {
      const std::string* value = value_of(options[n], name);
      return value == nullptr ? std::string() : *value;
    };
    for (std::size_t n = 1; n < inputs.size(); ++n) {
      if (said(n) != said(0))
        throw RunError(Exit::usage, inputs[0].name + " and " + inputs[n].name + " are verifications with another " +
                                        name + "; give both to waybill report, which weighs them");
    }
  }
}

/// Shards or parts that some of the inputs are, of one whole.
struct Shares {
  std::string what;  ///< "shard" or "part"
  std::uint64_t of = 0;
  std::set<std::uint64_t> here;
};

/// "2/8" as the share and how many there are.
std::optional<std::pair<std::uint64_t, std::uint64_t>> share_of(std::string_view text) {
  std::uint64_t share = 0, of = 0;
  const auto first = std::from_chars(text.data(), text.data() + text.size(), share);
  if (first.ec != std::errc() || first.ptr == text.data() + text.size() || *first.ptr != '/') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, text.data() + text.size(), of);
  if (second.ec != std::errc() || second.ptr != text.data() + text.size()) return std::nullopt;
  return std::pair(share, of);
}

std::map<std::string, Shares> shares_of(const std::vector<MergeInput>& inputs, const std::vector<Members>& options) {
  std::map<std::string, Shares> out;
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    for (const auto& [option, what] : {std::pair("shard", "shard"), std::pair("split", "part")}) {
      const std::string* value = value_of(options[n], option);
      const auto share =
          value == nullptr ? std::nullopt : share_of(std::string_view(*value).substr(1, value->size() - 2));
      if (!share) continue;
      const bool parted = std::string_view(what) == "part";
      const std::string* sources = value_of(options[n], "sources");
      const std::string whole = parted && !inputs[n].header.inputs.empty() ? inputs[n].header.inputs.front().head
                                : sources != nullptr                       ? *sources
                                                                           : std::string();
      Shares& shares = out[what + std::to_string(share->second) + whole];
      shares.what = what;
      shares.of = share->second;
      shares.here.insert(share->first);
    }
  }
  return out;
}

std::string missing_of(const std::map<std::string, Shares>& all) {
  std::string out;
  for (const auto& [key, shares] : all) {
    std::string numbers;
    std::size_t named = 0;
    for (std::uint64_t n = 1; n <= shares.of && shares.here.size() < shares.of && named <= 20; ++n) {
      if (shares.here.contains(n)) continue;
      numbers += (numbers.empty() ? "" : ", ") + (++named > 20 ? std::string("…") : std::to_string(n));
    }
    if (!numbers.empty())
      out += (out.empty() ? "" : "; ") + shares.what + ' ' + numbers + " of " + std::to_string(shares.of);
  }
  return out;
}

/// Every source of any input once, in the order of a walk, which is that of the records.
std::string sources_of(const std::vector<Members>& options) {
  std::map<std::string, std::string> sources;
  for (const Members& one : options) {
    const std::string* value = value_of(one, "sources");
    if (value == nullptr) continue;
    simdjson::dom::parser parser;
    const simdjson::padded_string whole("{\"sources\":" + *value + "}");
    for (std::string& text : detail::texts(detail::parse_object(parser, whole), "sources"))
      sources.emplace(detail::place_key(text, false), text);
  }
  if (sources.empty()) return {};
  JsonWriter w;
  w.begin_array();
  for (const auto& [key, text] : sources) w.value(text);
  return std::move(w.end_array()).str();
}

/// The options that all have alike, and behind them those of each.
std::string merged_options(const MergeHeader& plan, const std::vector<Members>& options) {
  JsonWriter w;
  w.begin_object().key("merge").begin_array();
  for (const MergeInput& input : plan.inputs) {
    w.begin_object().member("name", input.name).member("run", input.header.run);
    w.member("created", input.header.created).member("tool", input.header.tool);
    w.key("options").raw(input.header.options).end_object();
  }
  w.end_array();
  if (!plan.missing.empty()) w.member("missing", plan.missing);
  if (const std::string sources = sources_of(options); !sources.empty()) w.key("sources").raw(sources);
  for (const auto& [name, value] : options.front()) {
    const bool alike =
        std::all_of(options.begin(), options.end(), [&name = name, &value = value](const Members& other) {
          const std::string* there = value_of(other, name);
          return there != nullptr && *there == value;
        });
    if (alike && !is_own(name)) w.key(name).raw(value);
  }
  return std::move(w.end_object()).str();
}

}  // namespace

MergeHeader plan_merge(const std::vector<fs::path>& inputs, const fs::path& output) {
  if (inputs.size() < 2) throw RunError(Exit::usage, "merge takes two manifests or more");
  if (inputs.size() > kMostInputs)
    throw RunError(Exit::usage, "merge takes at most " + std::to_string(kMostInputs) + " manifests; merge in rounds");
  MergeHeader plan;
  for (const fs::path& path : inputs) {
    if (path == "-")
      throw RunError(Exit::usage, "merge reads its manifests twice, so it takes files; save standard input first");
    detail::refuse_same_file(path, output);
    const Reader reader(path);
    plan.inputs.push_back({path, reader.name(), reader.header(), {}});
  }
  std::sort(plan.inputs.begin(), plan.inputs.end(), [](const MergeInput& a, const MergeInput& b) {
    return std::tie(a.header.created, a.header.run, a.name) < std::tie(b.header.created, b.header.run, b.name);
  });
  check_stages(plan.inputs);
  std::vector<Members> options;
  for (MergeInput& input : plan.inputs) {
    options.push_back(detail::members_of(input.header.options));
    if (const std::string* to = value_of(options.back(), "to")) input.target = *to;
  }
  check_levels(plan.inputs, options);
  plan.deep = std::all_of(options.begin(), options.end(), [](const Members& one) {
    const std::string* depth = value_of(one, "depth");
    return depth != nullptr && *depth == "\"deep\"";
  });
  plan.missing = missing_of(shares_of(plan.inputs, options));
  plan.header.stage = plan.inputs.front().header.stage;
  plan.header.run = random_uuid();
  plan.header.tool = kToolName;
  plan.header.created = detail::later(plan.inputs.back().header.created, 1);
  plan.header.options = merged_options(plan, options);
  for (const MergeInput& input : plan.inputs) plan.header.inputs.push_back({input.name, ""});
  return plan;
}

void refuse_descent(const MergeHeader& plan, const std::vector<Input>& heads) {
  for (std::size_t a = 0; a < heads.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (heads[a].head == heads[b].head)
        throw RunError(Exit::usage, plan.inputs[b].path.string() + " and " + plan.inputs[a].path.string() +
                                        " are the same manifest; give each once");
    }
    for (const Input& from : plan.inputs[a].header.inputs) {
      const auto at = std::find_if(heads.begin(), heads.end(), [&](const Input& i) { return i.head == from.head; });
      if (at == heads.end() || from.head.empty()) continue;
      throw RunError(Exit::usage, plan.inputs[a].path.string() + " was made from " +
                                      plan.inputs[static_cast<std::size_t>(at - heads.begin())].path.string() +
                                      ", so the same objects stand in both; leave one of the two out");
    }
  }
}

}  // namespace waybill::manifest
