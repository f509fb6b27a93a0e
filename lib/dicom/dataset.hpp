// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "manifest/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::dicom {

/// A tag as one number: group in the high half, element in the low half; compares in the order of PS3.5 7.1.
using Tag = std::uint32_t;
[[nodiscard]] constexpr Tag tag(std::uint16_t group, std::uint16_t element) noexcept {
  return (static_cast<Tag>(group) << 16U) | element;
}
/// "0010,0020", upper-case hex.
[[nodiscard]] std::string to_string(Tag tag);

/// Value representation as its two letters, e.g. Vr{'P','N'}; 0 when not known (PS3.5 6.2).
using Vr = std::uint16_t;
[[nodiscard]] constexpr Vr vr(char a, char b) noexcept {
  return static_cast<Vr>((static_cast<unsigned char>(a) << 8U) | static_cast<unsigned char>(b));
}
[[nodiscard]] constexpr Vr vr(const char (&name)[3]) noexcept { return vr(name[0], name[1]); }

enum class NodeKind : std::uint8_t { element, sequence, item, fragments };

struct Encoding {
  bool explicit_vr = true;
  bool big_endian = false;
  bool operator==(const Encoding&) const = default;
};

/// One element, item or fragment sequence on the tape of a Dataset. Offsets count in Dataset::bytes().
struct Node {
  Tag tag = 0;
  Vr vr = 0;  ///< as stored; from the dictionary for implicit VR
  NodeKind kind = NodeKind::element;
  bool undefined_length = false;
  std::uint32_t next = 0;    ///< index of the first node behind this one and all its children
  std::uint64_t start = 0;   ///< first byte of the header
  std::uint64_t value = 0;   ///< first byte of the value
  std::uint64_t length = 0;  ///< bytes of the value as present, without a sequence delimiter
  std::uint64_t end = 0;     ///< first byte behind the node with its delimiter
  Encoding content;          ///< of a sequence's items; UN holds Implicit VR Little Endian ones (PS3.5 6.2.2)
  bool irregular = false;    ///< its bytes, or those of something in it, must not be copied as they stand
};

/// Bounds a parse keeps; beyond them the object is refused with Fault::limit (hostile input).
struct Limits {
  std::uint32_t depth = 64;
  std::uint32_t nodes = 4'000'000;
  std::uint64_t inflated = std::uint64_t{4} << 30U;  ///< bytes out of a deflated dataset
  bool stop_at_pixels = false;                       ///< end before the pixel data, of which only the header is read
};

/// The header of pixel data that was not read (Limits::stop_at_pixels).
struct PixelHeader {
  Tag tag = 0;
  std::uint64_t value = 0;   ///< offset of the first byte in the dataset
  std::uint32_t length = 0;  ///< 0xFFFFFFFF: fragments
};

/// A parsed dataset: a tape of nodes over bytes it does not own (kept alive by the caller). No copies of values.
/// Immutable after parsing, so const use from several threads is fine.
class Dataset {
 public:
  [[nodiscard]] ByteView bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] Encoding encoding() const noexcept { return encoding_; }
  /// Bytes from the start to behind the last whole element.
  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }

  /// Whether bytes in it must not be copied as they stand (Node::irregular).
  [[nodiscard]] bool is_irregular() const noexcept;

  /// Set when the parse ended before pixel data.
  [[nodiscard]] const std::optional<PixelHeader>& pixel_header() const noexcept { return pixel_header_; }

  /// The first top-level element with this tag, nullptr when absent.
  [[nodiscard]] const Node* find(Tag tag) const noexcept;
  [[nodiscard]] std::uint32_t index_of(const Node& node) const noexcept {
    return static_cast<std::uint32_t>(&node - nodes_.data());
  }
  [[nodiscard]] ByteView value(const Node& node) const noexcept { return bytes_.subspan(node.value, node.length); }
  /// Raw text of a top-level element without trailing padding, not yet decoded; nullopt when absent.
  [[nodiscard]] std::optional<std::string_view> raw_text(Tag tag) const noexcept;
  /// Text decoded to UTF-8 by the effective Specific Character Set (0008,0005) and trimmed by its VR.
  [[nodiscard]] std::optional<std::string> text(Tag tag) const;
  /// First value of a US, SS, UL, SL or IS element.
  [[nodiscard]] std::optional<std::int64_t> integer(Tag tag) const;

 private:
  friend class Parser;
  ByteView bytes_;
  std::vector<Node> nodes_;
  Encoding encoding_;
  std::uint64_t end_ = 0;
  std::optional<PixelHeader> pixel_header_;
};

/// Appends a finding, or replaces a milder one: one object lists each code once. `offset` counts in the dataset; of
/// `raw`, the bytes it speaks of, the first 64 are kept.
void add_finding(std::vector<manifest::Finding>& findings, std::string_view code, manifest::Severity severity, Tag tag,
                 std::string detail, std::optional<std::uint64_t> offset = std::nullopt, ByteView raw = {});

/// Whether the VR has a 32-bit length in explicit encodings (PS3.5 7.1.2).
[[nodiscard]] bool has_long_length(Vr vr) noexcept;
[[nodiscard]] bool is_known_vr(Vr vr) noexcept;

/// Parses a bare dataset in a known encoding, forgiving what readers must forgive (PS3.5 7); each deviation is a
/// finding. Truncation gives what was whole plus finding ENC-LENOVER. `findings` is appended to.
[[nodiscard]] Result<Dataset> parse_dataset(ByteView bytes, Encoding encoding, std::vector<manifest::Finding>& findings,
                                            const Limits& limits = {});

}  // namespace waybill::dicom
