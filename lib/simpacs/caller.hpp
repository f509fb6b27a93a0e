// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simpacs/scenario.hpp"
#include "simpacs/wire.hpp"

#include <string>
#include <string_view>

namespace waybill::simpacs {

/// An association that the simulator asks for: sub-operations of C-MOVE, events of storage commitment. Throws Lost.
class Caller {
 public:
  /// Ids of the contexts are given here. `tls` is for destinations that are reached by it.
  Caller(const Destination& to, AssociateRequest request, std::chrono::milliseconds idle,
         const net::Tls* tls = nullptr);

  /// The id of a granted context, 0 when there is none.
  [[nodiscard]] std::uint8_t context_of(std::string_view sop_class, std::string_view syntax) const;
  void send(std::uint8_t context, const net::Command& message, ByteView dataset = {});
  /// The next message of the peer, whatever it is, with its dataset.
  [[nodiscard]] net::Command receive(Bytes& dataset);
  /// Sends a request with its dataset and waits for the answer.
  [[nodiscard]] net::Command ask(std::uint8_t context, const net::Command& request, ByteView dataset);
  void release();

 private:
  Wire wire_;
  Messages messages_;
  AssociateRequest request_;
  AssociateAccept accept_;
};

}  // namespace waybill::simpacs
