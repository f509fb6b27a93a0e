// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/writer.hpp"
#include "transcode/codecs.hpp"
#include "transcode/decisions.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace waybill::transcode {

struct Options {
  std::filesystem::path input;  ///< manifest of scan; "-" is standard input
  std::string to = "keep";      ///< one of target_names()
  std::filesystem::path out;    ///< folder for staged objects, created when missing
  std::filesystem::path edits;  ///< manifest of reconcile, or empty
  Unmatched unmatched = Unmatched::quarantine;
  std::filesystem::path policy;   ///< TOML, or empty; then `to` may be empty, too
  std::filesystem::path uid_map;  ///< CSV, or empty
  bool keep_larger = false;       ///< Order::keep_larger
  bool verify = true;             ///< each written file is read back and proved
  bool undo = false;              ///< `input` is of transcode: give the datasets back as they were
  unsigned threads = 1;
};

/// The ledger of a transcode; buckets sum up to objects.
struct Tally {
  std::uint64_t objects = 0, bytes_in = 0, bytes_out = 0, exceptions = 0;
  std::map<std::string, std::uint64_t> buckets, outcomes;
  bool interrupted = false;
  bool integrity = false;  ///< a source file is not the one that was scanned
  void add(const manifest::Object& object);
  [[nodiscard]] std::string json() const;
};

using OnProgress = std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)>;

/// Header an output of these options must have; reads the inputs' heads.
[[nodiscard]] manifest::Header header_of(const Options& options);

/// The codecs that run() asks, in processes of their own, which begin to start with this: soon, then they are ready for
/// the first objects. Throws RunError.
[[nodiscard]] std::unique_ptr<Codecs> start_codecs(const Options& options);

/// Stages every `instance` object of the input and records how. Each written file is read back from disk and proved
/// equal before it gets its name; what cannot be proved is carried byte for byte. Other records pass unchanged. Order
/// of the input for any number of threads. Needs dicom::Toolkit. Throws RunError for the run (full disk, broken input).
[[nodiscard]] Tally run(const Options& options, Codecs& codecs, manifest::Writer& writer, const OnProgress& progress);
/// With Options::undo: writes every staged object of a transcode again with its changes undone, proved by DS1 of the
/// source, in the transfer syntax it was staged in.
[[nodiscard]] Tally tally_of(const std::filesystem::path& manifest);

}  // namespace waybill::transcode
