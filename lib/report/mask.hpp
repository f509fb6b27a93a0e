// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace waybill::report {

/// Turns identifiers into keyed hashes (HMAC-SHA-256, 12 hex digits). The key is random and lives only in this object,
/// so the same patient has the same hash within one report and nobody can compute it from a list of MRNs afterwards.
class Mask {
 public:
  explicit Mask(bool show_phi);
  [[nodiscard]] bool shows_phi() const noexcept { return show_phi_; }
  /// The patient as a report may show it; empty for no patient id.
  [[nodiscard]] std::string patient(std::string_view issuer, std::string_view id) const;

 private:
  std::array<unsigned char, 32> key_{};
  bool show_phi_;
};

/// Whether values of this attribute ("0010,0020") identify a person: then even raw bytes in hex stay out of a report.
[[nodiscard]] bool identifies_person(std::string_view tag);

}  // namespace waybill::report
