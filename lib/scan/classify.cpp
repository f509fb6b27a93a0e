// SPDX-License-Identifier: Apache-2.0
#include "scan/classify.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace waybill::scan {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view type;
  std::size_t offset;
  std::string_view bytes;
};
constexpr std::array kMagics = {
    Magic{"gzip", 0, "\x1F\x8B"sv},
    Magic{"zip", 0, "PK\x03\x04"sv},
    Magic{"zip", 0, "PK\x05\x06"sv},
    Magic{"bzip2", 0, "BZh"sv},
    Magic{"zstd", 0, "\x28\xB5\x2F\xFD"sv},
    Magic{"xz", 0,
          "\xFD"
          "7zXZ\0"sv},
    Magic{"tar", 257, "ustar"sv},
    Magic{"7z", 0, "7z\xBC\xAF\x27\x1C"sv},
    Magic{"rar", 0, "Rar!\x1A\x07"sv},
    Magic{"compress", 0, "\x1F\x9D"sv},
    Magic{"lzip", 0, "LZIP\x01"sv},
    Magic{"lz4", 0, "\x04\x22\x4D\x18"sv},
    Magic{"iso9660", 32769, "CD001"sv},
    Magic{"jpeg", 0, "\xFF\xD8\xFF"sv},
    Magic{"jpeg-ls", 0, "\xFF\xD8\xFF\xF7"sv},
    Magic{"jp2", 0, "\0\0\0\x0CjP  "sv},
    Magic{"j2k", 0, "\xFF\x4F\xFF\x51"sv},
    Magic{"tiff", 0, "II*\0"sv},
    Magic{"tiff", 0, "MM\0*"sv},
    Magic{"png", 0, "\x89PNG"sv},
    Magic{"pdf", 0, "%PDF"sv},
    Magic{"bmp", 0, "BM"sv},
    Magic{"gif", 0, "GIF8"sv},
    Magic{"avi", 8, "AVI "sv},
    Magic{"mp4", 4, "ftyp"sv},
    Magic{"ole", 0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv},
    Magic{"hl7", 0, "MSH|"sv},
    Magic{"hl7", 0, "\x0BMSH|"sv},
    Magic{"xml", 0, "<?xml"sv},
    Magic{"sqlite", 0, "SQLite format 3"sv},
    Magic{"executable", 0, "MZ"sv},
    Magic{"executable", 0,
          "\x7F"
          "ELF"sv},
};

bool is_text(std::string_view start) {
  return std::all_of(start.begin(), start.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x20 || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\x1B';
  });
}

}  // namespace

bool is_unread_container(std::string_view type) noexcept {
  static constexpr std::array kTypes = {"7z"sv, "rar"sv, "compress"sv, "lzip"sv, "lz4"sv, "iso9660"sv};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

std::string content_type(ByteView file, std::string_view name) {
  if (std::all_of(file.begin(), file.end(), [](std::byte b) { return b == std::byte{0}; })) return "zeros";
  const std::string_view text = as_text(file);
  for (const Magic& magic : kMagics) {
    if (text.size() >= magic.offset + magic.bytes.size() &&
        text.substr(magic.offset, magic.bytes.size()) == magic.bytes) {
      return std::string(magic.type == "ole" && name == "Thumbs.db" ? "thumbs-db" : magic.type);
    }
  }
  const std::string_view start = text.substr(0, 4096);
  if (is_text(start)) return "text";
  return "unknown";
}

}  // namespace waybill::scan
