// SPDX-License-Identifier: Apache-2.0
#include "sync/plan.hpp"

#include "config/table.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "net/listener.hpp"
#include "pixel/targets.hpp"
#include "sample/size.hpp"
#include "transfer/address.hpp"
#include "transfer/schedule.hpp"

#include <algorithm>
#include <cstdio>

namespace waybill::sync {
namespace {

using config::Table;
using Words = std::vector<std::string>;

constexpr std::int64_t kMost = 1'000'000'000;

std::string absolute(const fs::path& folder, const std::string& path) {
  return (folder / path).lexically_normal().string();
}

/// Gives a check of the library that throws without a place the file and line of its key.
template <typename F>
void checked(const Table& table, std::string_view key, const F& check) {
  try {
    check();
  } catch (const RunError& error) {
    table.refuse(key, error.what());
  }
}

/// The values of one table, turned into words of a program.
class Section {
 public:
  Section(const Table& table, const fs::path& folder, Words& words) : table_(table), folder_(folder), words_(words) {}

  void text(std::string_view key, const char* option) {
    if (const auto value = table_.text(key)) add(option, *value);
  }
  void choice(std::string_view key, const char* option, std::initializer_list<std::string_view> values) {
    const auto value = table_.text(key);
    if (!value) return;
    if (std::find(values.begin(), values.end(), *value) == values.end()) refuse_choice(key, values);
    add(option, *value);
  }
  void number(std::string_view key, const char* option, std::int64_t least, std::int64_t most) {
    if (const auto value = table_.number(key, least, most)) add(option, std::to_string(*value));
  }
  void real(std::string_view key, const char* option, double most) {
    const auto value = table_.real(key, 0, most);
    if (!value) return;
    char shown[32];
    std::snprintf(shown, sizeof shown, "%g", *value);
    add(option, shown);
  }
  void when(std::string_view key, bool is, const char* word) {
    if (table_.flag(key) == is) words_.emplace_back(word);
  }
  /// A file that must be there; empty without the key.
  fs::path file(std::string_view key, const char* option) {
    const auto value = table_.text(key);
    if (!value) return {};
    const std::string path = absolute(folder_, *value);
    std::error_code error;
    if (!fs::exists(path, error)) table_.refuse(key, "there is no " + path_to_text(path));
    if (option != nullptr) add(option, path);
    return path;
  }
  void syntax(std::string_view key, const char* option) {
    const auto value = table_.text(key);
    if (!value) return;
    if (*value != "keep" && !pixel::target_syntax(*value))
      table_.refuse(key, "`" + path_to_text(*value) + "` is no transfer syntax that can be written; see `waybill " +
                             "transcode --help`");
    add(option, *value);
  }
  /// A number, or "auto" where the program takes that.
  void associations(bool may_be_auto) {
    if (may_be_auto && table_.is_text("associations")) return choice("associations", "--associations", {"auto"});
    number("associations", "--associations", 1, 64);
  }
  void add(const char* option, const std::string& value) {
    // One word, so that a value that begins with a dash stays a value.
    words_.push_back(std::string(option) + "=" + value);
  }

 private:
  [[noreturn]] void refuse_choice(std::string_view key, std::initializer_list<std::string_view> values) const {
    std::string all;
    for (const auto value : values) all += (all.empty() ? "" : " or ") + std::string(value);
    table_.refuse(key, "`" + std::string(key) + "` is " + all);
  }

