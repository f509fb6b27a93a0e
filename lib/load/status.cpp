// SPDX-License-Identifier: Apache-2.0
#include "load/status.hpp"

#include <algorithm>
#include <array>

namespace waybill::load {

using manifest::Bucket;
using manifest::Severity;
using Next = Meaning::Next;

std::string status_text(std::uint16_t status) {
  const std::array bytes{static_cast<std::byte>(status >> 8U), static_cast<std::byte>(status & 0xFFU)};
  return to_hex(bytes);
}

namespace {

Meaning refused(std::string_view code, const std::string& detail, Bucket bucket = Bucket::failed) {
  return {Next::done, bucket, "refused", manifest::Finding{std::string(code), Severity::s3, "", detail}};
}

/// The peer finds fault with the object itself: a person has to look at it.
Meaning faulty(const std::string& detail) { return refused("LOAD-REFUSED", detail, Bucket::quarantined); }

/// For lack of resources; certainly not stored.
Meaning scarce(const std::string& detail) {
  return {Next::retry, Bucket::pending, "refused", manifest::Finding{"LOAD-PENDING", Severity::s2, "", detail}, true};
}

Meaning meaning_of_status(std::uint16_t status, const char* service) {
  const std::string text = std::string("the peer answered ") + service + " with status " + status_text(status);
  switch (status) {
    case 0x0000: return {Next::done, Bucket::loaded, "sent", std::nullopt};
    case 0xB000:
    case 0xB006:
    case 0xB007:
      return {
          Next::done, Bucket::loaded, "sent",
          manifest::Finding{"LOAD-WARNING", Severity::s2, "", text + ": stored, but changed or doubted; read it back"}};
    case 0x0111:
      return {Next::done, Bucket::loaded, "already-present",
              manifest::Finding{"LOAD-DUPLICATE", Severity::s1, "",
                                text + ": it was there before; compare with waybill-verify"}};
    case 0x0110:
      return {Next::ask, Bucket::failed, "refused",
              manifest::Finding{"LOAD-PROCESSING", Severity::s3, "", text + ": processing failure"}};
    case 0xFE00:
      return {Next::ask, Bucket::failed, "refused",
              manifest::Finding{"LOAD-PROCESSING", Severity::s3, "", text + ": cancelled there"}};
    case 0x0213: return scarce(text + ": resources");
    case 0x0122:
    case 0x0112:
    case 0x0118: return refused("D27", text + ": the SOP class is not supported");
    case 0x0117: return faulty(text + ": invalid SOP instance");
    case 0x0210:
    case 0x0211:
    case 0x0212: return refused("LOAD-PROTOCOL", text + ": it did not understand the message; a defect of one side");
    case 0x0124: return {Next::stop, Bucket::pending, "refused", std::nullopt};
    default: break;
  }
  if (status >= 0xA700 && status <= 0xA7FF) return scarce(text + ": out of resources");
  if (status >= 0xA900 && status <= 0xA9FF) return faulty(text + ": the dataset does not match its SOP class");
  if (status >= 0xC000 && status <= 0xCFFF) return faulty(text + ": cannot understand");
  return refused("LOAD-REFUSED", text);
}

std::string tag_text(std::uint32_t tag) {
  const std::array bytes{static_cast<std::byte>(tag >> 24U), static_cast<std::byte>((tag >> 16U) & 0xFFU),
                         static_cast<std::byte>((tag >> 8U) & 0xFFU), static_cast<std::byte>(tag & 0xFFU)};
  const std::string digits = to_hex(bytes);
  return digits.substr(0, 4) + "," + digits.substr(4);
}

/// The elements that the peer finds fault with, in the finding.
void add_offending(const std::vector<std::uint32_t>& tags, manifest::Finding& finding) {
  constexpr std::size_t kMost = 16;
  if (tags.empty()) return;
  finding.tag = tag_text(tags.front());
  finding.detail += "; it names";
  for (std::size_t i = 0; i < std::min(tags.size(), kMost); ++i) finding.detail += " " + tag_text(tags[i]);
  if (tags.size() > kMost) finding.detail += " and " + std::to_string(tags.size() - kMost) + " more";
}

}  // namespace

bool is_not_understood(const Answer& answer) noexcept {
  return answer.kind == Answer::Kind::status && answer.status >> 12U == 0xC;
}

Meaning meaning_of(const Answer& answer) {
  using Kind = Answer::Kind;
  const std::string declined =
      std::string("the peer declined the ") + answer.service + " request with " + answer.comment;
  switch (answer.kind) {
    case Kind::status: {
      Meaning meaning = meaning_of_status(answer.status, answer.service);
      if (meaning.finding) add_offending(answer.offending, *meaning.finding);
      return meaning;
    }
    case Kind::not_granted: return refused("D27", answer.error);
    case Kind::syntax: {
      Meaning meaning = refused("D27", "the peer takes the object in none of its transfer syntaxes");
      meaning.next = Next::syntax;
      return meaning;
    }
    case Kind::busy: {
      Meaning meaning = scarce(declined + ": it has no time or room");
      meaning.next = Next::ask;
      return meaning;
    }
    case Kind::declined: {
      Meaning meaning = faulty(declined + " and says nothing of the object, which it does not list");
      meaning.next = Next::ask;
      return meaning;
    }
    case Kind::too_large: {
      Meaning meaning = refused("LOAD-TOOLARGE", declined + ": the object is larger than it takes");
      meaning.next = Next::ask;
      return meaning;
    }
    case Kind::none: break;
  }
  return {
      Next::ask, Bucket::failed, "no-answer",
      manifest::Finding{"LOAD-NOANSWER", Severity::s3, "",
                        "the peer gave no answer to this object, twice, and does not list it; have its log looked at"}};
}

}  // namespace waybill::load
