// SPDX-License-Identifier: Apache-2.0
#include "transfer/ledger.hpp"

#include "manifest/exception.hpp"

namespace waybill::transfer {

void Ledger::count(const manifest::Object& object) {
  ++output;
  ++buckets[std::string(to_string(object.bucket))];
  if (manifest::is_exception(object)) ++exceptions;
}

Exit Ledger::exit_with(std::uint64_t wrong) const {
  if (interrupted) return Exit::interrupted;
  if (wrong > 0 || !closes()) return Exit::integrity;
  return exceptions > 0 ? Exit::exceptions : Exit::ok;
}

void Ledger::write(JsonWriter& json, std::string_view name, const Counts& details) const {
  json.member("input", input).member("output", output).key("buckets").begin_object();
  for (const auto& [bucket, count] : buckets) json.member(bucket, count);
  json.end_object().key(name).begin_object();
  for (const auto& [detail, count] : details) json.member(detail, count);
  json.end_object();
}

}  // namespace waybill::transfer
