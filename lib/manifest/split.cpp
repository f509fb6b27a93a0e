// SPDX-License-Identifier: Apache-2.0
// Findings and intents name an object by its id alone and may stand before or behind it. They meet it in a first
// sorter, by id; a second one brings all lines into the order of the parts, so that the parts are written one after the
// other and their number costs nothing.
#include "manifest/split.hpp"

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "manifest/derived.hpp"
#include "manifest/frame.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/member.hpp"
#include "manifest/sorter.hpp"

#include <charconv>
#include <optional>
#include <unordered_map>

namespace waybill::manifest {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLineMemory = std::size_t{64} << 20U;
constexpr std::size_t kIdMemory = std::size_t{32} << 20U;
constexpr unsigned kPartBytes = 2;
constexpr unsigned kNumberBytes = 6;
constexpr char kIsObject = '0';  // behind an id: its object's part, before the lines that name it
constexpr char kNames = '1';

fs::path path_of(const std::string& pattern, std::uint64_t part) {
  std::string path = pattern;
  path.replace(path.find("%d"), 2, std::to_string(part));
  return path;
}

void check_pattern(const std::string& pattern) {
  const std::size_t at = pattern.find("%d");
  if (at == std::string::npos || pattern.find("%d", at + 2) != std::string::npos)
    throw RunError(Exit::usage,
                   "--output takes a path with one %d where the number of the part is to stand, such as part-%d.wb");
}

void check_stage(const Reader& reader) {
  const std::string& stage = reader.header().stage;
  if (stage != "scan" && stage != "transcode" && stage != "load")
    throw RunError(Exit::usage, reader.name() + " is a manifest of " + stage +
                                    "; split takes those of scan, transcode or load, on which work goes on in parts");
}

/// Reads the input once and hands its lines out part by part.
class Cut {
 public:
  Cut(const fs::path& folder, std::uint64_t parts)
      : parts_(parts), by_id_(folder, kIdMemory), by_part_(folder, kLineMemory) {}

  void read(Reader& reader) {
    while (const auto line = reader.next_line()) {
      detail::throw_if_stopped();
      take(*line);
      ++number_;
    }
    detail::require_end(reader);
    bring_together();
  }

  /// The next line with its part.
  std::optional<std::pair<std::uint64_t, std::string_view>> next() {
    const auto entry = by_part_.next();
    if (!entry) return std::nullopt;
    return std::pair(number_from(entry->substr(0, kPartBytes)), entry->substr(kPartBytes));
  }

 private:
  static std::string id_entry(const std::string& id, char what) { return ordered(id.size(), kNumberBytes) + id + what; }

  void take(std::string_view line) {
    const std::string_view kind = kind_of(line);
    if (kind == "recovered") return;
    if (kind.starts_with("sample"))
      throw RunError(Exit::usage,
                     "this load committed to a sample over all of its objects, which no part can keep; verify the "
                     "whole, or load in parts without --sample");
    const detail::JsonObject record = detail::parse_object(parser_, line);
    if (kind == "finding" || kind == "intent") {
      const auto id = detail::need<std::string>(record, "id");
      by_id_.add(id + kNames, id_entry(id, kNames) + ordered(number_, kNumberBytes) + std::string(line));
      return;
    }
    const std::uint64_t part = part_of_record(kind, record);
    if (kind == "object") {
      const auto id = detail::need<std::string>(record, "id");
      by_id_.add(id + kIsObject, id_entry(id, kIsObject) + ordered(part, kPartBytes));
    }
    put(part, number_, line);
  }

  std::uint64_t part_of_record(std::string_view kind, const detail::JsonObject& record) {
    const std::string study = detail::find<std::string>(record, "study").value_or("");
    if (kind == "study") return part_of(detail::need<std::string>(record, "study"), "", parts_);
    if (kind == "object" || kind == "gone") {
      const auto source = detail::need<detail::JsonObject>(record, "source");
      return part_of(study, detail::need<std::string>(source, "path"), parts_);
    }
    if (kind != "commitment") return 1;
    // A transaction is of one study, which its first record names.
    const auto transaction = detail::need<std::string>(record, "transaction");
    if (!study.empty()) commitments_[transaction] = part_of(study, "", parts_);
    const auto at = commitments_.find(transaction);
    return at == commitments_.end() ? 1 : at->second;
  }

