// SPDX-License-Identifier: Apache-2.0
#include "sync/chain.hpp"

#include "core/json.hpp"
#include "core/stop.hpp"
#include "io/descriptor.hpp"
#include "manifest/member.hpp"
#include "manifest/reader.hpp"
#include "sync/child.hpp"

#include <algorithm>
#include <array>

namespace waybill::sync {
namespace {

constexpr std::uint64_t kFewGone = 10;  // so many may vanish from an archive of any size

std::uint64_t whole_number(const std::string& json, const char* pointer) {
  return static_cast<std::uint64_t>(std::max(0.0, manifest::number_at(json, pointer).value_or(0)));
}

/// The end of a manifest whose stage is done.
ManifestEnd need_end(const fs::path& path) {
  auto end = end_of(path);
  if (!end)
    throw RunError(Exit::integrity,
                   path.string() + " is not there or not complete although its stage is; restore it from a copy");
  return *std::move(end);
}

/// Of stages that work on the whole archive.
void whole_archive(StageEnd&, const std::string&) {}

std::uint64_t noted_number(const Journal& journal, const char* name) {
  const std::string text = journal.note(name);
  return text.empty() ? 0 : std::stoull(text);
}

/// The object that failed is told by its record and by the next scan; what comes behind need not wait for a person.
bool goes_on_after_five(const std::string& stage) { return stage == "transcode" || stage == "load"; }

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) io::throw_errno("remove", file, error.value());
}

/// Keeps a verification that found something wrong, so that it can be made anew.
void set_aside(const fs::path& file) {
  std::error_code error;
  for (int n = 1; fs::exists(file, error); ++n) {
    const fs::path aside = file.parent_path() / (file.stem().string() + "-" + std::to_string(n) + ".wb");
    if (fs::exists(aside, error)) continue;
    fs::rename(file, aside, error);
    if (error) io::throw_errno("rename", file, error.value());
  }
}

}  // namespace

Exit worse(Exit a, Exit b) noexcept {
  constexpr std::array kOrder = {Exit::integrity, Exit::internal,    Exit::usage,      Exit::input,
                                 Exit::peer,      Exit::interrupted, Exit::exceptions, Exit::ok};
  const auto rank = [&](Exit exit) { return std::find(kOrder.begin(), kOrder.end(), exit); };
  return rank(a) <= rank(b) ? a : b;
}

Chain::Chain(const Plan& plan, const Project& project, const Options& options, const RunRecord& record,
             const Counts& before, const std::string& link)
    : plan_(plan),
      project_(project),
      options_(options),
      before_(before),
      journal_(project.journal_of(record.number), record, link),
      run_{plan, project, record.number, record.base, options.shared} {
  counts_ = before;
  counts_.run = record.number;
  counts_.idle = counts_.accepted = 0;
  for (auto figure : {&Counts::fresh, &Counts::changed, &Counts::unchanged, &Counts::gone, &Counts::read_bytes,
                      &Counts::handled, &Counts::handled_bytes, &Counts::loaded, &Counts::loaded_bytes, &Counts::lost,
                      &Counts::departed, &Counts::milliseconds})
    counts_.*figure = 0;
}

bool Chain::is_done(const std::string& stage) const {
  const StageEnd* end = journal_.end_of(stage);
  if (end == nullptr) return false;
  if (end->exit == Exit::ok || end->exit == Exit::exceptions) return true;
  return end->exit == Exit::integrity && (goes_on_after_five(stage) || options_.accept_integrity);
}

void Chain::stop(const std::string& stage, Exit exit) const {
  const std::string where = "run " + std::to_string(run_.number) + " stopped at " + stage + " with exit code " +
                            std::to_string(static_cast<int>(exit));
  if (exit == Exit::integrity)
    throw RunError(exit, where + "; look at " + project_.run_folder(run_.number).string() +
                             " and find the cause. The next run checks again; --accept-integrity goes on without");
  throw RunError(exit, where + " (its message is above); the run is open, and the next call of sync continues it");
}

