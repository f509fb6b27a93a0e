// SPDX-License-Identifier: Apache-2.0
#include "manifest/intake.hpp"

#include "core/stop.hpp"
#include "core/text.hpp"
#include "manifest/header.hpp"

#include <tbb/info.h>
#include <tbb/parallel_pipeline.h>
#include <algorithm>

namespace waybill::manifest {
namespace {

constexpr std::size_t kPart = 1U << 20U;  // bytes of lines that one thread looks at at a time

/// The first frame of a chain: its header, and the lines behind it.
Header header_of(Chain& chain, const std::filesystem::path& path, std::string& rest) {
  const auto lines = chain.next();
  if (!lines) {
    throw RunError(Exit::input, (path == "-" ? std::string("standard input") : path_to_text(path.native())) +
                                    " holds no manifest header: it is empty or its run was stopped at once; run the "
                                    "stage that writes it again");
  }
  const std::size_t end = std::min(lines->find('\n'), lines->size());
  rest = lines->substr(std::min(end + 1, lines->size()));
  return parse_header(lines->substr(0, end), path);
}

}  // namespace

Intake::Intake(std::filesystem::path path) : path_(std::move(path)) {
  chain_.emplace(open_chain(path_));
  header_ = header_of(*chain_, path_, first_);
  if (path_ == "-") return;
  chain_.reset();  // many manifests wait for their turn: each would hold its first frame until then
  first_ = {};
}

void Intake::read_lines(const std::function<std::shared_ptr<void>(std::string_view)>& look,
                        const std::function<void(const std::shared_ptr<void>&)>& take) {
  using Part = std::shared_ptr<std::string>;
  if (!chain_) {
    chain_.emplace(open_chain(path_));
    if (header_of(*chain_, path_, first_).run != header_.run)
      throw RunError(Exit::integrity, path_to_text(path_.native()) +
                                          " became another manifest while it was read; run the same command again");
  }
  std::string_view rest = first_;
  const auto cut =
      tbb::make_filter<void, Part>(tbb::filter_mode::serial_in_order, [&](tbb::flow_control& flow) -> Part {
        if (stop_requested())
          throw RunError(Exit::interrupted, "stopped; nothing was written, run the same command again");
        while (rest.empty()) {
          const auto next = chain_->next();
          if (!next) {
            flow.stop();
            return {};
          }
          rest = *next;
        }
        std::size_t end = rest.size() <= kPart ? rest.size() : rest.find('\n', kPart);
        end = std::min(rest.size(), end == std::string_view::npos ? rest.size() : end + 1);
        auto part = std::make_shared<std::string>(rest.substr(0, end));
        rest.remove_prefix(end);
        return part;
      });
  const auto see = tbb::make_filter<Part, std::shared_ptr<void>>(tbb::filter_mode::parallel,
                                                                 [&](const Part& part) { return look(*part); });
  const auto keep = tbb::make_filter<std::shared_ptr<void>, void>(
      tbb::filter_mode::serial_in_order, [&](const std::shared_ptr<void>& seen) { take(seen); });
  tbb::parallel_pipeline(static_cast<std::size_t>(tbb::info::default_concurrency()) * 2, cut & see & keep);
}

}  // namespace waybill::manifest
