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

/// Objects of one study on their way; the first `answered` have their outcome.
struct Work {
  std::string study;
  std::vector<manifest::Object> objects;
  std::size_t answered = 0;
};

/// Marks an object whose outcome at the peer is known without an answer of its own.
void mark_found(manifest::Object& object);
/// Marks an object of which nobody can say whether the peer has it.
void mark_unknown(manifest::Object& object);

/// Sends the objects of a batch in order over one association. Any thread, one batch each.
///
/// An object without an answer (time-out, abort, lost connection) is asked about before anything else happens to it,
/// twice when the peer does not list it, and then sent once more over a new association, never more often: a peer that
/// falls silent over an object does so again.
class Sender {
 public:
  Sender(const Options& options, transfer::Peers& peers, transfer::Halt& halt)
      : options_(options), peers_(peers), halt_(halt) {}

  /// Stops early, leaving the rest unanswered, when the peer is lost or a stop is asked for.
  void send(Work& work) const;

 private:
  struct Lane;
  [[nodiscard]] bool send_one(manifest::Object& object, Lane& lane) const;
  [[nodiscard]] bool send_bytes(manifest::Object& object, const net::Context& context, ByteView dataset,
                                Lane& lane) const;
  [[nodiscard]] bool settle(manifest::Object& object, const Meaning& meaning, bool last_try) const;
  [[nodiscard]] bool settle_by_asking(manifest::Object& object, bool answered) const;
  [[nodiscard]] bool stopping() const;

  const Options& options_;
  transfer::Peers& peers_;
  transfer::Halt& halt_;
};

}  // namespace waybill::load
