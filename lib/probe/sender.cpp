// SPDX-License-Identifier: Apache-2.0
#include "probe/sender.hpp"

#include "dicom/uids.hpp"

#include <initializer_list>

namespace waybill::probe {

namespace {

constexpr unsigned kRetries = 2;  // of an association: the peer may not quite have ended one of ours

load::Options options_of(const Options& options) {
  load::Options out;
  out.target = options.peer;
  out.calling = options.calling;
  out.timeouts = options.timeouts;
  out.retries = kRetries;
  return out;
}

std::vector<net::Context> contexts_of(std::initializer_list<std::string_view> classes) {
  std::vector<net::Context> out;
  for (const std::string_view one : classes) {
    for (const std::string_view syntax : {net::kExplicitLittle, net::kImplicitLittle})
      out.push_back({std::string(one), std::string(syntax), false});
  }
  return out;
}

}  // namespace

Sender::Sender(const Options& options)
    : options_(options_of(options)),
      contexts_(contexts_of({kMadeClass, dicom::uid::kKeyObjectSelection})),
      control_(options_, halt_),
      breaker_(options_.waits),
      target_(load::make_target(options_)) {
  events_.trouble = [] {};
  events_.others_work = [] { return false; };
}

std::unique_ptr<load::Way> Sender::way() { return target_->way({options_, contexts_, control_, breaker_, events_}); }

std::optional<net::Context> Sender::context(load::Way& way, std::string_view sop_class) const {
  for (const net::Context& context : contexts_) {
    if (context.sop_class == sop_class && way.grants(contexts_, context)) return context;
  }
  return std::nullopt;
}

}  // namespace waybill::probe
