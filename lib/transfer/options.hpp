// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/version.hpp"
#include "net/association.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace waybill::transfer {

/// Settings of every stage between a manifest and a peer.
struct Options {
  std::filesystem::path manifest;  ///< what to work on; "-" is standard input
  std::filesystem::path output;    ///< the manifest to write
  std::string calling = "WAYBILL";
  unsigned associations = 4;
  bool restart = false;
  net::Timeouts timeouts;
  std::function<void(std::uint64_t objects, std::uint64_t bytes, std::uint64_t exceptions)> progress;  ///< any thread
};

}  // namespace waybill::transfer
