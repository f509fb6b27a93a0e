// SPDX-License-Identifier: Apache-2.0
#include "pack/readme.hpp"

#include "core/bytes.hpp"
#include "io/atomic_file.hpp"

#include <string>

namespace waybill::pack {

namespace {

constexpr std::string_view kText = R"(Backup volumes made by waybill pack

  pack.wb                 what was copied: one record a file, zstd-compressed JSON Lines
  volume-000001.tar.zst   the contents, each once, named by the SHA-256 of its bytes
  SHA256SUMS              of the volumes

With Waybill:
  waybill unpack pack.wb --check              every byte decompressed and compared, nothing written
  waybill unpack pack.wb --to FOLDER          the files under their old names

Without it, with GNU tar, zstd and jq:
  sha256sum -c SHA256SUMS
  for v in volume-*.tar.zst; do tar --zstd -xf "$v" -C CONTENTS; done     # CONTENTS/sha256/ab/ab12...
  zstdcat pack.wb | jq -r 'select(.pack and (.pack.part|not)) | [.pack.sha256, .source.path] | @tsv'
                                                                          # which content is which file
One content alone (offset and length are in the record's member "pack"):
  tail -c +$((OFFSET + 1)) VOLUME | head -c LENGTH | zstd -dc | tail -c +513 | head -c SIZE

The files hold patient data: keep them like the archive they were made from.
)";

void write(const std::filesystem::path& path, std::string_view text) {
  io::AtomicFile file(path);
  file.write(as_bytes(text));
  file.commit();
}

}  // namespace

void write_readme(const std::filesystem::path& folder, const std::vector<manifest::Volume>& volumes) {
  std::string sums;
  for (const auto& volume : volumes) sums += volume.sha256 + "  " + volume.name + "\n";
  write(folder / "SHA256SUMS", sums);
  write(folder / "README.txt", kText);
}

}  // namespace waybill::pack