Exit Chain::program(const std::string& stage, const Words& words, const char* manifest, const Measure& measure) {
  if (is_done(stage)) return journal_.end_of(stage)->exit;
  const auto start = begin(stage);
  const std::string name = stage == "corrections" ? "reconcile" : stage == "after" ? "scan" : stage;
  const Exit exit = run_program(program_beside(name), words, run_.file((stage + ".txt").c_str()));
  if (exit != Exit::ok && exit != Exit::exceptions && exit != Exit::integrity) stop(stage, exit);
  StageEnd end{stage, exit, 0, counts_.entries, 0, false, ""};
  if (manifest != nullptr) {
    const auto written = end_of(run_.file(manifest));
    if (!written) stop(stage, exit == Exit::integrity ? exit : Exit::internal);
    end.head = written->head;
    measure(end, written->counts);
  }
  end.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  journal_.end(std::move(end));
  if (!is_done(stage)) stop(stage, exit);
  return exit;
}

Chain::Clock::time_point Chain::begin(const std::string& stage) {
  if (stop_requested()) stop(stage, Exit::interrupted);
  options_.say("run " + std::to_string(run_.number) + ": " + stage);
  journal_.begin(stage);
  return Clock::now();
}

void Chain::own(const std::string& stage, const std::function<void(StageEnd&)>& work, const char* manifest) {
  if (is_done(stage)) return;
  const auto start = begin(stage);
  StageEnd end{stage, Exit::ok, 0, counts_.entries, 0, false, ""};
  work(end);
  end.head = need_end(run_.file(manifest)).head;
  end.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  journal_.end(std::move(end));
}

fs::path Chain::inventory() const { return quiet_ ? project_.in_run(run_.base, "scan.wb") : run_.file("scan.wb"); }

Sources Chain::sources() const {
  return {inventory(), before_.standing == 0 ? fs::path() : project_.in_run(before_.standing, "standing.wb"),
          journal_.record().freeze};
}

void Chain::go() {
  scan();
  if (has_nothing_to_do()) return close_idle();
  reconcile();
  select_objects();
  if (counts_.handled > 0) move_objects();
  correct();
  if (quiet_ && counts_.handled == 0) {
    keep_standing();
  } else {
    settle_standing();
    report();
  }
  if (is_cutover()) look_after();
  close();
}

void Chain::take_scan_counts(const std::string& json) {
  counts_.entries = whole_number(json, "/objects");
  counts_.fresh = run_.base == 0 ? counts_.entries : whole_number(json, "/since/new");
  counts_.changed = whole_number(json, "/since/changed");
  counts_.unchanged = whole_number(json, "/since/unchanged") + whole_number(json, "/since/rechecked");
  counts_.gone = whole_number(json, "/since/gone");
  quiet_ = run_.base != 0 && !is_cutover() && counts_.fresh + counts_.changed + counts_.gone == 0;
}

/// A volume that is not mounted looks like an empty folder; what would follow is a false alarm for every file, and a
/// second reading of all of them. The scan is taken back, so that the next call makes it anew.
void Chain::check_gone(const std::string& counts) const {
  const std::uint64_t gone = whole_number(counts, "/since/gone");
  if (options_.accept_gone || gone <= kFewGone || gone * 2 <= before_.entries) return;
  remove_file(run_.file("scan.wb"));
  throw RunError(Exit::input, std::to_string(gone) + " of " + std::to_string(before_.entries) +
                                  " files are gone since run " + std::to_string(run_.base) +
                                  "; see whether all of the archive is mounted and run again, or say --accept-gone");
}

void Chain::scan() {
  if (!is_done("scan") && run_.base != 0 && !end_of(project_.in_run(run_.base, "scan.wb")))
    throw RunError(Exit::input, project_.in_run(run_.base, "scan.wb").string() +
                                    " is missing or not complete; restore it from a copy, the next scan builds on it");
  (void)program("scan", scan_words(run_), "scan.wb", [&](StageEnd& end, const std::string& counts) {
    check_gone(counts);
    end.objects = whole_number(counts, "/objects");
    end.bytes = whole_number(counts, "/bytes");
    journal_.set_note("scan", counts);
  });
  take_scan_counts(journal_.note("scan"));
  counts_.inventory = quiet_ ? run_.base : run_.number;
  if (quiet_) remove_file(run_.file("scan.wb"));  // it says what the one it was made from says
}

