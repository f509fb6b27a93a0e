// SPDX-License-Identifier: Apache-2.0
#include "manifest/check.hpp"

#include "manifest/chain.hpp"
#include "manifest/header.hpp"
#include "manifest/json_reader.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>

namespace waybill::manifest {
namespace {

constexpr std::size_t kBucketCount = static_cast<std::size_t>(Bucket::pending) + 1;

/// Parses every record and counts objects a bucket.
class Tally {
 public:
  void add(std::string_view lines, bool first, const std::filesystem::path& path) {
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      const std::string_view line = lines.substr(0, end);
      lines.remove_prefix(end + 1);
      if (first) {
        header_ = parse_header(line, path);
        first = false;
        continue;
      }
      ++records_;
      const std::string_view kind = kind_of(line);
      if (kind.empty() || kind == "header" || kind == "block" || kind == "end" || kind == "signature") {
        detail::bad_line("line " + std::to_string(records_) + " is out of place");
      }
      const Record record = parse_record(line);
      if (const auto* object = std::get_if<Object>(&record)) ++buckets_[static_cast<std::size_t>(object->bucket)];
    }
  }

  [[nodiscard]] std::uint64_t records() const noexcept { return records_; }
  [[nodiscard]] const Header& header() const noexcept { return header_; }

  /// Compares with the counts of the end line.
  void compare(const std::string& counts, std::vector<std::string>& problems) const {
    simdjson::dom::parser parser;
    const auto stated = detail::find<detail::JsonObject>(detail::parse_object(parser, counts), "buckets");
    if (!stated) return;
    for (std::size_t i = 0; i < kBucketCount; ++i) {
      const std::string name(to_string(static_cast<Bucket>(i)));
      const std::uint64_t said = stated_count(*stated, name);
      if (said != buckets_[i]) {
        problems.push_back("the end line states " + std::to_string(said) + " objects in bucket " + name +
                           ", there are " + std::to_string(buckets_[i]));
      }
    }
  }

 private:
  static std::uint64_t stated_count(const detail::JsonObject& stated, const std::string& name) {
    simdjson::dom::element element;
    if (stated.at_key(name).get(element) != simdjson::SUCCESS) return 0;
    if (element.is_object()) return detail::need<std::uint64_t>(element.get_object().value(), "objects");
    return detail::need<std::uint64_t>(stated, name);
  }

  Header header_;
  std::uint64_t records_ = 0;
  std::array<std::uint64_t, kBucketCount> buckets_{};
};

void check_signatures(const Chain& chain, const PublicKey* key, CheckReport& report) {
  for (const auto& signature : chain.signatures()) report.signed_by.push_back(signature.key);
  if (key == nullptr) return;
  bool named = false;
  for (const auto& signature : chain.signatures()) {
    if (signature.key != key->id()) continue;
    named = true;
    if (key->verifies(signature)) {
      report.verified = true;
    } else {
      report.problems.push_back("a signature by key " + key->id() + " does not fit the frames before it");
    }
    const auto& tree = signature.tree;
    if (tree && !key->verifies(tree->value, tree_statement(chain.head().hex(), tree->root, tree->leaves))) {
      report.problems.push_back("the tree of the studies is not sealed by key " + key->id());
    }
  }
  if (named || !chain.complete()) return;
  std::string others;
  for (const auto& id : report.signed_by) others += (others.empty() ? "" : ", ") + id;
  report.problems.push_back("no signature by key " + key->id() +
                            (others.empty() ? "; the manifest is not signed, have its owner sign it"
                                            : "; it is signed by " + others + ", give that key's public half"));
}

/// A complete manifest has the head of every input, and its end line speaks of no input that the header does not open.
void check_inputs(const Header& header, const End& end, CheckReport& report) {
  for (const Input& input : report.inputs) {
    if (input.head.empty()) report.problems.push_back("no line states the head of the streamed input " + input.name);
  }
  for (const Input& late : end.inputs) {
    const bool open = std::any_of(header.inputs.begin(), header.inputs.end(),
                                  [&](const Input& i) { return i.head.empty() && i.name == late.name; });
    if (!open)
      report.problems.push_back("the end line states a head for " + late.name + ", which is no streamed input");
  }
}

void walk(Chain& chain, Tally& tally, const std::filesystem::path& path) {
  bool first = true;
  while (const auto lines = chain.next()) {
    tally.add(*lines, first, path);
    first = false;
  }
}

}  // namespace

Exit CheckReport::exit() const noexcept {
  if (!problems.empty()) return Exit::integrity;
  return complete ? Exit::ok : Exit::interrupted;
}

CheckReport check(const std::filesystem::path& path, const PublicKey* key) {
  CheckReport report;
  std::optional<Mark> mark;
  try {
    if (path != "-") mark = read_mark(path);
  } catch (const RunError& error) {
    if (error.exit() != Exit::integrity) throw;
    report.problems.emplace_back(error.what());
  }
  io::Descriptor fd =
      path == "-" ? io::Descriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) : io::open_file(path, O_RDONLY);
  if (!fd) io::throw_errno("open manifest", path, errno);
  Chain chain(std::move(fd), path, std::move(mark));
  Tally tally;
  try {
    walk(chain, tally, path);
    report.complete = chain.complete();
    report.inputs = resolved_inputs(tally.header(), report.complete ? chain.end() : std::nullopt);
    if (report.complete) {
      if (chain.stated_records() != tally.records()) {
        report.problems.push_back("the end line states " + std::to_string(chain.stated_records()) +
                                  " records, there are " + std::to_string(tally.records()));
      }
      tally.compare(chain.end()->counts, report.problems);
      check_inputs(tally.header(), *chain.end(), report);
    }
    check_signatures(chain, key, report);
  } catch (const RunError& error) {          // damage, or bytes that are no manifest at all
    if (error.exit() == Exit::usage) throw;  // encrypted, and the key is missing: nothing is known about it
    report.problems.emplace_back(error.what());
  }
  report.torn_bytes = chain.torn_bytes();
  report.frames = chain.frames().size();
  report.records = tally.records();
  report.bytes = chain.offset();
  report.head = chain.head().hex();
  return report;
}

}  // namespace waybill::manifest
