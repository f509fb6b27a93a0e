// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace waybill::report {

/// Turns identifiers into keyed hashes (HMAC-SHA-256, 12 hex digits). The key is random and lives only in this object,
/// so the same patient has the same hash within one report and nobody can compute it from a list of MRNs afterwards.
class Mask {
 public:
  /// With a key file (as of manifest::SecretKey) its hashes stay the same from report to report.
  explicit Mask(bool show_phi, const std::filesystem::path& key = {});
  [[nodiscard]] bool shows_phi() const noexcept { return show_phi_; }
  /// The patient as a report may show it; empty for no patient id.
  [[nodiscard]] std::string patient(std::string_view issuer, std::string_view id) const;
  /// Who stands behind each hash that was given out, as CSV: for a file with stricter rights than the report's.
  [[nodiscard]] std::string lookup() const;

 private:
  std::array<unsigned char, 32> key_{};
  bool show_phi_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::pair<std::string, std::string>> given_;  // hash: issuer and id
};

/// Whether values of this attribute ("0010,0020") identify a person: then even raw bytes in hex stay out of a report.
[[nodiscard]] bool identifies_person(std::string_view tag);

}  // namespace waybill::report
