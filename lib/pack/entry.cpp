// SPDX-License-Identifier: Apache-2.0
#include "pack/entry.hpp"

#include "core/sha256.hpp"

#include <unistd.h>
#include <zstd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace waybill::pack {
namespace {

constexpr std::uint64_t kOctalSize = std::uint64_t{1} << 33U;  // the first size that 11 octal digits cannot say
constexpr int kJobSize = 8 << 20;                              // of a streamed content; part of the format's outcome
constexpr std::size_t kReadBytes = std::size_t{1} << 18U;
constexpr int kMostWindow = 27;  // 128 MiB: no frame of ours asks for more

std::uint64_t padded(std::uint64_t size) noexcept { return (size + kTarBlock - 1) / kTarBlock * kTarBlock; }

std::size_t must(std::size_t result) {
  if (ZSTD_isError(result) != 0U)
    throw RunError(Exit::internal, std::string("zstd refused to compress: ") + ZSTD_getErrorName(result));
  return result;
}

/// The ustar head of an entry: nothing in it but name and size, so that a content looks the same in every volume.
std::array<std::byte, kTarBlock> head_of(const std::string& sha256, std::uint64_t size) {
  std::array<char, kTarBlock> head{};
  const auto text = [&](std::size_t at, std::string_view value) { std::memcpy(&head[at], value.data(), value.size()); };
  text(0, entry_name(sha256));
  text(100, "0000600");
  text(108, "0000000");
  text(116, "0000000");
  if (size < kOctalSize) {
    std::snprintf(&head[124], 12, "%011llo", static_cast<unsigned long long>(size));
  } else {  // the binary form that GNU tar, bsdtar and Python read
    head[124] = static_cast<char>(0x80);
    for (std::size_t i = 0; i < 8; ++i) head[135 - i] = static_cast<char>((size >> (8U * i)) & 0xFFU);
  }
  text(136, "00000000000");
  text(148, "        ");
  head[156] = '0';
  text(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  std::snprintf(&head[148], 7, "%06o", sum);
  head[155] = ' ';
  std::array<std::byte, kTarBlock> out{};
  std::memcpy(out.data(), head.data(), out.size());
  return out;
}

struct FreeEncoder {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};
struct FreeDecoder {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

}  // namespace

std::string entry_name(const std::string& sha256) { return "sha256/" + sha256.substr(0, 2) + "/" + sha256; }

std::uint64_t entry_bound(std::uint64_t size) noexcept {
  const std::uint64_t whole = kTarBlock + padded(size);
  return whole + whole / 128 + 4096;  // ZSTD_COMPRESSBOUND, which takes no size beyond memory's, and a frame's own
}

struct Encoder::State {
  std::unique_ptr<ZSTD_CCtx, FreeEncoder> context{ZSTD_createCCtx()};
  int level;
  io::Scratch memory;
  std::span<std::byte> raw;

  explicit State(int l) : level(l) {
    if (!context) throw RunError(Exit::internal, "no memory for a zstd context; use a machine with more memory");
  }

  void begin(unsigned threads) const {
    must(ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters));
    must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level));
    must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
    must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 1));
    if (threads == 0) return;
    must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_nbWorkers, static_cast<int>(threads)));
    must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_jobSize, kJobSize));
  }

  ByteView compress(ByteView bytes, io::Scratch& into) const {
    begin(0);
    const auto out = into.room(ZSTD_compressBound(bytes.size()));
    return out.first(must(ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size())));
  }
};

Encoder::Encoder(int level) : state_(std::make_unique<State>(level)) {}
Encoder::~Encoder() = default;

std::span<std::byte> Encoder::room(std::size_t size) {
  state_->raw = state_->memory.room(kTarBlock + static_cast<std::size_t>(padded(size)));
  return state_->raw.subspan(kTarBlock, size);
}

ByteView Encoder::encode(std::size_t size, const std::string& sha256, io::Scratch& memory) {
  const std::size_t whole = kTarBlock + static_cast<std::size_t>(padded(size));
  const auto head = head_of(sha256, size);
  std::copy(head.begin(), head.end(), state_->raw.begin());
  const auto padding = state_->raw.subspan(kTarBlock + size, whole - kTarBlock - size);
  std::fill(padding.begin(), padding.end(), std::byte{0});
  return state_->compress(state_->raw.first(whole), memory);
}

ByteView Encoder::encode_end(io::Scratch& memory) {
  const std::array<std::byte, 2 * kTarBlock> end{};
  return state_->compress(end, memory);
}

