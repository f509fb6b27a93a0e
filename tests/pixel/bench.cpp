// SPDX-License-Identifier: Apache-2.0
// MB/s of native samples for every encoder and decoder on one core: pixel_bench [seconds a figure, 0.5].
#include "pixel/codec.hpp"
#include "pixel/pictures.hpp"
#include "pixel/register.hpp"
#include "pixel/targets.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/oflog/oflog.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <string>

namespace {

using namespace waybill;
using namespace waybill::pixel;

struct Picture {
  const char* name;
  ImageInfo info;
  Frame frame;
};

/// Soft shapes under the noise of a detector, with a flat background around.
Picture scan_like(const char* name, std::uint32_t rows, std::uint32_t columns, unsigned bits, unsigned samples,
                  double noise) {
  Picture out{name, test::image(rows, columns, bits, false, samples), {}};
  out.frame = Frame{rows, columns, out.info.samples,     static_cast<std::uint16_t>(out.info.bits_allocated / 8),
                    0,    false,   out.info.photometric, {}};
  out.frame.data.resize(std::size_t{rows} * columns * samples * out.frame.bytes_per_sample);
  std::mt19937 random(7);
  std::normal_distribution<double> grain(0, noise);
  const double most = (1U << bits) - 1;
  std::size_t at = 0;
  for (std::uint32_t y = 0; y < rows; ++y) {
    for (std::uint32_t x = 0; x < columns; ++x) {
      const double u = 2.0 * x / columns - 1, v = 2.0 * y / rows - 1;
      const bool inside = u * u + v * v < 0.8;
      const double body = inside ? most * (0.35 + 0.2 * std::sin(5 * u + 3 * v) + 0.1 * std::cos(17 * u * v)) : 0;
      const double g = inside ? grain(random) : 0;
      for (unsigned s = 0; s < samples; ++s) {
        const double value = std::clamp(body * (1 - 0.1 * s) + g, 0.0, most);
        const auto sample = static_cast<std::uint32_t>(value);
        out.frame.data[at++] = static_cast<std::byte>(sample & 0xFFU);
        if (out.frame.bytes_per_sample == 2) out.frame.data[at++] = static_cast<std::byte>(sample >> 8U);
      }
    }
  }
  return out;
}

/// Seconds of processor time, so that other work on the machine counts little.
double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double rate(std::size_t bytes, double seconds, const std::function<bool()>& step) {
  if (!step()) return 0;
  const double start = now();
  double spent = 0;
  unsigned n = 0;
  do {
    if (!step()) return 0;
    ++n;
    spent = now() - start;
  } while (spent < seconds);
  return static_cast<double>(bytes) * n / spent / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.5;
  const std::string only = argc > 2 ? argv[2] : "";
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  register_codecs();
  std::printf("%-14s %-13s %7s %9s %9s %9s\n", "target", "image", "ratio", "encode", "decode", "second");
  const Picture pictures[] = {
      scan_like("CT 512x512x12", 512, 512, 12, 1, 12), scan_like("CR 2048x2048", 2048, 2048, 12, 1, 8),
      scan_like("MG 4096x3328", 4096, 3328, 12, 1, 20), scan_like("US 640x480 RGB", 480, 640, 8, 3, 3)};
  for (const Target& target : targets()) {
    if (!can_encode(target.syntax) || (!only.empty() && target.name != only)) continue;
    for (const Picture& p : pictures) {
      const std::size_t size = p.frame.data.size();
      const auto stream = encode_frame(target.syntax, p.info, p.frame);
      if (!stream) continue;
      const double encode =
          rate(size, seconds, [&] { return encode_frame(target.syntax, p.info, p.frame).has_value(); });
      double decode[2] = {0, 0};
      for (const Decoder which : {Decoder::primary, Decoder::independent}) {
        if (can_decode(target.syntax, which))
          decode[which == Decoder::independent] =
              rate(size, seconds, [&] { return decode_frame(target.syntax, p.info, *stream, which).has_value(); });
      }
      std::printf("%-14s %-13s %7.2f %9.1f %9.1f %9.1f\n", std::string(target.name).c_str(), p.name,
                  static_cast<double>(size) / static_cast<double>(stream->size()), encode, decode[0], decode[1]);
      std::fflush(stdout);
    }
  }
  unregister_codecs();
  return 0;
}
