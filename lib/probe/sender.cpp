// SPDX-License-Identifier: Apache-2.0
#include "probe/sender.hpp"

namespace waybill::probe {

namespace {

load::Options options_of(const Options& options) {
  load::Options out;
  out.target = options.peer;
  out.calling = options.calling;
  out.timeouts = options.timeouts;
  out.retries = 0;
  return out;
}

}  // namespace

Sender::Sender(const Options& options)
    : options_(options_of(options)),
      contexts_{{std::string(kMadeClass), std::string(net::kExplicitLittle), false},
                {std::string(kMadeClass), std::string(net::kImplicitLittle), false}},
      control_(options_, halt_),
      breaker_(options_.waits),
      target_(load::make_target(options_)) {
  events_.trouble = [] {};
  events_.others_work = [] { return false; };
}

std::unique_ptr<load::Way> Sender::way() { return target_->way({options_, contexts_, control_, breaker_, events_}); }

std::optional<net::Context> Sender::context(load::Way& way) const {
  for (const net::Context& context : contexts_) {
    if (way.grants(contexts_, context)) return context;
  }
  return std::nullopt;
}

}  // namespace waybill::probe
