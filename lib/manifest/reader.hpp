// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "manifest/record.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace waybill::manifest {

/// An input manifest (base name) or file and its digest. A stream's head is known only at its end: its name is "-", in
/// the header its head is empty, and the end line has it.
struct Input {
  std::string name;
  std::string head;
};

/// The first line of a manifest.
struct Header {
  std::string stage;           ///< "scan", "reconcile", "transcode", "load", "verify"
  std::string run;             ///< UUID
  std::string tool;            ///< "waybill 0.1.0"
  std::string created;         ///< RFC 3339 UTC
  std::string options = "{}";  ///< a JSON object: the settings that change the result
  std::vector<Input> inputs;
};

/// The last line of a complete manifest. `counts` is a JSON object.
struct End {
  std::string state;
  std::string counts;
  std::vector<Input> inputs;  ///< heads of the inputs that the header leaves open
};

/// The header's inputs with the heads that the end line adds; a head is empty while it is not known.
[[nodiscard]] std::vector<Input> resolved_inputs(const Header& header, const std::optional<End>& end);

/// A record of a kind this reader does not model: kept as its JSON line.
struct Other {
  std::string kind;
  std::string json;
};

using Record = std::variant<Object, Study, LateFinding, Gone, Intent, Other>;

/// Reads a manifest forward, one record at a time, checking block chain, checksums and frame numbers as it goes.
/// Single-threaded. Damage inside what was confirmed written throws RunError(Exit::integrity); a torn tail of an
/// interrupted run ends the stream as if the frame had never been written and sets `torn()`.
class Reader {
 public:
  /// `path` "-" is standard input. Throws RunError(Exit::input) when the file cannot be read or is no manifest.
  explicit Reader(const std::filesystem::path& path);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  [[nodiscard]] const Header& header() const noexcept;
  /// The next record, nullopt at the end. Header, block, end and signature lines are not records.
  [[nodiscard]] std::optional<Record> next();
  /// Like next(), but the JSON line as written; valid until the next call.
  [[nodiscard]] std::optional<std::string_view> next_line();

  /// After the end: the end line, nullopt for an interrupted run.
  [[nodiscard]] const std::optional<End>& end() const noexcept;
  [[nodiscard]] bool torn() const noexcept;
  /// After the end: SHA-256 (hex) of the last frame's compressed bytes; what an output's `inputs` refers to.
  [[nodiscard]] std::string head() const;
  /// Base name of the file, "-" for a pipe.
  [[nodiscard]] std::string name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One line parsed to its record; throws RunError(Exit::integrity) when it is no record.
[[nodiscard]] Record parse_record(std::string_view line);

/// Head and header of a file without handing out records: SHA-256 of its last frame. Full chain check.
[[nodiscard]] Input input_of(const std::filesystem::path& path);

}  // namespace waybill::manifest
