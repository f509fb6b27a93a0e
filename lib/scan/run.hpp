// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/selection.hpp"
#include "inspect/inspect.hpp"
#include "manifest/writer.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace waybill::scan {

struct Options {
  std::vector<std::string> sources;  ///< files and folders
  bool deep = false;                 ///< decode every frame: PIX1 and CSTR beside FILE and DS1
  bool headers = false;              ///< read only what stands before the pixel data; no digests
  archive::Selection selection;      ///< what of the sources is examined
  std::filesystem::path since = {};  ///< an older scan; what looks the same as in it is not read again
  double recheck = 0;                ///< share of what looks the same that is read and compared, 0 to 1
  std::uint64_t seed = 1;            ///< of that draw
  unsigned threads = 1;
  std::filesystem::path index;  ///< folder for what must be known of all objects, removed at the end; empty: in TMPDIR
};

/// The ledger of a scan; `buckets` sum up to `entries`.
struct Tally {
  std::uint64_t entries = 0;  ///< what the walk met
  std::uint64_t bytes = 0;
  std::uint64_t exceptions = 0;  ///< manifest::is_exception
  std::map<std::string, std::uint64_t> buckets;
  std::map<std::string, std::uint64_t> findings;  ///< objects per code
  std::map<std::string, std::uint64_t> since;     ///< objects new, changed, unchanged, rechecked; files gone
  std::uint64_t studies = 0;
  bool interrupted = false;
  void add(const manifest::Object& object);
  void add(const manifest::LateFinding& late);
  [[nodiscard]] std::string json() const;
  [[nodiscard]] bool closes() const;
};

/// Called as objects are recorded: objects, bytes, exceptions of this step.
using OnProgress = std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)>;

/// The header an output of these options must have.
[[nodiscard]] manifest::Header header_of(const Options& options);

/// Walks the sources and writes one record for everything met, in walk order whatever the number of threads. Needs
/// dicom::Toolkit. Continues behind what `writer` holds already. Finishes the manifest unless interrupted.
[[nodiscard]] Tally run(const Options& options, manifest::Writer& writer, const OnProgress& progress);

/// The tally of a scan that is complete already.
[[nodiscard]] Tally tally_of(const std::filesystem::path& manifest);

}  // namespace waybill::scan
