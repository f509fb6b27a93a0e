// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/way.hpp"

#include <optional>
#include <vector>

namespace waybill::load {

/// Waits until the target is worth a try; false when the run is to stop. Throws net::PeerError when patience has ended.
[[nodiscard]] bool has_room(Breaker& breaker, const transfer::Control& control, const Options& options);

/// Asks a target whether it has objects whose outcome nobody knows. One thread.
class Asker {
 public:
  /// All arguments must outlive it.
  Asker(const Options& options, Target& target, const transfer::Control& control, Breaker& breaker)
      : options_(options), target_(target), control_(control), breaker_(breaker) {}

  enum class Listed {
    no,
    yes,
    unknown,  ///< it cannot be asked about
  };
  enum class Times {
    once,
    twice,  ///< what is not listed is asked for again after a while: the target may still be storing it
  };
  /// One answer an object, in their order; one question serves all of a series. nullopt when the run is to stop. Waits
  /// for a target that has no time. Throws net::PeerError when it is gone.
  [[nodiscard]] std::optional<std::vector<Listed>> ask(const std::vector<const manifest::Object*>& objects,
                                                       Times times);

 private:
  [[nodiscard]] bool ask_once(const std::vector<const manifest::Object*>& objects, std::vector<Listed>& listed);
  void ask_all(const std::vector<const manifest::Object*>& objects, std::vector<Listed>& listed);

  const Options& options_;
  Target& target_;
  const transfer::Control& control_;
  Breaker& breaker_;
};

}  // namespace waybill::load
