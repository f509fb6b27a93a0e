// SPDX-License-Identifier: Apache-2.0
// Three steps. The headers are compared before anything is read. Then each input is read once: its lines go to a sorter
// by what they are and where their object lies, its object ids to another one, in which the same id of two inputs
// stands together. At last the lines come back in order and become records of the output. Only where an object occurs
// in several inputs these are read once more, for all records of it.
#include "manifest/merge.hpp"

#include "core/bytes.hpp"
#include "core/json.hpp"
#include "manifest/derived.hpp"
#include "manifest/frame.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/merge_header.hpp"
#include "manifest/sorter.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace waybill::manifest {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLineMemory = std::size_t{64} << 20U;
constexpr std::size_t kIdMemory = std::size_t{16} << 20U;
constexpr unsigned kIndexBytes = 2;

// Sections of the output, the first letter of a key.
constexpr char kFront = '0';   // late findings, intents and other kinds, input by input
constexpr char kObject = '1';  // objects and what is gone, in the order of a walk
constexpr char kStudy = '2';

using Ids = std::vector<std::uint64_t>;

std::uint64_t id_of(const detail::JsonObject& record) {
  const std::string id = detail::need<std::string>(record, "id");
  if (id.size() != 16 || id.find_first_not_of("0123456789abcdef") != std::string::npos) detail::bad_line("id is none");
  return std::stoull(id, nullptr, 16);
}

std::string text_of(std::uint64_t id) { return to_hex(as_bytes(ordered(id, 8))); }

/// A line with the number of its input, as it lies in a sorter.
std::string with_index(std::size_t input, std::string_view line) { return ordered(input, kIndexBytes).append(line); }
std::pair<std::size_t, std::string_view> without_index(std::string_view entry) {
  return {number_from(entry.substr(0, kIndexBytes)), entry.substr(kIndexBytes)};
}

bool is_settled(const Object& object) { return object.bucket != Bucket::pending && object.bucket != Bucket::instance; }

bool was_put_there(const Object& object) {
  return object.load && (object.load->outcome == "sent" || object.load->outcome == "found-after-interruption");
}

Counts which_load(const Object& first, const Object& second) {
  if (is_settled(first) != is_settled(second)) return is_settled(first) ? Counts::first : Counts::second;
  if (first.bucket == Bucket::loaded && second.bucket == Bucket::loaded)
    return was_put_there(second) && !was_put_there(first) ? Counts::second : Counts::first;
  if (first.bucket == second.bucket || !is_settled(first)) return Counts::second;
  return first.bucket == Bucket::failed && second.bucket == Bucket::loaded ? Counts::second : Counts::neither;
}

Counts which_transcode(const Object& first, const Object& second) {
  const auto staged = [](const Object& o) { return o.transcode && !o.transcode->path.empty(); };
  if (staged(first) != staged(second)) return staged(first) ? Counts::first : Counts::second;
  if (!staged(first)) return first.bucket == second.bucket ? Counts::second : Counts::neither;
  const Transcode &a = *first.transcode, &b = *second.transcode;
  return a.to == b.to && a.dataset_sha256 == b.dataset_sha256 ? Counts::second : Counts::neither;
}

/// Adds the counts of another part's record of a study; throws where what was found or decided differs.
void add_up(Study& study, Study other, const std::string& name) {
  study.instances += other.instances;
  study.bytes += other.bytes;
  std::vector<std::string> modalities;
  std::set_union(study.modalities.begin(), study.modalities.end(), other.modalities.begin(), other.modalities.end(),
                 std::back_inserter(modalities));
  study.modalities = std::move(modalities);
  for (const std::string& code : other.discrepancies) {
    if (std::find(study.discrepancies.begin(), study.discrepancies.end(), code) == study.discrepancies.end())
      study.discrepancies.push_back(code);
  }
  const auto decided = [](const Study& s) { return std::tie(s.rule, s.decision, s.exam, s.vetoes); };
  const auto edits = [](const Study& s) {
    std::string out;
    for (const Edit& e : s.edits) out += e.tag + '\n' + e.old_value + '\n' + e.new_value + '\n';
    return out;
  };
  if (decided(study) != decided(other) || edits(study) != edits(other))
    throw RunError(Exit::usage, "study " + study.study + " was decided otherwise in " + name +
                                    " than in another input; reconcile the merged scan and make both from that");
}

