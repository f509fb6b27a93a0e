// SPDX-License-Identifier: Apache-2.0
#include "report/package.hpp"

#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"
#include "manifest/chain.hpp"
#include "manifest/envelope.hpp"
#include "manifest/frame.hpp"
#include "report/package_assets.hpp"
#include "report/package_readme.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <system_error>

namespace waybill::report {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBytes = 1U << 20U;
constexpr std::size_t kListBytes = 4U << 20U;  // of a record list before it is compressed
constexpr std::uint64_t kMostIncluded = 1ULL << 32U;
constexpr std::size_t kShownDigits = 16;

/// A name that shells, lists and file systems take as it is.
std::string safe_name(const fs::path& path) {
  std::string name = path.filename().string();
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!plain && c != '.') c = '_';
  }
  return name.empty() || name.front() == '.' || name.front() == '-' ? "_" + name : name;
}

void make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0) io::throw_errno("make the folder", folder, errno);
}

/// The folder while it is being filled; removed again unless it was finished.
class Staging {
 public:
  explicit Staging(fs::path folder)
      : folder_(std::move(folder)), part_(folder_.parent_path() / ("." + folder_.filename().string() + ".part")) {
    std::error_code error;
    fs::remove_all(part_, error);
    make_folder(part_);
  }
  ~Staging() {
    std::error_code error;
    if (!finished_) fs::remove_all(part_, error);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// A free name for `wanted` in a subfolder, which is made when there is none.
  std::string place(const std::string& subfolder, const std::string& wanted) {
    if (!fs::exists(part_ / subfolder)) make_folder(part_ / subfolder);
    std::string name = subfolder + "/" + wanted;
    for (int n = 2; sums_.contains(name); ++n) name = subfolder + "/" + std::to_string(n) + "-" + wanted;
    sums_[name];
    return name;
  }

  [[nodiscard]] fs::path path(const std::string& name) const { return part_ / name; }
  void listed(const std::string& name, const Digest& digest) { sums_[name] = digest; }

  void write(const std::string& name, std::string_view text, unsigned mode = 0600) {
    io::AtomicFile file(path(name), mode);
    file.write(as_bytes(text));
    file.commit();
    listed(name, Sha256::of(text));
  }

  [[nodiscard]] std::string list() const {
    std::string out;
    for (const auto& [name, digest] : sums_) out += digest.hex() + "  ./" + name + "\n";
    return out;
  }

  /// Everything to disk, then the folder gets its name.
  void finish() {
    io::FilesystemSync{part_}();
    if (::rename(part_.c_str(), folder_.c_str()) != 0) io::throw_errno("name the folder", folder_, errno);
    finished_ = true;
    const fs::path parent = folder_.has_parent_path() ? folder_.parent_path() : fs::path(".");
    io::FilesystemSync{parent}();
  }

 private:
  fs::path folder_, part_;
  std::map<std::string, Digest> sums_;
  bool finished_ = false;
};

void stop_if_asked() {
  if (stop_requested())
    throw RunError(Exit::interrupted, "stopped; no package was written, run the same command again");
}

/// A manifest byte for byte; of an encrypted one what is inside, for nobody could check it without the key.
void copy_manifest(Staging& staging, const fs::path& from, const std::string& name) {
  io::Descriptor fd = io::open_file(from, O_RDONLY);
  if (!fd) io::throw_errno("open", from, errno);
  manifest::PlainInput input(std::move(fd), from);
  io::AtomicFile out(staging.path(name));
  Sha256 sha;
  Bytes buffer(kCopyBytes);
  while (const std::size_t n = input.read(buffer)) {
    stop_if_asked();
    sha.update(ByteView(buffer).first(n));
    out.write(ByteView(buffer).first(n));
  }
  out.commit();
  staging.listed(name, sha.finish());
}

/// The text between quotes behind `key` in a line of JSON as it is written there, "-" when there is none. Inside a text
/// the quotes of such a key would be escaped, so the first place is the member.
std::string_view raw_member(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return "-";
  const std::string_view rest = line.substr(at + key.size());
  const std::size_t end = rest.find('"');
  return end == 0 || end == std::string_view::npos ? "-" : rest.substr(0, end);
}

/// records/NAME.tsv.zst: frame, digest of the line, line in the frame, kind, id, study.
class RecordList {
 public:
  RecordList(Staging& staging, std::string name)
      : staging_(staging), name_(std::move(name)), file_(staging.path(name_)) {}

  void add(std::size_t frame, std::size_t number, std::string_view line) {
    Sha256 sha;
    sha.update(line);
    sha.update("\n");
    text_ += std::to_string(frame) + '\t' + sha.finish().hex().substr(0, kShownDigits) + '\t' + std::to_string(number);
    for (const std::string_view part :
         {manifest::kind_of(line), raw_member(line, R"("id":")"), raw_member(line, R"("study":")")}) {
      text_ += '\t';
      text_ += part.empty() ? std::string_view("-") : part;
    }
    text_ += '\n';
    if (text_.size() >= kListBytes) flush();
  }