bool Encoder::stream(std::uint64_t size, const std::string& sha256, unsigned threads,
                     const std::function<ByteView()>& next, const Sink& sink) {
  state_->begin(std::max(1U, threads));
  must(ZSTD_CCtx_setPledgedSrcSize(state_->context.get(), kTarBlock + padded(size)));
  Bytes out(ZSTD_CStreamOutSize());
  const auto put = [&](ByteView bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      const std::size_t left = must(ZSTD_compressStream2(state_->context.get(), &to, &in, directive));
      if (to.pos > 0) sink(ByteView(out).first(to.pos));
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return;
    }
  };
  put(head_of(sha256, size), ZSTD_e_continue);
  std::uint64_t given = 0;
  for (ByteView piece = next(); !piece.empty(); piece = next()) {
    given += piece.size();
    if (given > size) return false;
    put(piece, ZSTD_e_continue);
  }
  if (given != size) return false;
  const std::array<std::byte, kTarBlock> zeros{};
  put(ByteView(zeros).first(static_cast<std::size_t>(padded(size) - size)), ZSTD_e_end);
  return true;
}

namespace {

/// Takes an entry's bytes as they are decompressed: head, content, padding.
class Receiver {
 public:
  Receiver(const manifest::Place& place, const std::function<Result<Done>(ByteView)>& sink)
      : place_(place), sink_(sink), head_(head_of(place.sha256, place.size)) {}

  Result<Done> take(ByteView bytes) {
    if (at_ < kTarBlock) {
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), kTarBlock - static_cast<std::size_t>(at_)));
      if (!std::equal(part.begin(), part.end(), head_.begin() + static_cast<std::ptrdiff_t>(at_)))
        return Failure{Fault::mismatch, "another entry stands there"};
      advance(part, bytes);
    }
    const std::uint64_t end = kTarBlock + place_.size;
    if (at_ < end && !bytes.empty()) {
      const auto part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), end - at_)));
      sha_.update(part);
      if (auto taken = sink_(part); !taken) return taken;
      advance(part, bytes);
    }
    const bool zeros = std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
    if (!zeros || at_ + bytes.size() > kTarBlock + padded(place_.size))
      return Failure{Fault::mismatch, "the entry has more bytes than the manifest says"};
    at_ += bytes.size();
    return Done{};
  }

  Result<Done> end() {
    if (at_ != kTarBlock + padded(place_.size))
      return Failure{Fault::mismatch, "the entry has fewer bytes than the manifest says"};
    if (sha_.finish().hex() != place_.sha256)
      return Failure{Fault::mismatch, "its SHA-256 is not the one the manifest says"};
    return Done{};
  }

 private:
  void advance(ByteView part, ByteView& bytes) {
    at_ += part.size();
    bytes = bytes.subspan(part.size());
  }

  const manifest::Place& place_;
  const std::function<Result<Done>(ByteView)>& sink_;
  std::array<std::byte, kTarBlock> head_;
  std::uint64_t at_ = 0;
  Sha256 sha_;
};

}  // namespace

Result<Done> read_entry(OpenVolume& volume, const manifest::Place& place,
                        const std::function<Result<Done>(ByteView)>& sink) {
  const std::unique_ptr<ZSTD_DCtx, FreeDecoder> context(ZSTD_createDCtx());
  if (!context) throw RunError(Exit::internal, "no memory for a zstd context; use a machine with more memory");
  must(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMostWindow));
  Receiver receiver(place, sink);
  Bytes in(kReadBytes), out(ZSTD_DStreamOutSize());
  bool ended = false;
  for (std::uint64_t done = 0; done < place.length;) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), place.length - done));
    const auto n = volume.read(std::span(in).first(want), place.offset + done);
    if (!n) return n.error();
    if (*n == 0) return Failure{Fault::mismatch, "the volume ends before it"};
    done += *n;
    ZSTD_inBuffer from{in.data(), *n, 0};
    bool full = true;
    while (from.pos < from.size || full) {
      if (ended && from.pos < from.size) return Failure{Fault::mismatch, "bytes follow the frame"};
      if (ended) break;
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      const std::size_t left = ZSTD_decompressStream(context.get(), &to, &from);
      if (ZSTD_isError(left) != 0U)
        return Failure{Fault::mismatch, std::string("the frame is damaged: ") + ZSTD_getErrorName(left)};
      ended = left == 0;
      full = to.pos == to.size;
      if (auto taken = receiver.take(ByteView(out).first(to.pos)); !taken) return taken;
    }
  }
  if (!ended) return Failure{Fault::mismatch, "the frame is not whole"};
  return receiver.end();
}

}  // namespace waybill::pack