/// One merge from its headers to its end.
class Merge {
 public:
  Merge(const MergeHeader& plan, const fs::path& output, std::unique_ptr<Whole> whole)
      : plan_(plan),
        whole_(std::move(whole)),
        scratch_(scratch_beside(output)),
        lines_(scratch_, kLineMemory),
        ids_(scratch_, kIdMemory),
        series_(scratch_, kIdMemory) {}

  /// Reads all inputs; their heads.
  std::vector<Input> read() {
    std::vector<Input> heads;
    for (std::size_t n = 0; n < plan_.inputs.size(); ++n) {
      each_line(n, [&](std::string_view line) { take(n, line); });
      heads.push_back({plan_.inputs[n].name, plan_.inputs[n].head});
    }
    return heads;
  }

  /// Which record counts where several inputs have an object.
  void settle() {
    find_repeated();
    if (!repeated_.empty()) choose();
  }

  /// Hands out the records of the merged manifest; returns how many records of objects were left out.
  std::uint64_t write(const Whole::Emit& emit) {
    while (const auto entry = lines_.next()) {
      detail::throw_if_stopped();
      const char section = (*entry)[0];
      const auto [input, line] = without_index(entry->substr(1));
      if (section == kStudy)
        put_study(input, line, emit);
      else
        put(section, input, line, emit);
    }
    if (whole_)
      whole_->conclude(emit);
    else
      end_study(emit);
    return left_out_;
  }

 private:
  template <typename F>
  void each_line(std::size_t n, F take_line) {
    MergeInput& input = plan_.inputs[n];
    Reader reader(input.path);
    while (const auto line = reader.next_line()) {
      detail::throw_if_stopped();
      take_line(*line);
    }
    detail::require_end(reader);
    if (!input.head.empty() && input.head != reader.head())
      throw RunError(Exit::input, input.name + " was changed while it was read; run the same command again");
    input.head = reader.head();
  }

  void keep(char section, std::string_view key, std::size_t input, std::string_view line) {
    std::string entry(1, section);
    entry += ordered(input, kIndexBytes);
    entry += line;
    lines_.add(std::string(1, section).append(key), entry);
  }

  void take(std::size_t n, std::string_view line) {
    const std::string_view kind = kind_of(line);
    if (kind.starts_with("sample"))
      throw RunError(Exit::usage, plan_.inputs[n].name +
                                      " holds a sample, whose bound is of that run's objects alone; verify each run by "
                                      "its own sample and give all to waybill report");
    if (kind == "recovered" || (whole_ && kind == "finding" && !stays(line))) return;
    if (kind != "object" && kind != "gone" && kind != "study") return keep(kFront, ordered(n, kIndexBytes), n, line);
    const detail::JsonObject record = detail::parse_object(parser_, line);
    if (kind == "study") {
      const auto study = detail::need<std::string>(record, "study");
      if (whole_)
        whole_->study_of_part(std::get<Study>(parse_record(line)));
      else
        keep(kStudy, study, n, line);
      return;
    }
    const auto source = detail::need<detail::JsonObject>(record, "source");
    const bool inside = detail::find<std::string>(source, "member").has_value() ||
                        detail::find<std::uint64_t>(source, "offset").value_or(0) > 0;
    if (kind == "object") {
      const std::string id = ordered(id_of(record), 8);
      ids_.add(id, id + ordered(n, kIndexBytes));
    } else if (!gone_.insert(id_of(record)).second) {
      return;
    }
    keep(kObject, detail::place_key(detail::need<std::string>(source, "path"), inside), n, line);
    if (!whole_ && kind == "object") note_series(record);
  }

  /// Late findings that a Whole cannot make again: they compare with an older scan.
  static bool stays(std::string_view line) { return line.find("\"code\":\"STU-COUNT\"") != std::string_view::npos; }

