// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "manifest/reader.hpp"
#include "support/exits.hpp"
#include "support/temp_folder.hpp"

#include <sys/wait.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

/// A folder for a test, files in it, tools run in it.
namespace waybill::test {

inline void put(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string get(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Ran {
  int exit = -1;
  std::string out;
};
/// Runs a shell command, with its standard output. `$B` are the built tools.
inline Ran shell(const std::string& command) {
  const char* bin = std::getenv("WAYBILL_BIN");
  Ran ran;
  FILE* pipe = popen(("B='" + std::string(bin == nullptr ? "." : bin) + "'; " + command).c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) ran.out.append(buffer.data(), n);
  const int status = pclose(pipe);
  ran.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

inline bool has_tools() {
  const char* bin = std::getenv("WAYBILL_BIN");
  return bin != nullptr && fs::exists(fs::path(bin) / "waybill-scan");
}

/// All lines of a manifest that are records.
inline std::vector<std::string> lines_of(const fs::path& path) {
  manifest::Reader reader(path);
  std::vector<std::string> lines;
  while (const auto line = reader.next_line()) lines.emplace_back(*line);
  return lines;
}

inline std::vector<manifest::Object> objects_of(const fs::path& path) {
  manifest::Reader reader(path);
  std::vector<manifest::Object> objects;
  while (auto record = reader.next()) {
    if (auto* object = std::get_if<manifest::Object>(&*record)) objects.push_back(std::move(*object));
  }
  return objects;
}

inline bool is_complete(const fs::path& path) {
  manifest::Reader reader(path);
  while (reader.next_line()) {
  }
  return reader.end().has_value();
}

inline bool has_finding(const manifest::Object& object, std::string_view code) {
  for (const auto& finding : object.findings) {
    if (finding.code == code) return true;
  }
  return false;
}

}  // namespace waybill::test
