// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/image.hpp"

#include <array>
#include <optional>

/// The parts that our encoder and decoders of JPEG lossless, process 14 (ITU-T T.81 Annex H), are made of.
namespace waybill::pixel {

/// A Huffman table of difference categories as DHT gives it (T.81 B.2.4.2).
struct HuffmanSpec {
  std::array<std::uint8_t, 17> counts{};  ///< codes of each length, 1 to 16
  std::array<std::uint8_t, 256> symbols{};
  bool defined = false;
};

/// What frame and scan header say of a scan of interleaved components that are not subsampled.
struct LosslessScan {
  std::uint32_t rows = 0, columns = 0;
  unsigned components = 1;
  int precision = 0, predictor = 1, shift = 0;
  std::uint32_t restart = 0;
  std::array<const HuffmanSpec*, 3> tables{};
};

/// Decodes a scan without restart markers, point transform or any fault of an encoder into `bytes_per_sample`
/// little-endian bytes a sample. False when the scan is not of this kind or not sound: then the careful decoder says
/// why.
[[nodiscard]] bool decode_plain_scan(const LosslessScan& scan, ByteView entropy_coded, unsigned bytes_per_sample,
                                     Bytes& out);

}  // namespace waybill::pixel