  /// Series are counted for studies that stand in several inputs; which these are is known only at the end.
  void note_series(const detail::JsonObject& record) {
    const auto study = detail::find<std::string>(record, "study");
    const auto series = detail::find<std::string>(record, "series");
    if (!study || !series || (*study == last_study_ && *series == last_series_)) return;
    last_study_ = *study;
    last_series_ = *series;
    const std::string both = *study + '\0' + *series;
    series_.add(both, both);
  }

  /// How many series the study has; asked once a study, in the order of studies.
  std::uint64_t series_of(std::string_view study) {
    std::uint64_t count = 0;
    for (std::string last;; next_series_.reset()) {
      if (!next_series_) next_series_ = series_.next();
      if (!next_series_) return count;
      const std::string_view of = next_series_->substr(0, next_series_->find('\0'));
      if (of > study) return count;
      if (of != study || *next_series_ == last) continue;
      ++count;
      last = *next_series_;
    }
  }

  void find_repeated() {
    std::optional<std::uint64_t> last;
    std::size_t last_input = 0;
    while (const auto entry = ids_.next()) {
      const std::uint64_t id = number_from(entry->substr(0, 8));
      const std::size_t input = number_from(entry->substr(8));
      if (last == id) {
        if (input == last_input)
          throw RunError(Exit::integrity, plan_.inputs[input].name + " lists object " + text_of(id) +
                                              " twice; make the manifest again from its source");
        if (repeated_.empty() || repeated_.back() != id) repeated_.push_back(id);
      }
      last = id;
      last_input = input;
    }
  }

  [[nodiscard]] bool is_repeated(std::uint64_t id) const {
    return std::binary_search(repeated_.begin(), repeated_.end(), id);
  }

  /// Which input's record of each repeated object counts.
  void choose() {
    Sorter records(scratch_, kIdMemory);
    for (std::size_t n = 0; n < plan_.inputs.size(); ++n) {
      each_line(n, [&](std::string_view line) {
        if (kind_of(line) != "object") return;
        const std::uint64_t id = id_of(detail::parse_object(parser_, line));
        if (is_repeated(id)) records.add(ordered(id, 8), with_index(n, line));
      });
    }
    std::optional<Object> best;
    std::size_t best_input = 0;
    const auto end_one = [&] {
      if (best) counting_.push_back(static_cast<std::uint16_t>(best_input));
    };
    while (const auto entry = records.next()) {
      const auto [input, line] = without_index(*entry);
      Object object = std::get<Object>(parse_record(line));
      if (!best || best->id != object.id) {
        end_one();
        best = std::move(object);
        best_input = input;
        continue;
      }
      if (better(*best, best_input, object, input)) {
        best = std::move(object);
        best_input = input;
      }
    }
    end_one();
  }

  [[nodiscard]] bool better(const Object& first, std::size_t a, const Object& second, std::size_t b) const {
    const auto normal = [&](Object object) {
      if (whole_) whole_->forget(object);
      return to_json(object);
    };
    if (normal(first) == normal(second)) return false;
    const MergeInput &x = plan_.inputs[a], &y = plan_.inputs[b];
    const Counts counts = plan_.header.stage == "load" && x.target != y.target
                              ? Counts::neither
                              : which_counts(plan_.header.stage, first, second);
    if (counts == Counts::neither)
      throw RunError(Exit::usage, "object " + first.id + " stands in " + x.name + " and in " + y.name +
                                      " with records that contradict each other (" +
                                      std::string(to_string(first.bucket)) + ", " +
                                      std::string(to_string(second.bucket)) +
                                      "); find out which one holds, and leave the other manifest out");
    return counts == Counts::second;
  }

  /// Whether the record of this object in this input is left out for that of another one.
  [[nodiscard]] bool is_left_out(std::uint64_t id, std::size_t input) const {
    const auto at = std::lower_bound(repeated_.begin(), repeated_.end(), id);
    return at != repeated_.end() && *at == id && counting_[static_cast<std::size_t>(at - repeated_.begin())] != input;
  }

