// SPDX-License-Identifier: Apache-2.0
#include "sync/project.hpp"

#include "core/result.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "io/descriptor.hpp"

#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>

namespace waybill::sync {
namespace {

constexpr std::size_t kDigits = 6;

std::optional<std::uint64_t> number_from(const std::string& name) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == name.data() + name.size();
  if (!whole || name.size() < kDigits || number == 0) return std::nullopt;
  return number;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) io::throw_errno("make", folder, error.value());
  io::sync_folder(io::folder_of(folder));
}

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) io::throw_errno("remove", file, error.value());
}

std::string line_of(const fs::path& file) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0) return file.string() + " missing\n";
  return file.string() + " " + std::to_string(facts.st_size) + " " + std::to_string(facts.st_mtim.tv_sec) + "." +
         std::to_string(facts.st_mtim.tv_nsec) + " " + std::to_string(facts.st_ino) + "\n";
}

/// One line a file below `path`, in the order of their names.
void add_lines(const fs::path& path, std::vector<std::string>& lines) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    lines.push_back(line_of(path));
    return;
  }
  lines.push_back(path.string() + "/\n");
  for (const auto& entry : fs::recursive_directory_iterator(path, fs::directory_options::follow_directory_symlink)) {
    if (!entry.is_directory(error)) lines.push_back(line_of(entry.path()));
  }
}

/// The newest table of a folder that has been left alone for so long.
std::string newest_table(const fs::path& folder, std::int64_t settle) {
  std::string best;
  std::timespec best_time{0, 0};
  const std::time_t now = std::time(nullptr);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    struct stat facts {};
    if (entry.path().filename().string().starts_with(".") || ::stat(path.c_str(), &facts) != 0) continue;
    if (!S_ISREG(facts.st_mode) || facts.st_mtim.tv_sec + settle > now) continue;
    const auto key = [](const std::timespec& t) { return std::pair(t.tv_sec, t.tv_nsec); };
    if (best.empty() || std::pair(key(facts.st_mtim), path) > std::pair(key(best_time), best)) {
      best = path;
      best_time = facts.st_mtim;
    }
  }
  if (best.empty()) {
    throw RunError(Exit::input, "the folder " + path_to_text(folder.string()) +
                                    " holds no table of the RIS that was left alone for " + std::to_string(settle) +
                                    " seconds; put the export there and run again");
  }
  return best;
}

}  // namespace

fs::path Project::run_folder(std::uint64_t number) const {
  std::string name = std::to_string(number);
  if (name.size() < kDigits) name.insert(0, kDigits - name.size(), '0');
  return folder_ / "runs" / name;
}

std::vector<std::uint64_t> Project::runs() const {
  std::vector<std::uint64_t> out;
  std::error_code error;
  if (!fs::exists(folder_ / "runs", error)) return out;
  for (const auto& entry : fs::directory_iterator(folder_ / "runs")) {
    if (const auto number = number_from(entry.path().filename().string())) out.push_back(*number);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<RunRecord> Project::last() const {
  auto numbers = runs();
  while (!numbers.empty()) {
    const fs::path journal = journal_of(numbers.back());
    std::error_code error;
    if (fs::exists(journal, error)) {
      try {
        return read_run(journal);
      } catch (const RunError& failure) {
        // Killed before the first frame was on disk: nothing else of the run can be there.
        if (failure.exit() != Exit::input || fs::exists(in_run(numbers.back(), "scan.wb"), error)) throw;
      }
    }
    numbers.pop_back();
  }
  return std::nullopt;
}

std::vector<RunRecord> Project::before(std::uint64_t number, std::size_t most) const {
  std::vector<RunRecord> out;
  const auto numbers = runs();
  for (auto at = numbers.rbegin(); at != numbers.rend() && out.size() < most; ++at) {
    std::error_code error;
    if (*at >= number || !fs::exists(journal_of(*at), error)) continue;
    RunRecord record = read_run(journal_of(*at));
    if (record.complete) out.push_back(std::move(record));
  }
  return out;
}

std::vector<fs::path> Project::loads_before(std::uint64_t number) const {
  std::vector<fs::path> out;
  for (const std::uint64_t one : runs()) {
    if (one >= number) continue;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(run_folder(one))) {
      if (entry.path().filename().string().ends_with("load.wb")) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

void Project::make() const { make_folder(folder_ / "runs"); }
void Project::make_run(std::uint64_t number) const {
  make_folder(run_folder(number));
  std::error_code error;
  const fs::path journal = journal_of(number);
  if (fs::exists(journal, error) && !fs::exists(in_run(number, "scan.wb"), error)) {
    try {
      (void)manifest::Reader(journal);
    } catch (const RunError& failure) {
      if (failure.exit() != Exit::input) throw;
      remove_file(journal);  // see last()
      remove_file(journal.string() + ".sync");
    }
  }
}

void Project::drop_inventory(std::uint64_t number) const {
  remove_file(in_run(number, "scan.wb"));
  remove_file(in_run(number, "standing.wb"));
}

Inputs look_at_inputs(const Plan::Reconcile& plan, const std::vector<fs::path>& loads) {
  Inputs out;
  std::vector<std::string> lines;
  std::error_code error;
  out.ris = plan.ris;
  const bool database = plan.ris.starts_with("postgres");
  if (!plan.ris.empty() && !database) {
    if (fs::is_directory(plan.ris, error)) out.ris = newest_table(plan.ris, plan.ris_settle);
    lines.push_back(line_of(out.ris));
  }
  for (const std::string& path : plan.hl7) add_lines(path, lines);
  for (const fs::path& file : plan.files) lines.push_back(line_of(file));
  for (const fs::path& load : loads)
    if (load.filename() != "load.wb") lines.push_back(line_of(load));  // the others are the runs' own
  if (!plan.decisions.empty()) lines.push_back(line_of(plan.decisions));
  for (const std::string& word : plan.words) lines.push_back(word + "\n");
  lines.emplace_back(plan.undecided == Undecided::send ? "send\n" : "hold\n");
  if (database) return out;  // only the query can tell
  std::sort(lines.begin(), lines.end());
  Sha256 sha;
  for (const std::string& line : lines) sha.update(line);
  out.identity = sha.finish().hex();
  return out;
}

std::optional<ManifestEnd> end_of(const fs::path& manifest) {
  std::error_code error;
  if (!fs::exists(manifest, error)) return std::nullopt;
  manifest::Reader reader(manifest);
  while (reader.next_line()) {
  }
  if (!reader.end()) return std::nullopt;
  return ManifestEnd{reader.head(), reader.end()->counts};
}

}  // namespace waybill::sync
