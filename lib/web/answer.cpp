// SPDX-License-Identifier: Apache-2.0
#include "web/answer.hpp"

#include "web/model.hpp"

#include <charconv>
#include <optional>
#include <set>

namespace waybill::web {

namespace {

constexpr std::string_view kStored = "00081199", kFailed = "00081198", kOther = "0008119A";
constexpr std::string_view kInstance = "00081155", kWarning = "00081196", kFailure = "00081197";
constexpr std::uint16_t kProcessingFailure = 0x0110;

std::optional<Item> parse_body(const Response& response, std::string_view body) {
  if (!response.content_encoding.empty() && response.content_encoding != "identity") return std::nullopt;
  const std::size_t first = std::min(body.find_first_not_of(" \t\r\n\xEF\xBB\xBF"), body.size());
  body = body.substr(first);
  if (body.starts_with('<')) {
    auto item = parse_xml(body);
    return item ? std::optional(*std::move(item)) : std::nullopt;
  }
  auto items = parse_json(body);
  if (!items || items->size() != 1) return std::nullopt;
  return std::move(items->front());
}

/// US of (0008,1196) or (0008,1197) as decimal text; nullopt when it is none.
std::optional<std::uint16_t> reason_of(const Item& item, std::string_view tag) {
  const std::string text = item.value(tag);
  std::uint16_t reason = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), reason);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(reason) : std::nullopt;
}

/// A failure without a reason, or with that of a success, is one of processing.
std::uint16_t failure_of(const Item& item) {
  const std::uint16_t reason = reason_of(item, kFailure).value_or(kProcessingFailure);
  return reason == 0 ? kProcessingFailure : reason;
}

}  // namespace

StoreAnswer parse_store_answer(Response response, std::string_view body) {
  StoreAnswer answer;
  answer.response = std::move(response);
  const auto root = parse_body(answer.response, body);
  if (!root) return answer;
  answer.readable = true;
  std::set<std::string, std::less<>> stored;
  for (const Item& item : root->items(kStored)) {
    const std::string uid = item.value(kInstance);
    if (uid.empty()) continue;
    stored.insert(uid);
    answer.instances[uid] = reason_of(item, kWarning).value_or(0);
  }
  for (const Item& item : root->items(kFailed)) {
    const std::string uid = item.value(kInstance);
    if (uid.empty()) continue;
    if (stored.contains(uid)) {
      answer.instances.erase(uid);  // stored and not stored: nobody knows
      continue;
    }
    answer.instances[uid] = failure_of(item);
  }
  for (const Item& item : root->items(kOther)) answer.other_failure = failure_of(item);
  return answer;
}

}  // namespace waybill::web
