// SPDX-License-Identifier: Apache-2.0
#include "audit/event.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"

#include <pwd.h>
#include <unistd.h>
#include <array>
#include <vector>

namespace waybill::audit {
namespace {

constexpr const char* kStudyRootFind = "1.2.840.10008.5.1.4.1.2.2.1";
constexpr const char* kExplicitLittleEndian = "1.2.840.10008.1.2.1";

Code dcm(const char* value, const char* meaning) { return {value, "DCM", meaning}; }

// No thread runs yet when it is set.
std::string& program() {
  static std::string name = "waybill";
  return name;
}

Participant us(bool requestor, std::vector<Code> roles, const std::string& calling = {}) {
  return {process_name(), calling.empty() ? "" : "AETITLES=" + calling, requestor, std::move(roles), host_name()};
}

Participant them(const Route& route, bool requestor, Code role) {
  return {route.url, route.called.empty() ? "" : "AETITLES=" + route.called, requestor, {std::move(role)}, route.host};
}

Participant operator_() { return {account_name(), "", true, {dcm("110151", "Application Launcher")}, host_name()}; }

std::vector<Participant> route_of(const Route& route) {
  const Code source = dcm("110153", "Source Role ID"), destination = dcm("110152", "Destination Role ID");
  // We ask in either case: we push, or fetch by C-GET.
  if (route.from_us) return {us(true, {source}, route.calling), them(route, false, destination)};
  return {them(route, false, source), us(true, {destination}, route.calling)};
}

Subject subject_of(const Patient& patient) {
  std::string id = patient.id;
  if (!patient.issuer.empty()) id += "^^^" + patient.issuer;
  return {id, {"2", "RFC-3881", "Patient Number"}, 1, 1, patient.name};
}

Subject subject_of(const StudyPart& study) {
  Subject subject{study.uid, dcm("110180", "Study Instance UID"), 2, 3, study.uid};
  subject.accession = study.accession;
  subject.classes.assign(study.classes.begin(), study.classes.end());
  return subject;
}

Message about(Code event, char action, const StudyPart& study) {
  Message message{std::move(event), action};
  message.subjects = {subject_of(study), subject_of(study.patient)};
  return message;
}

Participant medium(const std::string& name, Code role) {
  Participant who{name, "", false, {std::move(role)}, ""};
  who.media = dcm("110037", "URI");
  return who;
}

void put_element(Bytes& out, std::uint16_t group, std::uint16_t element, const char* vr, std::string value, char pad) {
  if (value.size() % 2 != 0) value += pad;
  put_u16(out, group);
  put_u16(out, element);
  put_bytes(out, as_bytes(vr));
  put_u16(out, static_cast<std::uint16_t>(value.size()));
  put_bytes(out, as_bytes(value));
}

}  // namespace

void set_program(const std::string& name) { program() = name; }

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string process_name() { return program() + "@" + host_name(); }

std::string account_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return "uid-" + std::to_string(::geteuid());
}

Message application_start() {
  Message message{dcm("110100", "Application Activity"), 'E', {dcm("110120", "Application Start")}};
  message.participants = {us(false, {dcm("110150", "Application")}), operator_()};
  return message;
}

Message application_stop(Outcome outcome, std::uint64_t messages, std::uint64_t lost) {
  Message message{dcm("110100", "Application Activity"), 'E', {dcm("110121", "Application Stop")}, outcome};
  message.description = std::to_string(messages) + " audit messages in this run, " + std::to_string(lost) + " lost";
  message.participants = {us(false, {dcm("110150", "Application")}), operator_()};
  return message;
}

Message begin_transfer(const Route& route, const StudyPart& study) {
  Message message = about(dcm("110102", "Begin Transferring DICOM Instances"), 'E', study);
  message.participants = route_of(route);
  return message;
}

Message transferred(const Route& route, const StudyPart& study, Outcome outcome, const std::string& why) {
  // R: who sends does not know whether the receiver creates or updates.
  Message message = about(dcm("110104", "DICOM Instances Transferred"), 'R', study);
  message.outcome = outcome;
  message.description = why;
  message.participants = route_of(route);
  return message;
}

