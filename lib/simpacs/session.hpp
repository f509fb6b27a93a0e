// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simpacs/node.hpp"
#include "simpacs/wire.hpp"

#include <map>

namespace waybill::simpacs {

/// One association as acceptor, from its first byte to its last. One thread.
class Session {
 public:
  Session(Node& node, io::Descriptor socket, std::uint64_t number);
  /// Ends when the peer or the scenario ends the association; what happened stands in the journal.
  void run();

 private:
  using Command = net::Command;
  /// The association was ended by us, as the scenario says.
  struct Ended {};

  // session.cpp
  void serve();
  void handle(const Command& request, std::uint8_t context);
  void echo(const Command& request, std::uint8_t context);
  /// Waits as the rule says, then answers in its way.
  void respond(const Rule* rule, std::uint8_t context, Command response, ByteView dataset = {});
  void end(Answer how, const Rule& rule);
  void pause(std::chrono::milliseconds time);
  [[nodiscard]] const Rule* rule_for(On on, std::string_view instance, std::string_view sop_class);
  [[nodiscard]] bool is_explicit(std::uint8_t context) const;
  void log(std::string_view event, const Rule* rule, std::string_view detail = {});

  // negotiation.cpp
  [[nodiscard]] bool negotiate();
  [[nodiscard]] AssociateRequest receive_request();
  void refuse_unless_welcome(const AssociateRequest& request);
  [[nodiscard]] std::vector<GrantedContext> grant(const AssociateRequest& request) const;

  // store.cpp
  void store(const Command& request, std::uint8_t context);
  [[nodiscard]] std::string keep(const Arrival& arrival, Keep how, std::uint16_t& status);

  // query.cpp
  void find(const Command& request, std::uint8_t context);

  // retrieve.cpp
  struct Outcome;
  void get(const Command& request, std::uint8_t context);
  void move(const Command& request, std::uint8_t context);
  [[nodiscard]] std::vector<InstancePtr> selected(const Bytes& identifier, std::uint8_t context) const;
  [[nodiscard]] std::uint8_t context_to_give(const Instance& instance) const;
  [[nodiscard]] Bytes given(const Instance& instance, const Rule* rule, std::string& uid) const;
  void conclude(const Rule* rule, std::uint8_t context, const Command& request, const Outcome& outcome);

  // commit.cpp
  void commit(const Command& request, std::uint8_t context);
  bool send_event(std::uint8_t context);

  Node& node_;
  std::uint64_t number_;
  Wire wire_;
  Messages messages_;
  AssociateRequest request_;
  std::map<std::uint8_t, GrantedContext> granted_;
  bool between_messages_ = false;
  std::uint16_t next_message_ = 1;
};

/// "a700".
[[nodiscard]] std::string status_text(std::uint16_t status);

/// A response to a request with a status.
[[nodiscard]] net::Command response_to(const net::Command& request, std::uint16_t status, bool data_follows = false);

inline constexpr std::string_view kStudyRootMove = "1.2.840.10008.5.1.4.1.2.2.2";

}  // namespace waybill::simpacs
