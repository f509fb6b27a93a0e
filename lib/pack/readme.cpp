// SPDX-License-Identifier: Apache-2.0
#include "pack/readme.hpp"

#include "core/bytes.hpp"
#include "io/atomic_file.hpp"
#include "pack/sums.hpp"

#include <algorithm>
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

%The files hold patient data: keep them like the archive they were made from.
)";

constexpr std::string_view kSealed =
    R"(Volumes (NAME.sealed) and pack.wb are encrypted with AES-256-GCM. Waybill reads them with --key KEYFILE. scripts/unseal of
its source, twenty lines of Python, writes the plain file of either, to which all of the above applies:
  unseal KEYFILE volume-000001.tar.zst.sealed > volume-000001.tar.zst

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
  write(folder / kSums, sums);
  const bool sealed =
      std::any_of(volumes.begin(), volumes.end(), [](const auto& volume) { return volume.name.ends_with(".sealed"); });
  std::string text(kText);
  text.replace(text.find('%'), 1, sealed ? kSealed : "");
  write(folder / "README.txt", text);
}

}  // namespace waybill::pack
