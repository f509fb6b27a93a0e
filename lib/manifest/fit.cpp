// SPDX-License-Identifier: Apache-2.0
#include "manifest/fit.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "manifest/json_reader.hpp"

#include <algorithm>

namespace waybill::manifest {

namespace fs = std::filesystem;

void require_objects(const Reader& reader) {
  const Header& header = reader.header();
  simdjson::dom::parser parser;
  if (header.stage == "reconcile" &&
      !detail::find<bool>(detail::parse_object(parser, header.options), kCorrections).value_or(false))
    throw RunError(Exit::usage, reader.name() +
                                    " holds decisions of reconcile and no objects; give the manifest of the objects "
                                    "(scan.wb, transcode.wb), and the decisions with --edits where they are to be "
                                    "applied");
  if (header.stage == "listen" || header.stage == "sync")
    throw RunError(Exit::usage, reader.name() + " is a journal of waybill " + header.stage +
                                    " and holds no objects; give a manifest of objects, such as scan.wb");
}

void keep_out_of_sources(const std::string& options, const fs::path& output) {
  if (output == "-") return;
  std::error_code error;
  const fs::path place = fs::weakly_canonical(fs::absolute(output), error);
  if (error) return;  // whoever opens it will say why
  simdjson::dom::parser parser;
  for (const std::string& text : detail::texts(detail::parse_object(parser, options), "sources")) {
    const fs::path source = path_from_text(text);
    if (!fs::is_directory(source, error)) continue;
    const auto [end, same] = std::mismatch(source.begin(), source.end(), place.begin(), place.end());
    if (end == source.end())
      throw RunError(Exit::usage, path_to_text(output.native()) + " would lie in the source " + text +
                                      ", which is only read; name a place outside it");
  }
}

std::vector<fs::path> places_in(const std::string& options) {
  simdjson::dom::parser parser;
  const auto object = detail::parse_object(parser, options);
  std::vector<std::string> named = detail::texts(object, "sources");
  for (const char* one : {"out", "root"}) {
    if (auto text = detail::find<std::string>(object, one)) named.push_back(*std::move(text));
  }
  std::vector<fs::path> places;
  for (const std::string& text : named) {
    fs::path path = path_from_text(text);
    if (path.is_absolute()) places.push_back(std::move(path));
  }
  return places;
}

}  // namespace waybill::manifest
