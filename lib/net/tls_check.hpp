// SPDX-License-Identifier: Apache-2.0
// Private to lib/net.
#pragma once

#include <string>
#include <string_view>

struct x509_st;

namespace waybill::net {

/// OpenSSL's last error in words; the errors of this thread are forgotten.
[[nodiscard]] std::string openssl_reason();

struct Validity {
  bool ended = false;
  std::string text;  ///< empty when there is nothing to say
};
/// Whether a certificate has ended or will within kWarnDays; `whose` begins the sentence.
[[nodiscard]] Validity validity_of(const x509_st* certificate, std::string_view whose);

}  // namespace waybill::net
