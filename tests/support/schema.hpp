// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace waybill::test {

/// What the published schema of manifests does not allow in the lines of this one, or does not know; "" when nothing.
/// Only what the public programs say: zstd, python3-jsonschema and the file that is shipped.
inline std::string against_schema(const std::filesystem::path& manifest) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  if (source == nullptr) return "WAYBILL_SOURCE is not set";
  const std::string root(source);
  const std::string command = "zstdcat '" + manifest.string() + "' | '" + root + "/tests/support/check-schema' '" +
                              root + "/manifests/manifest.schema.json' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "no pipe";
  std::string out;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), n);
  const int status = pclose(pipe);
  return status == 0 ? out : out + "the check ended with status " + std::to_string(status);
}

}  // namespace waybill::test
