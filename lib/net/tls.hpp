// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace waybill::net {

/// How a connection is secured: the BCP 195 RFC 8996, 9325 profile (PS3.15 B.12), TLS 1.3 preferred, never below 1.2,
/// 112 bits of strength at least, no compression, no renegotiation.
struct TlsOptions {
  std::filesystem::path certificate;  ///< ours, PEM with its chain; empty: none is shown
  std::filesystem::path key;          ///< PEM, readable by its owner alone
  std::filesystem::path authorities;  ///< PEM file or hashed folder; empty: the system's
  std::filesystem::path revocations;  ///< PEM file of CRLs; empty: none is asked for
  std::string server_name;            ///< what the peer's certificate must be for; empty: the host of the address
  bool modified_profile = false;      ///< the Modified profile (B.13): ECDHE or DHE with AES-GCM alone
  std::function<void(const std::string&)> warn;  ///< certificates that end soon; any thread, each text once
};

/// The settings, read and checked once, for any number of connections. Immutable; any thread.
class Tls {
 public:
  /// Throws RunError(Exit::usage) for files that cannot be read, do not fit together, have ended, or a key that others
  /// may read.
  [[nodiscard]] static std::shared_ptr<const Tls> make(TlsOptions options);
  /// The same for those that call us: our certificate is needed, and `clients` says whether they must show theirs.
  enum class Clients { any, certified };
  [[nodiscard]] static std::shared_ptr<const Tls> make_server(TlsOptions options, Clients clients);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  [[nodiscard]] ssl_ctx_st* context() const noexcept { return context_; }
  /// Gives a context that another library made the same settings, for connections to `host` alone (or to the name of
  /// the options). Throws RunError as make() does.
  void apply(ssl_ctx_st* context, const std::string& host) const;
  /// Warns when the certificate that the other side of a connection showed ends soon; `whose` names it.
  void look_at(const ssl_st* connection, const std::string& whose) const;
  [[nodiscard]] const TlsOptions& options() const noexcept { return options_; }
  void warn(const std::string& text) const;

 private:
  explicit Tls(TlsOptions options);
  void take(ssl_ctx_st* context);
  struct Said;
  TlsOptions options_;
  ssl_ctx_st* context_ = nullptr;
  std::unique_ptr<Said> said_;
};

/// A certificate that ends within this many days is warned of.
inline constexpr int kWarnDays = 30;

}  // namespace waybill::net
