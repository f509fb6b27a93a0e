// SPDX-License-Identifier: Apache-2.0
#include "sync/standing.hpp"

#include "core/clock.hpp"
#include "core/csv.hpp"
#include "core/json.hpp"
#include "core/result.hpp"
#include "core/stop.hpp"
#include "core/version.hpp"
#include "io/atomic_file.hpp"
#include "manifest/begun.hpp"
#include "manifest/exception.hpp"
#include "manifest/member.hpp"
#include "manifest/writer.hpp"
#include "sync/known.hpp"

#include <algorithm>

namespace waybill::sync {

using manifest::Bucket;
using manifest::Finding;
using manifest::Object;
using manifest::Severity;
using Place = Known::Place;

namespace {

constexpr const char* kListed = "SYNC-LISTED";

void throw_if_stopped() {
  if (stop_requested()) throw RunError(Exit::interrupted, "stopped; run sync again to continue");
}

bool is_of_stage(const Finding& finding) {
  const std::string& code = finding.code;
  for (const char* stage : {"LOAD-", "TX-", "MATCH-", "SYNC-", "VERIFY-"})
    if (code.starts_with(stage)) return true;
  return code.size() == 3 && code[0] == 'D';
}

bool has_code(const Object& object, std::initializer_list<std::string_view> codes) {
  return std::ranges::any_of(object.findings, [&](const Finding& f) { return std::ranges::count(codes, f.code) > 0; });
}

/// May end otherwise without anything having changed, and is certainly not at the target: where that could not be found
/// out (LOAD-UNKNOWN), sending again is for a person to ask for.
bool is_transient(const Object& object) {
  if (object.bucket == Bucket::pending) return true;
  if (object.bucket != Bucket::failed || has_code(object, {"LOAD-UNKNOWN"})) return false;
  return (object.load && object.load->outcome == "no-answer") ||
         has_code(object, {"LOAD-PROCESSING", "LOAD-UNREADABLE", "TX-SOURCE"});
}

bool is_held_for_decision(const Object& object) { return has_code(object, {"MATCH-REVIEW", "MATCH-NONE"}); }

/// Held back by what scan found alone.
bool is_held_by_scan(const Object& object) {
  return object.bucket != Bucket::failed && std::ranges::none_of(object.findings, [](const Finding& f) {
           return is_of_stage(f) && manifest::quarantines(f);
         });
}

bool is_newer(const Object& object, const std::string& freeze) {
  return !freeze.empty() && object.source.mtime > freeze;
}

fs::path index_beside(const fs::path& output) { return output.string() + ".index"; }

/// Decides what is to be handled.
class Selector {
 public:
  Selector(const Sources& from, Undecided undecided, bool retry_failed, index::Store& store)
      : from_(from), undecided_(undecided), retry_failed_(retry_failed), store_(store), known_(from.standing, store) {}

  void read_decisions(const fs::path& decisions) {
    if (decisions.empty()) {
      undecided_ = Undecided::send;
      return;
    }
    manifest::Reader reader(decisions);
    while (const auto record = reader.next()) {
      const auto* study = std::get_if<manifest::Study>(&*record);
      if (study != nullptr && (study->decision == "auto" || study->decision == "person"))
        store_.put("d" + study->study, "");
    }
  }

  /// Late findings hold objects back as their own do.
  void read_late(const fs::path& scan) {
    manifest::Reader reader(scan);
    while (const auto line = reader.next_line()) {
      if (!line->starts_with(R"({"kind":"finding")")) continue;
      const manifest::Record record = manifest::parse_record(*line);
      const auto* late = std::get_if<manifest::LateFinding>(&record);
      if (late != nullptr && holds_back(late->finding)) store_.put("l" + late->id, "");
    }
  }

  void decide(const Object& object, Selected& selected) {
    if (object.since == "new" || object.since == "changed" || !object.since) selected.read_bytes += object.source.size;
    if (object.bucket != Bucket::instance || !takes(object)) return;
    store_.put("h" + object.id, "");
    store_.put("t" + object.study.value_or(""), "");
    ++selected.objects;
    selected.bytes += object.source.size;
  }

