// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "manifest/check.hpp"
#include "manifest/reader.hpp"
#include "manifest/writer.hpp"
#include "support/exits.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace waybill::manifest {

namespace fs = std::filesystem;

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "waybill-manifest-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = folder_ / "a.wb";
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
  fs::path file_;
};

inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void spit(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline Header header(std::string options = R"({"deep":true})") {
  return {"scan", "00000000-0000-4000-8000-000000000000", "waybill 0.1.0", "2026-03-01T12:00:00Z", std::move(options),
          {}};
}

inline Object object(int number, Bucket bucket = Bucket::instance) {
  Object o;
  o.source = {"/archive/" + std::to_string(number) + ".dcm", std::nullopt, 0, 1000, "2020-01-01T00:00:00Z"};
  o.id = object_id(o.source);
  o.bucket = bucket;
  return o;
}

inline std::string line(int number) { return R"({"kind":"test","n":)" + std::to_string(number) + "}"; }

/// All lines of a manifest, read to its end.
struct Content {
  std::vector<std::string> lines;
  bool complete = false;
  bool torn = false;
  std::string head;
};
inline Content content(const fs::path& path) {
  Reader reader(path);
  Content c;
  while (const auto l = reader.next_line()) c.lines.emplace_back(*l);
  c.complete = reader.end().has_value();
  c.torn = reader.torn();
  c.head = reader.head();
  return c;
}

using test::exit_of;

struct Ran {
  int exit = -1;
  std::string out;
};
/// Runs a shell command, with its standard output.
inline Ran run(const std::string& command) {
  Ran ran;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) ran.out.append(buffer.data(), n);
  const int status = pclose(pipe);
  ran.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

inline std::string tool() {
  const char* bin = std::getenv("WAYBILL_BIN");
  return std::string(bin == nullptr ? "." : bin) + "/waybill-manifest ";
}

/// A complete manifest of three small frames.
inline void write_small(const fs::path& path) {
  Writer writer(path, header());
  writer.append_record(object(1));
  writer.append_record(object(2, Bucket::non_dicom));
  writer.commit();
  writer.append(line(3));
  writer.finish(R"({"buckets":{"instance":1,"non-dicom":1}})");
}

}  // namespace waybill::manifest
