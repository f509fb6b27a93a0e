// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/report.hpp"

#include <filesystem>
#include <vector>

namespace waybill::report {

/// What goes into an evidence package beside the manifests.
struct PackageOptions {
  std::filesystem::path folder;                ///< must not exist; the package appears there when it is whole
  std::filesystem::path sign;                  ///< private key that signs the list of files; empty: not signed
  std::vector<std::filesystem::path> include;  ///< rules, decisions, policies, tables that the manifests were made with
};

/// Throws RunError(Exit::usage) for what can never become a package: an existing folder, a manifest from standard
/// input. To be called before the manifests are read.
void check_package(const Options& options, const PackageOptions& package);

/// Writes a folder with which an auditor can check the project with zstd, sha256sum, openssl and jq alone: the
/// manifests byte for byte, the report, rules, samples, the keys of `options`, SHA256SUMS with its signature, README.md
/// and verify.sh. Everything is on disk when it returns; what was begun is removed when it throws. Throws RunError:
/// usage for an interrupted manifest or a key file open to others, integrity when a manifest is not the one the report
/// was made from, input for a full disk.
void write_package(const Report& report, const Options& options, const PackageOptions& package);

}  // namespace waybill::report
