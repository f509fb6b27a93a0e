// SPDX-License-Identifier: Apache-2.0
#include "transfer/bytes.hpp"
#include "verify/compare.hpp"

namespace waybill::verify {

namespace {

enum class State { equal, wrong, unchecked };

/// One file; a finding says why it is not equal.
State check(const Result<transfer::SendFile>& file, const char* which, manifest::Object& object) {
  if (!file || file->sha256.empty()) {
    object.findings.push_back(
        {"VERIFY-UNCHECKED", manifest::Severity::s1, "",
         std::string(which) + ": " + (file ? "the manifest has no SHA-256 of it" : file.error().what)});
    return State::unchecked;
  }
  const auto bytes = transfer::read_checked(*file);
  if (bytes) return State::equal;
  object.findings.push_back(
      {"VERIFY-FIXITY", manifest::Severity::s4, "", std::string(which) + ": " + bytes.error().what});
  return State::wrong;
}

}  // namespace

void check_fixity(manifest::Object& object) {
  const State source = check(transfer::source_file(object), "source", object);
  const bool staged_exists = object.transcode && !object.transcode->path.empty();
  const State staged = staged_exists ? check(transfer::file_to_send(object), "staged file", object) : State::unchecked;
  if (source == State::wrong || staged == State::wrong) return conclude(object, "E0", "CHANGED", false);
  if (source == State::equal || staged == State::equal) return conclude(object, "E0", "IDENTICAL", true);
  object.bucket = manifest::Bucket::pending;  // nothing to compare with: neither good nor bad
}

}  // namespace waybill::verify
