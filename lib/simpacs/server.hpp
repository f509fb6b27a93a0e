// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/tls.hpp"
#include "simpacs/scenario.hpp"

#include <functional>
#include <optional>
#include <string>

namespace waybill::simpacs {

struct Options {
  std::optional<std::filesystem::path> scenario;
  std::optional<std::filesystem::path> store;  ///< keep objects there; none: count and drop them
  std::optional<std::filesystem::path> log;    ///< none: log.jsonl in the store, nothing when objects are dropped
  std::string bind = "127.0.0.1";
  std::uint16_t port = 11112;  ///< 0: the system chooses
  net::TlsOptions tls;         ///< with a certificate: by TLS alone; with authorities: callers must show theirs
};

struct Totals {
  std::uint64_t associations = 0, objects = 0, bytes = 0;
  std::uint64_t instances = 0;  ///< distinct SOP Instance UIDs among the objects received
  std::uint64_t held = 0;       ///< objects on the shelf
};

/// Listens until a stop is asked for. `ready` is told the port when connections are taken. Needs dicom::Toolkit alive.
/// Throws RunError: usage for a wrong scenario, input when port or store cannot be had.
[[nodiscard]] Totals serve(const Options& options, const std::function<void(std::uint16_t port)>& ready);

}  // namespace waybill::simpacs
