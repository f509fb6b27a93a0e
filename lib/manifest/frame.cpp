// SPDX-License-Identifier: Apache-2.0
#include "manifest/frame.hpp"

#include "core/json.hpp"
#include "core/result.hpp"

#include <zstd.h>
#include <zstd_errors.h>
#include <memory>

namespace waybill::manifest {
namespace {

constexpr std::uint32_t kFrameMagic = 0xFD2FB528U;
constexpr std::uint32_t kSealMagic = 0x184D2A5DU;
constexpr std::uint32_t kTableMagic = 0x184D2A5EU;
constexpr std::uint32_t kSeekableMagic = 0x8F92EAB1U;
constexpr std::string_view kSealName = "waybill1";
constexpr int kLevel = 3;
constexpr std::size_t kSkippableHead = 8;
constexpr std::size_t kTableEntry = 8;
constexpr std::size_t kTableFoot = 9;
constexpr std::size_t kSealBytes = kSkippableHead + 8 + 32;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

std::size_t must(std::size_t result) {
  if (ZSTD_isError(result) != 0U) {
    throw RunError(Exit::internal,
                   std::string("zstd refused to compress a manifest frame: ") + ZSTD_getErrorName(result));
  }
  return result;
}

}  // namespace

ByteView encode_frame(std::string_view content, io::Scratch& memory) {
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (!context) throw RunError(Exit::internal, "no memory for a zstd context; use a machine with more memory");
  must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel));
  must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
  must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 1));
  const std::span<std::byte> out = memory.room(ZSTD_compressBound(content.size()));
  return out.first(must(ZSTD_compress2(context.get(), out.data(), out.size(), content.data(), content.size())));
}

Extent measure_frame(ByteView bytes) noexcept {
  if (bytes.size() < 4) return {Shape::incomplete, 0};
  const std::uint32_t magic = load_u32(bytes.data());
  if ((magic & 0xFFFFFFF0U) == 0x184D2A50U) return {Shape::skippable, 0};
  if (magic != kFrameMagic) return {Shape::invalid, 0};
  const std::size_t size = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
  if (ZSTD_isError(size) == 0U) return {Shape::frame, size};
  const bool goes_on =
      ZSTD_getErrorCode(size) == ZSTD_error_srcSize_wrong && bytes.size() < ZSTD_compressBound(kMaxContent);
  return {goes_on ? Shape::incomplete : Shape::invalid, 0};
}

std::optional<std::string> decode_frame(ByteView frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > kMaxContent) return std::nullopt;
  std::string content(static_cast<std::size_t>(size), '\0');
  const std::size_t n = ZSTD_decompress(content.data(), content.size(), frame.data(), frame.size());
  if (ZSTD_isError(n) != 0U || n != content.size()) return std::nullopt;
  return content;
}

std::size_t trailer_size(std::size_t frames) noexcept {
  return kSealBytes + kSkippableHead + kTableEntry * (frames + 1) + kTableFoot;
}

Bytes render_trailer(const std::vector<FrameSize>& frames, const Digest& last) {
  Bytes out;
  out.reserve(trailer_size(frames.size()));
  put_u32(out, kSealMagic);
  put_u32(out, static_cast<std::uint32_t>(kSealBytes - kSkippableHead));
  put_bytes(out, as_bytes(kSealName));
  put_bytes(out, last.bytes);

  put_u32(out, kTableMagic);
  put_u32(out, static_cast<std::uint32_t>(kTableEntry * (frames.size() + 1) + kTableFoot));
  for (const FrameSize& frame : frames) {
    put_u32(out, frame.compressed);
    put_u32(out, frame.content);
  }
  put_u32(out, static_cast<std::uint32_t>(kSealBytes));
  put_u32(out, 0);
  put_u32(out, static_cast<std::uint32_t>(frames.size() + 1));
  out.push_back(std::byte{0});
  put_u32(out, kSeekableMagic);
  return out;
}

std::string block_line(std::uint64_t n, const Digest& prev) {
  JsonWriter w;
  w.begin_object().member("kind", "block").member("n", n).member("prev", prev.hex()).end_object();
  return std::move(w).str();
}

std::string_view kind_of(std::string_view line) noexcept {
  constexpr std::string_view kStart = R"({"kind":")";
  if (!line.starts_with(kStart)) return {};
  line.remove_prefix(kStart.size());
  const std::size_t end = line.find('"');
  return end == std::string_view::npos ? std::string_view{} : line.substr(0, end);
}

}  // namespace waybill::manifest
