// SPDX-License-Identifier: Apache-2.0
#include "manifest_derive.hpp"

#include "audit/studies.hpp"
#include "core/bytes.hpp"
#include "core/json.hpp"
#include "inventory/inventory.hpp"
#include "io/atomic_file.hpp"
#include "manifest/derive.hpp"
#include "manifest/tables.hpp"

#include <iostream>
#include <memory>
#include <string>

namespace waybill::tools {
namespace {

struct Options {
  std::string input, output, by = "study";
  manifest::Selection selection;
  std::string csv, studies, inventory;
  std::uint64_t studies_per_file = inventory::kStudiesPerFile;
  bool restart = false;
  bool json = false;
};

manifest::Restart restart_of(const Options& options) {
  return options.restart ? manifest::Restart::yes : manifest::Restart::no;
}

Exit tell(const manifest::Derived& derived, const Options& options) {
  std::ostream& out = options.output == "-" ? std::cerr : std::cout;
  if (options.json) {
    JsonWriter w;
    w.begin_object().member("records", derived.records).member("objects", derived.objects);
    w.member("studies", derived.studies).member("input_complete", derived.input_complete).end_object();
    out << w.str() << '\n';
  } else {
    out << "wrote " << derived.records << " records, " << derived.objects << " objects, " << derived.studies
        << " studies\n";
  }
  if (!derived.input_complete)
    std::cerr << "waybill manifest: the input is an interrupted run; the output holds what is in it and is complete\n";
  return Exit::ok;
}

/// Writes a table to a file (0600, all or nothing) or to standard output. Patients' records leave by it.
template <typename F>
void write_table(const std::string& manifest, const std::string& target, F write) {
  audit::record_leaving({manifest}, target);
  if (target == "-") {
    (void)write([](std::string_view text) { std::cout << text; });
    return;
  }
  io::AtomicFile file(target);
  std::string buffer;
  const std::uint64_t rows = write([&](std::string_view text) {
    buffer += text;
    if (buffer.size() < (std::size_t{1} << 20U)) return;
    file.write(as_bytes(buffer));
    buffer.clear();
  });
  file.write(as_bytes(buffer));
  file.commit();
  std::cerr << "wrote " << rows << " rows to " << target << '\n';
}

Exit run_export(const Options& options) {
  const int wanted = !options.csv.empty() + !options.studies.empty() + !options.inventory.empty();
  if (wanted == 0) throw RunError(Exit::usage, "nothing to export; name --csv, --studies or --inventory");
  if (wanted > 1 && options.input == "-")
    throw RunError(Exit::usage, "standard input can be read once; export one thing of it, or save it first");
  if (!options.csv.empty())
    write_table(options.input, options.csv,
                [&](auto sink) { return manifest::write_object_table(options.input, sink); });
  if (!options.studies.empty())
    write_table(options.input, options.studies,
                [&](auto sink) { return manifest::write_study_table(options.input, sink); });
  if (options.inventory.empty()) return Exit::ok;
  audit::record_leaving({options.input}, options.inventory);
  const auto written = inventory::write(options.input, options.inventory, options.studies_per_file);
  std::cerr << "wrote " << written.instances << " instances of " << written.studies << " studies to " << written.files
            << (written.files == 1 ? " file" : " files");
  if (written.left_out > 0) std::cerr << "; " << written.left_out << " objects have no place in an inventory";
  std::cerr << '\n';
  return Exit::ok;
}

Exit run_filter(const Options& options) {
  if (options.output.empty() && options.csv.empty())
    throw RunError(Exit::usage, "nothing to write; name a manifest with --output, a table with --csv, or both");
  if (!options.csv.empty()) {
    const auto keep = manifest::chooser(options.input, options.selection);
    write_table(options.input, options.csv,
                [&](auto sink) { return manifest::write_object_table(options.input, sink, keep); });
  }
  if (options.output.empty()) return Exit::ok;
  return tell(manifest::filter(options.input, options.output, options.selection, restart_of(options)), options);
}

CLI::App* add_command(CLI::App& app, const char* name, const char* text, Options& options) {
  auto* command = app.add_subcommand(name, text);
  command->add_option("manifest", options.input, "Manifest file, - for standard input")->required();
  return command;
}

void add_output(CLI::App& command, Options& options) {
  command.add_option("-o,--output", options.output, "Manifest to write; - is standard output")->required();
  command.add_flag("--restart", options.restart, "Replace an existing output");
  command.add_flag("--json", options.json, "Print the summary as one JSON object");
}

}  // namespace

std::vector<Command> add_derive_commands(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto* sort = add_command(app, "sort", "Write the records in the order of their studies", *options);
  sort->add_option("--by", options->by, "Order of the records")->check(CLI::IsMember({"study"}))->capture_default_str();
  add_output(*sort, *options);
  auto* filter = add_command(app, "filter", "Write the objects that fit, with their studies and findings", *options);
  filter->add_option("--bucket", options->selection.buckets, "Objects in one of these buckets")
      ->check([](const std::string& name) {
        return manifest::bucket_from(name) ? std::string() : "there is no bucket " + name;
      });
  filter->add_option("--code", options->selection.codes, "Objects with a finding of one of these codes");
  filter->add_option("--study", options->selection.studies, "Objects of one of these Study Instance UIDs");
  filter->add_option("--loaded-by", options->selection.loaded_by, "Objects that this run of load put at its target");
  filter->add_option("--csv", options->csv, "CSV file with one row an object; - is standard output");
  add_output(*filter, *options);
  filter->get_option("--output")->required(false);
  auto* to = add_command(app, "export", "Write tables or a DICOM inventory of the records", *options);
  to->add_option("--csv", options->csv, "CSV file with one row an object; - is standard output");
  to->add_option("--studies", options->studies, "CSV file with one row a study; - is standard output");
  to->add_option("--inventory", options->inventory, "DICOM Inventory file, or an existing folder for several");
  to->add_option("--studies-per-file", options->studies_per_file, "Studies in one file of an inventory folder")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}))
      ->capture_default_str();
  return {{sort,
           [options] {
             return tell(manifest::sort_by_study(options->input, options->output, restart_of(*options)), *options);
           }},
          {filter, [options] { return run_filter(*options); }},
          {to, [options] { return run_export(*options); }}};
}

}  // namespace waybill::tools
