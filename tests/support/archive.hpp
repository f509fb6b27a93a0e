// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/peer.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

/// Containers made by the programs everybody makes them with.
namespace waybill::test {

inline void write(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Runs a shell line in `folder`; throws what it printed when it fails.
inline std::string shell(const fs::path& folder, const std::string& line) {
  const TempFolder log;
  const Ran ran = run({"/bin/bash", "-c", "set -e -o pipefail; cd '" + folder.string() + "'; " + line}, log / "log");
  if (ran.exit != 0) throw std::runtime_error(line + ": " + ran.text);
  return ran.text;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

/// `count` small DICOM files of one study in `folder`: sub/0.dcm, sub/1.dcm, … Returns their bytes.
inline std::vector<std::string> make_objects(const fs::path& folder, int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(small_object("1.2.9", "1.2.9.1", "1.2.9.1." + std::to_string(i + 1), static_cast<std::uint16_t>(i)));
    write(folder / "sub" / (std::to_string(i) + ".dcm"), all.back());
  }
  return all;
}

struct Kind {
  const char* name;  ///< of the file, without meaning to us
  const char* type;  ///< content type it must be recognised as
  const char* make;  ///< shell line that packs `sub` into ../NAME
  const char* list;  ///< shell line that lists the members, one a line
};
inline const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"a", "zip", "zip -q -r ../a sub && mv ../a.zip ../a",
       "/usr/bin/python3 -c 'import zipfile;print(\"\\n\".join(zipfile.ZipFile(\"a\").namelist()))'"},
      {"stored", "zip", "zip -q -0 -r ../stored sub && mv ../stored.zip ../stored",
       "/usr/bin/python3 -c 'import zipfile;print(\"\\n\".join(zipfile.ZipFile(\"stored\").namelist()))'"},
      {"b", "tar", "tar cf ../b sub", "tar tf b"},
      {"v7", "tar", "tar --format=v7 -cf ../v7 sub", "tar tf v7"},
      {"pax", "tar", "tar --format=posix -cf ../pax sub", "tar tf pax"},
      {"c", "tar.gz", "tar czf ../c sub", "tar tzf c"},
      {"d", "tar.zst", "tar c sub | zstd -q >../d", "zstd -dc d | tar t"},
      {"e", "tar.bz2", "tar cjf ../e sub", "tar tjf e"},
      {"f", "tar.xz", "tar cJf ../f sub", "tar tJf f"},
  };
  return all;
}

/// Packs `folder`/in/sub as `kind`; the names the packer itself lists, folders left out.
inline std::vector<std::string> pack(const Kind& kind, const fs::path& folder) {
  shell(folder / "in", kind.make);
  auto names = lines_of(shell(folder, kind.list));
  std::erase_if(names, [](const std::string& name) { return name.empty() || name.back() == '/'; });
  return names;
}

}  // namespace waybill::test
