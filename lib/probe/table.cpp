// SPDX-License-Identifier: Apache-2.0
#include "probe/profile.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace waybill::probe {

namespace {

constexpr std::size_t kLabel = 14;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string fixed(double value) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, value < 10 ? "%.1f" : "%.0f", value);
  return {text, static_cast<std::size_t>(size)};
}

std::string yes_no(const std::optional<bool>& value) { return !value ? "not known" : *value ? "yes" : "no"; }

/// Collects lines of "label  text".
class Page {
 public:
  void line(const std::string& label, const std::string& text) { text_ += padded(label, kLabel) + text + '\n'; }
  void heading(const std::string& text) { text_ += '\n' + text + '\n'; }
  void row(const std::string& text) { text_ += "  " + text + '\n'; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// "explicit, implicit, JPEG-LS": names of transfer syntaxes.
std::string names_of(const std::vector<std::string>& uids) {
  std::string out;
  for (const std::string& uid : uids) out += (out.empty() ? "" : ", ") + name_of(uid);
  return out;
}

void show_peer(const Profile& profile, Page& page) {
  page.line("peer", profile.peer);
  if (profile.facts) {
    const net::Facts& facts = *profile.facts;
    const std::string version = said(facts.implementation_version);
    page.line("software",
              (version.empty() ? "without a name" : version) + " (" + said(facts.implementation_class) + ")");
    page.line("max PDU", facts.max_pdu == 0 ? "any" : std::to_string(facts.max_pdu) + " bytes");
    page.line("operations",
              facts.window ? std::to_string(facts.window->invoked) + " at a time (0 is any)" : "1 at a time");
  }
  if (profile.echo)
    page.line("round trip", fixed(profile.echo->median) + " ms by " + profile.echo->service + ", " +
                                fixed(profile.echo->least) + " ms at best");
  if (profile.at_once)
    page.line("at once", std::to_string(profile.at_once->opened) + " of " + std::to_string(profile.at_once->asked) +
                             " connections" + (profile.at_once->why.empty() ? "" : ": " + profile.at_once->why));
  for (const Service& service : profile.services)
    page.line(&service == &profile.services.front() ? "services" : "",
              std::string(service.syntaxes.empty() ? "no   " : "yes  ") + service.name);
}

/// Classes that are granted the same transfer syntaxes stand together, most first.
void show_storage(const Profile& profile, Page& page) {
  if (profile.storage.empty()) return;
  std::map<std::vector<std::string>, std::vector<std::string>> groups;
  for (const StorageClass& one : profile.storage) groups[one.accepted].push_back(name_of(one.uid));
  for (auto& [syntaxes, classes] : groups)
    std::stable_partition(classes.begin(), classes.end(),
                          [](const std::string& name) { return !name.starts_with("RETIRED"); });
  std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> sorted(groups.begin(), groups.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(), [](const auto& one) { return one.second.size(); });
  page.heading("storage: " + std::to_string(profile.storage.size()) + " classes");
  for (const auto& [syntaxes, classes] : sorted) {
    std::string some = classes.front();
    for (std::size_t i = 1; i < std::min<std::size_t>(3, classes.size()); ++i) some += ", " + classes[i];
    if (classes.size() > 3) some += ", …";
    page.row(std::to_string(classes.size()) + " classes (" + some + ")");
    page.row("    " + (syntaxes.empty() ? "REFUSED in every transfer syntax"
                                        : std::to_string(syntaxes.size()) + " syntaxes: " + names_of(syntaxes)));
  }
  if (profile.proposals_limit)
    page.row("breaks off when more than " + std::to_string(*profile.proposals_limit) + " contexts are proposed");
  if (profile.contexts_limit)
    page.row("at most " + std::to_string(*profile.contexts_limit) + " contexts in one association");
}

void show_lists(const Profile& profile, Page& page) {
  if (!profile.lists) return;
  const Lists& lists = *profile.lists;
  page.heading("lists by " + lists.service);
  page.row("a UID as key is heeded: " + yes_no(lists.honours_uid));
  const std::string end = lists.limit                  ? ", LIMIT: there are more than it lists"
                          : lists.listed < lists.asked ? ", no limit seen"
                                                       : "";
  if (lists.asked > 0) {
    page.row("of " + std::to_string(lists.asked) + " studies asked for " + std::to_string(lists.listed) +
             " were listed, status " + lists.status + end);
  }
  if (!lists.warning.empty()) page.row("warning: " + lists.warning);
  if (profile.web) page.row("limit and offset are heeded: " + yes_no(lists.honours_paging));
  page.row("an instance is found by its UID alone: " + yes_no(lists.relational) +
           (lists.relational_agreed ? ", relational queries agreed on: " + yes_no(lists.relational_agreed) : ""));
  page.row("numbers of instances are right: " + yes_no(lists.counts_right));
  for (const auto& [name, came] : lists.keys) page.row((came ? "given    " : "missing  ") + name);
}

void show_forms(const Profile& profile, Page& page) {
  if (profile.forms.empty()) return;
  page.heading("forms");
  for (const Form& form : profile.forms)
    page.row(form.service + "  " + padded(form.asked, 46) + "  " + std::to_string(form.status) + "  " +
             (form.came.starts_with("1.2.") ? name_of(form.came) : form.came));
}

std::string fate_of(const Need& need) {
  if (!need.granted) return "not known before it is sent";
  if (*need.granted) return "taken as it is";
  const std::string why = std::string(words_of(need.result, need.class_is_taken)) + ": ";
  if (need.instead) return "REFUSED, " + why + "load would write " + name_of(*need.instead);
  return "REFUSED, " + why + "load would not send it (D27)";
}

void show_needs(const Profile& profile, Page& page) {
  if (!profile.manifest) return;
  page.heading("manifest: " + std::to_string(profile.manifest->objects) + " of " +
               std::to_string(profile.manifest->input) + " objects are to be sent, " + std::to_string(profile.lost()) +
               " the peer takes in no way");
  for (const Need& need : profile.needs)
    page.row(padded(std::to_string(need.objects), 9) + " " + name_of(need.own.sop_class) + ", " +
             name_of(need.own.transfer_syntax) + ": " + fate_of(need));
  for (const auto& [bucket, count] : profile.manifest->held_back)
    page.row(padded(std::to_string(count), 9) + " not to be sent: " + bucket);
}

void show_written(const Profile& profile, Page& page) {
  if (!profile.left) return;
  page.heading("duplicates");
  for (const Step& step : profile.duplicates)
    page.row(padded(step.policy, 12) + padded(step.status.empty() ? "-" : step.status, 6) + step.sent +
             (step.comment.empty() ? "" : " (" + step.comment + ")"));
  if (!profile.throughput.empty()) page.heading("throughput");
  for (const Rate& rate : profile.throughput) {
    const double seconds = rate.seconds > 0 ? rate.seconds : 1;
    page.row(padded(std::to_string(rate.associations), 3) + "connections  " + padded(fixed(rate.rate()), 7) +
             "objects/s  " + padded(fixed(static_cast<double>(rate.bytes) / 1e6 / seconds), 6) + "MB/s  " +
             fixed(rate.answer) + " ms an object" +
             (rate.refused > 0 ? ", " + std::to_string(rate.refused) + " objects not taken" : "") +
             (rate.rejected > 0 ? ", " + std::to_string(rate.rejected) + " connections not opened" : ""));
  }
  page.heading("left at the peer: " + std::to_string(profile.left->instances.size()) + " objects of " +
               std::to_string(profile.left->studies.size()) + " studies; the profile lists their UIDs");
  for (const std::string& patient : profile.left->patients) page.row("Patient ID " + patient);
}

void show_advice(const Profile& profile, Page& page) {
  for (const auto& [name, settings] :
       {std::pair("[load]", &profile.advice.load), std::pair("[verify]", &profile.advice.verify)}) {
    page.heading(name);
    for (const auto& [key, value] : *settings) page.row(key + " = " + value);
  }
  if (!profile.advice.notes.empty()) page.heading("notes");
  for (const std::string& note : profile.advice.notes) page.row("* " + note);
  if (!profile.troubles.empty()) page.heading("not found out");
  for (const Trouble& trouble : profile.troubles) page.row("! " + trouble.section + ": " + trouble.what);
  if (profile.interrupted) page.heading("interrupted: the rest was not asked");
}

}  // namespace

std::string to_table(const Profile& profile) {
  Page page;
  show_peer(profile, page);
  show_storage(profile, page);
  show_lists(profile, page);
  show_forms(profile, page);
  show_needs(profile, page);
  show_written(profile, page);
  show_advice(profile, page);
  return page.take();
}

}  // namespace waybill::probe
