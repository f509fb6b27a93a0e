// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/way.hpp"
#include "probe/made.hpp"
#include "probe/run.hpp"

#include <atomic>

namespace waybill::probe {

/// Connections to the peer as load has them, which give up soon. Ways are for one thread each and must
/// not outlive it.
class Sender {
 public:
  explicit Sender(const Options& options);
  [[nodiscard]] std::unique_ptr<load::Way> way();
  /// The transfer syntax in which the way takes made objects of the class; nullopt when in none. Throws net::PeerError.
  [[nodiscard]] std::optional<net::Context> context(load::Way& way, std::string_view sop_class = kMadeClass) const;

 private:
  load::Options options_;
  const std::vector<net::Context> contexts_;
  transfer::Halt halt_;
  transfer::Control control_;
  load::Breaker breaker_;
  load::Events events_;
  std::unique_ptr<load::Target> target_;
};

}  // namespace waybill::probe
