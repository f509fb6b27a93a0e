// SPDX-License-Identifier: Apache-2.0
// Every file of WAYBILL_CORPUS to every target and back to native: PIX1 and DS1 stay, native bytes are those that other
// programs decoded (referees.tsv), and other decoders read the same from what was written. Prints what became of each
// source syntax. Codecs run in the processes that waybill transcode uses.
#include "core/clock.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/digest.hpp"
#include "dicom/toolkit.hpp"
#include "inspect/inspect.hpp"
#include "inspect/pixels.hpp"
#include "pixel/codec.hpp"
#include "pixel/targets.hpp"
#include "support/folder.hpp"
#include "transcode/convert.hpp"
#include "transcode/pool.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

namespace waybill::transcode {
namespace {

using namespace waybill::test;
using dicom::tag;

const auto* const kToolkit = new dicom::Toolkit;

constexpr std::string_view kNative = "1.2.840.10008.1.2.1";

/// The native pixel bytes that referees.tsv holds, of all three referees, by file.
std::map<std::string, std::set<std::string>> recorded_pixels(const fs::path& table) {
  std::map<std::string, std::set<std::string>> out;
  std::ifstream in(table);
  std::vector<std::string> names;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) continue;
    std::vector<std::string> cells;
    for (const std::string_view cell : split(line, '\t')) cells.emplace_back(cell);
    if (names.empty()) names = cells;
    for (std::size_t i = 0; i < cells.size() && i < names.size(); ++i) {
      if (names[i].ends_with("_pixels_sha256") && cells[i].size() == 64) out[cells[0]].insert(cells[i]);
    }
  }
  return out;
}

/// A parsed object with the digests of scan --deep.
struct Read {
  std::string bytes;
  std::optional<dicom::File> file;
  manifest::Object object;
};

std::optional<Read> read(std::string bytes, inspect::Depth depth = inspect::Depth::pixels) {
  Read out{std::move(bytes), std::nullopt, {}};
  auto file = dicom::parse_file(as_bytes(out.bytes));
  if (!file) return std::nullopt;
  out.file = *std::move(file);
  inspect::inspect(*out.file, depth, out.object);
  return out;
}

/// Native pixel bytes as referees.tsv hashes them: without the pad of an odd length.
std::string native_digest(const Read& native) {
  const auto data = inspect::pixel_data_of(*native.file);
  if (!data || data->encapsulated) return {};
  ByteView value = data->value;
  const auto need = pixel::native_length(data->info);
  if (need && *need % 2 == 1 && value.size() == *need + 1) value = value.first(*need);
  return Sha256::of(value).hex();
}

std::string first_words(const std::string& reason) {
  std::string out = reason.substr(0, reason.find(':'));
  out.erase(std::remove_if(out.begin(), out.end(), [](char c) { return c >= '0' && c <= '9'; }), out.end());
  return out.substr(0, 70);
}

struct Table {
  std::mutex mutex;
  std::map<std::string, std::map<std::string, std::map<std::string, int>>> rows;  ///< source, target, outcome
  std::map<std::string, int> reasons;
  int round_trips = 0, recorded = 0, decoded_elsewhere = 0;

  void count(const std::string& source, const std::string& target, const std::string& what) {
    const std::lock_guard lock(mutex);
    ++rows[source][target][what];
  }
};

