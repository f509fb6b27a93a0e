// SPDX-License-Identifier: Apache-2.0
#include "manifest/commitment.hpp"

#include "core/json.hpp"
#include "manifest/json_reader.hpp"

namespace waybill::manifest {

std::string to_json(const Commitment& step) {
  JsonWriter json;
  json.begin_object().member("kind", "commitment").member("transaction", step.transaction);
  json.member("state", step.state).member("at", step.at);
  if (!step.status.empty()) json.member("status", step.status);
  if (step.state == "requested") {
    json.member("study", step.study).key("objects").begin_array();
    for (const auto& object : step.objects) {
      json.begin_object().member("id", object.id).member("sop_class", object.sop_class);
      json.member("sop_instance", object.sop_instance).end_object();
    }
    json.end_array();
  }
  if (step.state == "reported") {
    json.member("committed", step.committed);
    if (step.unrequested > 0) json.member("unrequested", step.unrequested);
  }
  if (!step.failed.empty()) {
    json.key("failed").begin_array();
    for (const auto& [instance, reason] : step.failed)
      json.begin_object().member("sop_instance", instance).member("reason", reason).end_object();
    json.end_array();
  }
  return std::move(json.end_object()).str();
}

Commitment commitment_from(std::string_view line) {
  using detail::find;
  using detail::need;
  simdjson::dom::parser parser;
  const detail::JsonObject j = detail::parse_object(parser, line);
  Commitment step;
  step.transaction = need<std::string>(j, "transaction");
  step.state = need<std::string>(j, "state");
  step.at = find<std::string>(j, "at").value_or("");
  step.study = find<std::string>(j, "study").value_or("");
  step.status = find<std::string>(j, "status").value_or("");
  step.committed = find<std::uint64_t>(j, "committed").value_or(0);
  step.unrequested = find<std::uint64_t>(j, "unrequested").value_or(0);
  detail::each_object(j, "objects", [&](const detail::JsonObject& o) {
    step.objects.push_back(
        {need<std::string>(o, "id"), need<std::string>(o, "sop_class"), need<std::string>(o, "sop_instance")});
  });
  detail::each_object(j, "failed", [&](const detail::JsonObject& f) {
    step.failed.emplace_back(need<std::string>(f, "sop_instance"), need<std::string>(f, "reason"));
  });
  return step;
}

}  // namespace waybill::manifest
