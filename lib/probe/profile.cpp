// SPDX-License-Identifier: Apache-2.0
#include "probe/profile.hpp"

#include "core/json.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "dicom/sop_class.hpp"

#include <algorithm>
#include <cmath>

namespace waybill::probe {

namespace {

double rounded(double value) { return std::round(value * 100) / 100; }

template <typename T>
void put(JsonWriter& json, std::string_view name, const std::optional<T>& value) {
  if (value) json.member(name, *value);
}

void put(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void put_association(const Profile& profile, JsonWriter& json) {
  if (!profile.facts) return;
  const net::Facts& facts = *profile.facts;
  json.key("association").begin_object();
  json.member("implementation_class", said(facts.implementation_class));
  json.member("implementation_version", said(facts.implementation_version)).member("max_pdu", facts.max_pdu);
  const net::Facts::Window window = facts.window.value_or(net::Facts::Window{});
  json.key("window").begin_object().member("answered", facts.window.has_value());
  json.member("invoked", window.invoked).member("performed", window.performed).end_object();
  put(json, "contexts_limit", profile.contexts_limit);
  put(json, "proposals_limit", profile.proposals_limit);
  json.end_object();
  json.key("services").begin_array();
  for (const Service& service : profile.services) {
    json.begin_object().member("name", service.name).member("uid", service.uid);
    json.member("granted", !service.syntaxes.empty());
    put(json, "transfer_syntaxes", service.syntaxes);
    json.end_object();
  }
  json.end_array();
}

void put_storage(const Profile& profile, JsonWriter& json) {
  if (profile.web) return;
  json.key("storage").begin_array();
  for (const StorageClass& one : profile.storage) {
    json.begin_object().member("sop_class", one.uid).member("name", name_of(one.uid));
    put(json, "accepted", one.accepted);
    json.key("refused").begin_array();
    for (const auto& [syntax, result] : one.refused) {
      json.begin_object().member("transfer_syntax", syntax).member("reason", words_of(result, !one.accepted.empty()));
      if (result != net::kNotAnswered) json.member("result", result);
      json.end_object();
    }
    json.end_array();
    if (one.level) json.member("level", one.level->level).member("coercion", one.level->coercion);
    json.end_object();
  }
  json.end_array();
}

void put_lists(const Profile& profile, JsonWriter& json) {
  if (profile.lists) {
    const Lists& lists = *profile.lists;
    json.key("lists").begin_object().member("service", lists.service).member("status", lists.status);
    json.member("asked", lists.asked).member("listed", lists.listed);
    put(json, "limit", lists.limit);
    if (!lists.warning.empty()) json.member("warning", lists.warning);
    put(json, "honours_uid", lists.honours_uid);
    put(json, "honours_paging", lists.honours_paging);
    put(json, "relational", lists.relational);
    put(json, "relational_agreed", lists.relational_agreed);
    put(json, "counts_right", lists.counts_right);
    json.key("keys").begin_object();
    for (const auto& [name, came] : lists.keys) json.member(name, came);
    json.end_object().member("keys_unsupported", lists.keys_unsupported).end_object();
  }
  if (!profile.web) return;
  json.key("forms").begin_array();
  for (const Form& form : profile.forms) {
    json.begin_object().member("service", form.service).member("asked", form.asked);
    json.member("status", form.status).member("came", form.came).end_object();
  }
  json.end_array();
}

void put_needs(const Profile& profile, JsonWriter& json) {
  if (!profile.manifest) return;
  const load::Survey& survey = *profile.manifest;
  json.key("manifest").begin_object().member("input", survey.input).member("objects", survey.objects);
  json.member("bytes", survey.bytes).member("studies", survey.studies).member("not_taken", profile.lost());
  json.key("held_back").begin_object();
  for (const auto& [bucket, count] : survey.held_back) json.member(bucket, count);
  json.end_object().key("needs").begin_array();
  for (const Need& need : profile.needs) {
    json.begin_object().member("sop_class", need.own.sop_class).member("name", name_of(need.own.sop_class));
    json.member("transfer_syntax", need.own.transfer_syntax).member("objects", need.objects);
    json.member("bytes", need.bytes).key("granted");
    need.granted ? json.value(*need.granted) : json.null();
    if (need.result != 0) json.member("reason", words_of(need.result, need.class_is_taken));
    put(json, "instead", need.instead);
    json.end_object();
  }
  json.end_array().end_object();
}

void put_written(const Profile& profile, JsonWriter& json) {
  if (!profile.left) return;
  json.key("duplicates").begin_array();
  for (const Step& step : profile.duplicates) {
    json.begin_object().member("step", step.name).member("sent", step.sent).member("status", step.status);
    json.member("comment", step.comment).member("kept", step.kept).member("policy", step.policy).end_object();
  }
  json.end_array();
  put(json, "listed_after_milliseconds", profile.listed_after);
  json.key("throughput").begin_array();
  for (const Rate& rate : profile.throughput) {
    const double seconds = rate.seconds > 0 ? rate.seconds : 1;
    json.begin_object().member("associations", rate.associations).member("objects", rate.objects);
    json.member("bytes", rate.bytes).member("refused", rate.refused).member("rejected", rate.rejected);
    json.member("seconds", rounded(rate.seconds)).member("objects_per_second", rounded(rate.rate()));
    json.member("megabytes_per_second", rounded(static_cast<double>(rate.bytes) / 1e6 / seconds));
    json.member("answer_milliseconds", rounded(rate.answer)).end_object();
  }
  json.end_array().key("left_at_peer").begin_object();
  put(json, "patient_ids", profile.left->patients);
  put(json, "studies", profile.left->studies);
  put(json, "instances", profile.left->instances);
  json.end_object();
}

void put_settings(JsonWriter& json, const char* name,
                  const std::vector<std::pair<std::string, std::string>>& settings) {
  json.key(name).begin_object();
  for (const auto& [key, value] : settings) json.key(key).raw(value);  // these of TOML are those of JSON
  json.end_object();
}

void put_rest(const Profile& profile, JsonWriter& json) {
  json.key("advice").begin_object();
  put_settings(json, "load", profile.advice.load);
  put_settings(json, "verify", profile.advice.verify);
  put(json, "notes", profile.advice.notes);
  json.end_object().key("troubles").begin_array();
  for (const Trouble& trouble : profile.troubles)
    json.begin_object().member("section", trouble.section).member("what", trouble.what).end_object();
  json.end_array().member("interrupted", profile.interrupted).member("exit", static_cast<int>(profile.exit()));
}

}  // namespace

std::string said(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::string out = repair_utf8(text.substr(0, kLongest));
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = ' ';
  }
  return std::string(trim(out));
}

std::string name_of(const std::string& uid) {
  std::string name = dicom::uid_name(uid);
  return name.empty() ? uid : name;
}

std::string reason_of(const std::exception& error) {
  const std::string_view what = error.what();
  return said(what.substr(0, what.find(';')));
}

std::string_view words_of(std::uint8_t result, bool class_is_taken) noexcept {
  if (result == net::kClassNotSupported && class_is_taken) result = net::kSyntaxNotSupported;
  switch (result) {
    case 0: return "granted";
    case net::kUserRejection: return "refused by the application";
    case net::kNoReason: return "refused without a reason";
    case net::kClassNotSupported: return "the class is not supported";
    case net::kSyntaxNotSupported: return "the transfer syntax is not supported";
    default: return "not answered";
  }
}

bool Profile::grants(std::string_view service) const {
  return std::ranges::any_of(services,
                             [&](const Service& one) { return one.name == service && !one.syntaxes.empty(); });
}

std::uint64_t Profile::lost() const {
  std::uint64_t count = 0;
  for (const Need& need : needs) count += need.is_lost() ? need.objects : 0;
  return count;
}

Exit Profile::exit() const {
  if (interrupted) return Exit::interrupted;
  return lost() > 0 || !troubles.empty() ? Exit::exceptions : Exit::ok;
}

std::string to_json(const Profile& profile) {
  JsonWriter json;
  json.begin_object().member("kind", "peer-profile").member("format", "waybill-peer-profile/1");
  json.member("tool", kToolName).member("created", profile.created);
  json.member("peer", profile.peer);
  if (!profile.web) json.member("calling", profile.calling);
  if (profile.echo) {
    json.key("echo").begin_object().member("service", profile.echo->service);
    json.member("least_milliseconds", rounded(profile.echo->least));
    json.member("median_milliseconds", rounded(profile.echo->median)).end_object();
  }
  if (profile.at_once) {
    json.key("at_once").begin_object().member("asked", profile.at_once->asked);
    json.member("opened", profile.at_once->opened);
    if (!profile.at_once->why.empty()) json.member("why", profile.at_once->why);
    json.end_object();
  }
  put_association(profile, json);
  put_storage(profile, json);
  put_lists(profile, json);
  put_needs(profile, json);
  put_written(profile, json);
  put_rest(profile, json);
  json.end_object();
  return std::move(json).str();
}

}  // namespace waybill::probe
