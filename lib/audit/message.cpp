// SPDX-License-Identifier: Apache-2.0
#include "audit/message.hpp"

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "page/escape.hpp"

#include <string_view>

namespace waybill::audit {
namespace {

/// Text for content and attribute values (XML 1.0, 2.2 and 2.4); a token has no line ends.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : repair_utf8(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      case '\t':
      case '\n':
      case '\r': out += ' '; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += "\xEF\xBF\xBD";
        } else {
          out += c;
        }
    }
  }
  // U+FFFE and U+FFFF are no characters of XML.
  for (const char* none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (std::size_t at = out.find(none); at != std::string::npos; at = out.find(none, at))
      out.replace(at, 3, "\xEF\xBF\xBD");
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escaped(value) + "\"";
}
std::string optional_attribute(std::string_view name, std::string_view value) {
  return value.empty() ? "" : attribute(name, value);
}

std::string coded(std::string_view element, const Code& code) {
  return "<" + std::string(element) + attribute("csd-code", code.value) + attribute("codeSystemName", code.system) +
         attribute("originalText", code.meaning) + "/>";
}

std::string text_element(std::string_view element, std::string_view text) {
  const std::string name(element);
  return "<" + name + ">" + escaped(text) + "</" + name + ">";
}

bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string to_xml(const Participant& who) {
  std::string out = "<ActiveParticipant" + attribute("UserID", who.user) +
                    optional_attribute("AlternativeUserID", who.alternative) +
                    attribute("UserIsRequestor", who.requestor ? "true" : "false");
  if (!who.host.empty()) {
    out += attribute("NetworkAccessPointID", who.host);
    out += attribute("NetworkAccessPointTypeCode", is_address(who.host) ? "2" : "1");
  }
  out += ">";
  for (const Code& role : who.roles) out += coded("RoleIDCode", role);
  if (who.media) out += "<MediaIdentifier>" + coded("MediaType", *who.media) + "</MediaIdentifier>";
  return out + "</ActiveParticipant>";
}

std::string to_xml(const Subject& subject) {
  std::string out = "<ParticipantObjectIdentification" + attribute("ParticipantObjectID", subject.id) +
                    attribute("ParticipantObjectTypeCode", std::to_string(subject.type)) +
                    attribute("ParticipantObjectTypeCodeRole", std::to_string(subject.role)) + ">" +
                    coded("ParticipantObjectIDTypeCode", subject.id_type);
  if (subject.query.empty()) {
    out += text_element("ParticipantObjectName", subject.name);
  } else {
    out += text_element("ParticipantObjectQuery", page::base64(as_bytes(subject.query)));
  }
  for (const auto& [type, value] : subject.details)
    out +=
        "<ParticipantObjectDetail" + attribute("type", type) + attribute("value", page::base64(as_bytes(value))) + "/>";
  if (!subject.accession.empty() || !subject.classes.empty()) {
    out += "<ParticipantObjectDescription>";
    if (!subject.accession.empty()) out += "<Accession" + attribute("Number", subject.accession) + "/>";
    for (const auto& [uid, count] : subject.classes)
      out += "<SOPClass" + attribute("UID", uid) + attribute("NumberOfInstances", std::to_string(count)) + "/>";
    out += "</ParticipantObjectDescription>";
  }
  return out + "</ParticipantObjectIdentification>";
}

}  // namespace

std::string to_xml(const Message& message, const std::string& source) {
  std::string out = R"(<?xml version="1.0" encoding="UTF-8"?><AuditMessage><EventIdentification)";
  out += attribute("EventActionCode", std::string(1, message.action));
  out += attribute("EventDateTime", message.time.empty() ? utc_now() : message.time);
  out += attribute("EventOutcomeIndicator", std::to_string(static_cast<int>(message.outcome))) + ">";
  out += coded("EventID", message.event);
  for (const Code& type : message.types) out += coded("EventTypeCode", type);
  if (!message.description.empty()) out += text_element("EventOutcomeDescription", message.description);
  out += "</EventIdentification>";
  for (const Participant& who : message.participants) out += to_xml(who);
  out += "<AuditSourceIdentification" + attribute("AuditSourceID", source) + R"(><AuditSourceTypeCode csd-code="4"/>)";
  out += "</AuditSourceIdentification>";
  for (const Subject& subject : message.subjects) out += to_xml(subject);
  return out + "</AuditMessage>";
}

}  // namespace waybill::audit
