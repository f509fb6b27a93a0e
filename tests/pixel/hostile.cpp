// SPDX-License-Identifier: Apache-2.0
// Damaged codestreams for every decoder: truncated, bits flipped, header fields set to extremes, parts doubled and
// moved.
//   pixel_hostile --codec jpeg-ls --runs 100000 --seed 1
// Case N of a seed is always the same, so `--first N --runs 1` repeats it. A crash, a decode of more than 10 s or more
// than 256 MiB ends the run and names the case. Exit 0: every case was decoded or refused.
#include "pixel/codec.hpp"
#include "pixel/codecs.hpp"
#include "pixel/dct.hpp"
#include "pixel/image.hpp"
#include "pixel/pictures.hpp"
#include "pixel/register.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/oflog/oflog.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <random>

namespace {

using namespace waybill;
using namespace waybill::pixel;
using namespace waybill::pixel::test;

constexpr unsigned kSeconds = 10;
constexpr long kMebibytes = 256;

struct Seed {
  ImageInfo info;
  Bytes stream;
};

std::array<char, 160> current{};  // what a signal handler prints

extern "C" void dying(int signal) {
  const char* const why = signal == SIGPROF ? "a decode takes too long: " : "a decoder died: ";
  (void)!write(2, why, std::strlen(why));
  (void)!write(2, current.data(), std::strlen(current.data()));
  _exit(signal == SIGPROF ? 3 : 4);
}

void watch(unsigned seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  setitimer(ITIMER_PROF, &timer, nullptr);
}

long peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

std::string syntax_of(const std::string& codec) {
  static const std::map<std::string, std::string> kSyntaxes = {{"rle", "1.2.840.10008.1.2.5"},
                                                               {"jpeg-baseline", "1.2.840.10008.1.2.4.50"},
                                                               {"jpeg-extended", "1.2.840.10008.1.2.4.51"},
                                                               {"jpeg-lossless", "1.2.840.10008.1.2.4.70"},
                                                               {"jpeg-ls", "1.2.840.10008.1.2.4.80"},
                                                               {"jpeg-2000", "1.2.840.10008.1.2.4.90"},
                                                               {"htj2k", "1.2.840.10008.1.2.4.201"},
                                                               {"htj2k-rpcl", "1.2.840.10008.1.2.4.202"},
                                                               {"jpeg-xl", "1.2.840.10008.1.2.4.110"},
                                                               {"deflated", "1.2.840.10008.1.2.8.1"}};
  const auto at = kSyntaxes.find(codec);
  return at == kSyntaxes.end() ? "" : at->second;
}

/// Sound streams to damage: grey and colour, flat and noisy, small and of several code-blocks.
std::vector<Seed> seeds_of(const std::string& codec) {
  std::vector<Seed> out;
  if (codec == "jpeg-baseline" || codec == "jpeg-extended") {
    const bool wide = codec == "jpeg-extended";
    const unsigned bits = wide ? 12 : 8;
    for (const unsigned components : {1U, 3U}) {
      if (wide && components == 3) continue;
      FlatBlocks blocks{wide ? 0xC1U : 0xC0U, bits, 4, 3, components, {}};
      for (unsigned i = 0; i < 12 * components; ++i) blocks.values.push_back(static_cast<int>(i * 211 % (1U << bits)));
      out.push_back({image(24, 32, bits, false, components), write_jpeg(blocks)});
    }
    return out;
  }
  if (codec == "deflated") {
    ImageInfo info = image(16, 16, 8);
    const std::string_view stored("\x01\x00\x01\xff\xfe", 5);  // one stored block of 256 bytes
    Bytes stream;
    put_bytes(stream, as_bytes(stored));
    put_bytes(stream, picture(info).data);
    out.push_back({info, stream});
    return out;
  }
  for (const auto& [rows, columns, bits, samples] :
       {std::array{9U, 13U, 12U, 1U}, std::array{40U, 33U, 8U, 3U}, std::array{150U, 140U, 16U, 1U}}) {
    const ImageInfo info = image(rows, columns, bits, bits == 16, samples);
    auto stream = encode_frame(syntax_of(codec), info, picture(info));
    if (stream) out.push_back({info, *std::move(stream)});
  }
  return out;
}

/// Damage of one case: every other one is a single bit turned or a cut, anywhere; the rest is several things at once,
/// most of it where headers are.
Bytes damaged(const Bytes& sound, std::mt19937_64& random) {
  Bytes out = sound;
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % std::max<std::size_t>(n, 1)); };
  if (random() % 2 == 0) {
    const std::size_t at = below(out.size());
    if (random() % 4 == 0) {
      out.resize(at);
    } else {
      out[at] ^= static_cast<std::byte>(1U << (random() % 8));
    }
    return out;
  }
  const auto place = [&] { return below(random() % 3 == 0 ? out.size() : std::min<std::size_t>(out.size(), 160)); };
  const std::size_t hits = 1 + below(random() % 4 == 0 ? 24 : 3);
  for (std::size_t hit = 0; hit < hits && !out.empty(); ++hit) {
    const std::size_t at = place();
    switch (random() % 10) {
      case 0:
      case 1:
      case 2: out[at] ^= static_cast<std::byte>(1U << (random() % 8)); break;
      case 3: out[at] = static_cast<std::byte>(random() & 0xFFU); break;
      case 4: {  // a field of two or four bytes at an extreme
        constexpr std::array<std::uint32_t, 8> kExtremes = {0, 1, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, ~0U};
        const std::uint32_t v = kExtremes[random() % kExtremes.size()];
        const std::size_t width = random() % 2 == 0 ? 2 : 4;
        for (std::size_t i = 0; i < width && at + i < out.size(); ++i)
          out[at + i] = static_cast<std::byte>((v >> (8 * (width - 1 - i))) & 0xFFU);
        break;
      }
      case 5: out.resize(below(out.size())); break;
      case 6: {  // cut, with an end marker behind it that does not belong there
        out.resize(below(out.size()));
        out.push_back(std::byte{0xFF});
        out.push_back(std::byte{0xD9});
        break;
      }
      case 7: {
        const std::size_t n = std::min<std::size_t>(1 + below(64), out.size() - at);
        const Bytes part(out.begin() + static_cast<std::ptrdiff_t>(at),
                         out.begin() + static_cast<std::ptrdiff_t>(at + n));
        out.insert(out.begin() + static_cast<std::ptrdiff_t>(place()), part.begin(), part.end());
        break;
      }
      case 8: {
        const std::size_t n = std::min<std::size_t>(1 + below(32), out.size() - at);
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(at), out.begin() + static_cast<std::ptrdiff_t>(at + n));
        break;
      }
      default: {
        const std::size_t n = std::min<std::size_t>(1 + below(64), out.size() - at);
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), n,
                    random() % 2 == 0 ? std::byte{0} : std::byte{0xFF});
        break;
      }
    }
  }
  return out;
}

