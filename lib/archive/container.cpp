// SPDX-License-Identifier: Apache-2.0
#include "archive/container.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace waybill::archive {
namespace {

using namespace std::string_view_literals;

struct Magic {
  Container container;
  std::string_view bytes;
};
constexpr std::array kMagics = {
    Magic{Container::zip, "PK\x03\x04"sv},
    Magic{Container::zip, "PK\x05\x06"sv},
    Magic{Container::zip, "PK\x07\x08PK"sv},
    Magic{Container::gzip, "\x1F\x8B\x08"sv},
    Magic{Container::zstd, "\x28\xB5\x2F\xFD"sv},
    Magic{Container::xz,
          "\xFD"
          "7zXZ\0"sv},
};
constexpr std::string_view kBzip2Block = "1AY&SY";          // pi, begins every block
constexpr std::string_view kBzip2Empty = "\x17rE8P\x90"sv;  // its square root ends the stream

bool is_bzip2(std::string_view head) {
  return head.size() >= 10 && head.starts_with("BZh") && head[3] >= '1' && head[3] <= '9' &&
         (head.substr(4, 6) == kBzip2Block || head.substr(4, 6) == kBzip2Empty);
}

/// An octal field of a tar header (POSIX ustar), spaces and NULs around it.
std::int64_t octal(std::string_view field) {
  while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
  std::int64_t value = -1;
  for (const char c : field) {
    if (c < '0' || c > '7') break;
    value = (value < 0 ? 0 : value) * 8 + (c - '0');
  }
  return value;
}

/// Old tar files have no magic; the checksum of the header proves any of them.
bool is_tar(std::string_view head) {
  if (head.size() < kSniff || head[0] == '\0') return false;
  std::int64_t sum = std::int64_t{8} * ' ';  // the checksum's own field counts as spaces
  std::int64_t signed_sum = sum;
  for (std::size_t i = 0; i < kSniff; ++i) {
    if (i >= 148 && i < 156) continue;
    sum += static_cast<unsigned char>(head[i]);
    signed_sum += static_cast<signed char>(head[i]);  // what some old programs added up
  }
  const std::int64_t stored = octal(head.substr(148, 8));
  return stored == sum || stored == signed_sum;
}

}  // namespace

Container container_of(ByteView head) noexcept {
  const std::string_view text = as_text(head);
  if (text.size() >= 132 && text.substr(128, 4) == "DICM") return Container::none;
  for (const Magic& magic : kMagics) {
    if (text.starts_with(magic.bytes)) return magic.container;
  }
  if (is_bzip2(text)) return Container::bzip2;
  return is_tar(text) ? Container::tar : Container::none;
}

std::string_view to_string(Container container) noexcept {
  switch (container) {
    case Container::none: break;
    case Container::zip: return "zip";
    case Container::tar: return "tar";
    case Container::gzip: return "gzip";
    case Container::bzip2: return "bzip2";
    case Container::xz: return "xz";
    case Container::zstd: return "zstd";
  }
  return "none";
}

ZipEnd zip_end(ByteView tail) noexcept {
  const std::string_view text = as_text(tail);
  for (std::size_t at = text.rfind("PK\x05\x06"sv); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : text.rfind("PK\x05\x06"sv, at - 1)) {
    const bool whole = at + 22 <= text.size() && at + 22 + load_u16(tail.data() + at + 20) <= text.size();
    const std::byte* p = tail.data() + at;
    if (whole) return {true, load_u16(p + 10), load_u32(p + 12), load_u32(p + 16)};
  }
  return {};
}

}  // namespace waybill::archive