Message query(const Route& route, const std::string& study, Outcome outcome) {
  Message message{dcm("110112", "Query"), 'E'};
  message.outcome = outcome;
  message.participants = {us(true, {dcm("110153", "Source Role ID")}, route.calling),
                          them(route, false, dcm("110152", "Destination Role ID"))};
  Bytes identifier;
  put_element(identifier, 0x0008, 0x0018, "UI", "", '\0');
  put_element(identifier, 0x0008, 0x0052, "CS", "IMAGE", ' ');
  put_element(identifier, 0x0020, 0x000D, "UI", study, '\0');
  Subject subject{kStudyRootFind, dcm("110181", "SOP Class UID"), 2, 3, ""};
  subject.query = as_text(identifier);
  subject.details = {{"TransferSyntax", kExplicitLittleEndian}};
  message.subjects = {subject};
  return message;
}

Message accessed(char action, const StudyPart& study) {
  Message message = about(dcm("110103", "DICOM Instances Accessed"), action, study);
  message.participants = {us(false, {dcm("110150", "Application")}), operator_()};
  return message;
}

namespace {

void add_studies(Message& message, const std::vector<StudyPart>& studies) {
  for (const StudyPart& study : studies) {
    message.subjects.push_back(subject_of(study));
    message.subjects.push_back(subject_of(study.patient));
  }
}

}  // namespace

Message imported(const std::string& media, const std::vector<StudyPart>& studies) {
  Message message{dcm("110107", "Import"), 'C'};
  message.participants = {us(false, {dcm("110152", "Destination Role ID")}), operator_(),
                          medium(media, dcm("110155", "Source Media"))};
  add_studies(message, studies);
  return message;
}

Message exported(const std::string& media, const std::vector<StudyPart>& studies) {
  Message message{dcm("110106", "Export"), 'R'};
  message.participants = {us(false, {dcm("110153", "Source Role ID")}), operator_(),
                          medium(media, dcm("110154", "Destination Media"))};
  add_studies(message, studies);
  return message;
}

Message patient_record(const StudyPart& study, const Patient& before) {
  Message message{dcm("110110", "Patient Record"), 'U'};
  message.participants = {us(false, {dcm("110150", "Application")}), operator_()};
  Subject now = subject_of(study.patient);
  const Subject was = subject_of(before);
  if (was.id != now.id) now.details.emplace_back("previous ID", was.id);
  now.details.emplace_back("Study Instance UID", study.uid);
  message.subjects = {now};
  if (was.id != now.id) message.subjects.push_back(was);
  return message;
}

Message procedure_record(const StudyPart& study) {
  Message message = about(dcm("110111", "Procedure Record"), 'U', study);
  message.participants = {us(false, {dcm("110150", "Application")}), operator_()};
  return message;
}

Message log_used(const std::string& file) {
  Message message{dcm("110101", "Audit Log Used"), 'R'};
  message.participants = {operator_()};
  message.subjects = {{file, {"12", "RFC-3881", "URI"}, 2, 13, "Security Audit Log"}};
  return message;
}

Message security_alert(Alert alert, const std::string& object, const std::string& why) {
  Message message{dcm("110113", "Security Alert"), 'E'};
  message.outcome = Outcome::serious;
  switch (alert) {
    case Alert::node_authentication: message.types = {dcm("110126", "Node Authentication")}; break;
    case Alert::integrity: message.types = {{"integrity", "99WAYBILL", "Integrity check failed"}}; break;
    case Alert::recording_gap: message.types = {{"recording-gap", "99WAYBILL", "Audit messages are missing"}}; break;
  }
  message.description = why;
  message.participants = {us(false, {dcm("110150", "Application")}), operator_()};
  const Code id = alert == Alert::node_authentication ? dcm("110182", "Node ID") : Code{"12", "RFC-3881", "URI"};
  message.subjects = {{object, id, 2, 13, "", "", {{"Alert Description", why}}}};
  return message;
}

StudyPart part_of(const manifest::Object& object) {
  return {object.study.value_or(""),
          object.accession.value_or(""),
          {object.patient_id.value_or(""), object.issuer.value_or(""), object.patient_name.value_or("")}};
}

StudyPart part_of(const manifest::Study& study) {
  return {study.study,
          study.accession.value_or(""),
          {study.patient_id.value_or(""), study.issuer.value_or(""), study.patient_name.value_or("")}};
}

}  // namespace waybill::audit