  void put(char section, std::size_t input, std::string_view line, const Whole::Emit& emit) {
    const std::string_view kind = kind_of(line);
    const bool is_object = section == kObject && kind == "object";
    const bool about_one = is_object || kind == "finding" || kind == "intent";
    if (about_one && !repeated_.empty() && is_left_out(id_of(detail::parse_object(parser_, line)), input)) {
      if (!is_object) return;
      ++left_out_;
      if (!whole_) take_off(std::get<Object>(parse_record(line)));
      return;
    }
    if (is_object && whole_)
      whole_->object(std::get<Object>(parse_record(line)), emit);
    else
      emit(line);
  }

  /// Both records of the study count an object that stands in two inputs, if it was an instance for the scan.
  void take_off(const Object& object) {
    const Bucket bucket = object.bucket;
    const bool duplicate = bucket == Bucket::duplicate_identical || bucket == Bucket::duplicate_conflict;
    if (!object.study || !object.sop_instance || duplicate || (bucket == Bucket::quarantined && !object.load)) return;
    auto& [instances, bytes] = counted_twice_[*object.study];
    ++instances;
    bytes += object.source.size;
  }

  void put_study(std::size_t input, std::string_view line, const Whole::Emit& emit) {
    Study study = std::get<Study>(parse_record(line));
    if (!study_ || study_->study != study.study) {
      end_study(emit);
      study_ = std::move(study);
      study_line_ = line;
      return;
    }
    add_up(*study_, std::move(study), plan_.inputs[input].name);
    study_line_.clear();
  }

  void end_study(const Whole::Emit& emit) {
    if (!study_) return;
    if (study_line_.empty()) {
      study_->series = series_of(study_->study);
      const auto [instances, bytes] = counted_twice_[study_->study];
      study_->instances -= std::min(instances, study_->instances);
      study_->bytes -= std::min(bytes, study_->bytes);
    }
    emit(study_line_.empty() ? to_json(*study_) : study_line_);
    study_.reset();
  }

  MergeHeader plan_;
  std::unique_ptr<Whole> whole_;
  fs::path scratch_;
  Sorter lines_, ids_, series_;
  simdjson::dom::parser parser_;
  Ids repeated_;                         // ids that several inputs have, ascending
  std::vector<std::uint16_t> counting_;  // beside them: the input whose record counts
  std::uint64_t left_out_ = 0;
  std::unordered_set<std::uint64_t> gone_;
  std::string last_study_, last_series_;
  std::optional<std::string_view> next_series_;                                             // study and series
  std::unordered_map<std::string, std::pair<std::uint64_t, std::uint64_t>> counted_twice_;  // instances, bytes
  std::optional<Study> study_;
  std::string study_line_;  // as it was read, empty once another was added
};

}  // namespace

Counts which_counts(std::string_view stage, const Object& first, const Object& second) {
  if (stage == "load") return which_load(first, second);
  if (stage == "transcode") return which_transcode(first, second);
  return Counts::neither;
}

Merged merge(const std::vector<fs::path>& inputs, const fs::path& output, Restart restart, const WholeOf& whole_of) {
  MergeHeader plan = plan_merge(inputs, output);
  detail::check_existing(output, plan.header, restart);
  Merged out;
  out.inputs = inputs.size();
  out.missing = plan.missing;
  Header header = plan.header;
  Merge work(plan, output, whole_of(header.stage, plan.deep, output));
  header.inputs = work.read();
  refuse_descent(plan, header.inputs);
  work.settle();
  auto writer = detail::begin_or_keep(output, header, restart);
  out.already_complete = !writer;
  if (!writer) return out;
  out.repeated = work.write([&](std::string_view line) {
    writer->append(line);
    out.records.add(line, true);
  });
  writer->finish(out.records.json());
  return out;
}

std::string merge_difference(const fs::path& merged, const std::vector<fs::path>& inputs, const WholeOf& whole_of) {
  const MergeHeader plan = plan_merge(inputs, "-");
  detail::Expected expected(merged);
  Header header = plan.header;
  Merge work(plan, "-", whole_of(header.stage, plan.deep, "-"));
  header.inputs = work.read();
  refuse_descent(plan, header.inputs);
  expected.begin(header);
  if (expected.differs()) return expected.finish();
  work.settle();
  (void)work.write([&](std::string_view line) { expected.line(line); });
  return expected.finish();
}

}  // namespace waybill::manifest
