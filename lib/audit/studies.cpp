// SPDX-License-Identifier: Apache-2.0
#include "audit/studies.hpp"

#include "audit/event.hpp"
#include "audit/trail.hpp"
#include "manifest/reader.hpp"

#include <functional>
#include <set>
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

void record_media(const std::string& manifest, const std::string& media, Make make) {
  if (!is_told(manifest)) return;
  std::vector<StudyPart> studies;
  bool any = false;
  const auto tell = [&] {
    record(make(media, studies));
    studies.clear();
    any = true;
  };
  each_study(manifest, [&](const manifest::Study& study) {
    studies.push_back(part_of(study));
    if (studies.size() == kStudiesAMessage) tell();
  });
  if (!studies.empty() || !any) tell();
}

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
