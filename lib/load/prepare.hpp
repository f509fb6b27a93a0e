// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/file.hpp"
#include "load/run.hpp"
#include "manifest/record.hpp"
#include "net/association.hpp"
#include "transcode/convert.hpp"
#include "transcode/decisions.hpp"
#include "transfer/bytes.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace waybill::load {

/// The presentation contexts an object may travel in, the one it is in first.
[[nodiscard]] std::vector<net::Context> contexts_for(const manifest::Object& object, const Options& options);

/// A dataset as the network wants it.
struct Prepared {
  net::Context context;
  ByteView dataset;  ///< in one of the two below
  ByteView part10;   ///< the whole file around it, where that is a sound one; else empty
  transfer::FileBytes file;
  Bytes changed;
  /// Bytes that travel.
  [[nodiscard]] std::uint64_t size() const noexcept { return std::max(dataset.size(), part10.size()); }
};

/// Makes datasets of objects: the bytes of the file, checked against their digest and not looked into; only where the
/// study has edits, another syntax was asked for, or the peer refuses the object's own, the dataset is written anew and
/// proved equal to its source as `waybill transcode` does. Any thread.
class Preparer {
 public:
  /// `run_time` (RFC 3339) is what changed objects say about when they were changed, `places` where the objects' files
  /// lie. Throws RunError for edits that cannot be read.
  Preparer(const Options& options, const std::string& run_time, std::vector<std::filesystem::path> places);
  ~Preparer();

  using Granted = std::function<bool(const net::Context&)>;
  /// On failure the object has its bucket, outcome and finding, and nullopt is given. Throws RunError(Exit::input) when
  /// the place in which its file lies is gone.
  [[nodiscard]] std::optional<Prepared> prepare(manifest::Object& object, const Granted& granted) const;

 private:
  struct Conversion;
  [[nodiscard]] std::optional<Prepared> as_it_is(manifest::Object& object, transfer::FileBytes file,
                                                 const net::Context& context) const;
  [[nodiscard]] std::optional<Prepared> convert(manifest::Object& object, const transfer::FileBytes& file,
                                                std::vector<manifest::Edit> edits, const Granted& granted) const;
  [[nodiscard]] const Conversion& conversion() const;

  const Options& options_;
  const std::string run_time_;
  const std::vector<std::filesystem::path> places_;
  transcode::Decisions decisions_;
  std::string target_;  // transfer syntax asked for, or empty
  mutable std::once_flag made_;
  mutable std::unique_ptr<Conversion> conversion_;  // processes of codecs: only once they are needed
};

/// Marks an object of which not a byte was sent.
void mark_not_sent(manifest::Object& object, std::string_view code, manifest::Severity severity,
                   const std::string& detail);

}  // namespace waybill::load
