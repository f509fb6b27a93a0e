// SPDX-License-Identifier: Apache-2.0
#include "pack/sums.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "io/read_file.hpp"
#include "pack/volumes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <system_error>

namespace waybill::pack {
namespace {

constexpr std::size_t kDigits = 64;
constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20U;  // a hundred bytes a volume
constexpr std::string_view kGap = "  ";

using Digests = std::map<std::string, std::string, std::less<>>;  // by name

/// Compares one line with the records; takes the volume that it names out of `missing`.
void check_line(std::string_view line, std::size_t number, const Digests& recorded, std::set<std::string>& missing,
                std::vector<Oddity>& odd) {
  const std::string_view digest = line.substr(0, kDigits);
  const bool whole = line.size() > kDigits + kGap.size() && line.substr(kDigits, kGap.size()) == kGap &&
                     digest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!whole) return odd.push_back({kSums, "its line " + std::to_string(number) + " is no digest and name of a file"});
  const std::string name(line.substr(kDigits + kGap.size()));
  const auto record = recorded.find(name);
  const std::string shown = path_to_text(name);
  if (record == recorded.end()) return odd.push_back({kSums, "it lists " + shown + ", which is none of this backup"});
  if (missing.erase(name) == 0) odd.push_back({kSums, "it lists " + shown + " more than once"});
  if (record->second != digest) odd.push_back({kSums, "its digest of " + shown + " is not the one of the manifest"});
}

std::vector<std::string> unknown_volumes(const std::filesystem::path& folder, const Digests& recorded) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::string name = entry.path().filename().string();
    if (is_volume_name(name) && !recorded.contains(name)) out.push_back(std::move(name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::vector<Oddity> check_sums(const std::filesystem::path& folder, const std::vector<manifest::Volume>& recorded) {
  Digests digests;
  std::set<std::string> missing;
  for (const auto& volume : recorded) {
    digests.emplace(volume.name, volume.sha256);
    missing.insert(volume.name);
  }
  std::vector<Oddity> odd;
  if (const auto list = io::read_file(folder / kSums, kMostBytes)) {
    std::string_view text = as_text(*list);
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      check_line(line, number, digests, missing, odd);
    }
    for (const auto& name : missing) odd.push_back({kSums, "it does not list " + name});
  } else {
    odd.push_back({kSums, list.error().what + "; without it sha256sum cannot check the volumes"});
  }
  for (const auto& name : unknown_volumes(folder, digests))
    odd.push_back({name, "it is no volume of this backup: the manifest does not know it"});
  return odd;
}

}  // namespace waybill::pack
