// SPDX-License-Identifier: Apache-2.0
#include "verify/compare.hpp"

#include "dicom/digest.hpp"
#include "inspect/inspect.hpp"
#include "manifest/exception.hpp"
#include "pixel/codec.hpp"
#include "transfer/bytes.hpp"
#include "verify/frames.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace waybill::verify {

using manifest::Difference;
using manifest::Object;
using manifest::Severity;
using pixel::Fidelity;

void conclude(Object& object, std::string grade, std::string verdict, bool good) {
  if (!object.verify) object.verify.emplace();
  object.verify->grade = std::move(grade);
  object.verify->verdict = std::move(verdict);
  object.bucket = good ? manifest::Bucket::verified : manifest::Bucket::failed;
}

std::string verdict_of(const std::vector<Difference>& differences) {
  // Patient and study identification that targets coerce on arrival, and the records they leave of it.
  constexpr std::array kCoerced{"00080005", "00080020", "00080030", "00080050", "00080090",
                                "00081030", "00100010", "00100020", "00100021", "00100030",
                                "00100040", "0020000D", "0020000E", "00200010", "04000561"};
  if (std::ranges::all_of(differences, manifest::means_the_same)) return "EQUIVALENT-LENIENT";
  const auto coerced = [&](const Difference& d) {
    return manifest::means_the_same(d) ||
           std::ranges::any_of(kCoerced, [&](std::string_view tag) { return d.tag.starts_with(tag); });
  };
  return std::ranges::all_of(differences, coerced) ? "TARGET-COERCED" : "METADATA-LOSS";
}

