// SPDX-License-Identifier: Apache-2.0
// The dispatcher: `waybill NAME …` becomes the program waybill-NAME that lies beside it.
#include "core/nearest.hpp"
#include "core/result.hpp"
#include "core/version.hpp"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace {

using waybill::Exit;
namespace fs = std::filesystem;

struct Tool {
  std::string_view name;
  std::string_view sentence;
};
constexpr std::array kTools = {
    Tool{"scan", "Read an archive and record every object, its digests and its defects."},
    Tool{"pack", "Copy the originals into backup volumes, each content once."},
    Tool{"unpack", "Restore a backup under the old names, or prove that it could be done."},
    Tool{"reconcile", "Compare the scanned studies with the RIS and decide the corrections."},
    Tool{"listen", "Take HL7 messages over by MLLP and keep them in a journal."},
    Tool{"transcode", "Write the objects in another transfer syntax and prove each one equal."},
    Tool{"load", "Send the objects to the new PACS and record each answer."},
    Tool{"verify", "Check what is stored against what was scanned, object by object."},
    Tool{"report", "Balance all manifests of a project and write the evidence down."},
    Tool{"assess", "Say what an archive holds, how long moving it takes and what people must decide."},
    Tool{"sync", "Run the chain of a plan on what is new, from cron."},
    Tool{"probe", "Find out what a PACS takes, gives and does before anything is loaded."},
    Tool{"manifest", "Read, check, compare, sign, encrypt, sort, filter, merge, split and export manifests."},
    Tool{"audit", "Deliver audit messages that wait, and find gaps in those that arrived."},
    Tool{"simpacs", "Play a PACS that misbehaves as a scenario says, for rehearsals."},
};

int finish(Exit exit) {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "waybill: cannot write all of the output to stdout: %s; direct it elsewhere\n",
                 std::strerror(errno));
    return static_cast<int>(Exit::input);
  }
  return static_cast<int>(exit);
}

fs::path own_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : self.parent_path();
}

fs::path program_of(const fs::path& folder, std::string_view name) { return folder / ("waybill-" + std::string(name)); }

bool installed(const fs::path& folder, std::string_view name) {
  return access(program_of(folder, name).c_str(), X_OK) == 0;
}

void print_help(const fs::path& folder) {
  std::puts(
      "Usage: waybill NAME [OPTIONS]\n\nMoves medical images from one archive to another and proves it.\n\nTools:");
  for (const Tool& tool : kTools) {
    if (!installed(folder, tool.name)) continue;
    std::printf("  %-10.*s %.*s\n", static_cast<int>(tool.name.size()), tool.name.data(),
                static_cast<int>(tool.sentence.size()), tool.sentence.data());
  }
  std::puts("\n'waybill NAME --help' shows the options of a tool; 'waybill --version' the version.");
}

int unknown(std::string_view name) {
  std::vector<std::string> names;
  for (const Tool& tool : kTools) names.emplace_back(tool.name);
  const std::string near = waybill::nearest(name, names);
  std::string shown(name.substr(0, 40));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  std::fprintf(stderr, "waybill: '%s' is no %s of waybill;%s 'waybill --help' lists all\n", shown.c_str(),
               name.starts_with("-") ? "option" : "tool",
               near.empty() ? "" : (" the nearest is 'waybill " + near + "', and").c_str());
  return static_cast<int>(Exit::usage);
}

bool well_formed(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

int run(const fs::path& folder, std::string_view name, std::vector<char*> rest) {
  if (!well_formed(name) || !installed(folder, name)) return unknown(name);
  std::string program = program_of(folder, name).string();
  rest.insert(rest.begin(), program.data());
  rest.push_back(nullptr);
  execv(program.c_str(), rest.data());
  std::fprintf(stderr, "waybill: cannot start %s: %s; check the installation\n", program.c_str(), std::strerror(errno));
  return static_cast<int>(Exit::input);
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder = own_folder();
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--version") {
    std::printf("%.*s\n", static_cast<int>(waybill::kToolName.size()), waybill::kToolName.data());
    return finish(Exit::ok);
  }
  if (argc < 2 || first == "--help" || first == "-h" || (first == "help" && argc == 2)) {
    print_help(folder);
    return finish(argc < 2 ? Exit::usage : Exit::ok);
  }
  if (first == "help") {
    std::string help = "--help";
    return run(folder, argv[2], {help.data()});
  }
  return run(folder, first, std::vector<char*>(argv + 2, argv + argc));
}