/// What reconcile is going to read. Once it has ended, that is what the run is about.
void Chain::see_inputs() {
  if (!plan_.reconcile) {
    counts_.identity = "none";
    return;
  }
  if (!is_done("reconcile")) {
    const Inputs inputs = look_at_inputs(*plan_.reconcile, project_.loads_before(run_.number));
    journal_.set_note("ris", inputs.ris);
    journal_.set_note("identity", inputs.identity);
  }
  counts_.identity = journal_.note("identity");
}

bool Chain::has_nothing_to_do() {
  see_inputs();
  const bool begun = is_done("reconcile") || is_done("select");
  return quiet_ && !begun && before_.standing != 0 && before_.retry == 0 && !options_.retry_failed &&
         !counts_.identity.empty() && counts_.identity == before_.identity;
}

void Chain::reconcile() {
  if (!plan_.reconcile) return;
  (void)program("reconcile", reconcile_words(run_, journal_.note("ris"), inventory()), "reconcile.wb", whole_archive);
}

void Chain::select_objects() {
  own(
      "select",
      [&](StageEnd& end) {
        const fs::path decisions = plan_.reconcile ? run_.file("reconcile.wb") : fs::path();
        const Undecided undecided = plan_.reconcile ? plan_.reconcile->undecided : Undecided::send;
        const Selected selected = select(sources(), decisions, undecided, options_.retry_failed, run_.file("delta.wb"));
        end.objects = selected.objects;
        end.bytes = selected.bytes;
        journal_.set_note("read_bytes", std::to_string(selected.read_bytes));
      },
      "delta.wb");
  counts_.handled = journal_.end_of("select")->objects;
  counts_.handled_bytes = journal_.end_of("select")->bytes;
  counts_.read_bytes = quiet_ ? 0 : noted_number(journal_, "read_bytes");
}

void Chain::move_objects() {
  const auto handled = [&](StageEnd& end, const std::string&) {
    end.objects = counts_.handled;
    end.bytes = counts_.handled_bytes;
  };
  if (plan_.transcode) worst_ = worse(worst_, program("transcode", transcode_words(run_), "transcode.wb", handled));
  worst_ = worse(worst_, program("load", load_words(run_), "load.wb", handled));
  if (!is_done("verify") && journal_.end_of("verify") != nullptr) set_aside(run_.file("verify.wb"));
  const Exit verified = program("verify", verify_words(run_), "verify.wb", handled);
  // What only the target has may be there by an earlier run, which this verification cannot know: the report tells.
  const std::string counts = need_end(run_.file("verify.wb")).counts;
  const bool only_extra =
      verified == Exit::exceptions && whole_number(counts, "/extra") > 0 && whole_number(counts, "/not_loaded") == 0;
  if (!only_extra) worst_ = worse(worst_, verified);
}

void Chain::correct() {
  counts_.corrections = counts_.corrections_open = 0;
  if (!plan_.reconcile || project_.loads_before(run_.number).empty()) return;
  (void)program("corrections", corrections_words(run_, journal_.note("ris"), inventory()), "corrections.wb",
                whole_archive);
  manifest::Reader reader(run_.file("corrections.wb"));
  while (const auto record = reader.next()) {
    if (const auto* other = std::get_if<manifest::Other>(&*record)) counts_.corrections += other->kind == "correction";
    if (const auto* study = std::get_if<manifest::Study>(&*record))
      counts_.corrections_open += study->decision == "review" ? 1 : 0;
  }
}

/// Nothing has moved: the standing of the run before is that of this one.
void Chain::keep_standing() { worst_ = worse(worst_, static_cast<Exit>(before_.report)); }

