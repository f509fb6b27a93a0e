// SPDX-License-Identifier: Apache-2.0
// The bare work of a transcode: every frame of the files named on standard input decoded from memory, encoded, and
// decoded again by the decoder that proves it, on as many threads as there are cores. Prints the seconds elapsed
// without and with the proof, then those of processor time; then the same with libraries alone: the encoder of one and
// the decoder of another.
#include "dicom/toolkit.hpp"
#include "inspect/pixels.hpp"
#include "io/read_file.hpp"
#include "pixel/by_library.hpp"
#include "pixel/codec.hpp"
#include "pixel/targets.hpp"

#include <sys/resource.h>
#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

namespace {

using namespace waybill;

struct Work {
  pixel::PixelData data;
  pixel::FrameReader reader;
  std::uint32_t frame = 0;
};

using Encode = Result<Bytes> (*)(std::string_view syntax, const pixel::ImageInfo& info, const pixel::Frame& frame);

Result<Bytes> by_library(std::string_view syntax, const pixel::ImageInfo& info, const pixel::Frame& frame) {
  Bytes stream = pixel::test::by_library(syntax, info, frame.bytes());
  if (stream.empty()) return Failure{Fault::unsupported, "no library encodes this"};
  return stream;
}

/// An encoder, and the decoder that proves what it writes.
struct Kernels {
  std::string syntax;
  Encode encode;
  pixel::Decoder prove;
};

bool once(const Work& work, const Kernels& kernels, bool proof) {
  const auto frame = work.reader.borrow(work.frame);
  if (!frame) return false;
  const auto stream = kernels.encode(kernels.syntax, work.data.info, *frame);
  if (!stream) return false;
  return !proof || pixel::decode_frame(kernels.syntax, work.data.info, *stream, kernels.prove).has_value();
}

struct Took {
  double elapsed = 0, processor = 0;  ///< seconds
};

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

Took seconds(const std::vector<Work>& all, const Kernels& kernels, bool proof) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> good = true;
  const auto start = std::chrono::steady_clock::now();
  const double before = processor_seconds();
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < std::thread::hardware_concurrency(); ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = next++; i < all.size(); i = next++)
          if (!once(all[i], kernels, proof)) good = false;
      });
    }
  }
  if (!good) std::cerr << "bench_codec_kernels: a frame could not be encoded and decoded\n";
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          processor_seconds() - before};
}

}  // namespace

int main(int argc, char** argv) {
  const dicom::Toolkit toolkit;
  const auto syntax = argc == 2 ? pixel::target_syntax(argv[1]) : std::nullopt;
  if (!syntax) {
    std::cerr << "usage: bench_codec_kernels TARGET < list of files\n";
    return 2;
  }
  std::vector<std::unique_ptr<Bytes>> files;
  std::vector<std::unique_ptr<dicom::File>> parsed;
  std::vector<std::unique_ptr<pixel::PixelData>> pixels;
  std::vector<Work> all;
  for (std::string path; std::getline(std::cin, path);) {
    auto bytes = io::read_file(path);
    if (!bytes) return 3;
    files.push_back(std::make_unique<Bytes>(*std::move(bytes)));
    auto file = dicom::parse_file(*files.back());
    if (!file) return 3;
    parsed.push_back(std::make_unique<dicom::File>(*std::move(file)));
    auto data = inspect::pixel_data_of(*parsed.back());
    if (!data) return 3;
    pixels.push_back(std::make_unique<pixel::PixelData>(*std::move(data)));
    std::vector<manifest::Finding> findings;
    const auto reader = pixel::FrameReader::open(*pixels.back(), findings);
    if (!reader) return 3;
    for (std::uint32_t i = 0; i < reader->count(); ++i) all.push_back({*pixels.back(), *reader, i});
  }
  const pixel::test::DcmtkEncoders encoders;
  const std::string to(*syntax);
  for (const Kernels& kernels : {Kernels{to, pixel::encode_frame, pixel::verifier_of(to)},
                                 Kernels{to, by_library, pixel::test::beside_library(to)}}) {
    const Took encode = seconds(all, kernels, false);
    const Took proved = seconds(all, kernels, true);
    std::cout << encode.elapsed << ' ' << proved.elapsed << ' ' << encode.processor << ' ' << proved.processor << '\n';
  }
  return 0;
}
