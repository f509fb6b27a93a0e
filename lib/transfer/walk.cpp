// SPDX-License-Identifier: Apache-2.0
#include "transfer/walk.hpp"

#include "core/result.hpp"
#include "manifest/fit.hpp"

namespace waybill::transfer {

using manifest::LateFinding;
using manifest::Object;

namespace {

std::string id_key(const std::string& id) { return "wo" + id; }
std::string study_number_key(const std::string& study) { return "ws" + study; }
std::string late_key(const std::string& id) { return "wf" + id; }

}  // namespace

Walk::Walk(const std::filesystem::path& manifest, index::Store& store) : reader_(manifest), store_(store) {
  manifest::require_objects(reader_);
}

void Walk::read(const Visit& visit) {
  while (const auto line = reader_.next_line()) {
    const manifest::Record record = manifest::parse_record(*line);
    if (const auto* late = std::get_if<LateFinding>(&record)) {
      const std::string key = late_key(late->id);
      store_.put(key, store_.get(key).value_or("") + std::string(*line) + '\n');
      continue;
    }
    if (const auto* object = std::get_if<Object>(&record)) {
      const std::string key = id_key(object->id);
      if (store_.contains(key)) {
        throw RunError(Exit::integrity, reader_.name() + " lists object " + object->id +
                                            " twice; make the manifest again from its source");
      }
      store_.put(key, "");
    }
    visit(record, *line);
  }
  if (!reader_.end()) {
    throw RunError(Exit::input, reader_.name() + " is not complete (its " + reader_.header().stage +
                                    " was interrupted); run that again to its end first");
  }
}

void Walk::add_late_findings(Object& object) const {
  const auto lines = store_.get(late_key(object.id));
  if (!lines) return;
  std::string_view rest = *lines;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const manifest::Record record = manifest::parse_record(rest.substr(0, end));
    object.findings.push_back(std::get<LateFinding>(record).finding);
    rest.remove_prefix(end + 1);
  }
}

const std::string& Walk::study_key(const std::string& study, const MakeKey& make) {
  if (!last_key_.empty() && study == last_study_) return last_key_;
  auto key = store_.get(study_number_key(study));
  if (!key) {
    key = make(studies_++);
    store_.put(study_number_key(study), *key);
  }
  last_study_ = study;
  last_key_ = *std::move(key);
  return last_key_;
}

}  // namespace waybill::transfer