  void finish() {
    flush();
    file_.commit();
    staging_.listed(name_, sha_.finish());
  }

 private:
  void flush() {
    if (text_.empty()) return;
    const ByteView frame = manifest::encode_frame(text_, memory_);
    sha_.update(frame);
    file_.write(frame);
    text_.clear();
  }

  Staging& staging_;
  std::string name_, text_;
  io::AtomicFile file_;
  io::Scratch memory_;
  Sha256 sha_;
};

/// Walks the copy, so that what lies in the package is proved to be what the report was made from, and lists its
/// records. Its head and its name in the package.
std::pair<std::string, std::string> add_manifest(Staging& staging, const Report& report, const fs::path& from) {
  const std::string name = staging.place("manifests", safe_name(from));
  copy_manifest(staging, from, name);
  const std::string base = fs::path(name).filename().string();
  RecordList records(staging, staging.place("records", base + ".tsv.zst"));
  std::string sample;
  manifest::Chain chain = manifest::open_chain(staging.path(name));
  std::size_t frame = 0;
  while (auto lines = chain.next()) {
    stop_if_asked();
    for (std::size_t number = frame == 0 ? 1 : 2; !lines->empty(); ++number) {
      const std::string_view line = lines->substr(0, lines->find('\n'));
      lines->remove_prefix(std::min(lines->size(), line.size() + 1));
      records.add(frame, number, line);
      if (manifest::kind_of(line).starts_with("sample")) sample.append(line) += '\n';
    }
    ++frame;
  }
  records.finish();
  if (!sample.empty()) staging.write(staging.place("samples", base + ".jsonl"), sample);
  const bool known = std::any_of(report.manifests.begin(), report.manifests.end(),
                                 [&](const ManifestSummary& m) { return m.head == chain.head().hex(); });
  if (!known || !chain.complete()) {
    throw RunError(Exit::integrity,
                   path_to_text(from.native()) +
                       " changed since the report read it; make the package again when no run writes it");
  }
  return {chain.head().hex(), base};
}

std::string text_of(const fs::path& path, std::uint64_t most) {
  const auto bytes = io::read_file(path, most);
  if (!bytes) throw RunError(Exit::input, path_to_text(path.native()) + " " + bytes.error().what + "; check the path");
  return std::string(as_text(*bytes));
}

void add_key(Staging& staging, std::set<std::string>& keys, const std::string& id, const std::string& pem) {
  keys.insert(id);
  const std::string name = "keys/" + id + ".pub";
  if (fs::exists(staging.path(name))) return;
  (void)staging.place("keys", id + ".pub");
  staging.write(name, pem);
}

}  // namespace

void check_package(const Options& options, const PackageOptions& package) {
  if (package.folder.empty()) {
    if (!package.sign.empty() || !package.include.empty())
      throw RunError(Exit::usage, "--sign and --include need --package DIR; name the folder");
    return;
  }
  if (fs::exists(fs::symlink_status(package.folder))) {
    throw RunError(Exit::usage,
                   path_to_text(package.folder.native()) + " exists; a package is never changed, name another folder");
  }
  if (std::find(options.manifests.begin(), options.manifests.end(), "-") != options.manifests.end())
    throw RunError(Exit::usage, "a package holds manifests byte for byte; name files instead of standard input");
}

void write_package(const Report& report, const Options& options, const PackageOptions& package) {
  for (const auto& m : report.manifests) {
    if (!m.complete)
      throw RunError(Exit::usage, m.name + " is an interrupted run; finish it before it goes into a package");
  }
  fs::path folder = package.folder;
  if (!folder.has_filename()) folder = folder.parent_path();
  Staging staging(folder);
  std::map<std::string, std::string> names;
  for (const auto& path : options.manifests) names.insert(add_manifest(staging, report, path));
  for (const auto& path : package.include) {
    const std::string name = staging.place("rules", safe_name(path));
    staging.write(name, text_of(path, kMostIncluded));
  }
  staging.write(staging.place("report", "report.html"), to_html(report));
  staging.write(staging.place("report", "report.csv"), to_csv(report));
  staging.write(staging.place("report", "report.json"), to_json(report) + "\n");
  std::set<std::string> keys;
  for (const auto& path : options.keys)
    add_key(staging, keys, manifest::PublicKey(path).id(), text_of(path, kCopyBytes));
  const std::string key = package.sign.empty() ? "" : manifest::sign_text(package.sign, "").key;
  if (!key.empty()) add_key(staging, keys, key, manifest::public_pem(package.sign));
  staging.write("README.md", package_readme(report, names, keys, key));
  staging.write("verify.sh", kVerifyScript, 0700);
  const std::string list = staging.list();
  staging.write("SHA256SUMS", list);
  if (!package.sign.empty()) staging.write("SHA256SUMS.sig", as_text(manifest::sign_text(package.sign, list).value));
  staging.finish();
}

}  // namespace waybill::report