  const Table& table_;
  const fs::path& folder_;
  Words& words_;
};

Table need(const Table& top, std::string_view key) {
  auto table = top.table(key);
  if (!table) top.refuse({}, "the table [" + std::string(key) + "] is missing");
  return *std::move(table);
}

std::string need_text(const Table& table, std::string_view key) {
  auto value = table.text(key);
  if (!value || value->empty()) table.refuse({}, "`" + std::string(key) + "` is missing");
  return *std::move(value);
}

void read_scan(const Table& table, const fs::path& folder, Plan::Scan& scan) {
  table.only({"sources", "deep", "include", "exclude", "recheck"});
  for (const std::string& source : table.texts("sources")) scan.sources.push_back(absolute(folder, source));
  if (scan.sources.empty()) table.refuse({}, "`sources` is missing; name the folders of the archive");
  scan.include = table.texts("include");
  scan.exclude = table.texts("exclude");
  Section section(table, folder, scan.words);
  scan.deep = table.flag("deep").value_or(false);
  section.when("deep", true, "--deep");
  for (const std::string& pattern : scan.include) section.add("--include", pattern);
  for (const std::string& pattern : scan.exclude) section.add("--exclude", pattern);
  scan.recheck = table.real("recheck", 0, 1).value_or(0) > 0;
}

Plan::Reconcile read_reconcile(const Table& table, const fs::path& folder) {
  table.only({"ris", "ris_settle", "query", "map", "control", "hl7", "issuer", "rules", "decisions", "approve",
              "ignore_columns", "undecided"});
  Plan::Reconcile out;
  Section section(table, folder, out.words);
  out.ris = table.text("ris").value_or("");
  if (!out.ris.empty() && !out.ris.starts_with("postgresql:") && !out.ris.starts_with("postgres:"))
    out.ris = absolute(folder, out.ris);
  out.ris_settle = table.number("ris_settle", 0, 86400).value_or(out.ris_settle);
  for (const std::string& path : table.texts("hl7")) out.hl7.push_back(absolute(folder, path));
  if (out.ris.empty() && out.hl7.empty()) table.refuse({}, "`ris`, `hl7` or both must tell of exams");
  for (const auto& [key, option] :
       {std::pair{"query", "--query"}, {"map", "--map"}, {"control", "--control"}, {"rules", "--rules"}}) {
    if (const fs::path path = section.file(key, option); !path.empty()) out.files.push_back(path);
  }
  section.text("issuer", "--issuer");
  if (const auto path = table.text("decisions")) out.decisions = absolute(folder, *path);
  for (const std::string& rule : table.texts("approve")) section.add("--approve", rule);
  for (const std::string& column : table.texts("ignore_columns")) section.add("--ignore-columns", column);
  const std::string undecided = table.text("undecided").value_or("hold");
  if (undecided != "hold" && undecided != "send") table.refuse("undecided", "`undecided` is hold or send");
  out.undecided = undecided == "send" ? Undecided::send : Undecided::hold;
  return out;
}

Plan::Transcode read_transcode(const Table& table, const fs::path& folder) {
  table.only({"to", "policy", "keep_larger", "keep_staged"});
  Plan::Transcode out;
  Section section(table, folder, out.words);
  section.syntax("to", "--to");
  section.file("policy", "--policy");
  if (out.words.empty()) table.refuse({}, "`to`, `policy` or both must say which transfer syntax to write");
  if (table.flag("keep_larger") == true) section.add("--keep-larger", "yes");
  out.keep_staged = table.flag("keep_staged").value_or(false);
  return out;
}

void read_tls(const Table& table, const fs::path& folder, Words& words) {
  Section section(table, folder, words);
  section.file("tls_ca", "--tls-ca");
  section.file("tls_cert", "--tls-cert");
  section.file("tls_key", "--tls-key");
  section.file("tls_crl", "--tls-crl");
  section.text("tls_name", "--tls-name");
  section.choice("tls_profile", "--tls-profile", {"bcp195", "bcp195-modified"});
}

/// What a target that calls us back needs: told once, in [load], and used by [verify] as well.
struct CallBack {
  std::string listen;
  Words commitment;  ///< how reports of storage commitment are asked for and waited for
};

CallBack read_call_back(const Table& table, const fs::path& folder) {
  CallBack out;
  out.listen = table.text("listen").value_or("");
  if (!out.listen.empty()) checked(table, "listen", [&] { (void)net::parse_listen(out.listen); });
  Section section(table, folder, out.commitment);
  section.number("commit_references", "--commit-references", 1, 500);
  section.real("commit_wait", "--commit-wait", 8640000);
  section.real("commit_again", "--commit-again", 86400);
  section.choice("when_uncommitted", "--when-uncommitted", {"end", "finish"});
  return out;
}

/// Refuses for a DICOMweb service what only a DICOM node has.
void need_node(const Plan& plan, const Table& table, std::string_view key) {
  if (std::holds_alternative<net::Peer>(transfer::parse_address(plan.load.to))) return;
  table.refuse(key, "`" + std::string(key) + "` asks a service of DICOM nodes, and the target is a DICOMweb service");
}

void read_load(const Table& table, const fs::path& folder, bool staged, Plan& plan, CallBack& call_back) {
  table.only({"to",
              "calling",
              "timeout",
              "associations",
              "release_each_study",
              "limit",
              "window",
              "time_zone",
              "order",
              "priority",
              "priors_for",
              "retries",
              "back_off",
              "patience",
              "syntax",
              "ladder",
              "tls_ca",
              "tls_cert",
              "tls_key",
              "tls_crl",
              "tls_name",
              "tls_profile",
              "http_login",
              "http_token",
              "batch",
              "commit",
              "listen",
              "commit_wait",
              "commit_references",
              "commit_again",
              "when_uncommitted",
              "allow_plain_http"});
  plan.load.to = need_text(table, "to");
  checked(table, "to", [&] { (void)transfer::parse_address(plan.load.to); });
  if (const auto limit = table.text("limit")) checked(table, "limit", [&] { (void)transfer::parse_limit(*limit); });
  if (const auto window = table.text("window"))
    checked(table, "window", [&] { (void)transfer::Schedule::parse(*window); });
  if (staged && table.has("syntax"))
    table.refuse("syntax",
                 "`syntax` is for objects that are sent without being staged; with [transcode] set `to` there");
  Section section(table, folder, plan.load.words);
  section.text("calling", "--calling");
  section.number("timeout", "--timeout", 1, 3600);
  section.associations(true);
  section.when("release_each_study", true, "--release-each-study");
  section.text("limit", "--limit");
  section.text("window", "--window");
  section.text("time_zone", "--time-zone");
  section.choice("order", "--order", {"manifest", "newest", "oldest"});
  section.file("priority", "--priority");
  for (const std::string& path : table.texts("priors_for")) section.add("--priors-for", absolute(folder, path));
  section.number("retries", "--retries", 0, 100);
  section.real("back_off", "--back-off", 3600);
  section.real("patience", "--patience", 8640000);
  section.syntax("syntax", "--syntax");
  section.when("ladder", false, "--no-ladder");
  section.text("batch", "--batch");
  section.file("http_login", "--http-login");
  section.file("http_token", "--http-token");
  section.when("allow_plain_http", true, "--allow-plain-http");
  read_tls(table, folder, plan.load.words);
  call_back = read_call_back(table, folder);
  if (table.flag("commit") != true) return;
  need_node(plan, table, "commit");
  plan.load.words.emplace_back("--commit");
  plan.load.words.insert(plan.load.words.end(), call_back.commitment.begin(), call_back.commitment.end());
  if (!call_back.listen.empty()) plan.load.words.push_back("--listen=" + call_back.listen);
}

/// How the target is reached is told once, in [load].
Words reaching(const Words& load) {
  Words out;
  for (const std::string& word : load) {
    for (const char* option : {"--calling=", "--timeout=", "--tls-", "--http-", "--allow-plain-http"})
      if (word.starts_with(option)) out.push_back(word);
  }
  return out;
}

void read_sample(const Table& table, const std::string& level, Plan& plan) {
  const auto sample = table.text("sample");
  if (!sample) return;
  if (const auto demand = sample::parse_demand(*sample); !demand) table.refuse("sample", demand.error().what);
  if (level != "content") table.refuse("sample", "`sample` compares contents; set level = \"content\"");
  plan.load.words.push_back("--sample=" + *sample);  // on disk before the first object is sent
  plan.verify.words.emplace_back("--sample=committed");
  plan.verify.sample = true;
}

void read_verify(const std::optional<Table>& table, const fs::path& folder, const CallBack& call_back, Plan& plan) {
  Words& words = plan.verify.words;
  words = reaching(plan.load.words);
  std::string level = "exists";
  if (table) {
    table->only({"level", "sample", "associations", "retrieve"});
    level = table->text("level").value_or(level);
    if (level != "commitment" && level != "exists" && level != "content")
      table->refuse("level", "`level` is commitment, exists or content");
    Section section(*table, folder, words);
    section.associations(false);
    section.choice("retrieve", "--retrieve", {"get", "move"});
    read_sample(*table, level, plan);
    const bool moves = table->text("retrieve") == "move";
    if (moves && level != "content") table->refuse("retrieve", "`retrieve` fetches contents; set level = \"content\"");
    if (moves && call_back.listen.empty())
      table->refuse("retrieve", "C-MOVE sends objects to us; say where with `listen` in [load]");
    if (moves) need_node(plan, *table, "retrieve");
    if (level == "commitment") {
      need_node(plan, *table, "level");
      words.insert(words.end(), call_back.commitment.begin(), call_back.commitment.end());
    }
    if ((moves || level == "commitment") && !call_back.listen.empty()) words.push_back("--listen=" + call_back.listen);
  }
  words.push_back("--level=" + level);
}

/// Keys of a service that no stage asks for would be a belief in something that does not happen.
void refuse_idle_keys(const Table& load, const Plan& plan) {
  const auto has = [](const Words& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  const bool commits = has(plan.load.words, "--commit") || has(plan.verify.words, "--level=commitment");
  const bool moves = has(plan.verify.words, "--retrieve=move");
  for (const char* key : {"commit_references", "commit_wait", "commit_again", "when_uncommitted"}) {
    if (!commits && load.has(key))
      load.refuse(key, "nothing asks for storage commitment; set commit = true, or level = \"commitment\" in [verify]");
  }
  if (!commits && !moves && load.has("listen"))
    load.refuse("listen", "nothing calls us back; set commit = true, or level or retrieve in [verify]");
}

}  // namespace

Plan Plan::read(const fs::path& file) {
  Plan plan;
  plan.file = fs::absolute(file).lexically_normal();
  const fs::path folder = plan.file.parent_path();
  const Table top = Table::read(file);
  top.only(
      {"project", "name", "threads", "scan", "reconcile", "transcode", "load", "verify", "report", "metrics", "keep"});
  plan.project = absolute(folder, need_text(top, "project"));
  if (plan.project.filename().empty()) plan.project = plan.project.parent_path();
  plan.name = top.text("name").value_or(path_to_text(plan.project.filename().string()));
  plan.threads = static_cast<unsigned>(top.number("threads", 0, 1024).value_or(0));
  const Table scan = need(top, "scan");
  read_scan(scan, folder, plan.scan);
  if (plan.scan.recheck) Section(scan, folder, plan.scan.words).real("recheck", "--recheck", 1);
  if (const auto table = top.table("reconcile")) plan.reconcile = read_reconcile(*table, folder);
  if (const auto table = top.table("transcode")) plan.transcode = read_transcode(*table, folder);
  CallBack call_back;
  const Table load = need(top, "load");
  read_load(load, folder, plan.transcode.has_value(), plan, call_back);
  read_verify(top.table("verify"), folder, call_back, plan);
  refuse_idle_keys(load, plan);
  if (const auto table = top.table("report")) {
    table->only({"pseudonym_key", "known"});
    Section section(*table, folder, plan.report_words);
    section.file("pseudonym_key", "--pseudonym-key");
    section.file("known", "--known");
  }
  if (const auto table = top.table("metrics")) {
    table->only({"file"});
    plan.metrics = absolute(folder, need_text(*table, "file"));
    if (plan.metrics.extension() != ".prom")
      table->refuse("file", "the textfile collector reads files named *.prom only; name it so");
  }
  if (const auto table = top.table("keep")) {
    table->only({"inventories"});
    plan.inventories = static_cast<std::uint64_t>(table->number("inventories", 0, kMost).value_or(0));
  }
  for (const std::string& source : plan.scan.sources) {
    const std::string inside = source.back() == '/' ? source : source + "/";
    if ((plan.project.string() + "/").starts_with(inside))
      top.refuse("project", "`project` lies inside of the source " + path_to_text(source) +
                                ", whose archive is only read; name a folder elsewhere");
  }
  return plan;
}

}  // namespace waybill::sync
