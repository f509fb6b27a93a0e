// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/breaker.hpp"
#include "load/prepare.hpp"
#include "transfer/address.hpp"
#include "transfer/control.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace waybill::load {

/// An object that is ready to leave.
struct Outgoing {
  std::size_t place = 0;  ///< in its work
  manifest::Object object;
  Prepared prepared;
  std::set<net::Context> declined;  ///< syntaxes that the target did not take the object in
  bool was_in_doubt = false;        ///< before this run touched it
  bool refused = false;             ///< the last try certainly did not store it
  bool busy = false;                ///< the target had no time for it, and may have stored it nevertheless
  bool repeated = false;            ///< it was sent again after a silence
  bool native = false;              ///< it was prepared again in a native syntax, as the first was not understood
};

/// What a target said to one object.
struct Answer {
  enum class Kind {
    status,       ///< `status`, about this object
    none,         ///< nothing: whether the target has it is not known
    not_granted,  ///< not a byte went out
    syntax,       ///< the target does not take the transfer syntax, and said so when it had the object
    busy,         ///< the target has no time for anybody; try again after `retry_after` when that is not 0
    declined,     ///< the request was declined as a whole, and no word on the object
    too_large,    ///< the same, because of its size
  };
  Kind kind = Kind::none;
  std::uint16_t status = 0;  ///< of C-STORE, or what STOW-RS says in its place
  std::string comment, error;
  std::vector<std::uint32_t> offending = {};  ///< tags of (0000,0901)
  std::chrono::milliseconds retry_after{0};
  const char* service = "C-STORE";
};

/// What a lane tells of; called by its own thread.
struct Events {
  std::function<void(const manifest::Object&)> outcome;  ///< the object's record stands
  std::function<void(const manifest::Object&)> later;    ///< refused for the moment, to come again in the next round
  std::function<void(std::uint64_t bytes, std::chrono::nanoseconds answer_took)> answered;
  std::function<void()> trouble;  ///< the peer refused for want of resources, or an association was lost or rejected
  std::function<void(const std::string& study)> study_over;  ///< as far as it is at hand
  std::function<bool()> others_work;                         ///< whether other associations with the peer stand
};

/// The connection of one lane with the target, opened when it is needed. One thread.
class Way {
 public:
  virtual ~Way() = default;

  /// Whether the target takes `one`, which is among `needed`, what the object may travel in. Throws net::PeerError.
  [[nodiscard]] virtual bool grants(const std::vector<net::Context>& needed, const net::Context& one) = 0;

  /// How much travels together.
  struct Room {
    std::size_t objects = 1;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] virtual Room room() const = 0;
  /// One answer an object, in their order. Throws net::PeerError when there is no connection, or the target as a whole
  /// does not work.
  [[nodiscard]] virtual std::vector<Answer> store(std::span<const Outgoing> objects) = 0;
  /// `bytes` together were too much, or may have been: from now on half as many.
  virtual void shrink(std::uint64_t bytes) = 0;
  /// Number of the connection in the process.
  [[nodiscard]] virtual std::uint64_t number() const = 0;
  /// Ends the connection.
  virtual void rest() = 0;
};

/// What the ways of a run share. All references must outlive the ways.
struct Lane {
  const Options& options;
  const std::vector<net::Context>& contexts;  ///< those that most objects need
  transfer::Control& control;
  Breaker& breaker;
  const Events& events;
};

/// Where objects are sent to. Any thread.
class Target {
 public:
  virtual ~Target() = default;
  /// Throws net::PeerError unless the target is there and lets us in. Gives what it says it does with objects of the
  /// classes of `sent` (PS3.4 B.3.1); most say nothing.
  virtual std::map<std::string, net::StorageLevel> check(const std::vector<net::Context>& sent) = 0;
  /// SOP Instance UIDs of a series at the target, or of it only the instance asked for; nullopt when it cannot be
  /// asked. Throws net::PeerError when it is down, web::Busy when it has no time.
  [[nodiscard]] virtual std::optional<std::set<std::string>> instances(const std::string& study,
                                                                       const std::string& series,
                                                                       const std::string& instance) = 0;
  [[nodiscard]] virtual std::unique_ptr<Way> way(const Lane& lane) = 0;
};
[[nodiscard]] std::unique_ptr<Target> make_target(const Options& options);

/// The contexts to propose: those of `needed`, then of `wanted` as many as there is room for.
[[nodiscard]] std::vector<net::Context> contexts_to_propose(std::vector<net::Context> needed,
                                                            const std::vector<net::Context>& wanted);

}  // namespace waybill::load
