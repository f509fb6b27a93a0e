// SPDX-License-Identifier: Apache-2.0
#include "report/mask.hpp"

#include "core/bytes.hpp"
#include "core/csv.hpp"
#include "core/result.hpp"
#include "manifest/key.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <cstring>

namespace waybill::report {
namespace {
constexpr std::size_t kShown = 12;
}

Mask::Mask(bool show_phi, const std::filesystem::path& key) : show_phi_(show_phi) {
  if (!key.empty()) {
    const auto derived = manifest::SecretKey(key).derive("waybill pseudonym 1");
    std::memcpy(key_.data(), derived.data(), key_.size());
    return;
  }
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
    throw RunError(Exit::internal, "no random bytes from OpenSSL; check the system's entropy source");
  }
}

std::string Mask::patient(std::string_view issuer, std::string_view id) const {
  if (id.empty()) return {};
  if (show_phi_) return issuer.empty() ? std::string(id) : std::string(id) + " (" + std::string(issuer) + ")";
  std::string text(issuer);
  text += '\0';
  text += id;
  std::array<unsigned char, 32> code{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.data(), &length) == nullptr) {
    throw RunError(Exit::internal, "OpenSSL refused an HMAC step; check the installed libcrypto");
  }
  std::string shown = to_hex(std::as_bytes(std::span(code))).substr(0, kShown);
  const std::lock_guard lock(mutex_);
  given_.try_emplace(shown, issuer, id);
  return shown;
}

std::string Mask::lookup() const {
  const std::lock_guard lock(mutex_);
  std::string out = csv_row({"pseudonym", "issuer", "patient_id"});
  for (const auto& [shown, patient] : given_) out += csv_row({shown, patient.first, patient.second});
  return out;
}

bool identifies_person(std::string_view tag) {
  // Patient group; accession, physicians and other person names; order and visit identifiers.
  return tag.empty() || tag.starts_with("0010,") || tag.starts_with("0008,0050") || tag.starts_with("0008,009") ||
         tag.starts_with("0008,10") || tag.starts_with("0032,") || tag.starts_with("0038,") || tag.starts_with("0040,");
}

}  // namespace waybill::report
