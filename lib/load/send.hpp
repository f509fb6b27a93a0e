// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/breaker.hpp"
#include "load/control.hpp"
#include "load/prepare.hpp"
#include "load/queue.hpp"
#include "load/status.hpp"
#include "transfer/halt.hpp"
#include "transfer/peers.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace waybill::load {

/// Objects of one study on their way over one association.
struct Work {
  std::string study;
  std::vector<Parcel> parcels;
  bool ends_study = false;
  std::size_t done = 0;      ///< of them, from the first, have their outcome or are put off
  unsigned round = 0;        ///< how often its objects were put off before
  std::uint64_t ticket = 0;  ///< of the commit of their intents
};

/// Marks an object whose outcome at the peer is known without an answer of its own.
void mark_found(manifest::Object& object);
/// Marks an object of which nobody can say whether the peer has it.
void mark_unknown(manifest::Object& object);

/// What a sender tells of, called by its own thread.
struct Events {
  std::function<void(const manifest::Object&)> outcome;  ///< the object's record stands
  std::function<void(const manifest::Object&)> later;    ///< refused for the moment, to come again in the next round
  std::function<void(std::uint64_t bytes, std::chrono::nanoseconds answer_took)> answered;
  std::function<void()> trouble;  ///< the peer refused for want of resources, or an association was lost or rejected
  std::function<void(const std::string& study)> study_over;  ///< as far as it is at hand
  std::function<bool()> others_work;                         ///< whether other associations with the peer stand
};

/// Sends objects in order over an association of its own, which it keeps as long as it fits. One thread.
///
/// An object without an answer (time-out, abort, lost connection) is asked about before anything else happens to it,
/// twice when the peer does not list it, and then sent once more over a new association, never more often: a peer that
/// falls silent over an object does so again. An object that the peer refuses for the moment is put off to a later
/// round, so that the others need not wait; when it refuses all, the breaker keeps every lane off it. The same question
/// comes before an object that an earlier run may have sent.
class Sender {
 public:
  /// All arguments must outlive it. `contexts` are those that most objects need, proposed with every association.
  Sender(const Options& options, const std::string& run_id, const std::vector<net::Context>& contexts,
         const Preparer& preparer, transfer::Peers& peers, Control& control, Breaker& breaker, Events events)
      : options_(options),
        run_id_(run_id),
        contexts_(contexts),
        preparer_(preparer),
        peers_(peers),
        control_(control),
        breaker_(breaker),
        events_(std::move(events)) {}

  /// Sends on from `done` and moves it; not to the end when the run is to stop. Throws net::PeerError when the peer as
  /// a whole does not work. Objects that may have been sent without an outcome are left in doubt.
  void send(Work& work);
  /// Releases the association.
  void rest() { association_.reset(); }
  [[nodiscard]] bool has_association() const noexcept { return association_.has_value(); }

 private:
  [[nodiscard]] net::Association& association(const std::vector<net::Context>& needed);
  void settle_doubts(Work& work, std::vector<bool>& settled);
  enum class Sent { settled, later, stopped };
  /// Not in transfer syntax `avoided`.
  [[nodiscard]] Sent send_one(manifest::Object& object, unsigned round, const std::string& avoided = "");
  [[nodiscard]] Sent send_native(manifest::Object& sent, const manifest::Object& source, unsigned round);
  [[nodiscard]] Sent send_bytes(manifest::Object& object, const Prepared& prepared, unsigned round);
  [[nodiscard]] bool has_room();
  [[nodiscard]] bool settle(manifest::Object& object, const Meaning& meaning, bool last_try);
  [[nodiscard]] bool settle_by_asking(manifest::Object& object, bool answered);

  const Options& options_;
  const std::string& run_id_;
  const std::vector<net::Context>& contexts_;
  const Preparer& preparer_;
  transfer::Peers& peers_;
  Control& control_;
  Breaker& breaker_;
  Events events_;
  bool refused_ = false;       ///< the object at hand was certainly not stored by the last try
  net::Context sent_context_;  ///< that the object at hand was last sent in
  std::optional<net::Association> association_;
};

/// The contexts to propose: those of `needed`, then of `wanted` as many as there is room for.
[[nodiscard]] std::vector<net::Context> contexts_to_propose(std::vector<net::Context> needed,
                                                            const std::vector<net::Context>& wanted);

}  // namespace waybill::load
