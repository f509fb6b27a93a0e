// SPDX-License-Identifier: Apache-2.0
#include "manifest/rejection.hpp"

#include "manifest/reader.hpp"

#include <algorithm>
#include <array>

namespace waybill::manifest {
namespace {

constexpr std::string_view kPrefix = "REJECTED-";

constexpr std::array kTitles = {
    RejectionTitle{"113001", Severity::s0, "rejected for quality reasons"},
    RejectionTitle{"113037", Severity::s2, "rejected for patient safety reasons"},
    RejectionTitle{"113038", Severity::s2, "rejected for a wrong worklist entry"},
    RejectionTitle{"113039", Severity::s2, "its retention time is over"},
};

}  // namespace

const RejectionTitle* rejection_title(std::string_view code) noexcept {
  const auto* const at = std::ranges::find(kTitles, code, &RejectionTitle::code);
  return at == kTitles.end() ? nullptr : at;
}

bool keeps_out(std::string_view code) noexcept {
  if (code.starts_with(kPrefix)) code.remove_prefix(kPrefix.size());
  return code == "113037" || code == "113038" || code == "113039";
}

std::optional<Finding> rejection_of(const Object& object) {
  const auto found = std::ranges::find_if(object.findings, [](const Finding& f) { return keeps_out(f.code); });
  if (found != object.findings.end()) return *found;
  if (!object.rejection || !keeps_out(*object.rejection)) return std::nullopt;
  return Finding{"REJECTION-NOTE", Severity::s2, "0040,A043",
                 "the objects this note rejects are not loaded, so it is not loaded either"};
}

std::optional<Finding> exclusion_of(const Object& object) {
  if (auto why = rejection_of(object)) return why;
  const auto found = std::ranges::find(object.findings, "SOP-STDPRINT", &Finding::code);
  return found == object.findings.end() ? std::nullopt : std::optional(*found);
}

std::unordered_map<std::string, Finding> rejected_in(const std::filesystem::path& path) {
  std::unordered_map<std::string, Finding> out;
  if (path == "-") return out;
  Reader reader(path);
  while (const auto line = reader.next_line()) {
    if (!line->starts_with(R"({"kind":"finding")") || line->find(kPrefix) == std::string_view::npos) continue;
    Record record = parse_record(*line);
    if (auto* late = std::get_if<LateFinding>(&record); late != nullptr && keeps_out(late->finding.code))
      out.try_emplace(late->id, std::move(late->finding));
  }
  return out;
}

}  // namespace waybill::manifest
