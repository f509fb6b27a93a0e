// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hl7/journal.hpp"
#include "hl7/seen.hpp"
#include "manifest/writer.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace waybill::listen {

/// The messages taken over so far, on disk. What commit() returned from is durable; after a failure of the disk it
/// closes and open() may be tried again. Single-threaded.
class Journal {
 public:
  /// `path` as waybill listen's -o: a file, or a folder in which an interrupted journal is continued or one with a new
  /// name begun.
  Journal(const std::filesystem::path& path, std::string options, manifest::Restart restart);

  /// Creates the file, or continues it: then what is in it is read, so that a repeated message is known. Throws
  /// RunError, also for a journal that was closed.
  void open();
  [[nodiscard]] bool is_open() const noexcept { return writer_ != nullptr; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] bool resumed() const noexcept { return resumed_; }

  enum class Added { stored, duplicate, reused_id };
  /// Adds a message; not one that is there already under this key with the same content. A key that comes again with
  /// other content is stored, too. Throws RunError when the disk fails: then nothing since the last commit() is sure.
  Added add(const std::string& key, const hl7::JournalEntry& entry);
  /// Adds what was refused, once for the same content and reason.
  void add_refused(const hl7::JournalEntry& entry);
  void commit();
  /// Writes the end.
  void close(std::string_view counts);
  /// After a failure: lets go of the file.
  void drop() noexcept;

  /// Records in the journal, those of earlier runs included.
  [[nodiscard]] std::uint64_t stored() const noexcept { return stored_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  void remember();

  std::filesystem::path path_;
  std::string options_;
  manifest::Restart restart_;
  std::unique_ptr<manifest::Writer> writer_;
  std::unique_ptr<hl7::Seen> contents_, keys_;
  std::uint64_t stored_ = 0, refused_ = 0;
  bool resumed_ = false;
};

}  // namespace waybill::listen