void Chain::settle_standing() {
  const char* names[] = {"verify.wb", "reconcile.wb"};
  own(
      "standing",
      [&](StageEnd& end) {
        const fs::path outcome = counts_.handled > 0 ? run_.file("verify.wb") : fs::path();
        std::vector<manifest::Input> links;
        for (const char* name : names) {
          if (const auto written = end_of(run_.file(name))) links.push_back({name, written->head});
        }
        if (before_.standing != 0)
          links.push_back(
              {"standing.wb of run " + std::to_string(before_.standing), need_end(sources().standing).head});
        const Settled settled =
            settle(sources(), outcome, run_.number, links, run_.file("standing.wb"), run_.file("gone.csv"));
        end.objects = counts_.entries;
        JsonWriter w;
        w.begin_object();
        for (const auto& [name, value] : {std::pair{"loaded", settled.loaded},
                                          {"loaded_bytes", settled.loaded_bytes},
                                          {"at_target", settled.at_target},
                                          {"conflicts", settled.conflicts},
                                          {"moved", settled.moved},
                                          {"departed", settled.departed},
                                          {"lost", settled.lost},
                                          {"late", settled.late},
                                          {"retry", settled.retry},
                                          {"extra", settled.extra},
                                          {"exceptions", settled.exceptions}})
          w.member(name, value);
        journal_.set_note("settled", std::move(w.end_object()).str());
      },
      "standing.wb");
  const Counts settled = Counts::from(journal_.note("settled"));
  for (auto figure :
       {&Counts::loaded, &Counts::loaded_bytes, &Counts::at_target, &Counts::conflicts, &Counts::moved,
        &Counts::departed, &Counts::lost, &Counts::late, &Counts::retry, &Counts::extra, &Counts::exceptions})
    counts_.*figure = settled.*figure;
  counts_.standing = run_.number;
  counts_.total_loaded = before_.total_loaded + counts_.loaded;
  counts_.total_loaded_bytes = before_.total_loaded_bytes + counts_.loaded_bytes;
}

void Chain::report() {
  const Exit exit = program("report", report_words(run_, inventory()), nullptr, whole_archive);
  counts_.report = static_cast<std::uint64_t>(exit);
  worst_ = worse(worst_, exit);
}

/// The archive was to be frozen: what came or went meanwhile is not at the target, and somebody must know.
void Chain::look_after() {
  (void)program("after", after_words(run_), "after.wb", whole_archive);
  const std::string json = need_end(run_.file("after.wb")).counts;
  const std::uint64_t fresh = whole_number(json, "/since/new"), changed = whole_number(json, "/since/changed"),
                      gone = whole_number(json, "/since/gone");
  if (fresh + changed + gone == 0) {
    options_.say("the archive has not changed since the scan of this run");
    return;
  }
  options_.say("the archive was not frozen: since the scan of this run " + std::to_string(fresh) +
               " entries are new, " + std::to_string(changed) + " changed and " + std::to_string(gone) +
               " files gone; see " + run_.file("after.wb").string() + " and run the cut-over again");
  worst_ = worse(worst_, Exit::exceptions);
}

void Chain::forget_staged() const {
  if (!plan_.transcode || plan_.transcode->keep_staged) return;
  std::error_code error;
  fs::remove_all(run_.file("staged"), error);
  if (error) io::throw_errno("remove", run_.file("staged"), error.value());
}

void Chain::thin_inventories() const {
  if (plan_.inventories == 0) return;
  auto numbers = project_.runs();
  std::uint64_t kept = 0;
  for (auto at = numbers.rbegin(); at != numbers.rend(); ++at) {
    std::error_code error;
    if (!fs::exists(project_.in_run(*at, "scan.wb"), error) && !fs::exists(project_.in_run(*at, "standing.wb"), error))
      continue;
    if (++kept > plan_.inventories && *at != counts_.inventory && *at != counts_.standing) project_.drop_inventory(*at);
  }
}

void Chain::close_idle() {
  counts_.idle = 1;
  counts_.accepted = options_.accept_integrity && before_.exit == Exit::integrity ? 1 : 0;
  counts_.exit = counts_.accepted == 1 ? Exit::exceptions : before_.exit;
  counts_.milliseconds = static_cast<std::uint64_t>((Clock::now() - start_) / std::chrono::milliseconds(1));
  journal_.finish(counts_);
}

void Chain::close() {
  if (counts_.corrections + counts_.corrections_open + counts_.lost > 0) worst_ = worse(worst_, Exit::exceptions);
  counts_.accepted = options_.accept_integrity && worst_ == Exit::integrity ? 1 : 0;
  counts_.exit = counts_.accepted == 1 ? Exit::exceptions : worst_;
  forget_staged();
  thin_inventories();
  counts_.milliseconds = static_cast<std::uint64_t>((Clock::now() - start_) / std::chrono::milliseconds(1));
  journal_.finish(counts_);
}

}  // namespace waybill::sync
