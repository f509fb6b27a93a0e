// SPDX-License-Identifier: Apache-2.0
// waybill-unpack: restores the files of a backup under their old names, or proves that it could.
#include "audit/studies.hpp"
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "core/csv.hpp"
#include "io/atomic_file.hpp"
#include "pack/unpack.hpp"
#include "shared.hpp"

#include <oneapi/tbb/global_control.h>
#include <iostream>
#include <optional>
#include <set>

namespace {

using namespace waybill;

constexpr std::uint64_t kMostShown = 20;

struct Settings {
  cli::Common common;
  pack::UnpackOptions unpack;
  std::string manifest, volumes, to, output, exceptions;
  bool check = false;
};

/// The manifest to write: the one that was asked for; of a restore, else, one beside its folder.
std::string output_of(const Settings& settings) {
  if (!settings.output.empty() || settings.check) return settings.output;
  std::string to = settings.to;
  while (to.size() > 1 && to.back() == '/') to.pop_back();
  if (to == "/" || to == "." || to == "..")
    throw RunError(Exit::usage, "say with --output where the record of the restore is to be written");
  return to + ".unpack.wb";
}

/// Tells what went wrong: each reason once on stderr, all of it in the table that was asked for.
class Exceptions {
 public:
  Exceptions(const std::string& table, bool show_phi) : show_phi_(show_phi) {
    if (table.empty()) return;
    table_.emplace(table);
    table_->write(as_bytes(csv_row({"id", "path", "reason"})));
  }
  void operator()(const std::string& id, const std::string& path, const std::string& why) {
    const bool of_an_object = id != path;  // else of a file of the backup, which is always named
    if (reasons_.size() < kMostShown && reasons_.insert(of_an_object ? why : path + why).second)
      std::cerr << "waybill unpack: " << (show_phi_ ? path : id) << ": " << why << '\n';
    else
      ++more_;
    if (table_) table_->write(as_bytes(csv_row({id, path, why})));
  }
  void finish() {
    if (more_ > 0)
      std::cerr << "waybill unpack: and " << more_ << " more, most for the same reasons; --exceptions FILE lists all\n";
    if (table_) table_->commit();
  }

 private:
  bool show_phi_;
  std::set<std::string> reasons_;  // that were told; one that thousands share is told once
  std::uint64_t more_ = 0;
  std::optional<io::AtomicFile> table_;
};

Exit run(Settings& settings) {
  using Control = oneapi::tbb::global_control;
  if (settings.check == !settings.to.empty())
    throw RunError(Exit::usage, "say where to restore with --to, or prove the backup with --check alone");
  pack::UnpackOptions& options = settings.unpack;
  options.manifest = settings.manifest;
  options.volumes = settings.volumes;
  options.to = settings.to;
  options.output = output_of(settings);
  options.threads = cli::worker_count(settings.common);
  const Control control(Control::max_allowed_parallelism, options.threads);
  Exceptions exceptions(settings.exceptions, settings.common.show_phi);
  options.exception = [&](const auto& id, const auto& path, const auto& why) { exceptions(id, path, why); };
  const pack::Unpacked done = [&] {
    cli::Progress progress("unpack", 0, settings.common.quiet);
    options.progress = [&](auto objects, auto bytes, auto bad) { progress.add(objects, bytes, bad); };
    return pack::unpack(options);
  }();
  exceptions.finish();
  if (!settings.check && !done.interrupted) audit::record_imported(done.manifest.string(), settings.manifest);
  const auto n = [](std::uint64_t v) { return std::to_string(v); };
  cli::Summary summary{"unpack", options.output.string(), false, done.interrupted, done.exit(), done.json(), {}};
  const std::string what = settings.check ? "proved" : "restored";
  summary.lines = {{what, n(done.good) + " of " + n(done.objects) + " objects"},
                   {"not in the backup", n(done.not_packed)},
                   {"contents", n(done.contents) + ", " + n(done.bytes) + " bytes"},
                   {"damaged", n(done.damaged)}};
  if (settings.check) summary.lines.emplace_back("volumes", n(done.volumes) + " with their SHA-256");
  if (!done.list.empty()) summary.lines.emplace_back("SHA256SUMS", done.list);
  if (!settings.check) summary.lines.emplace_back("refused", n(done.refused));
  if (!settings.check) summary.lines.emplace_back("there already", n(done.present));
  if (done.incomplete) summary.lines.emplace_back("note", "the backup was interrupted; finish it with waybill pack");
  return cli::print(summary, settings.common.json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Restore the files of a backup under their old names, or prove that it could be done", "waybill-unpack");
  Settings settings;
  app.add_option("manifest", settings.manifest, "Manifest of pack, what manifest filter made of it, or the folder")
      ->required();
  app.add_option("--to", settings.to, "Folder to restore into");
  app.add_flag("--check", settings.check, "Decompress and hash every byte, write nothing");
  app.add_option("-o,--output", settings.output,
                 "Manifest to write of what became of each object; default TARGET.unpack.wb, none with --check");
  app.add_option("--volumes", settings.volumes, "Folder of the volumes; default where the manifest is")
      ->check(CLI::ExistingDirectory);
  app.add_option("--exceptions", settings.exceptions, "CSV of what could not be restored (holds paths, mode 0600)");
  cli::add_common(app, settings.common);
  app.remove_option(app.get_option("--restart"));
  tools::Shared shared;
  shared.add_options(app);
  return cli::run_tool(app, argc, argv, [&] { return shared.around("waybill-unpack", [&] { return run(settings); }); });
}
