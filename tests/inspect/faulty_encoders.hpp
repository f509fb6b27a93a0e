// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inspect/streams.hpp"

#include <charls/charls.h>
#include <dlfcn.h>
#include <cstdint>
#include <string>
#include <vector>

/// Encoders with the faults that old archives hold, written from T.81 Annex H and from what readers undo.
namespace waybill::test {

enum class LosslessFault {
  none,
  cornell,       ///< 16 bits 0x8000 behind each difference of 32768
  cornell_long,  ///< and a 17-bit code for it, which the table has no room for
  overflow,      ///< predictors in signed 16-bit words
};

/// 16-bit JPEG lossless of one component.
inline std::string jpeg_lossless(const std::vector<std::uint16_t>& samples, unsigned rows, unsigned columns,
                                 unsigned predictor, LosslessFault fault) {
  std::string counts(16, '\0');
  std::string symbols;
  const bool unary = fault == LosslessFault::cornell_long;  // code of category n: n ones and a zero, 1 to 16 bits
  for (unsigned category = 0; category < (unary ? 16U : 17U); ++category) {
    ++counts[unary ? category : 4];
    symbols += static_cast<char>(category);
  }
  std::string bits;
  const auto put = [&](std::uint32_t value, unsigned n) {
    for (unsigned i = n; i-- > 0;) bits += static_cast<char>((value >> i) & 1U);
  };
  const auto operand = [&](std::uint16_t v) {
    return fault == LosslessFault::overflow ? static_cast<int>(static_cast<std::int16_t>(v)) : static_cast<int>(v);
  };
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const bool first_row = i < columns;
    const bool first_column = i % columns == 0;
    int predicted = 32768;
    if (!first_row && !first_column) {
      const int a = operand(samples[i - 1]);
      const int b = operand(samples[i - columns]);
      const int c = operand(samples[i - columns - 1]);
      predicted = predictor == 6 ? b + ((a - c) >> 1) : predictor == 7 ? (a + b) >> 1 : a;
    } else if (i != 0) {
      predicted = first_row ? samples[i - 1] : samples[i - columns];
    }
    const auto difference = static_cast<std::uint16_t>(samples[i] - predicted);
    const int value = difference > 32768 ? difference - 65536 : difference;
    const auto size = static_cast<unsigned>(value < 0 ? -value : value);
    unsigned category = 0;
    while (size >> category != 0) ++category;
    if (unary) {
      put((1U << (category + 1)) - 2, category + 1);
    } else {
      put(category, 5);
    }
    if (category < 16 && category > 0)
      put(static_cast<std::uint32_t>(value < 0 ? value + (1 << category) - 1 : value), category);
    if (category == 16 && fault != LosslessFault::none && fault != LosslessFault::overflow) put(0x8000, 16);
  }
  while (bits.size() % 8 != 0) bits += '\1';
  std::string scan;
  for (std::size_t i = 0; i < bits.size(); i += 8) {
    unsigned byte = 0;
    for (std::size_t k = 0; k < 8; ++k) byte = byte * 2 + static_cast<unsigned>(bits[i + k]);
    scan += static_cast<char>(byte);
    if (byte == 0xFF) scan += '\0';
  }
  std::string out =
      be(0xFFD8, 2) +
      segment(0xFFC3, be(16, 1) + be(rows, 2) + be(columns, 2) + be(1, 1) + be(1, 1) + be(0x11, 1) + be(0, 1)) +
      segment(0xFFC4, be(0, 1) + counts + symbols) +
      segment(0xFFDA, be(1, 1) + be(1, 1) + be(0, 1) + be(predictor, 1) + be(0, 2)) + scan + be(0xFFD9, 2);
  return out.size() % 2 == 0 ? out : out + '\0';
}

/// 16-bit JPEG-LS with the thresholds of the JAI codec; `told` leaves the LSE segment that names them in its place.
inline std::string jai_jpeg_ls(const std::vector<std::uint16_t>& samples, unsigned rows, unsigned columns, bool told) {
  void* library = dlopen("libcharls.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {};
#define CALL(name, ...) reinterpret_cast<decltype(&::name)>(dlsym(library, #name))(__VA_ARGS__)
  charls_jpegls_encoder* encoder = CALL(charls_jpegls_encoder_create);
  const charls_frame_info info{columns, rows, 16, 1};
  (void)CALL(charls_jpegls_encoder_set_frame_info, encoder, &info);
  const unsigned factor = (65535 + 128) >> 8U;
  const charls_jpegls_pc_parameters thresholds{65535, static_cast<std::int32_t>(factor + 2),
                                               static_cast<std::int32_t>(factor * 4 + 3),
                                               static_cast<std::int32_t>(factor * 17 + 4), 64};
  (void)CALL(charls_jpegls_encoder_set_preset_coding_parameters, encoder, &thresholds);
  std::string out(samples.size() * 4 + 4096, '\0');
  (void)CALL(charls_jpegls_encoder_set_destination_buffer, encoder, out.data(), out.size());
  (void)CALL(charls_jpegls_encoder_encode_from_buffer, encoder, samples.data(), samples.size() * 2, 0);
  std::size_t written = 0;
  (void)CALL(charls_jpegls_encoder_get_bytes_written, encoder, &written);
  CALL(charls_jpegls_encoder_destroy, encoder);
#undef CALL
  out.resize(written);
  const std::size_t lse = out.find("\xFF\xF8");
  if (!told && lse != std::string::npos) out.erase(lse, 15);
  return out.size() % 2 == 0 ? out : out + '\0';
}

}  // namespace waybill::test
