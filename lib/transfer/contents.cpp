// SPDX-License-Identifier: Apache-2.0
#include "transfer/contents.hpp"

#include "core/result.hpp"
#include "manifest/fit.hpp"

#include <unordered_map>

namespace waybill::transfer {

Contents read_manifest(const std::filesystem::path& path) {
  manifest::Reader reader(path);
  manifest::require_objects(reader);
  Contents contents;
  contents.stage = reader.header().stage;
  std::unordered_map<std::string, std::size_t> by_id;
  std::vector<manifest::LateFinding> late;
  while (auto record = reader.next()) {
    if (auto* object = std::get_if<manifest::Object>(&*record)) {
      if (!by_id.emplace(object->id, contents.objects.size()).second) {
        throw RunError(Exit::integrity, reader.name() + " lists object " + object->id +
                                            " twice; make the manifest again from its source");
      }
      contents.objects.push_back(std::move(*object));
    } else if (auto* study = std::get_if<manifest::Study>(&*record)) {
      contents.studies.push_back(std::move(*study));
    } else if (auto* finding = std::get_if<manifest::LateFinding>(&*record)) {
      late.push_back(std::move(*finding));
    } else if (contents.stage == "load") {
      contents.sample.see(*record);
    }
  }
  if (!reader.end()) {
    throw RunError(Exit::input, reader.name() + " is not complete (its " + contents.stage +
                                    " was interrupted); run that again to its end first");
  }
  for (const auto& [id, finding] : late) {
    if (const auto found = by_id.find(id); found != by_id.end())
      contents.objects[found->second].findings.push_back(finding);
  }
  contents.input = {reader.name(), reader.head()};
  return contents;
}

}  // namespace waybill::transfer
