// SPDX-License-Identifier: Apache-2.0
#include "listen/journal.hpp"

#include "core/clock.hpp"
#include "core/text.hpp"
#include "listen/reply.hpp"
#include "manifest/begun.hpp"
#include "manifest/mark.hpp"

#include <algorithm>

namespace waybill::listen {
namespace {

namespace fs = std::filesystem;

/// The interrupted journal of a folder, else a name that is new there.
fs::path in_folder(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    fs::path manifest = entry.path();
    if (manifest.extension() != ".sync") continue;
    manifest.replace_extension();
    if (manifest.filename().string().starts_with("hl7-") && fs::exists(manifest)) return manifest;
  }
  std::string time = utc_now();  // 2026-03-01T12:00:00.000001Z
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return folder / ("hl7-" + time + ".wb");
}

std::string content_key(const std::string& key, const hl7::JournalEntry& entry) {
  std::string_view text = entry.bytes;
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20) text.remove_suffix(1);
  return key + '\x1E' + std::string(text);
}

std::string refusal_key(const hl7::JournalEntry& entry) {
  return entry.reason + '\x1E' + std::to_string(entry.size) + '\x1E' + entry.bytes;
}

}  // namespace

Journal::Journal(const fs::path& path, std::string options, manifest::Restart restart)
    : path_(fs::is_directory(path) ? in_folder(path) : path), options_(std::move(options)), restart_(restart) {}

void Journal::open() {
  contents_ = std::make_unique<hl7::Seen>();
  keys_ = std::make_unique<hl7::Seen>();
  stored_ = refused_ = 0;
  manifest::Header header = manifest::begun(hl7::kJournalStage);
  header.options = options_;
  auto writer = std::make_unique<manifest::Writer>(path_, std::move(header), restart_);
  restart_ = manifest::Restart::no;
  if (writer->already_complete())
    throw RunError(Exit::usage, "the journal " + path_to_text(path_.native()) +
                                    " was closed; name another one, or a folder, in which each start makes its own");
  resumed_ = writer->resumed();
  if (resumed_) remember();
  writer_ = std::move(writer);
}

void Journal::remember() {
  (void)hl7::read_journal(path_, [&](hl7::JournalEntry&& entry) {
    if (entry.refused) {
      ++refused_;
      (void)contents_->insert(refusal_key(entry));
      return;
    }
    ++stored_;
    const std::string key = read_head(entry.bytes).key();
    (void)contents_->insert(content_key(key, entry));
    (void)keys_->insert(key);
  });
}

Journal::Added Journal::add(const std::string& key, const hl7::JournalEntry& entry) {
  if (!contents_->insert(content_key(key, entry))) return Added::duplicate;
  writer_->append(hl7::to_json(entry));
  ++stored_;
  return keys_->insert(key) ? Added::stored : Added::reused_id;
}

void Journal::add_refused(const hl7::JournalEntry& entry) {
  if (!contents_->insert(refusal_key(entry))) return;
  writer_->append(hl7::to_json(entry));
  ++refused_;
}

void Journal::commit() { writer_->commit(); }

void Journal::close(std::string_view counts) {
  writer_->finish(counts);
  writer_.reset();
}

void Journal::drop() noexcept { writer_.reset(); }

}  // namespace waybill::listen
