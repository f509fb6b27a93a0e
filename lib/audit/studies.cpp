// SPDX-License-Identifier: Apache-2.0
#include "audit/studies.hpp"

#include "audit/event.hpp"
#include "audit/trail.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "manifest/reader.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace waybill::audit {
namespace {

constexpr std::size_t kStudiesAMessage = 100;

bool is_told(const std::string& manifest) { return is_recording() && manifest != "-"; }

void each_study(const std::string& manifest, const std::function<void(const manifest::Study&)>& each) {
  manifest::Reader reader(manifest);
  while (const auto line = reader.next_line()) {
    if (!line->starts_with(R"({"kind":"study")")) continue;
    const auto record = manifest::parse_record(*line);
    if (const auto* study = std::get_if<manifest::Study>(&record)) each(*study);
  }
}

std::set<std::string> changed_studies(const std::string& manifest) {
  std::set<std::string> changed;
  manifest::Reader reader(manifest);
  while (const auto record = reader.next()) {
    const auto* object = std::get_if<manifest::Object>(&*record);
    if (object == nullptr || !object->transcode) continue;
    if (object->transcode->undo.provenance || !object->transcode->uids.empty())
      changed.insert(object->study.value_or(""));
  }
  return changed;
}

using Make = Message (*)(const std::string&, const std::vector<StudyPart>&);

/// Messages about many studies, a hundred each; one even when there is none.
class MediaMessages {
 public:
  MediaMessages(std::string media, Make make) : media_(std::move(media)), make_(make) {}

  void add(StudyPart study) {
    studies_.push_back(std::move(study));
    if (studies_.size() == kStudiesAMessage) tell();
  }
  void finish() {
    if (!studies_.empty() || !any_) tell();
  }

 private:
  void tell() {
    record(make_(media_, studies_));
    studies_.clear();
    any_ = true;
  }

  std::string media_;
  Make make_;
  std::vector<StudyPart> studies_;
  bool any_ = false;
};

void record_media(const std::string& manifest, const std::string& media, Make make) {
  if (!is_told(manifest)) return;
  MediaMessages messages(media, make);
  each_study(manifest, [&](const manifest::Study& study) { messages.add(part_of(study)); });
  messages.finish();
}

/// Studies of patients, each told once.
class Once {
 public:
  bool is_new(const StudyPart& part) {
    Sha256 sha;
    for (const std::string* text :
         {&part.uid, &part.accession, &part.patient.issuer, &part.patient.id, &part.patient.name}) {
      sha.update(*text);
      sha.update(std::string_view("\0", 1));
    }
    return seen_.insert(sha.finish().bytes).second;
  }

 private:
  std::set<decltype(Digest::bytes)> seen_;
};

std::string shown(const std::string& media) { return media == "-" ? "standard output" : path_to_text(media); }

}  // namespace

void record_accessed(const std::string& manifest) {
  if (!is_told(manifest)) return;
  const auto changed = changed_studies(manifest);
  each_study(manifest, [&](const manifest::Study& study) {
    record(accessed(changed.contains(study.study) ? 'U' : 'R', part_of(study)));
  });
}

void record_imported(const std::string& manifest, const std::string& media) { record_media(manifest, media, imported); }
void record_exported(const std::string& manifest, const std::string& media) { record_media(manifest, media, exported); }

void record_leaving(const std::vector<std::string>& manifests, const std::string& media) {
  if (!is_recording()) return;
  for (const std::string& manifest : manifests) {
    if (manifest == "-")
      throw RunError(Exit::usage,
                     "the audit message names the studies whose records leave, and standard input can be read once; "
                     "save the manifest and name its file");
  }
  MediaMessages messages(shown(media), exported);
  Once once;
  for (const std::string& manifest : manifests) {
    each_study(manifest, [&](const manifest::Study& study) {
      if (StudyPart part = part_of(study); once.is_new(part)) messages.add(std::move(part));
    });
  }
  messages.finish();
}

void record_leaving_lines(const std::vector<std::string>& lines, const std::string& media) {
  if (!is_recording()) return;
  MediaMessages messages(shown(media), exported);
  Once once;
  for (const std::string& line : lines) {
    const auto record = manifest::parse_record(line);
    std::optional<StudyPart> part;
    if (const auto* study = std::get_if<manifest::Study>(&record)) part = part_of(*study);
    if (const auto* object = std::get_if<manifest::Object>(&record)) part = part_of(*object);
    if (part && once.is_new(*part)) messages.add(*std::move(part));
  }
  messages.finish();
}

void record_decisions(const std::string& manifest) {
  if (!is_told(manifest)) return;
  each_study(manifest, [](const manifest::Study& study) {
    if (study.decision != "auto" && study.decision != "person") return;
    StudyPart now = part_of(study);
    const Patient before = now.patient;
    bool of_patient = false, of_exam = false;
    for (const manifest::Edit& edit : study.edits) {
      const bool patient = edit.tag.starts_with("0010,");
      of_patient = of_patient || patient;
      of_exam = of_exam || !patient;
      if (edit.tag == "0010,0020") now.patient.id = edit.new_value;
      if (edit.tag == "0010,0021") now.patient.issuer = edit.new_value;
      if (edit.tag == "0010,0010") now.patient.name = edit.new_value;
      if (edit.tag == "0008,0050") now.accession = edit.new_value;
    }
    if (of_patient) record(patient_record(now, before));
    if (of_exam) record(procedure_record(now));
  });
}

}  // namespace waybill::audit
