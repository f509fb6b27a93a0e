// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/digest.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::transcode {

/// Frames in the encoding that was asked for: codestreams, or native samples by pixel.
struct Encoded {
  std::vector<ByteView> frames;  ///< in `memory`, or in the pixel data they were made of
  std::string photometric;       ///< what the samples in them are now
  std::uint16_t samples = 1;
  std::shared_ptr<const void> memory;  ///< may hold up a codec process, so not for long; goes before its Codecs
};

/// Memory to read an object into. Pixel data that stands in it reaches the codecs without being copied.
class Buffer {
 public:
  virtual ~Buffer() = default;
  /// At least `size` bytes; empty when there is no memory for them. Bytes given before are void.
  [[nodiscard]] virtual std::span<std::byte> room(std::size_t size) = 0;
};

/// Where codecs run. Each call decodes or encodes all frames of `data`, which may be a part of an object (Parts).
/// Any thread.
class Codecs {
 public:
  virtual ~Codecs() = default;
  [[nodiscard]] virtual std::unique_ptr<Buffer> buffer() = 0;
  /// The frames decoded, and encoded in `syntax` unless that is native.
  [[nodiscard]] virtual Result<Encoded> encode(const pixel::PixelData& data, const std::string& syntax) = 0;
  /// Decodes both with decoders that did not take part in encode() where there are such, and compares what PIX1 is made
  /// of. Returns the name of the decoder that read `written`, or for native samples the one that read `source`.
  [[nodiscard]] virtual Result<std::string> compare(const pixel::PixelData& source,
                                                    const pixel::PixelData& written) = 0;
};

/// Codecs in the calling thread: what a crash or a loop in one of them takes along is the whole process.
class CodecsHere : public Codecs {
 public:
  [[nodiscard]] std::unique_ptr<Buffer> buffer() override;
  [[nodiscard]] Result<Encoded> encode(const pixel::PixelData& data, const std::string& syntax) override;
  [[nodiscard]] Result<std::string> compare(const pixel::PixelData& source, const pixel::PixelData& written) override;
};

/// Some frames of pixel data as pixel data of its own; `held` keeps what had to be copied.
struct Part {
  pixel::PixelData data;
  Bytes held;
};

/// Cuts pixel data between frames. Packed bits share bytes between frames, so such data is one part.
class Parts {
 public:
  [[nodiscard]] static Result<Parts> of(const pixel::PixelData& data);
  [[nodiscard]] std::uint32_t frames() const noexcept { return reader_.count(); }
  /// Parts of about this many decoded bytes.
  [[nodiscard]] std::uint32_t frames_a_part(std::uint64_t bytes) const noexcept;
  [[nodiscard]] Part part(std::uint32_t first, std::uint32_t count) const;

 private:
  const pixel::PixelData* data_ = nullptr;
  pixel::FrameReader reader_;
};

/// Decoded bytes of one frame, as far as the header tells.
[[nodiscard]] std::uint64_t frame_size(const pixel::ImageInfo& info) noexcept;

}  // namespace waybill::transcode
