// SPDX-License-Identifier: Apache-2.0
#include "pixel/codec.hpp"
#include "pixel/encapsulated.hpp"
#include "pixel/limits.hpp"

namespace waybill::pixel {
namespace {

/// Frame and scan header of a JPEG family stream (T.81 B.2, T.87 C.2).
void sniff_jpeg(ByteView b, Sniffed& out) noexcept {
  std::size_t at = 2;
  while (at + 4 <= b.size() && b[at] == std::byte{0xFF}) {
    const auto marker = std::to_integer<unsigned>(b[at + 1]);
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    const std::size_t length = load_u16(b.data() + at + 2, true);
    if (length < 2 || at + 2 + length > b.size()) return;
    const ByteView s = b.subspan(at + 4, length - 2);
    const bool frame =
        (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) || marker == 0xF7;
    if (frame && s.size() >= 6) {
      out.header = at;
      out.precision = std::to_integer<int>(s[0]);
      out.rows = load_u16(s.data() + 1, true);
      out.columns = load_u16(s.data() + 3, true);
      out.components = std::to_integer<int>(s[5]);
      switch (marker) {
        case 0xC0: out.kind = "jpeg-baseline"; break;
        case 0xC1: out.kind = "jpeg-extended"; break;
        case 0xC2: out.kind = "jpeg-progressive"; break;
        case 0xC3: out.kind = "jpeg-lossless"; break;
        case 0xF7: out.kind = "jpeg-ls"; break;
        default: out.kind = "jpeg-other"; break;
      }
      for (std::size_t c = 1; c < static_cast<std::size_t>(out.components) && 7 + 3 * c < s.size(); ++c)
        out.subsampled = out.subsampled || s[7 + 3 * c] != s[7];
      out.lossy = marker == 0xC0 || marker == 0xC1 || marker == 0xC2;
    }
    if (marker == 0xE0 && s.size() >= 5 && as_text(s.first(4)) == "JFIF") out.jfif = true;
    if (marker == 0xEE && s.size() >= 12 && as_text(s.first(5)) == "Adobe") {
      out.adobe = true;
      out.adobe_transform = std::to_integer<int>(s[11]);
    }
    if (marker == 0xF8 && !s.empty() && s[0] == std::byte{1}) out.presets = true;
    if (marker == 0xDA) {
      const std::size_t selector = s.empty() ? 0 : 1 + 2 * std::to_integer<std::size_t>(s[0]);
      if (selector < s.size()) {
        if (out.kind == "jpeg-lossless") out.predictor = std::to_integer<int>(s[selector]);
        if (out.kind == "jpeg-ls") out.near = std::to_integer<int>(s[selector]);
        out.lossy = out.lossy || out.near > 0;
      }
      return;
    }
    at += 2 + length;
  }
}

/// A COC segment, which describes one component apart, asks for the 9-7 wavelet.
bool is_irreversible(ByteView coc, int components) noexcept {
  const std::size_t transform = (components < 257 ? 1U : 2U) + 5U;
  return transform < coc.size() && coc[transform] == std::byte{0};
}

/// SIZ, CAP, COD and COC of a JPEG 2000 codestream (T.800 Annex A).
void sniff_j2k(ByteView b, Sniffed& out) noexcept {
  out.kind = "jpeg-2000";
  std::size_t at = 2;
  while (at + 4 <= b.size()) {
    const unsigned marker = load_u16(b.data() + at, true);
    const std::size_t length = load_u16(b.data() + at + 2, true);
    if (marker == 0xFF90 || length < 2 || at + 2 + length > b.size()) return;
    const ByteView s = b.subspan(at + 4, length - 2);
    if (marker == 0xFF51 && s.size() >= 37) {
      out.header = at;
      out.columns = load_u32(s.data() + 2, true) - load_u32(s.data() + 10, true);
      out.rows = load_u32(s.data() + 6, true) - load_u32(s.data() + 14, true);
      out.components = load_u16(s.data() + 34, true);
      out.precision = (std::to_integer<int>(s[36]) & 0x7F) + 1;
      out.is_signed = (s[36] & std::byte{0x80}) != std::byte{0};
    }
    if (marker == 0xFF50) out.kind = "htj2k";
    if (marker == 0xFF52 && s.size() >= 10) {
      out.lossy = out.lossy || s[9] == std::byte{0};
      out.progression = std::to_integer<int>(s[1]);
      out.multi_component = s[4] == std::byte{1};
    }
    if (marker == 0xFF53) out.lossy = out.lossy || is_irreversible(s, out.components);
    at += 2 + length;
  }
}

/// The header of an RLE frame (PS3.5 G.5). Segments begin right behind it; where they begin later, the whole header has
/// to make sense.
bool is_rle(ByteView b) noexcept {
  if (b.size() < 64) return false;
  const std::uint32_t segments = load_u32(b.data());
  if (segments < 1 || segments > 15) return false;
  std::uint32_t last = load_u32(b.data() + 4);
  if (last == 64) return true;
  if (last < 64) return false;
  for (std::uint32_t i = 2; i <= 15; ++i) {
    const std::uint32_t offset = load_u32(b.data() + std::size_t{4} * i);
    if (i <= segments ? offset <= last : offset != 0) return false;
    if (i <= segments) last = offset;
  }
  return true;
}

}  // namespace

std::optional<ByteView> up_to_end_marker(ByteView b) noexcept {
  const std::size_t stop = b.size() > 64 ? b.size() - 64 : 0;
  for (std::size_t at = b.size(); at >= stop + 2; --at) {
    if (load_u16(b.data() + at - 2, true) == 0xFFD9) return b.first(at);
  }
  return std::nullopt;
}

std::string true_syntax(const Sniffed& seen) {
  const std::string jpeg = "1.2.840.10008.1.2.4.";
  if (seen.kind == "jpeg-baseline") return jpeg + "50";
  if (seen.kind == "jpeg-extended") return jpeg + "51";
  if (seen.kind == "jpeg-progressive") return jpeg + "55";
  if (seen.kind == "jpeg-lossless") return jpeg + (seen.predictor == 1 ? "70" : "57");
  if (seen.kind == "jpeg-ls") return jpeg + (seen.near > 0 ? "81" : "80");
  if (seen.kind == "jpeg-2000") return jpeg + (seen.lossy ? "91" : "90");
  if (seen.kind == "htj2k") return jpeg + (seen.lossy ? "203" : "201");
  if (seen.kind == "rle") return "1.2.840.10008.1.2.5";
  return {};
}

Sniffed sniff(ByteView codestream) noexcept {
  Sniffed out;
  out.kind = "unknown";
  ByteView b = trim_codestream(codestream);
  if (b.size() < 4) return out;
  std::size_t boxes = 0;
  out.ended = up_to_end_marker(b).has_value();
  if (b.size() >= 12 && as_text(b.subspan(4, 4)) == "jP  ") {
    out.boxed = true;
    const ByteView inner = j2k_codestream(b);
    if (inner.size() < 4) return out;
    boxes = static_cast<std::size_t>(inner.data() - b.data());
    b = inner;
  }
  const unsigned start = load_u16(b.data(), true);
  if (start == 0xFFD8)
    sniff_jpeg(b, out);
  else if (start == 0xFF4F)
    sniff_j2k(b, out);
  else if (start == 0xFF0A || (b.size() >= 12 && as_text(b.subspan(4, 4)) == "JXL "))
    out.kind = "jxl";
  else if (is_rle(b))
    out.kind = "rle";
  if (out.header != 0) out.header += boxes;
  return out;
}

}  // namespace waybill::pixel
