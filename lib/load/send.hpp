// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/ask.hpp"
#include "load/queue.hpp"
#include "load/status.hpp"
#include "load/way.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::load {

/// Objects of one study on their way over one connection.
struct Work {
  std::string study;
  std::vector<Parcel> parcels;
  bool ends_study = false;
  std::vector<bool> settled;  ///< which of them have their outcome or are put off; made by the sender
  std::size_t done = 0;       ///< how many of them
  unsigned round = 0;         ///< how often its objects were put off before
  std::uint64_t ticket = 0;   ///< of the commit of their intents

  [[nodiscard]] bool is_settled(std::size_t i) const { return i < settled.size() && settled[i]; }
};

/// Marks an object whose outcome at the peer is known without an answer of its own.
void mark_found(manifest::Object& object);
/// Marks an object that the peer declined because it has it.
void mark_present(manifest::Object& object);
/// Marks an object that an earlier load sent and the archive did not commit itself to, but lists.
void mark_listed(manifest::Object& object);
/// Marks an object of which nobody can say whether the peer has it.
void mark_unknown(manifest::Object& object);

/// Sends objects in order over a way of its own, as many together as the way has room for. One thread.
///
/// This is the state machine of domain rule 9.2 for every kind of target; how objects travel is the way's affair. An
/// object without an answer (time-out, abort, lost connection) is asked about before anything else happens to it, twice
/// when the peer does not list it, and then sent once more, alone, never more often: a peer that falls silent over an
/// object does so again. Of what travelled together and was declined or not answered, each object that the peer does
/// not list is sent alone. An object that the peer refuses for the moment is put off to a later round, so that the
/// others need not wait; when it refuses all, the breaker keeps every lane off it. The same question comes before an
/// object that an earlier run may have sent.
class Sender {
 public:
  /// All arguments must outlive it.
  Sender(const Lane& lane, const std::string& run_id, const Preparer& preparer, Target& target)
      : options_(lane.options),
        run_id_(run_id),
        preparer_(preparer),
        control_(lane.control),
        breaker_(lane.breaker),
        events_(lane.events),
        asker_(lane.options, target, lane.control, lane.breaker),
        way_(target.way(lane)) {}

  /// Sends on and settles objects; not all when the run is to stop. Throws net::PeerError when the peer as a whole does
  /// not work. Objects that may have been sent without an outcome are left in doubt.
  void send(Work& work);
  /// Ends the connection.
  void rest() { way_->rest(); }

 private:
  enum class Sent { settled, later, again, stopped };

  [[nodiscard]] bool settle_doubts(Work& work);
  void make_again(manifest::Object& object);
  [[nodiscard]] std::optional<Outgoing> prepare(Work& work, std::size_t place);
  [[nodiscard]] bool may_go_native(Outgoing& out);
  [[nodiscard]] bool prepare_again(const Work& work, Outgoing& out);
  [[nodiscard]] std::optional<Prepared> prepare_bytes(manifest::Object& object, const std::set<net::Context>& declined);

  [[nodiscard]] bool ship(Work& work, std::vector<Outgoing> batch);
  [[nodiscard]] bool ship_alone(Work& work, Outgoing& out);
  [[nodiscard]] bool ship_rest(Work& work, std::vector<Outgoing> batch, Answer::Kind why);
  [[nodiscard]] bool settle_listed_of(Work& work, std::vector<Outgoing>& batch, Answer::Kind why);
  struct Shipped {
    std::vector<Outgoing> alone;  ///< to be sent alone
    std::vector<Outgoing> rest;   ///< whose outcome the answer left open, all for the reason `why`
    Answer::Kind why = Answer::Kind::status;
    std::chrono::milliseconds retry_after{0};
  };
  [[nodiscard]] Shipped store_together(Work& work, std::vector<Outgoing> batch);
  [[nodiscard]] Sent send_alone(Work& work, Outgoing& out);
  [[nodiscard]] Meaning take_answer(Work& work, Outgoing& out, const Answer& answer, std::chrono::nanoseconds took);
  [[nodiscard]] Sent settle(Outgoing& out, const Answer& answer, const Meaning& meaning, bool last_try);
  void finish(Work& work, const Outgoing& out, Sent how);
  [[nodiscard]] static bool settle_listed(manifest::Object& object, Asker::Listed listed, Answer::Kind why);

  const Options& options_;
  const std::string& run_id_;
  const Preparer& preparer_;
  Control& control_;
  Breaker& breaker_;
  const Events& events_;
  Asker asker_;
  std::unique_ptr<Way> way_;
};

}  // namespace waybill::load