/// The second decoders that stop the process by an assertion on a damaged stream: DCMTK's fork of CharLS and OpenJPH
/// 0.9. They read what this program has just encoded, and what the first decoder has accepted, in a process of its own
/// (docs/codecs.md).
bool only_proves(const std::string& codec) { return codec == "jpeg-ls" || codec.starts_with("htj2k"); }

struct Options {
  std::string codec;
  std::uint64_t seed = 1, first = 0, runs = 2000;
  std::string save;  ///< writes the first case there
};

/// As a proof reads large images, with the smallest bands there are.
bool decode_by_bands(const ImageInfo& info, const Bytes& stream) {
  return decode_openjpeg(info, stream, {1, [](Frame&) { return true; }}).has_value();
}

int run(const Options& options) {
  const std::string syntax = syntax_of(options.codec);
  const auto seeds = seeds_of(options.codec);
  if (syntax.empty() || seeds.empty()) {
    std::cerr << "no seeds for codec " << options.codec << '\n';
    return 2;
  }
  const bool in_bands = options.codec == "jpeg-2000" || options.codec.starts_with("htj2k");
  const long before = peak_mebibytes();
  std::uint64_t decoded = 0, refused = 0;
  double slowest = 0;
  for (std::uint64_t n = options.first; n < options.first + options.runs; ++n) {
    std::mt19937_64 random(options.seed * 1000003 + n);
    const Seed& seed = seeds[random() % seeds.size()];
    const Bytes stream = damaged(seed.stream, random);
    if (!options.save.empty() && n == options.first) {
      std::FILE* file = std::fopen(options.save.c_str(), "wb");
      if (file != nullptr) {
        (void)std::fwrite(stream.data(), 1, stream.size(), file);
        (void)std::fclose(file);
      }
    }
    for (const Decoder which : {Decoder::primary, Decoder::independent}) {
      if (!can_decode(syntax, which) || (which == Decoder::independent && only_proves(options.codec))) continue;
      (void)std::snprintf(current.data(), current.size(), "--codec %s --seed %llu --first %llu --runs 1 (%s)\n",
                          options.codec.c_str(), static_cast<unsigned long long>(options.seed),
                          static_cast<unsigned long long>(n), which == Decoder::primary ? "primary" : "independent");
      const auto start = std::chrono::steady_clock::now();
      watch(kSeconds);
      const auto frame = decode_frame(syntax, seed.info, stream, which);
      if (in_bands) (void)decode_by_bands(seed.info, stream);
      watch(0);
      slowest = std::max(slowest, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      ++(frame ? decoded : refused);
      if (peak_mebibytes() - before > kMebibytes && std::getenv("ASAN_OPTIONS") == nullptr) {
        std::cerr << "a decode takes more than " << kMebibytes << " MiB: " << current.data();
        return 1;
      }
    }
  }
  std::cout << options.codec << ": " << options.runs << " cases, " << refused << " refused, " << decoded
            << " decoded, slowest " << slowest << " s, peak " << peak_mebibytes() - before << " MiB\n";
  return refused == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--codec") options.codec = argv[i + 1];
    if (name == "--runs") options.runs = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--seed") options.seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--first") options.first = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--save") options.save = argv[i + 1];
  }
  for (const int signal : {SIGPROF, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    if (std::getenv("ASAN_OPTIONS") == nullptr || signal == SIGPROF) (void)std::signal(signal, dying);
  }
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  register_codecs();
  const int result = run(options);
  unregister_codecs();
  return result;
}
