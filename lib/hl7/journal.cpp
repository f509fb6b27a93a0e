// SPDX-License-Identifier: Apache-2.0
#include "hl7/journal.hpp"

#include "core/bytes.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/reader.hpp"

#include <openssl/evp.h>
#include <algorithm>

namespace waybill::hl7 {
namespace {

/// Text that JSON holds at about its own size.
bool is_plain(std::string_view bytes) {
  const auto strange = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\n' && c != '\t';
  };
  if (std::any_of(bytes.begin(), bytes.end(), strange) || !is_utf8(bytes)) return false;
  const auto escaped = std::count_if(
      bytes.begin(), bytes.end(), [](char c) { return c == '\r' || c == '\n' || c == '\t' || c == '"' || c == '\\'; });
  return static_cast<std::size_t>(escaped) < bytes.size() / 3 + 64;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) manifest::detail::bad_line("base64 is damaged");
  const auto padding =
      static_cast<std::size_t>(std::count(text.end() - std::min<std::ptrdiff_t>(2, std::ssize(text)), text.end(), '='));
  bytes.resize(static_cast<std::size_t>(n) - padding);
  return bytes;
}

}  // namespace

std::string to_json(const JournalEntry& e) {
  JsonWriter w;
  w.begin_object().member("kind", e.refused ? "hl7-refused" : "hl7").member("received", e.received);
  w.member("peer", e.peer);
  if (!e.type.empty()) w.member("type", e.type);
  if (!e.control_id.empty()) w.member("control_id", e.control_id);
  if (e.refused) w.member("answer", e.answer).member("reason", e.reason);
  w.member("size", e.size);
  if (!e.refused) w.member("sha256", Sha256::of(e.bytes).hex());
  if (is_plain(e.bytes))
    w.member("text", e.bytes);
  else
    w.member("base64", to_base64(e.bytes));
  w.end_object();
  return std::move(w).str();
}

JournalEntry parse_journal_entry(std::string_view line) {
  namespace json = manifest::detail;
  simdjson::dom::parser parser;
  const auto j = json::parse_object(parser, line);
  JournalEntry e;
  e.refused = json::need<std::string>(j, "kind") == "hl7-refused";
  e.received = json::need<std::string>(j, "received");
  e.peer = json::need<std::string>(j, "peer");
  e.type = json::find<std::string>(j, "type").value_or("");
  e.control_id = json::find<std::string>(j, "control_id").value_or("");
  e.size = json::need<std::uint64_t>(j, "size");
  if (e.refused) {
    e.answer = json::need<std::string>(j, "answer");
    e.reason = json::need<std::string>(j, "reason");
  }
  if (auto text = json::find<std::string>(j, "text"))
    e.bytes = *std::move(text);
  else
    e.bytes = from_base64(json::need<std::string>(j, "base64"));
  if (!e.refused && (e.bytes.size() != e.size || Sha256::of(e.bytes).hex() != json::need<std::string>(j, "sha256")))
    json::bad_line("a message is not the one that was received");
  return e;
}

bool is_manifest(std::string_view head) { return head.starts_with(R"({"kind":"header","format":"waybill/)"); }

bool begins_like_manifest(const std::filesystem::path& path) {
  try {
    return !manifest::Reader(path).header().stage.empty();
  } catch (const RunError&) {
    return false;
  }
}

bool read_journal(const std::filesystem::path& path, const std::function<void(JournalEntry&&)>& take) {
  manifest::Reader reader(path);
  if (reader.header().stage != kJournalStage) return false;
  while (const auto line = reader.next_line())
    if (line->starts_with(R"({"kind":"hl7)")) take(parse_journal_entry(*line));
  return true;
}

}  // namespace waybill::hl7
