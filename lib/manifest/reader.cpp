// SPDX-License-Identifier: Apache-2.0
#include "manifest/reader.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "manifest/chain.hpp"
#include "manifest/header.hpp"

namespace waybill::manifest {
namespace {

/// Cuts the first line off `lines`.
std::string_view take_line(std::string_view& lines) {
  const std::size_t end = lines.find('\n');
  const std::string_view line = lines.substr(0, end);
  lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  return line;
}

}  // namespace

struct Reader::State {
  std::filesystem::path path;
  Chain chain;
  Header header;
  std::string_view lines;  // of the current frame
  std::optional<End> end;
  bool done = false;

  explicit State(const std::filesystem::path& p) : path(p), chain(open_chain(p)) {
    const auto first = chain.next();
    if (!first) {
      throw RunError(Exit::input, (path == "-" ? std::string("standard input") : path_to_text(path.native())) +
                                      " holds no manifest header: it is empty or its run was stopped at once; run the "
                                      "stage that writes it again");
    }
    lines = *first;
    header = parse_header(take_line(lines), path);
  }

  bool next_frame() {
    const auto next = chain.next();
    if (next) {
      lines = *next;
      return true;
    }
    done = true;
    if (chain.complete()) end = chain.end();
    return false;
  }
};

Reader::Reader(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

const Header& Reader::header() const noexcept { return state_->header; }

std::optional<std::string_view> Reader::next_line() {
  while (state_->lines.empty()) {
    if (state_->done || !state_->next_frame()) return std::nullopt;
  }
  return take_line(state_->lines);
}

std::optional<Record> Reader::next() {
  const auto line = next_line();
  if (!line) return std::nullopt;
  return parse_record(*line);
}

const std::optional<End>& Reader::end() const noexcept { return state_->end; }
bool Reader::torn() const noexcept { return state_->chain.torn(); }
std::string Reader::head() const { return state_->chain.head().hex(); }
std::string Reader::name() const { return state_->path == "-" ? "-" : state_->path.filename().string(); }

std::vector<Input> resolved_inputs(const Header& header, const std::optional<End>& end) {
  std::vector<Input> out = header.inputs;
  if (!end) return out;
  for (Input& input : out) {
    if (!input.head.empty()) continue;
    for (const Input& late : end->inputs) {
      if (late.name == input.name) input.head = late.head;
    }
  }
  return out;
}

Input input_of(const std::filesystem::path& path) {
  Reader reader(path);
  while (reader.next_line()) {
  }
  return {reader.name(), reader.head()};
}

}  // namespace waybill::manifest
