// SPDX-License-Identifier: Apache-2.0
#include "audit/syslog.hpp"

#include <algorithm>
#include <charconv>

namespace waybill::audit {
namespace {

constexpr std::string_view kStart = "<85>1 ";
constexpr std::string_view kMessageId = "DICOM+RFC3881";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kSequence = "[meta sequenceId=\"";

/// A field of the header: printable ASCII without spaces, "-" for none (RFC 5424 6).
std::string field(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x21 || c > 0x7E; }, '_');
  return out.empty() ? "-" : out;
}

std::optional<std::string_view> take_field(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos || space == 0) return std::nullopt;
  const std::string_view out = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return out;
}

}  // namespace

std::string to_syslog(const Envelope& envelope, std::string_view xml) {
  std::string out(kStart);
  out += envelope.time + " " + field(envelope.host, 255) + " " + field(envelope.program, 48) + " ";
  out += field(envelope.run, 128) + " ";
  out += kMessageId;
  out += " ";
  out += kSequence;
  out += std::to_string(envelope.sequence) + "\"] ";
  out += kByteOrderMark;
  return out.append(xml);
}

std::optional<Received> from_syslog(std::string_view line) {
  if (!line.starts_with(kStart)) return std::nullopt;
  line.remove_prefix(kStart.size());
  Received out;
  for (std::string* into : {&out.envelope.time, &out.envelope.host, &out.envelope.program, &out.envelope.run}) {
    const auto part = take_field(line);
    if (!part) return std::nullopt;
    *into = *part;
  }
  if (take_field(line) != kMessageId || !line.starts_with(kSequence)) return std::nullopt;
  line.remove_prefix(kSequence.size());
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), out.envelope.sequence);
  if (parsed.ec != std::errc() || out.envelope.sequence == 0) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(parsed.ptr - line.data()));
  if (!line.starts_with("\"] ")) return std::nullopt;
  line.remove_prefix(3);
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  out.xml = line;
  return out;
}

std::string framed(std::string_view message) { return std::to_string(message.size()) + " " + std::string(message); }

}  // namespace waybill::audit
