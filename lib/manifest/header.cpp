// SPDX-License-Identifier: Apache-2.0
#include "manifest/header.hpp"

#include "core/json.hpp"
#include "core/text.hpp"
#include "manifest/frame.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/options.hpp"

#include <map>

namespace waybill::manifest {
namespace {

std::map<std::string, std::string> option_values(const std::string& options) {
  simdjson::dom::parser parser;
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : detail::parse_object(parser, options))
    out[std::string(name)] = simdjson::minify(value);
  return out;
}

}  // namespace

std::set<std::string> differing_options(const std::string& before, const std::string& now) {
  const auto a = option_values(before);
  const auto b = option_values(now);
  std::set<std::string> names;
  for (const auto& [name, value] : a) {
    const auto other = b.find(name);
    if (other == b.end() || other->second != value) names.insert(name);
  }
  for (const auto& [name, value] : b) {
    if (!a.contains(name)) names.insert(name);
  }
  return names;
}

Header parse_header(std::string_view line, const std::filesystem::path& path) {
  if (kind_of(line) != "header") {
    throw RunError(Exit::input,
                   path_to_text(path.native()) + " is no manifest: its first line is no header; name a manifest file");
  }
  simdjson::dom::parser parser;
  const auto j = detail::parse_object(parser, line);
  const auto format = detail::need<std::string>(j, "format");
  if (format != "waybill/1") {
    throw RunError(Exit::input, path_to_text(path.native()) + " has the format \"" + path_to_text(format) +
                                    "\", this program reads waybill/1; use the version that wrote it");
  }
  Header header;
  header.stage = detail::need<std::string>(j, "stage");
  header.run = detail::need<std::string>(j, "run");
  header.tool = detail::need<std::string>(j, "tool");
  header.created = detail::need<std::string>(j, "created");
  header.options = simdjson::minify(detail::need<detail::JsonObject>(j, "options"));
  header.inputs = read_inputs(j);
  return header;
}

std::string to_json(const Header& header) {
  JsonWriter w;
  w.begin_object().member("kind", "header").member("format", "waybill/1").member("stage", header.stage);
  w.member("run", header.run).member("tool", header.tool).member("created", header.created);
  w.key("options").raw(header.options);
  write_inputs(w, header.inputs);
  return std::move(w.end_object()).str();
}

void write_inputs(JsonWriter& w, const std::vector<Input>& inputs) {
  w.key("inputs").begin_array();
  for (const Input& input : inputs) {
    w.begin_object().member("name", input.name);
    if (!input.head.empty()) w.member("head", input.head);
    w.end_object();
  }
  w.end_array();
}

std::vector<Input> read_inputs(const detail::JsonObject& line) {
  std::vector<Input> inputs;
  detail::each_object(line, "inputs", [&](const detail::JsonObject& input) {
    inputs.push_back({detail::need<std::string>(input, "name"), detail::find<std::string>(input, "head").value_or("")});
  });
  return inputs;
}

std::string header_difference(const Header& before, const Header& now) {
  std::string out;
  const auto add = [&](const std::string& what) { out += (out.empty() ? "" : ", ") + what; };
  if (before.stage != now.stage) add("stage " + before.stage + " there, " + now.stage + " here");
  for (const auto& name : differing_options(before.options, now.options)) add("option " + name);
  if (before.inputs.size() != now.inputs.size()) {
    add(std::to_string(before.inputs.size()) + " inputs there, " + std::to_string(now.inputs.size()) + " here");
    return out;
  }
  for (std::size_t i = 0; i < now.inputs.size(); ++i) {
    if (before.inputs[i].name != now.inputs[i].name) {
      add("input " + before.inputs[i].name + " there, " + now.inputs[i].name + " here");
    } else if (before.inputs[i].head != now.inputs[i].head) {
      add("content of input " + now.inputs[i].name);
    }
  }
  return out;
}

}  // namespace waybill::manifest
