// SPDX-License-Identifier: Apache-2.0
// fuzz_object, fuzz_container, fuzz_hl7, fuzz_web, fuzz_dimse [--runs N] [--seed S] [--write DIR] [--check] [FILE…]:
// mutates the seeds (and the files) N times and gives each to the target; every prefix of the first seed comes first.
// --check gives it the files alone, as they are. scripts/fuzz runs them under sanitizers; with libFuzzer (CMake option
// WAYBILL_LIBFUZZER) the same target begins with the same seeds (--write).
#include "fuzz/seeds.hpp"

#include <sys/resource.h>
#include <unistd.h>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Random = std::mt19937_64;

constexpr unsigned kHangSeconds = 60;
constexpr double kCpuLimit = 1.0;  // seconds of processor time one input may take, ten times that under a sanitizer
constexpr long kMemoryLimit = 1024L * 1024;  // KiB

#if defined(FUZZ_MUTATE)
std::string mutate(const std::vector<std::string>& seeds, Random& random) {
  return waybill::test::FUZZ_MUTATE(seeds, random);
}
#else
void flip(std::string& s, Random& random) {
  for (unsigned n = 1 + random() % 8; n > 0; --n) s[random() % s.size()] ^= static_cast<char>(1U << (random() % 8));
}

void set_number(std::string& s, Random& random) {
  static constexpr std::array<std::uint32_t, 10> kNasty = {
      0, 1, 13, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0U, 0xFFFFFFFEU, 0xFFFFFFFFU, 0x20202020, 0xE000FFFEU};
  const std::uint32_t value = kNasty[random() % kNasty.size()];
  const std::size_t width = random() % 2 == 0 ? 4 : 2;
  if (s.size() < width) return;
  std::memcpy(s.data() + random() % (s.size() - width + 1), &value, width);
}

void copy_piece(std::string& s, const std::string& from, Random& random) {
  const std::size_t at = random() % from.size();
  const std::string piece = from.substr(at, 1 + random() % 300);
  const std::size_t to = random() % s.size();
  s.replace(to, random() % 2 == 0 ? piece.size() : 0, piece);
}

std::string mutate(const std::vector<std::string>& seeds, Random& random) {
  std::string s = seeds[random() % seeds.size()];
  for (unsigned n = 1 + random() % 4; n > 0 && !s.empty(); --n) {
    switch (random() % 6) {
      case 0: s.resize(random() % s.size() + 1); break;
      case 1: s.erase(random() % s.size(), 1 + random() % 64); break;
      case 2: copy_piece(s, seeds[random() % seeds.size()], random); break;
      case 3: flip(s, random); break;
      default: set_number(s, random); break;
    }
  }
  return s;
}

#endif

struct Slowest {
  double seconds = 0;
  std::string input;
};

void run(const std::string& input, Slowest& slowest) {
  const std::clock_t start = std::clock();
  alarm(kHangSeconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  alarm(0);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (seconds > slowest.seconds) slowest = {seconds, input};
}

std::string slurp(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void save(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

int main(int argc, char** argv) {
  LLVMFuzzerTestOneInput(nullptr, 0);  // sets up the toolkit that the seeds need
  unsigned long runs = 20000;
  Random random(1);
  std::vector<std::string> seeds = waybill::test::FUZZ_SEEDS();
  const std::size_t own = seeds.size();
  bool check = false;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--runs" && i + 1 < argc) {
      runs = std::stoul(argv[++i]);
    } else if (arg == "--seed" && i + 1 < argc) {
      random.seed(std::stoul(argv[++i]));
    } else if (arg == "--write" && i + 1 < argc) {
      const std::filesystem::path folder = argv[++i];
      std::filesystem::create_directories(folder);
      for (std::size_t k = 0; k < seeds.size(); ++k) save(folder / ("seed-" + std::to_string(k)), seeds[k]);
      return 0;
    } else if (arg == "--check") {
      check = true;
    } else if (std::string bytes = slurp(argv[i]); !bytes.empty()) {
      seeds.push_back(std::move(bytes));
    }
  }
  Slowest slowest;
  if (check) {
    for (const std::string& file : std::vector(seeds.begin() + static_cast<std::ptrdiff_t>(own), seeds.end()))
      run(file, slowest);
    return 0;
  }
  for (const std::string& seed : seeds) run(seed, slowest);
  for (std::size_t n = 0; n < seeds.front().size(); ++n) run(seeds.front().substr(0, n), slowest);
  for (unsigned long i = 0; i < runs; ++i) {
    const std::string input = mutate(seeds, random);
    if (getenv("FUZZ_KEEP") != nullptr) save(getenv("FUZZ_KEEP"), input);  // the last one is the culprit of a crash
    run(input, slowest);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::cout << std::filesystem::path(argv[0]).filename().string() << ": " << runs << " mutations of " << seeds.size()
            << " seeds, slowest " << slowest.seconds << " s of processor time, peak memory " << usage.ru_maxrss / 1024
            << " MiB\n";
#if defined(__SANITIZE_ADDRESS__)
  const bool good = slowest.seconds < 10 * kCpuLimit;
#else
  const bool good = slowest.seconds < kCpuLimit && usage.ru_maxrss < kMemoryLimit;
#endif
  if (!good) save("fuzz-slowest.bin", slowest.input);
  return good ? 0 : 1;
}
