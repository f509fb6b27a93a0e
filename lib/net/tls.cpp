// SPDX-License-Identifier: Apache-2.0
#include "net/tls.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "net/tls_check.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <sys/stat.h>
#include <csignal>
#include <mutex>
#include <set>

namespace waybill::net {

namespace {

// Forward secrecy and authenticated encryption alone (RFC 9325 4.2); the suites of TLS 1.3 all are.
constexpr const char* kSuites = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!PSK:!SRP";
constexpr const char* kModifiedSuites =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256";
constexpr const char* kModifiedSuites13 = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256";

[[noreturn]] void refuse(const std::string& what) { throw RunError(Exit::usage, what); }

std::string name_of(const std::filesystem::path& path) { return path_to_text(path.native()); }

void check_key_rights(const std::filesystem::path& key) {
  struct stat info {};
  if (::stat(key.c_str(), &info) != 0) refuse("the TLS key " + name_of(key) + " cannot be read; check its name");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    refuse("the TLS key " + name_of(key) + " may be read by others than its owner; run chmod 600 on it");
  }
}

/// There is nobody to ask for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

void load_own(ssl_ctx_st* context, const TlsOptions& options) {
  if (options.certificate.empty() && options.key.empty()) return;
  if (options.certificate.empty() || options.key.empty()) refuse("--tls-cert and --tls-key belong together; give both");
  check_key_rights(options.key);
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1)
    refuse("the TLS certificate " + name_of(options.certificate) + " cannot be read: " + openssl_reason());
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1)
    refuse("the TLS key " + name_of(options.key) + " cannot be used: " + openssl_reason() +
           "; it must be PEM, without a passphrase, and belong to the certificate");
  if (SSL_CTX_check_private_key(context) != 1) refuse("the TLS key does not belong to the certificate");
}

void load_authorities(ssl_ctx_st* context, const TlsOptions& options) {
  if (options.authorities.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else {
    const bool folder = std::filesystem::is_directory(options.authorities);
    const int loaded = folder ? SSL_CTX_load_verify_dir(context, options.authorities.c_str())
                              : SSL_CTX_load_verify_file(context, options.authorities.c_str());
    if (loaded != 1) refuse("the TLS authorities " + name_of(options.authorities) + " cannot be read");
  }
  if (options.revocations.empty()) return;
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, options.revocations.c_str(), X509_FILETYPE_PEM) < 1)
    refuse("the TLS revocation list " + name_of(options.revocations) + " cannot be read");
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
}

void configure(ssl_ctx_st* context, const TlsOptions& options) {
  const bool modified = options.modified_profile;
  SSL_CTX_set_security_level(context, 2);
  const bool set = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(context, modified ? kModifiedSuites : kSuites) == 1 &&
                   (!modified || SSL_CTX_set_ciphersuites(context, kModifiedSuites13) == 1);
  if (!set) throw RunError(Exit::internal, "OpenSSL does not have the suites of the profile: " + openssl_reason());
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  load_own(context, options);
  load_authorities(context, options);
}

}  // namespace

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return text == nullptr ? "unknown reason" : text;
}

Validity validity_of(const x509_st* certificate, std::string_view whose) {
  int days = 0, seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1) return {};
  const std::string name(whose);
  if (days < 0 || seconds < 0) return {true, name + " has ended"};
  if (days >= kWarnDays) return {};
  return {false, name + " ends in " + std::to_string(days) + " days; have it renewed"};
}

struct Tls::Said {
  std::mutex mutex;
  std::set<std::string> texts;
};

Tls::Tls(TlsOptions options) : options_(std::move(options)), said_(std::make_unique<Said>()) {}

Tls::~Tls() { SSL_CTX_free(context_); }

/// Takes the context over and gives it all settings.
void Tls::take(ssl_ctx_st* context) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  context_ = context;
  if (context == nullptr) throw RunError(Exit::internal, "OpenSSL cannot be set up: " + openssl_reason());
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  configure(context, options_);
  const X509* own = SSL_CTX_get0_certificate(context);
  if (own == nullptr) return;
  const Validity validity = validity_of(own, "our TLS certificate " + name_of(options_.certificate));
  if (validity.ended) refuse(validity.text + "; have it renewed");
  if (!validity.text.empty()) warn(validity.text);
}

std::shared_ptr<const Tls> Tls::make(TlsOptions options) {
  std::shared_ptr<Tls> tls(new Tls(std::move(options)));
  tls->take(SSL_CTX_new(TLS_client_method()));
  return tls;
}

std::shared_ptr<const Tls> Tls::make_server(TlsOptions options, Clients clients) {
  std::shared_ptr<Tls> tls(new Tls(std::move(options)));
  if (tls->options_.certificate.empty())
    refuse("who takes TLS connections needs a certificate; give --tls-cert and --tls-key");
  tls->take(SSL_CTX_new(TLS_server_method()));
  const bool certified = clients == Clients::certified;
  SSL_CTX_set_verify(tls->context_, certified ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
                     nullptr);
  SSL_CTX_set_options(tls->context_, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_dh_auto(tls->context_, 1);
  SSL_CTX_set_session_cache_mode(tls->context_, SSL_SESS_CACHE_OFF);  // every connection proves itself anew
  return tls;
}

void Tls::apply(ssl_ctx_st* context, const std::string& host) const {
  configure(context, options_);
  const std::string& name = options_.server_name.empty() ? host : options_.server_name;
  X509_VERIFY_PARAM* wanted = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) != 1 &&
      X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size()) != 1)
    throw RunError(Exit::usage, "'" + name + "' is no name a certificate can be for");
}

void Tls::look_at(const ssl_st* connection, const std::string& whose) const {
  const X509* theirs = SSL_get0_peer_certificate(connection);
  if (theirs == nullptr) return;
  const Validity validity = validity_of(theirs, "the TLS certificate of " + whose);
  if (!validity.text.empty()) warn(validity.text);
}

void Tls::warn(const std::string& text) const {
  if (!options_.warn) return;
  {
    const std::lock_guard lock(said_->mutex);
    if (!said_->texts.insert(text).second) return;
  }
  options_.warn(text);
}

}  // namespace waybill::net