class Corpus : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    const char* root = std::getenv("WAYBILL_CORPUS");
    if (root == nullptr) GTEST_SKIP() << "WAYBILL_CORPUS is not set";
    root_ = root;
    const auto codec = fs::read_symlink("/proc/self/exe").parent_path() / "waybill_codec";
    if (!fs::exists(codec)) GTEST_SKIP() << codec << " is not built";
    pool_ = std::make_unique<CodecPool>(codec);
    recorded_ = recorded_pixels(root_ / "referees.tsv");
    for (const char* program : {"dcmdrle", "dcmdjpeg", "dcmdjpls", "gdcmconv", "djxl"})
      if (shell(std::string("command -v ") + program + " > /dev/null").exit == 0) programs_.insert(program);
  }

  /// The native bytes another program makes of a file; nullopt when it refuses the file.
  std::optional<std::string> decoded(const std::string& program, ByteView dicom) const {
    if (dicom.empty()) return std::nullopt;
    const fs::path in = folder_ / random_uuid();
    const fs::path out = in.string() + ".raw";
    put(in, as_text(dicom));
    const Ran ran = shell("timeout 20 " + program + " " + in.string() + " " + out.string() + " > /dev/null 2>&1");
    const std::string bytes = get(out);
    fs::remove(in);
    fs::remove(out);
    const auto file = dicom::parse_file(as_bytes(bytes));
    const auto data = file ? inspect::pixel_data_of(*file) : std::nullopt;
    if (ran.exit != 0 || !data || data->encapsulated) return std::nullopt;
    return std::string(as_text(data->value));
  }

  /// Whether other programs decode the written file to the same native bytes. A program that refuses it must refuse
  /// the native file too, but for GDCM 3.0.21, which stops at JPEG lossless of less than 8 bits.
  void decode_elsewhere(const std::string& name, const std::string& target, const Converted& written,
                        const Read& native) {
    static const std::map<std::string, std::vector<std::string>> kDecoders = {
        {"rle", {"dcmdrle"}},
        {"jpeg-lossless", {"dcmdjpeg +cn +px", "gdcmconv --raw"}},
        {"jpeg-ls", {"dcmdjpls", "gdcmconv --raw"}},
        {"jpeg-2000", {"gdcmconv --raw"}}};
    const auto at = kDecoders.find(target);
    if (at == kDecoders.end()) return;
    const auto ours = inspect::pixel_data_of(*native.file);
    {
      const std::lock_guard lock(table_.mutex);
      if (!seen_.insert(target + native.object.pixel_sha256.value_or("")).second) return;
    }
    for (const std::string& decoder : at->second) {
      const std::string program = decoder.substr(0, decoder.find(' '));
      if (!programs_.contains(program)) continue;
      const auto theirs = decoded(decoder, written.file);
      if (!theirs) {
        const bool few_bits = program == "gdcmconv" && target == "jpeg-lossless" && ours->info.bits_stored < 8;
        EXPECT_TRUE(few_bits || !decoded(program == "gdcmconv" ? decoder : "dcmconv +te", as_bytes(native.bytes)))
            << name << " to " << target << ": " << decoder << " refuses what was written";
        const std::lock_guard lock(table_.mutex);
        ++table_.reasons[decoder + " refuses " +
                         (few_bits ? "JPEG lossless of less than 8 bits" : "the native file too")];
        continue;
      }
      EXPECT_TRUE(*theirs == as_text(ours->value))
          << name << " to " << target << ": " << decoder << " reads other pixels";
      const std::lock_guard lock(table_.mutex);
      ++table_.decoded_elsewhere;
    }
  }

  void back_to_native(const std::string& name, const std::string& target, const Read& source,
                      const Converted& written) {
    const auto there = read(std::string(as_text(written.file)), inspect::Depth::datasets);
    ASSERT_TRUE(there) << name << " to " << target;
    if (!written.changed && !written.icons) {
      EXPECT_EQ(there->object.dataset_sha256, source.object.dataset_sha256) << name << " to " << target;
    }
    const Converter converter(*pool_);
    const auto back = converter.convert(as_bytes(there->bytes), *there->file, {std::string(kNative)}, {});
    ASSERT_TRUE(back) << name << " from " << target << ": " << back.error().what;
    const auto proof = converter.prove(*there->file, back->file, *back);
    EXPECT_TRUE(proof) << name << " from " << target << ": " << proof.error().what;
    const auto home = read(std::string(as_text(back->file)));
    ASSERT_TRUE(home) << name << " from " << target;
    EXPECT_EQ(home->object.transfer_syntax, kNative) << name << " from " << target << ": " << back->reason;
    EXPECT_EQ(home->object.pixel_sha256, source.object.pixel_sha256) << name << " from " << target;
    EXPECT_EQ(home->object.dataset_sha256, there->object.dataset_sha256) << name << " from " << target;
    {
      const std::lock_guard lock(table_.mutex);
      ++table_.round_trips;
      if (const auto at = recorded_.find(name); at != recorded_.end() && !written.changed) {
        ++table_.recorded;
        // PIX-PRED6: the recorded decoders do as the standard says, which is not what the encoder did (docs/codecs.md).
        EXPECT_TRUE(has_finding(source.object, "PIX-PRED6") || at->second.contains(native_digest(*home)))
            << name << " from " << target << " has other native bytes than any referee";
      }
    }
    decode_elsewhere(name, target, written, *home);
  }

  void convert(const std::string& name, const std::string& target, const Read& source) {
    const std::string syntax = source.object.transfer_syntax.value_or("?");
    const Converter converter(*pool_);
    const Order order{syntax_of(target), true};
    auto converted = converter.convert(as_bytes(source.bytes), *source.file, order, {});
    if (!converted) {
      table_.count(syntax, target, "failed");
      ADD_FAILURE() << name << " to " << target << ": " << converted.error().what;
      return;
    }
    const auto proof = converter.prove(*source.file, converted->file, *converted);
    if (!proof) {
      table_.count(syntax, target, "failed");
      // Half of an object cannot be written as a whole one; a run carries it as it is.
      if (std::any_of(source.object.findings.begin(), source.object.findings.end(), manifest::quarantines)) return;
      ADD_FAILURE() << name << " to " << target << ": " << proof.error().what;
      return;
    }
    table_.count(syntax, target, converted->outcome);
    if (!converted->reason.empty()) {
      const std::lock_guard lock(table_.mutex);
      ++table_.reasons[converted->outcome + " for " + first_words(converted->reason)];
    }
    if (converted->outcome == "transcoded") back_to_native(name, target, source, *converted);
  }

  void print() {
    std::set<std::string> targets;
    for (const auto& [source, row] : table_.rows)
      for (const auto& [target, cell] : row) targets.insert(target);
    for (const auto& [source, row] : table_.rows) {
      std::cout << source << '\n';
      for (const auto& [target, cell] : row) {
        std::cout << "  " << std::setw(14) << std::left << target;
        for (const auto& [what, n] : cell) std::cout << "  " << what << ' ' << n;
        std::cout << '\n';
      }
    }
    for (const auto& [reason, n] : table_.reasons) std::cout << n << ' ' << reason << '\n';
    std::cout << table_.round_trips << " round trips, " << table_.recorded << " compared with recorded pixels, "
              << table_.decoded_elsewhere << " decoded by other programs\n";
  }

  fs::path root_;
  std::unique_ptr<CodecPool> pool_;
  std::map<std::string, std::set<std::string>> recorded_;
  std::set<std::string> programs_;
  std::set<std::string> seen_;  ///< targets and pixels that other programs have decoded
  Table table_;
};

TEST_F(Corpus, KeepsItsPixelsAndDatasetsThroughEveryTargetAndBack) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root_ / "dicom"))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  oneapi::tbb::parallel_for(std::size_t{0}, files.size(), [&](std::size_t i) {
    const std::string name = fs::relative(files[i], root_).string();
    const auto source = read(get(files[i]));
    if (!source) {
      table_.count("not read", "any", "failed");
      return;
    }
    for (const std::string& target : target_names()) convert(name, target, *source);
  });
  print();
  EXPECT_GT(table_.round_trips, 700);
  EXPECT_GT(table_.recorded, 500);
}

}  // namespace
}  // namespace waybill::transcode