  [[nodiscard]] bool is_handled(const std::string& id) const { return store_.contains("h" + id); }
  [[nodiscard]] bool is_touched(const std::string& study) const { return store_.contains("t" + study); }
  [[nodiscard]] bool is_listed(const Object& object) const {
    return object.sop_instance && is_touched(object.study.value_or("")) && known_.has_uid(*object.sop_instance);
  }

 private:
  static bool holds_back(const Finding& f) { return manifest::quarantines(f) || f.code.starts_with("REJECTED-"); }

  [[nodiscard]] bool is_held_now(const Object& object) const {
    return store_.contains("l" + object.id) || std::ranges::any_of(object.findings, holds_back);
  }

  bool takes(const Object& object) {
    const Known::Found found = known_.find(object);
    if (found.place == Place::fresh) return !is_newer(object, from_.freeze);
    if (found.place != Place::waiting) return false;
    const Object& earlier = *found.object;
    if (is_newer(object, from_.freeze)) return false;
    if (is_transient(earlier)) return true;
    if (is_held_for_decision(earlier))
      return undecided_ == Undecided::send || store_.contains("d" + object.study.value_or(""));
    if (is_held_by_scan(earlier)) return !is_held_now(object);
    return retry_failed_;
  }

  const Sources& from_;
  Undecided undecided_;
  bool retry_failed_;
  index::Store& store_;
  Known known_;
};

manifest::Header header_of_selection(const manifest::Header& scan, manifest::Input link) {
  manifest::Header header = scan;
  header.run = random_uuid();
  header.tool = std::string(kToolName);
  JsonWriter w;
  w.begin_object().member("selection", "what sync hands to the stages").key("scan").raw(scan.options).end_object();
  header.options = std::move(w).str();
  header.inputs = {std::move(link)};
  return header;
}

/// An object of the target, so that verify knows it belongs to its study.
Object as_listed(Object object) {
  object.bucket = Bucket::excluded;
  object.findings.push_back({kListed, Severity::s0, {}, "an earlier run has loaded it; listed because its study is"});
  return object;
}

}  // namespace

Selected select(const Sources& from, const fs::path& decisions, Undecided undecided, bool retry_failed,
                const fs::path& output) {
  index::Store store(index_beside(output));
  Selector selector(from, undecided, retry_failed, store);
  selector.read_decisions(decisions);
  selector.read_late(from.scan);
  Selected selected;
  manifest::Input link;
  {
    manifest::Reader reader(from.scan);
    while (const auto record = reader.next()) {
      throw_if_stopped();
      if (const auto* object = std::get_if<Object>(&*record)) selector.decide(*object, selected);
    }
    link = {reader.name(), reader.head()};
  }
  manifest::Reader reader(from.scan);
  manifest::Writer writer(output, header_of_selection(reader.header(), std::move(link)), manifest::Restart::yes);
  while (const auto line = reader.next_line()) {
    throw_if_stopped();
    const manifest::Record record = manifest::parse_record(*line);
    if (const auto* object = std::get_if<Object>(&record)) {
      if (selector.is_handled(object->id)) {
        writer.append(*line);
      } else if (selector.is_listed(*object)) {
        writer.append_record(as_listed(*object));
      }
    } else if (const auto* study = std::get_if<manifest::Study>(&record)) {
      if (selector.is_touched(study->study)) writer.append(*line);
    } else if (const auto* late = std::get_if<manifest::LateFinding>(&record)) {
      if (selector.is_handled(late->id)) writer.append(*line);
    }
  }
  JsonWriter counts;
  counts.begin_object().member("objects", selected.objects).member("bytes", selected.bytes);
  counts.member("read_bytes", selected.read_bytes).end_object();
  writer.finish(counts.str());
  return selected;
}

namespace {

/// The records of the new standing.
class Settler {
 public:
  Settler(const Sources& from, index::Store& store, Settled& settled)
      : from_(from), store_(store), known_(from.standing, store), settled_(settled) {}

