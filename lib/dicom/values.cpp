// SPDX-License-Identifier: Apache-2.0
// Values of a parsed dataset, read where they stand.
#include "core/text.hpp"
#include "dicom/charset.hpp"
#include "dicom/dataset.hpp"

#include <charconv>

namespace waybill::dicom {

bool Dataset::is_irregular() const noexcept {
  for (std::uint32_t i = 0; i < nodes_.size(); i = nodes_[i].next) {
    if (nodes_[i].irregular) return true;
    if (nodes_[i].next <= i) return false;
  }
  return false;
}

const Node* Dataset::find(Tag wanted) const noexcept {
  for (std::uint32_t i = 0; i < nodes_.size(); i = nodes_[i].next) {
    if (nodes_[i].tag == wanted) return &nodes_[i];
    if (nodes_[i].next <= i) return nullptr;
  }
  return nullptr;
}

std::optional<std::string_view> Dataset::raw_text(Tag wanted) const noexcept {
  const Node* node = find(wanted);
  if (node == nullptr || node->kind != NodeKind::element) return std::nullopt;
  std::string_view text = as_text(value(*node));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  return text;
}

std::optional<std::string> Dataset::text(Tag wanted) const {
  const auto raw = raw_text(wanted);
  if (!raw) return std::nullopt;
  // Every character set has ASCII in its place but for the backslash and tilde of ISO_IR 13 and, after ESC, ISO 2022.
  if (is_ascii(*raw) && raw->find_first_of("\x1B\\~") == std::string_view::npos) return std::string(trim(*raw));
  const auto terms = raw_text(tag(0x0008, 0x0005));
  const Charset charset = Charset::from_terms(terms.value_or(""));
  const std::string decoded = charset.decode_for_display(*raw);
  return std::string(trim(decoded));
}

std::optional<std::int64_t> Dataset::integer(Tag wanted) const {
  const Node* node = find(wanted);
  if (node == nullptr || node->kind != NodeKind::element || node->length == 0) return std::nullopt;
  const ByteView v = value(*node);
  const bool big = encoding_.big_endian;
  const Vr kind = node->vr;
  if ((kind == vr("US") || kind == vr("xs")) && v.size() >= 2) return load_u16(v.data(), big);
  if (kind == vr("SS") && v.size() >= 2) return static_cast<std::int16_t>(load_u16(v.data(), big));
  if (kind == vr("UL") && v.size() >= 4) return load_u32(v.data(), big);
  if (kind == vr("SL") && v.size() >= 4) return static_cast<std::int32_t>(load_u32(v.data(), big));
  if (kind == vr("UN") && v.size() == 2) return load_u16(v.data(), false);
  std::string_view text = as_text(v);
  text = trim(text.substr(0, text.find('\\')));
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace waybill::dicom
