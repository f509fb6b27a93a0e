// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/run.hpp"
#include "load/status.hpp"
#include "manifest/record.hpp"
#include "transfer/halt.hpp"
#include "transfer/peers.hpp"

#include <string>
#include <vector>

namespace waybill::load {

/// Objects of one study on their way. The first `answered` have their outcome, but for those in `later`, which the peer
/// refused for the moment.
struct Work {
  std::string study;
  std::vector<manifest::Object> objects;
  std::vector<std::size_t> places;  ///< of the objects in Contents::objects
  std::size_t answered = 0;
  unsigned round = 0;              ///< how often objects in `later` were put off before
  std::vector<std::size_t> later;  ///< ascending
};

/// Marks an object whose outcome at the peer is known without an answer of its own.
void mark_found(manifest::Object& object);
/// Marks an object of which nobody can say whether the peer has it.
void mark_unknown(manifest::Object& object);

/// Sends the objects of a batch in order over one association. Any thread, one batch each.
///
/// An object without an answer (time-out, abort, lost connection) is asked about before anything else happens to it,
/// twice when the peer does not list it, and then sent once more over a new association, never more often: a peer that
/// falls silent over an object does so again. An object that the peer refuses for the moment is put off to a later
/// round, so that the others need not wait; when it refuses all, the breaker keeps every lane off it.
class Sender {
 public:
  Sender(const Options& options, transfer::Peers& peers, transfer::Halt& halt, Breaker& breaker)
      : options_(options), peers_(peers), halt_(halt), breaker_(breaker) {}

  /// Stops early, leaving the rest unanswered, when the peer is lost or a stop is asked for.
  void send(Work& work) const;

 private:
  struct Lane;
  enum class Sent { settled, later, stopped };
  [[nodiscard]] Sent send_one(manifest::Object& object, Lane& lane) const;
  [[nodiscard]] Sent send_bytes(manifest::Object& object, const net::Context& context, ByteView dataset,
                                Lane& lane) const;
  [[nodiscard]] bool settle(manifest::Object& object, const Meaning& meaning, bool last_try) const;
  void wait_for_room() const;
  [[nodiscard]] bool settle_by_asking(manifest::Object& object, bool answered) const;
  [[nodiscard]] bool stopping() const;

  const Options& options_;
  transfer::Peers& peers_;
  transfer::Halt& halt_;
  Breaker& breaker_;
};

}  // namespace waybill::load