  /// Lines of the last manifest that belong to no object and are carried on.
  [[nodiscard]] std::vector<std::string> read_outcome(const fs::path& outcome) {
    std::vector<std::string> lines;
    if (outcome.empty()) return lines;
    manifest::Reader reader(outcome);
    while (const auto line = reader.next_line()) {
      const manifest::Record record = manifest::parse_record(*line);
      if (const auto* object = std::get_if<Object>(&record)) {
        if (!has_code(*object, {kListed})) store_.put("f" + object->id, *line);
      } else if (const auto* other = std::get_if<manifest::Other>(&record)) {
        if (other->kind == "sample-result" || (other->kind == "extra" && !is_ours(*other)))
          lines.push_back(other->json);
        if (other->kind == "extra" && !is_ours(*other)) ++settled_.extra;
      }
    }
    return lines;
  }

  /// All objects of the scan in order first: only then it is known what is at its place.
  void meet(const Object& object) {
    known_.meet(object.id);
    if (may_be_sent(object)) (void)known_.find(object);
  }

  [[nodiscard]] Object place(Object object) {
    Object out = placed(std::move(object));
    if (is_at_target(out)) ++settled_.at_target;
    if (is_transient(out)) ++settled_.retry;
    if (has_code(out, {"SYNC-LATE"})) ++settled_.late;
    if (manifest::is_exception(out)) ++settled_.exceptions;
    if (out.bucket == Bucket::instance) {
      throw RunError(Exit::integrity, "object " + out.id +
                                          " was to be handled and has no outcome in the run's manifests; "
                                          "keep the run's folder and report this as a defect");
    }
    return out;
  }

  [[nodiscard]] Known& known() noexcept { return known_; }

 private:
  static bool may_be_sent(const Object& object) {
    return object.bucket == Bucket::instance || object.bucket == Bucket::duplicate_identical ||
           object.bucket == Bucket::duplicate_conflict;
  }

  /// Of an object that an earlier run has loaded and that the archive has no more.
  [[nodiscard]] bool is_ours(const manifest::Other& extra) const {
    return known_.has_uid(manifest::text_member(extra.json, "sop_instance").value_or(""));
  }

  Object placed(Object object) {
    if (const auto line = store_.get("f" + object.id)) {
      manifest::Record record = manifest::parse_record(*line);
      Object out = std::get<Object>(std::move(record));
      if (is_at_target(out)) {
        ++settled_.loaded;
        settled_.loaded_bytes += out.source.size;
      }
      return out;
    }
    if (!may_be_sent(object)) return object;
    Known::Found found = known_.find(object);
    const bool duplicate = object.bucket != Bucket::instance;
    switch (found.place) {
      case Place::there: return carried(std::move(object), *std::move(found.object));
      case Place::moved: return duplicate ? object : moved(std::move(object), *std::move(found.object));
      case Place::conflict: return duplicate ? object : conflict(std::move(object));
      case Place::waiting: return duplicate ? object : carried(std::move(object), *std::move(found.object));
      case Place::fresh: break;
    }
    if (!duplicate && is_newer(object, from_.freeze)) return late(std::move(object));
    return object;
  }

  /// The scan's record of today with the outcome of then.
  static Object carried(Object object, Object earlier) {
    object.bucket = earlier.bucket;
    object.transcode = std::move(earlier.transcode);
    object.load = std::move(earlier.load);
    object.verify = std::move(earlier.verify);
    for (Finding& finding : earlier.findings)
      if (is_of_stage(finding)) object.findings.push_back(std::move(finding));
    return object;
  }

  Object moved(Object object, Object earlier) {
    const std::string uid = *object.sop_instance;
    ++settled_.moved;
    if (known_.in_place(uid)) {  // both are there, and the other is the one that was loaded
      object.bucket = Bucket::duplicate_identical;
      object.findings.push_back(
          {"SYNC-MOVED", Severity::s1, "0008,0018", "the same object as " + earlier.id + ", which was loaded"});
      return object;
    }
    known_.take_over(uid);
    std::erase_if(earlier.findings, [](const Finding& f) { return f.code == "SYNC-MOVED"; });
    const std::string from = earlier.id;
    object = carried(std::move(object), std::move(earlier));
    object.findings.push_back({"SYNC-MOVED", Severity::s0, {}, "loaded from another place, as object " + from});
    return object;
  }

