// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/rewrite.hpp"
#include "manifest/record.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::transcode {

/// Targets of --to and the transfer syntax each writes; "keep" writes the source's.
enum class Target { keep, explicit_le, rle, jpeg_lossless, jpeg_ls };
[[nodiscard]] std::optional<Target> target_from(std::string_view name);
[[nodiscard]] std::vector<std::string> target_names();

/// Bytes to stage and how they came about.
struct Converted {
  Bytes file;
  std::string transfer_syntax;
  std::string codec = "none";
  std::string outcome;  ///< "copied", "rewritten", "transcoded", "kept-source"
  std::string reason;   ///< why the source's pixel bytes were kept although another syntax was asked for
};

/// Converts one parsed object (PS3.5 8.2; docs/transcoding.md says what is converted and what is carried). `source` are
/// its file's bytes. Lossy and video codestreams are never re-encoded. Fails only when edits cannot be applied. Any
/// thread.
[[nodiscard]] Result<Converted> convert(ByteView source, const dicom::File& file, Target target,
                                        const std::vector<manifest::Edit>& edits, const dicom::Provenance& provenance);

/// Like convert() but with the source's pixel bytes whatever was asked: the fallback after a failed proof.
[[nodiscard]] Result<Converted> carry(ByteView source, const dicom::File& file,
                                      const std::vector<manifest::Edit>& edits, const dicom::Provenance& provenance);

/// What proves a written file: digests of it, or why it is not equal to its source.
struct Proof {
  std::string dataset_sha256;
  std::string verified_by;  ///< decoder of the written pixels
};
/// Parses and decodes `written` (as read back from disk) and compares DS1 and PIX1 (CSTR where nothing can be decoded)
/// with the source. With edits, the datasets must differ in exactly the edited attributes and Original Attributes
/// Sequence.
[[nodiscard]] Result<Proof> prove(const dicom::File& source, ByteView written,
                                  const std::vector<manifest::Edit>& edits);

}  // namespace waybill::transcode
