// SPDX-License-Identifier: Apache-2.0
#include "manifest/place.hpp"

#include "core/json.hpp"
#include "core/text.hpp"
#include "manifest/frame.hpp"
#include "manifest/json_reader.hpp"

#include <algorithm>
#include <filesystem>

namespace waybill::manifest {
namespace {

constexpr std::size_t kDigits = 64;

std::string digest_in(const detail::JsonObject& j) {
  auto digest = detail::need<std::string>(j, "sha256");
  const bool hex = std::all_of(digest.begin(), digest.end(),
                               [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (digest.size() != kDigits || !hex) detail::bad_line("sha256 is no digest");
  return digest;
}

/// A name that cannot lead out of the folder of the volumes.
std::string name_in(const detail::JsonObject& j, std::string_view member) {
  auto name = detail::need<std::string>(j, member);
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  if (name.empty() || name.front() == '.' || !plain) detail::bad_line("a volume has a name that is none of ours");
  return name;
}

}  // namespace

std::string with_place(std::string_view line, const Place& place) {
  JsonWriter w;
  w.begin_object().member("volume", place.volume).member("offset", place.offset).member("length", place.length);
  w.member("size", place.size).member("sha256", place.sha256);
  if (place.part) w.member("part", true);
  w.end_object();
  std::string out(line.substr(0, line.rfind('}')));
  return out.append(R"(,"pack":)").append(w.str()).append("}");
}

std::optional<Place> place_of(std::string_view line) {
  thread_local simdjson::dom::parser parser;
  const auto pack = detail::find<detail::JsonObject>(detail::parse_object(parser, line), "pack");
  if (!pack) return std::nullopt;
  Place place{name_in(*pack, "volume"),
              detail::need<std::uint64_t>(*pack, "offset"),
              detail::need<std::uint64_t>(*pack, "length"),
              detail::need<std::uint64_t>(*pack, "size"),
              digest_in(*pack),
              detail::find<bool>(*pack, "part").value_or(false)};
  return place;
}

std::string to_json(const Volume& volume) {
  JsonWriter w;
  w.begin_object().member("kind", "volume").member("name", volume.name).member("size", volume.size);
  return std::move(w.member("sha256", volume.sha256).end_object()).str();
}

std::optional<Volume> volume_of(std::string_view line) {
  if (kind_of(line) != "volume") return std::nullopt;
  thread_local simdjson::dom::parser parser;
  const auto j = detail::parse_object(parser, line);
  return Volume{name_in(j, "name"), detail::need<std::uint64_t>(j, "size"), digest_in(j)};
}

std::string common_folder(const std::string& options) {
  namespace fs = std::filesystem;
  simdjson::dom::parser parser;
  std::optional<fs::path> common;
  for (const std::string& text : detail::texts(detail::parse_object(parser, options), "sources")) {
    const fs::path source = path_from_text(text);
    std::error_code error;
    const fs::path folder = fs::is_directory(source, error) ? source : source.parent_path();
    if (!common) {
      common = folder;
      continue;
    }
    fs::path shared;
    for (auto a = common->begin(), b = folder.begin(); a != common->end() && b != folder.end() && *a == *b; ++a, ++b)
      shared /= *a;
    common = shared;
  }
  return common ? path_to_text(common->string()) : "";
}

std::string option_text(const std::string& options, std::string_view name) {
  simdjson::dom::parser parser;
  return detail::find<std::string>(detail::parse_object(parser, options), name).value_or("");
}

std::optional<std::uint64_t> count_of(const std::string& counts, std::string_view name) {
  simdjson::dom::parser parser;
  return detail::find<std::uint64_t>(detail::parse_object(parser, counts), name);
}

}  // namespace waybill::manifest
