// SPDX-License-Identifier: Apache-2.0
#include "hl7/batch.hpp"

#include "core/text.hpp"
#include "hl7/message.hpp"

#include <charconv>
#include <optional>

namespace waybill::hl7 {
namespace {

/// BTS-1 or FTS-1; nullopt when it is empty, and `bad` when it is no number.
std::optional<std::uint64_t> total_of(const Piece& piece, bool& bad) {
  if (piece.bytes.size() < 4) return std::nullopt;
  const std::string_view line = piece.bytes.substr(0, piece.bytes.find_first_of("\r\n"));
  if (line.size() < 4) return std::nullopt;
  const std::string_view text = trim(part(line, line[3], 2));
  if (text.empty()) return std::nullopt;
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  bad = error != std::errc() || end != text.data() + text.size();
  return bad ? std::nullopt : std::optional(n);
}

}  // namespace

void BatchCheck::end_batch(const Piece& piece) {
  bool bad = false;
  const auto total = total_of(piece, bad);
  if (bad) report_(piece.offset, "BTS-1 is no number, so the messages of the batch cannot be counted against it");
  if (total && *total != messages_) {
    report_(piece.offset, "BTS-1 promises " + std::to_string(*total) + " messages, the batch has " +
                              std::to_string(messages_) + "; the export may be truncated");
  }
  if (!in_batch_) report_(piece.offset, "BTS without BHS");
  in_batch_ = false;
  messages_ = 0;
}

void BatchCheck::end_file(const Piece& piece) {
  bool bad = false;
  const auto total = total_of(piece, bad);
  if (bad) report_(piece.offset, "FTS-1 is no number, so the batches of the file cannot be counted against it");
  const bool without_batches = batches_ == 0 && total && (*total == all_messages_ || *total == 1);
  if (total && *total != batches_ && !without_batches) {
    report_(piece.offset, "FTS-1 promises " + std::to_string(*total) + " batches, the file has " +
                              std::to_string(batches_) + "; the export may be truncated");
  }
  if (in_batch_) report_(batch_at_, "the batch has no BTS; the export may be truncated");
  in_batch_ = in_file_ = false;
  batches_ = all_messages_ = messages_ = 0;
}

void BatchCheck::see(const Piece& piece) {
  switch (piece.kind) {
    case PieceKind::message:
    case PieceKind::oversize:
      ++messages_;
      ++all_messages_;
      break;
    case PieceKind::file_header:
      finish();
      in_file_ = true;
      file_at_ = piece.offset;
      break;
    case PieceKind::batch_header:
      if (in_batch_) report_(batch_at_, "the batch has no BTS; the export may be truncated");
      in_batch_ = true;
      batch_at_ = piece.offset;
      ++batches_;
      messages_ = 0;
      break;
    case PieceKind::batch_trailer: end_batch(piece); break;
    case PieceKind::file_trailer: end_file(piece); break;
    case PieceKind::stray: break;
  }
}

void BatchCheck::finish() {
  if (in_batch_) report_(batch_at_, "the batch has no BTS; the export may be truncated");
  if (in_file_) report_(file_at_, "the file has FHS but no FTS; the export may be truncated");
  in_file_ = in_batch_ = false;
  messages_ = batches_ = all_messages_ = 0;
}

}  // namespace waybill::hl7
