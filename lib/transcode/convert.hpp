// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/changes.hpp"
#include "manifest/record.hpp"
#include "transcode/codecs.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::transcode {

/// What --to takes: "keep" and the targets that can be encoded here, in the order of the documentation.
[[nodiscard]] std::vector<std::string> target_names();

/// What is asked for one object.
struct Order {
  std::string syntax;        ///< transfer syntax to write, "" keeps the source's
  bool keep_larger = false;  ///< an encoding that is not smaller than the source's is kept all the same
};
/// The transfer syntax of one of target_names(), "" for "keep".
[[nodiscard]] std::string syntax_of(std::string_view name);

/// Bytes to stage and how they came about.
struct Converted {
  ByteView file;                       ///< in the source's bytes or in `memory`
  std::shared_ptr<const void> memory;  ///< goes before the Codecs of the converter
  std::string transfer_syntax;
  std::string codec = "none";
  std::string outcome;                ///< "copied", "rewritten", "transcoded", "kept-source"
  std::optional<Fault> fault;         ///< of that reason
  std::string reason;                 ///< why the source's pixel bytes were kept although another syntax was asked for
  dicom::Changes changes;             ///< what was asked for and what the conversion itself needed
  std::vector<dicom::Former> former;  ///< what the changed elements were
  bool changed = false;               ///< the dataset is not the source's any more
  bool icons = false;                 ///< icons were decoded
  bool undoable = true;               ///< `former` gives back DS1 of the source; not where large icons were decoded

  /// Makes `bytes` the file.
  void hold(Bytes bytes);
};

/// Pixels as they are written: frames behind the header of their element.
struct Pixels;

/// Converts parsed objects (PS3.5 8.2; docs/transcoding.md says what is converted and what is carried). Any thread, as
/// far as `codecs` allows it.
class Converter {
 public:
  /// `codecs` must outlive the converter. Objects of more decoded bytes than `apart` are worked on in parts, in
  /// parallel. Without `proves` nothing will be asked of prove().
  explicit Converter(Codecs& codecs, dicom::Provenance provenance = {}, std::uint64_t apart = kApart,
                     bool proves = true);

  /// `source` are the bytes of `file`. Lossy and video codestreams are never re-encoded. Fails only when the changes
  /// cannot be applied.
  [[nodiscard]] Result<Converted> convert(ByteView source, const dicom::File& file, const Order& order,
                                          const dicom::Changes& changes) const;
  /// Like convert() but with the source's pixel bytes whatever was asked: the fallback after a failed proof.
  [[nodiscard]] Result<Converted> carry(ByteView source, const dicom::File& file, const dicom::Changes& changes) const;

  /// Where to read a source into.
  [[nodiscard]] std::unique_ptr<Buffer> buffer() const { return codecs_.buffer(); }

  /// What proves a written file: digests of it, or why it is not equal to its source.
  struct Proof {
    std::string dataset_sha256;
    std::string verified_by;  ///< decoder of the written pixels
  };
  /// Parses and decodes `written` (as read back from disk) and compares DS1 and what PIX1 is made of (CSTR where
  /// nothing can be decoded) with the source. A changed dataset must hold the new values, and undoing the changes must
  /// give DS1 of the source.
  [[nodiscard]] Result<Proof> prove(const dicom::File& source, ByteView written, const Converted& converted) const;

  static constexpr std::uint64_t kApart = std::uint64_t{8} << 20U;

 private:
  [[nodiscard]] Result<Encoded> encode(const pixel::PixelData& data, const std::string& syntax) const;
  [[nodiscard]] Result<std::string> compare(const pixel::PixelData& source, const pixel::PixelData& written) const;
  [[nodiscard]] Result<std::string> same_pixels(const dicom::File& source, const dicom::File& written) const;
  [[nodiscard]] Result<Pixels> reencode(const dicom::File& file, pixel::PixelData data, const Order& order,
                                        dicom::Rewrite& rewrite, Converted& out) const;
  [[nodiscard]] Result<Converted> write(ByteView source, const dicom::File& file, dicom::Rewrite rewrite, Converted out,
                                        const Pixels* pixels = nullptr) const;
  [[nodiscard]] Result<Bytes> unpack(pixel::PixelData& data) const;
  [[nodiscard]] Result<Done> put_together(const dicom::File& file, const dicom::Rewrite& rewrite, const Pixels& pixels,
                                          Converted& out) const;

  Codecs& codecs_;
  dicom::Provenance provenance_;
  std::uint64_t apart_;
  bool proves_;
};

}  // namespace waybill::transcode
