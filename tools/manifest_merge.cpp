// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"
#include "manifest/merge.hpp"
#include "manifest/split.hpp"
#include "manifest_derive.hpp"
#include "scan/merge.hpp"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace waybill::tools {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string input, output;
  std::uint64_t parts = 0;
  bool restart = false;
  bool json = false;
};

manifest::Restart restart_of(const Options& options) {
  return options.restart ? manifest::Restart::yes : manifest::Restart::no;
}

std::string counted(std::uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

Exit merge(const Options& options) {
  const std::vector<std::filesystem::path> inputs(options.inputs.begin(), options.inputs.end());
  const auto merged = manifest::merge(inputs, options.output, restart_of(options), scan::whole_of);
  std::ostream& out = options.output == "-" ? std::cerr : std::cout;
  if (!merged.missing.empty())
    std::cerr << "waybill manifest: not among the inputs: " << merged.missing << "; what these hold is not in it\n";
  if (options.json) {
    JsonWriter w;
    w.begin_object().member("inputs", merged.inputs).member("records", merged.records.records);
    w.member("objects", merged.records.objects).member("studies", merged.records.studies);
    w.member("repeated", merged.repeated).member("missing", merged.missing);
    w.member("already_complete", merged.already_complete).end_object();
    out << w.str() << '\n';
    return Exit::ok;
  }
  if (merged.already_complete) {
    out << options.output << " is the merge of these manifests already; nothing to do\n";
    return Exit::ok;
  }
  out << "merged " << merged.inputs << " manifests: " << counted(merged.records.objects, "object", "objects") << ", "
      << counted(merged.records.studies, "study", "studies") << ", "
      << counted(merged.records.records, "record", "records") << '\n';
  if (merged.repeated > 0)
    out << "left out " << counted(merged.repeated, "record", "records")
        << " of objects that several inputs have, for the one that counts\n";
  return Exit::ok;
}

Exit split(const Options& options) {
  const auto parts = manifest::split(options.input, options.parts, options.output, restart_of(options));
  if (options.json) {
    JsonWriter w;
    w.begin_object().key("parts").begin_array();
    for (const auto& part : parts) {
      w.begin_object().member("path", part.path.string()).member("already_complete", part.already_complete);
      w.member("records", part.records.records).member("objects", part.records.objects);
      w.member("studies", part.records.studies).end_object();
    }
    std::cout << w.end_array().end_object().str() << '\n';
    return Exit::ok;
  }
  for (const auto& part : parts) {
    std::cout << part.path.string() << ": ";
    if (part.already_complete)
      std::cout << "complete already\n";
    else
      std::cout << counted(part.records.objects, "object", "objects") << ", "
                << counted(part.records.studies, "study", "studies") << '\n';
  }
  return Exit::ok;
}

void add_flags(CLI::App& command, Options& options) {
  command.add_flag("--restart", options.restart, "Replace an existing output");
  command.add_flag("--json", options.json, "Print the summary as one JSON object");
}

}  // namespace

std::string against(const std::string& manifest, const std::vector<std::string>& inputs) {
  const manifest::Header header = manifest::Reader(manifest).header();
  if (!manifest::part_number(header))
    return manifest::merge_difference(manifest, {inputs.begin(), inputs.end()}, scan::whole_of);
  if (inputs.size() != 1)
    throw RunError(Exit::usage, manifest + " is a part of one manifest; name that one alone with --against");
  return manifest::split_difference(manifest, inputs.front());
}

std::vector<Command> add_merge_commands(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto* merging =
      app.add_subcommand("merge", "Make one manifest of several of one stage, such as the shards of a scan");
  merging->add_option("manifest", options->inputs, "Manifest files of one stage, two or more")->required();
  merging->add_option("-o,--output", options->output, "Manifest to write; - is standard output")->required();
  add_flags(*merging, *options);
  auto* splitting = app.add_subcommand("split", "Cut a manifest into parts of whole studies, for several machines");
  splitting->add_option("manifest", options->input, "Manifest file of scan, transcode or load, - for standard input")
      ->required();
  splitting->add_option("-n,--parts", options->parts, "Number of parts")
      ->required()
      ->check(CLI::Range(std::uint64_t{2}, manifest::kMostParts));
  splitting->add_option("-o,--output", options->output, "Manifests to write, with %d for the number of the part")
      ->required();
  add_flags(*splitting, *options);
  return {{merging, [options] { return merge(*options); }}, {splitting, [options] { return split(*options); }}};
}

}  // namespace waybill::tools
