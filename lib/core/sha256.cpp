// SPDX-License-Identifier: Apache-2.0
#include "core/sha256.hpp"

#include "core/result.hpp"

#include <openssl/evp.h>

namespace waybill {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

namespace {
void must(int result) {
  if (result != 1) throw RunError(Exit::internal, "OpenSSL refused a SHA-256 step; check the installed libcrypto");
}
/// Looked up once: OpenSSL 3 searches its providers, under a lock, each time EVP_sha256() is used.
const EVP_MD* algorithm() {
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kAlgorithm;
}

}  // namespace

Sha256::Sha256() : state_(std::make_unique<State>()) { must(EVP_DigestInit_ex(state_->context, algorithm(), nullptr)); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) { must(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size())); }

Digest Sha256::finish() {
  Digest digest;
  unsigned length = 0;
  must(EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(digest.bytes.data()), &length));
  must(EVP_DigestInit_ex(state_->context, algorithm(), nullptr));
  return digest;
}

Digest Sha256::of(ByteView bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.finish();
}

}  // namespace waybill