namespace {

/// The file that was sent, parsed; keeps its bytes.
struct SentFile {
  Bytes bytes;
  dicom::File file;
};

Result<std::unique_ptr<SentFile>> open_sent(const Object& object) {
  const auto file = transfer::file_to_send(object);
  if (!file) return file.error();
  auto bytes = transfer::read_checked(*file);
  if (!bytes) return bytes.error();
  auto sent = std::make_unique<SentFile>();
  sent->bytes = *std::move(bytes);
  auto parsed = dicom::parse_file(sent->bytes);
  if (!parsed) return parsed.error();
  sent->file = *std::move(parsed);
  return sent;
}

bool has_pixels(const Object& object) {
  return object.pixel_sha256.has_value() || object.codestream_sha256.has_value();
}

/// Digests the peer's object must have: those of the manifest, or those of the sent file when the manifest lacks them.
struct Expected {
  std::string dataset, pixel, codestream, transfer_syntax;
  bool known = false;
};

Expected expected_of(const Object& object) {
  Expected expected;
  const bool staged = object.transcode && !object.transcode->dataset_sha256.empty();
  expected.dataset = staged ? object.transcode->dataset_sha256 : object.dataset_sha256.value_or("");
  expected.pixel = object.pixel_sha256.value_or("");
  expected.codestream = object.codestream_sha256.value_or("");
  expected.transfer_syntax = transfer::sent_syntax(object);
  const bool image = object.rows.value_or(0) > 0;
  if (!expected.dataset.empty() && (!image || has_pixels(object))) {
    expected.known = true;
    return expected;
  }
  const auto sent = open_sent(object);
  if (!sent) return expected;
  Object fresh;
  inspect::inspect((*sent)->file, inspect::Depth::pixels, fresh);
  // What was changed while it was sent lies nowhere but at the peer; its digest was taken then.
  if (expected.dataset.empty()) expected.dataset = fresh.dataset_sha256.value_or("");
  expected.pixel = fresh.pixel_sha256.value_or("");
  expected.codestream = fresh.codestream_sha256.value_or("");
  expected.known = !expected.dataset.empty();
  return expected;
}

/// Whether what was sent, of this DS1, is another dataset than that of the source: our recorded edits.
bool is_edited(const Object& object, const std::string& sent) {
  return object.dataset_sha256 && !sent.empty() && sent != *object.dataset_sha256;
}

/// "" when the pixels are proven equal, else the verdict.
std::string pixel_verdict(const Expected& expected, const Object& actual, const std::string& syntax) {
  const Fidelity sent = pixel::fidelity_of(expected.transfer_syntax);
  const bool exact = sent == Fidelity::native || sent == Fidelity::lossless;
  const std::string pixel = actual.pixel_sha256.value_or("");
  const std::string codestream = actual.codestream_sha256.value_or("");
  if (expected.pixel.empty() && expected.codestream.empty())
    return pixel.empty() && codestream.empty() ? "" : "PIXEL-DIFF";
  if (exact && !expected.pixel.empty()) return pixel == expected.pixel ? "" : "PIXEL-DIFF";
  if (!expected.codestream.empty() && codestream == expected.codestream) return "";
  return syntax == expected.transfer_syntax ? "PIXEL-DIFF" : "LOSSY-REDECODED";
}

/// Whether the object got its edits on the way, so that no file holds what was sent.
bool edited_on_the_way(const Object& object) {
  if (!object.transcode || !object.transcode->path.empty() || object.transcode->dataset_sha256.empty()) return false;
  return object.transcode->dataset_sha256 != object.dataset_sha256;
}

/// The metadata differ from what was sent: says how.
void explain(const dicom::File& received, Object& object) {
  const auto sent = open_sent(object);
  if (!sent) {
    object.findings.push_back({"VERIFY-NOSOURCE", Severity::s3, "",
                               "the digests differ and the sent file cannot be compared: " + sent.error().what});
    return conclude(object, "E3", "METADATA-LOSS", false);
  }
  object.verify.emplace();
  object.verify->differences = dicom::compare((*sent)->file.dataset, received.dataset, dicom::Profile::lenient);
  std::string verdict = verdict_of(object.verify->differences);
  const bool good = verdict == "EQUIVALENT-LENIENT" && !edited_on_the_way(object);
  if (verdict == "EQUIVALENT-LENIENT" && !good) {
    object.findings.push_back({"VERIFY-UNEDITED", Severity::s4, "",
                               "the peer holds the object as the source has it, without the edits that were sent"});
    verdict = "METADATA-LOSS";
  }
  conclude(object, good ? "E4" : "E3", verdict, good);
}

/// The pixels are not those that were sent: names both digests, the frames that differ unless they were compressed
/// anew, and the elements that differ, which may be the cause.
void explain_pixels(const dicom::File& received, const Object& actual, const Expected& expected,
                    const std::string& verdict, Object& object) {
  const bool samples = actual.pixel_sha256 && !expected.pixel.empty();
  const std::string came = (samples ? actual.pixel_sha256 : actual.codestream_sha256).value_or("");
  const std::string& sent_digest = samples ? expected.pixel : expected.codestream;
  const auto named = [](const std::string& digest) { return digest.empty() ? "none" : digest; };
  object.findings.push_back({"VERIFY-PIXELS", Severity::s4, "7FE0,0010",
                             std::string(samples ? "PIX1" : "the codestream's digest") + " of what came back is " +
                                 named(came) + ", of what was sent " + named(sent_digest)});
  object.verify.emplace();
  if (const auto sent = open_sent(object)) {
    auto& differences = object.verify->differences;
    differences = dicom::compare((*sent)->file.dataset, received.dataset, dicom::Profile::lenient);
    const bool lossy = pixel::fidelity_of(expected.transfer_syntax) == Fidelity::lossy;
    if (verdict == "PIXEL-DIFF") {
      if (auto frames = frame_difference((*sent)->file, received, lossy))
        differences.insert(differences.begin(), *std::move(frames));
    }
  }
  conclude(object, "E3", verdict, false);
}

void conclude_identical(Object& object) {
  const std::string staged = object.transcode ? object.transcode->dataset_sha256 : "";
  conclude(object, "E4", is_edited(object, staged) ? "EXPECTED-CHANGE" : "IDENTICAL", true);
}

/// What breaks the rules of encoding in what came, and did not in what was sent: values can be read in spite of a
/// damaged VR or length, but not by everybody, and nobody sent them so.
const manifest::Finding* damage(const dicom::File& received, const Object& object) {
  if (!received.dataset.is_irregular()) return nullptr;
  const bool staged = object.transcode && !object.transcode->path.empty();
  for (const manifest::Finding& finding : received.findings) {
    const auto same = [&](const manifest::Finding& own) { return own.code == finding.code; };
    if (finding.code.starts_with("ENC-") && (staged || std::ranges::none_of(object.findings, same))) return &finding;
  }
  return nullptr;
}

/// Other bytes than those of the sent file: the digests of what they mean decide.
void compare_digests(const net::Received& received, Object& object) {
  const auto parsed = dicom::parse_network_dataset(received.dataset, received.transfer_syntax);
  if (!parsed) {
    object.findings.push_back(
        {"VERIFY-UNREADABLE", Severity::s4, "", "the peer gave bytes that cannot be read: " + parsed.error().what});
    return conclude(object, "E3", "METADATA-LOSS", false);
  }
  const Expected expected = expected_of(object);
  if (!expected.known) {
    object.findings.push_back(
        {"VERIFY-NOSOURCE", Severity::s3, "", "neither the manifest nor the sent file says what to expect"});
    return conclude(object, "E3", "UNPROVEN", false);
  }
  Object actual;
  inspect::inspect(*parsed, inspect::Depth::pixels, actual);
  const std::string pixels = pixel_verdict(expected, actual, received.transfer_syntax);
  if (!pixels.empty()) return explain_pixels(*parsed, actual, expected, pixels, object);
  if (const auto* found = damage(*parsed, object); found != nullptr) {
    object.findings.push_back({"VERIFY-ENCODING", Severity::s4, found->tag,
                               "the peer gave the object back with damage in its encoding: " + found->detail});
    return conclude(object, "E3", "METADATA-LOSS", false);
  }
  if (actual.dataset_sha256.value_or("") != expected.dataset) return explain(*parsed, object);
  conclude(object, "E4", is_edited(object, expected.dataset) ? "EXPECTED-CHANGE" : "EQUIVALENT", true);
}

}  // namespace

void compare_content(const net::Received& received, Object& object) {
  is_identical(received, object) ? conclude_identical(object) : compare_digests(received, object);
}

void compare_contents(const Arrived& a, const Arrived& b) {
  const auto identical = are_identical(a, b);
  for (const auto& [one, same] : {std::pair<const Arrived&, bool>{a, identical[0]}, {b, identical[1]}})
    same ? conclude_identical(*one.object) : compare_digests(one.received, *one.object);
}

}  // namespace waybill::verify