  Object conflict(Object object) {
    ++settled_.conflicts;
    object.bucket = Bucket::duplicate_conflict;
    object.findings.push_back({"SYNC-CONFLICT", Severity::s3, "0008,0018",
                               "an earlier run has loaded other content under this SOP Instance UID; neither is "
                               "replaced, a person must decide"});
    return object;
  }

  Object late(Object object) {
    object.bucket = Bucket::pending;
    object.findings.push_back({"SYNC-LATE", Severity::s2, {}, "newer than the freeze of the cut-over, not sent"});
    return object;
  }

  const Sources& from_;
  index::Store& store_;
  Known known_;
  Settled& settled_;
};

std::vector<std::string> row_of(const Object& object, const std::string& state) {
  return {object.source.path, object.source.member.value_or(""), object.sop_instance.value_or(""),
          object.study.value_or(""), state};
}

manifest::Header header_of_standing(std::vector<manifest::Input> inputs) {
  manifest::Header header = manifest::begun("verify");
  JsonWriter w;
  w.begin_object().member("standing", "where each object stands after this run of sync").end_object();
  header.options = std::move(w).str();
  header.inputs = std::move(inputs);
  return header;
}

/// What the archive has no more: lines of the standing, and a row for each that is new among them.
void write_gone(const Known& known, std::uint64_t run, manifest::Writer& writer, std::string& rows, Settled& settled) {
  known.each_gone(
      [&](const Object& object, std::uint64_t noticed, bool replaced) {
        writer.append(departed_line(object, noticed == 0 ? run : noticed));
        ++settled.at_target;
        if (noticed != 0) return;
        settled.departed += replaced ? 0 : 1;
        rows += csv_row(row_of(
            object, replaced ? "its place holds other content now; the target has it as it was" : "the target has it"));
      },
      [&](const Object& object) {
        ++settled.lost;
        rows += csv_row(row_of(object, "never loaded, it was " + std::string(to_string(object.bucket))));
      });
}

}  // namespace

Settled settle(const Sources& from, const fs::path& outcome, std::uint64_t run,
               const std::vector<manifest::Input>& links, const fs::path& output, const fs::path& gone) {
  Settled settled;
  index::Store store(index_beside(output));
  Settler settler(from, store, settled);
  const std::vector<std::string> others = settler.read_outcome(outcome);
  std::vector<manifest::Input> inputs;
  {
    manifest::Reader reader(from.scan);
    while (const auto record = reader.next()) {
      throw_if_stopped();
      if (const auto* object = std::get_if<Object>(&*record)) settler.meet(*object);
    }
    inputs.push_back({reader.name(), reader.head()});
  }
  inputs.insert(inputs.end(), links.begin(), links.end());
  manifest::Reader reader(from.scan);
  manifest::Writer writer(output, header_of_standing(std::move(inputs)), manifest::Restart::yes);
  while (const auto line = reader.next_line()) {
    throw_if_stopped();
    manifest::Record record = manifest::parse_record(*line);
    if (auto* object = std::get_if<Object>(&record)) {
      writer.append_record(settler.place(std::move(*object)));
    } else if (std::holds_alternative<manifest::Study>(record) ||
               std::holds_alternative<manifest::LateFinding>(record)) {
      writer.append(*line);
    }
  }
  std::string rows = csv_row({"path", "member", "sop_instance", "study", "state"});
  write_gone(settler.known(), run, writer, rows, settled);
  for (const std::string& line : others) writer.append(line);
  io::AtomicFile file(gone);
  file.write(as_bytes(rows));
  file.commit();
  JsonWriter counts;
  counts.begin_object().member("at_target", settled.at_target).member("exceptions", settled.exceptions).end_object();
  writer.finish(counts.str());
  return settled;
}

}  // namespace waybill::sync