  /// Lines that name an object go to its part; those that name none of here to the first.
  void bring_together() {
    std::string object;
    std::uint64_t part = 1;
    while (const auto entry = by_id_.next()) {
      const std::size_t size = number_from(entry->substr(0, kNumberBytes));
      const std::string_view id = entry->substr(kNumberBytes, size);
      const char what = (*entry)[kNumberBytes + size];
      const std::string_view rest = entry->substr(kNumberBytes + size + 1);
      if (what == kIsObject) {
        object = id;
        part = number_from(rest);
        continue;
      }
      put(id == object ? part : 1, number_from(rest.substr(0, kNumberBytes)), rest.substr(kNumberBytes));
    }
  }

  void put(std::uint64_t part, std::uint64_t number, std::string_view line) {
    const std::string at = ordered(part, kPartBytes);
    by_part_.add(at + ordered(number, kNumberBytes), at + std::string(line));
  }

  std::uint64_t parts_;
  std::uint64_t number_ = 0;
  Sorter by_id_, by_part_;
  simdjson::dom::parser parser_;
  std::unordered_map<std::string, std::uint64_t> commitments_;
};

Header header_of(const Header& input, std::uint64_t part, std::uint64_t parts, Input link) {
  Header header = input;
  header.run = random_uuid();
  header.tool = kToolName;
  header.created = detail::later(input.created, part);
  JsonWriter w;
  w.value(std::to_string(part) + "/" + std::to_string(parts));
  detail::Members options{{"split", std::move(w).str()}};
  for (auto& member : detail::members_of(input.options)) {
    if (!detail::is_of_its_making(member.first)) options.push_back(std::move(member));
  }
  header.options = detail::json_of(options);
  header.inputs = {std::move(link)};
  return header;
}

}  // namespace

std::uint64_t part_of(std::string_view study, std::string_view path, std::uint64_t parts) {
  Sha256 sha;
  sha.update(study.empty() ? "path\n" : "study\n");
  sha.update(study.empty() ? path : study);
  return load_u64(sha.finish().bytes.data(), true) % parts + 1;
}

std::vector<Part> split(const fs::path& input, std::uint64_t parts, const std::string& pattern, Restart restart) {
  Reader reader(input);
  check_pattern(pattern);
  check_stage(reader);
  std::vector<Part> out(parts);
  for (std::uint64_t n = 1; n <= parts; ++n) {
    out[n - 1].path = path_of(pattern, n);
    detail::refuse_same_file(input, out[n - 1].path);
    detail::check_existing(out[n - 1].path, header_of(reader.header(), n, parts, {}), restart);
  }
  Cut cut(scratch_beside(out.front().path), parts);
  cut.read(reader);
  auto line = cut.next();
  for (std::uint64_t n = 1; n <= parts; ++n) {
    Part& part = out[n - 1];
    auto writer =
        detail::begin_or_keep(part.path, header_of(reader.header(), n, parts, {reader.name(), reader.head()}), restart);
    part.already_complete = !writer;
    for (; line && line->first == n; line = cut.next()) {
      detail::throw_if_stopped();
      if (!writer) continue;
      writer->append(line->second);
      part.records.add(line->second, true);
    }
    if (writer) writer->finish(part.records.json());
  }
  return out;
}

std::optional<PartNumber> part_number(const Header& header) {
  const std::string text = text_member(header.options, "split").value_or("");
  PartNumber out;
  const char* const end = text.data() + text.size();
  const auto part = std::from_chars(text.data(), end, out.part);
  if (part.ec != std::errc() || part.ptr == end || *part.ptr != '/') return std::nullopt;
  const auto of = std::from_chars(part.ptr + 1, end, out.of);
  if (of.ec != std::errc() || of.ptr != end || out.part == 0 || out.part > out.of || out.of > kMostParts)
    return std::nullopt;
  return out;
}

std::string split_difference(const fs::path& part, const fs::path& input) {
  detail::Expected expected(part);
  const auto number = part_number(expected.header());
  if (!number)
    throw RunError(Exit::usage,
                   path_to_text(part.native()) + " is no part of a split; compare it with waybill manifest diff");
  Reader reader(input);
  check_stage(reader);
  Cut cut(scratch_beside("-"), number->of);
  cut.read(reader);
  expected.begin(header_of(reader.header(), number->part, number->of, {reader.name(), reader.head()}));
  while (const auto line = cut.next()) {
    if (line->first > number->part || expected.differs()) break;
    if (line->first == number->part) expected.line(line->second);
  }
  return expected.finish();
}

}  // namespace waybill::manifest
